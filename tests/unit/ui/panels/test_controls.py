"""The panels offer every setting that is declared for the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonator.core.catalogue import SETTINGS
from anonator.ui import panels

SOURCE = "".join(path.read_text("utf-8") for path in Path(panels.__file__).parent.glob("*_settings.py"))


@pytest.mark.parametrize("name", [name for name, each in SETTINGS.items() if each.declared.window])
def test_a_setting_declared_for_the_window_has_a_control(name: str) -> None:
    assert f'"{name}"' in SOURCE, (
        f"{name} is declared with window=True, but no control chooses it: "
        "add one to ui/panels/masking_settings.py or, if HIPAA mode takes any value, free_settings.py"
    )
