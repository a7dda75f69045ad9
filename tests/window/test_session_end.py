"""When Windows ends the session, the window closes without asking."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from own_folders import folders_under
from session_helpers import ASKED, ENDS, tell
from ui_helpers import Program


@pytest.mark.skipif(sys.platform != "win32", reason="other systems send a signal")
def test_the_window_closes_at_the_end_of_the_session(tmp_path: Path, clip: Path) -> None:
    log = tmp_path / "events.jsonl"
    environment = {**folders_under(tmp_path), "ANONATOR_UI_EVENTS": str(log)}
    program = Program([sys.executable, "-m", "anonator.main", str(clip)], log, environment)
    try:
        program.wait("ready", 120)
        assert tell(ASKED, 0) == 1
        tell(ENDS, 1)
        program.wait("closed", 1)
        assert program.process.wait(60) == 0
    finally:
        program.stop()
