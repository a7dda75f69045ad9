"""A data folder and a server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest
from unit.detection.weights.http_helpers import Behaviour, FileServer, serving
from unit.detection.weights.weight_helpers import CONTENT, DIGEST, KNOWN

from anonator.core.detection import weights
from anonator.core.detection.known_weights import SPECS


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own, small weights as the published ones, no proxy before the server."""
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *args, **kwargs: str(tmp_path / "data"))
    monkeypatch.delenv(weights.ENVIRONMENT_FOLDER, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    small = replace(SPECS[KNOWN], size_bytes=len(CONTENT), sha256=DIGEST, url="https://weights.invalid/")
    monkeypatch.setitem(SPECS, KNOWN, small)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(Behaviour(CONTENT)) as running:
        yield running
