"""What the window remembers between starts: settings and the output folder, never a video."""

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

from anonator.core.config import Settings, parse_enum
from anonator.errors import SettingsError

logger = logging.getLogger(__name__)

REMEMBERED = (
    "model",
    "performance",
    "threshold",
    "multi_pass",
    "orientations",
    "mode",
    "mask_scale",
    "keep_audio",
    "encoder",
)
"""The settings that the window offers; the lock is not among them, because it is on at every start."""
DAMAGED = (
    "The remembered settings could not be read, so Anonator starts with its defaults. "
    "The old file was kept beside the new one, with .damaged at its name's end."
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The settings for an open lock, and where results go."""

    standard: Settings = field(default_factory=Settings.standard)
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
    except (OSError, ValueError, TypeError, KeyError, SettingsError) as error:
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
    values = {name: getattr(preferences.standard, name) for name in REMEMBERED}
    folder = preferences.output_folder
    return {
        "settings": {key: value.value if isinstance(value, Enum) else value for key, value in values.items()},
        "output_folder": None if folder is None else str(folder),
    }


def _from_json(data: dict[str, Any]) -> Preferences:
    defaults = {f.name: f.default for f in dataclasses.fields(Settings)}
    values = {}
    for name, value in data["settings"].items():
        if name not in REMEMBERED:
            raise SettingsError(f'"{name}" is not a setting that the window remembers.')
        default = defaults[name]
        values[name] = parse_enum(type(default), value) if isinstance(default, Enum) else value
    folder = data["output_folder"]
    return Preferences(Settings.standard(**values), None if folder is None else Path(folder))
