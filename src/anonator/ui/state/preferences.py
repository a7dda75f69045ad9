"""What the window remembers between starts: chosen settings and the output folder, never a video."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from anonator.core.config import Settings
from anonator.core.setting import parse_enum
from anonator.errors import SettingsError
from anonator.ui.state.chosen_settings import Choices

logger = logging.getLogger(__name__)

DAMAGED = (
    "The remembered settings could not be read, so Anonator starts with its defaults. "
    "The old file was kept beside the new one, with .damaged at its name's end."
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What people chose in the window, and where results go; the lock is on at every start."""

    choices: Choices = field(default_factory=Choices)
    output_folder: Path | None = None


def default_file() -> Path:
    """Where this system keeps the settings of programs."""
    return user_config_path("Anonator", appauthor=False) / "window.json"


def load(path: Path) -> tuple[Preferences, str]:
    """Read the preferences; a file that cannot be used is renamed, and the second value says so."""
    try:
        return _from_json(json.loads(path.read_text("utf-8"))), ""
    except FileNotFoundError:
        return Preferences(), ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SettingsError) as error:
        logger.warning("preferences could not be used: %s", type(error).__name__)
        try:
            path.replace(path.with_name(path.name + ".damaged"))
        except OSError as failure:
            logger.warning("the damaged preferences could not be renamed: %s", type(failure).__name__)
        return Preferences(), DAMAGED


def save(path: Path, preferences: Preferences) -> None:
    """Write the preferences under a temporary name first, so that no half file is ever read.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(json.dumps(_to_json(preferences), indent=2) + "\n", "utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _to_json(preferences: Preferences) -> dict[str, Any]:
    folder = preferences.output_folder
    return {
        "hipaa": _plain(preferences.choices.hipaa),
        "standard": _plain(preferences.choices.standard),
        "output_folder": None if folder is None else str(folder),
    }


def _from_json(data: dict[str, Any]) -> Preferences:
    folder = data["output_folder"]
    return Preferences(
        Choices(_parsed(data["hipaa"]), _parsed(data["standard"])), None if folder is None else Path(folder)
    )


def _plain(chosen: dict[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, Enum) else value for name, value in chosen.items()}


def _parsed(written: dict[str, Any]) -> dict[str, Any]:
    defaults = {f.name: f.default for f in dataclasses.fields(Settings)}
    parsed = {}
    for name, value in written.items():
        default = defaults.get(name)
        parsed[name] = parse_enum(type(default), value) if isinstance(default, Enum) else value
    return parsed
