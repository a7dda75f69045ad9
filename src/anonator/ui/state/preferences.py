"""What the window remembers between starts: chosen settings and the output folder, never a video.

A file of an earlier version is read as far as it still applies: unknown names and values that are no longer
allowed are dropped, and the rest is kept.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from platformdirs import user_config_path

from anonator.core import durable_files
from anonator.core.config import Settings
from anonator.core.setting import parse_enum
from anonator.errors import SettingsError
from anonator.ui.state.chosen_settings import IN_BOTH_MODES, Choices

logger = logging.getLogger(__name__)

DAMAGED = (
    "The saved settings couldn't be read, so Anonator started with its defaults. "
    "The old file was kept, with .damaged added to its name."
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What people chose in the window, and where results are saved; HIPAA mode is on at every start."""

    choices: Choices = field(default_factory=Choices)
    output_folder: Path | None = None
    review_hint_read: bool = False
    """Whether somebody has read what is to be known about a review."""


def default_file() -> Path:
    """Where this system keeps programs' settings."""
    return user_config_path("Anonator", appauthor=False) / "window.json"


def load(path: Path) -> tuple[Preferences, str]:
    """Read the preferences; a file that isn't readable JSON is renamed, and the second value says so."""
    try:
        return _from_json(json.loads(path.read_text("utf-8"))), ""
    except FileNotFoundError:
        return Preferences(), ""
    except (OSError, ValueError, RecursionError) as error:
        logger.warning("the preferences couldn't be read: %s", type(error).__name__)
        try:
            path.replace(path.with_name(path.name + ".damaged"))
        except OSError as failure:
            logger.warning("the damaged preferences couldn't be renamed: %s", type(failure).__name__)
        return Preferences(), DAMAGED


def save(path: Path, preferences: Preferences) -> None:
    """Write the preferences; nobody ever reads half a file.

    Raises:
        OSError: the folder can't be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    durable_files.write(path, (json.dumps(_to_json(preferences), indent=2) + "\n").encode())


def _to_json(preferences: Preferences) -> dict[str, object]:
    folder = preferences.output_folder
    return {
        "hipaa": _plain(preferences.choices.hipaa),
        "standard": _plain(preferences.choices.standard),
        "output_folder": None if folder is None else str(folder),
        "review_hint_read": preferences.review_hint_read,
    }


def _from_json(data: object) -> Preferences:
    """The preferences in a file of this version or an earlier one.

    Raises:
        ValueError: it isn't a JSON object, so no version wrote it.
    """
    if not isinstance(data, dict):
        raise ValueError("the preferences aren't a JSON object")
    hipaa, standard = _table(data, "hipaa"), _table(data, "standard")
    if "settings" in data:  # the first format: every value, changed or not, with HIPAA mode off
        chosen = _changed(_table(data, "settings"))
        standard = {**chosen, **standard}
        hipaa = {**{name: value for name, value in chosen.items() if name in IN_BOTH_MODES}, **hipaa}
    folder = data.get("output_folder")
    return Preferences(
        Choices(
            _still_valid(hipaa, lambda chosen: Choices(hipaa=chosen)),
            _still_valid(standard, lambda chosen: Choices(standard=chosen)),
        ),
        Path(folder) if isinstance(folder, str) and folder else None,
        data.get("review_hint_read") is True,
    )


def _table(data: dict[str, object], key: str) -> dict[str, object]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _changed(written: dict[str, object]) -> dict[str, object]:
    """Without the values that were only the defaults, which the configuration file may change."""
    defaults = _plain({f.name: getattr(Settings.standard(), f.name) for f in dataclasses.fields(Settings)})
    return {name: value for name, value in written.items() if value != defaults.get(name)}


def _still_valid(
    written: dict[str, object], check: Callable[[dict[str, object]], object]
) -> dict[str, object]:
    """The choices that the check accepts, one after another; a choice it refuses is dropped."""
    kept: dict[str, object] = {}
    for name, value in written.items():
        try:
            chosen = {**kept, name: _parsed(name, value)}
            check(chosen)
        except (SettingsError, TypeError, ValueError, AttributeError) as error:
            logger.info("a saved choice no longer applies and was dropped: %s", type(error).__name__)
            continue
        kept = chosen
    return kept


def _plain(chosen: dict[str, object]) -> dict[str, object]:
    return {name: value.value if isinstance(value, Enum) else value for name, value in chosen.items()}


def _parsed(name: str, value: object) -> object:
    default = next((f.default for f in dataclasses.fields(Settings) if f.name == name), None)
    return parse_enum(type(default), value) if isinstance(default, Enum) and isinstance(value, str) else value
