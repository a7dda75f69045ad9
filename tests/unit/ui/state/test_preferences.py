"""What the window remembers: files of earlier versions are read as far as they still apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anonator.core.config import Encoder, Mode, Model, Performance
from anonator.ui.state import preferences
from anonator.ui.state.chosen_settings import Choices
from anonator.ui.state.preferences import Preferences


def read(tmp_path: Path, written: Any) -> Preferences:
    """Read a file with this content, which must not be called damaged."""
    file = tmp_path / "window.json"
    file.write_text(json.dumps(written), "utf-8")
    found, said = preferences.load(file)
    assert said == ""
    assert [path.name for path in tmp_path.iterdir()] == ["window.json"], "it was set aside"
    return found


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    choices = Choices(hipaa={"model": Model.DSFD}, standard={"mode": Mode.BLUR, "threshold": 0.6})
    saved = Preferences(choices, tmp_path / "results")
    preferences.save(tmp_path / "window.json", saved)
    assert preferences.load(tmp_path / "window.json") == (saved, "")


@pytest.mark.parametrize(
    ("hipaa", "standard"),
    [
        ({}, {"threshold": 5}),
        ({}, {"colour": 1}),
        ({}, {"mode": "pixelate"}),
        ({}, {"mode": 3, "mask_scale": "large", "keep_audio": None}),
        ({"keep_audio": True}, {}),
        ({"performance": "maximum"}, {}),
        ({"report": False}, {}),
        ([], None),
    ],
    ids=[
        "out of range",
        "unknown key",
        "removed choice",
        "other kinds",
        "not free",
        "not under the lock",
        "the report of an earlier version",
        "no tables",
    ],
)
def test_what_no_longer_applies_is_dropped(tmp_path: Path, hipaa: Any, standard: Any) -> None:
    assert read(tmp_path, {"hipaa": hipaa, "standard": standard, "output_folder": 7}) == Preferences()


def test_what_is_still_valid_is_kept_and_the_rest_dropped(tmp_path: Path) -> None:
    written = {
        "hipaa": {"colour": 1, "model": Model.DSFD.value, "keep_audio": True},
        "standard": {"threshold": 5, "mode": "blur", "encoder": "gone"},
        "window_size": [1, 2],
    }
    assert read(tmp_path, written) == Preferences(
        Choices(hipaa={"model": Model.DSFD}, standard={"mode": Mode.BLUR})
    )


def test_missing_keys_are_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, {}) == Preferences()
    assert read(tmp_path, {"output_folder": "/results"}) == Preferences(output_folder=Path("/results"))


def test_the_first_format_is_migrated(tmp_path: Path) -> None:
    """It held every value, changed or not, of the settings without HIPAA mode."""
    settings = {
        "performance": "maximum",
        "encoder": Encoder.QSV.value,
        "mode": "mosaic",
        "threshold": preferences.Settings.standard().threshold,
        "keep_audio": True,
        "removed": 1,
    }
    found = read(tmp_path, {"settings": settings, "output_folder": "/results"})
    assert found.output_folder == Path("/results")
    assert found.choices.hipaa == {"encoder": Encoder.QSV}, "HIPAA mode keeps its own values"
    standard = found.choices.standard
    assert (standard["performance"], standard["mode"]) == (Performance.MAXIMUM, Mode.MOSAIC)
    assert "threshold" not in standard and "removed" not in standard


@pytest.mark.parametrize("written", [b"{", b"[]", b"\x00\xff", b""])
def test_what_is_no_json_is_set_aside_and_reported(tmp_path: Path, written: bytes) -> None:
    file = tmp_path / "window.json"
    file.write_bytes(written)
    assert preferences.load(file) == (Preferences(), preferences.DAMAGED)
    assert not file.exists()
    assert (tmp_path / "window.json.damaged").read_bytes() == written
