"""Reads the configuration file (TOML) of the user: what HIPAA mode and standard mode start from.

load() answers what both front ends need, and never raises anything but SettingsError:

    config = load()                     # anonator.toml in the system's place, or the defaults without one
    config = load(Path("ward.toml"))    # --config; must exist
    config.hipaa                        # Settings under the lock: HIPAA's values or stricter ones
    config.standard                     # Settings without the lock

A job's settings are made of one of the two by dataclasses.replace. config.waiver_note(settings) is the
sentence to show where the user signed for looser values. A file that cannot be used is an error and not
"the defaults": whoever wrote stricter values must not run without them. CONFIG_EXAMPLE.md describes the
file itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from anonator.core.config import (
    HIPAA_FIXED,
    HIPAA_PERFORMANCE,
    HIPAA_STRICTER,
    HIPAA_UNSIGNABLE,
    HIPAA_WAIVER,
    Settings,
    TrackingSettings,
    lock_takes,
    lock_words,
    parse_enum,
    word,
)
from anonator.errors import HipaaLockError, SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "anonator.toml"
LARGEST_BYTES = 1_000_000
"""A settings file is a page long; something larger is another file, or a device that never ends."""
SIGNATURE = "i_accept"
"""Key in [hipaa] under which HIPAA_WAIVER is signed."""
NOT_IN_THE_FILE = ("hipaa", "hipaa_waiver", "tracking")
"""Fields of Settings that the table itself, the signature and a table of their own stand for."""
STANDARD_ONLY = ("damaged_frames_limit",)
"""Settings that say nothing under the lock, where one damaged frame ends the job."""


@dataclass(frozen=True, slots=True)
class UserConfig:
    """What the modes start from."""

    hipaa: Settings = field(default_factory=Settings)
    """Under the lock."""
    standard: Settings = field(default_factory=Settings.standard)
    """Without it."""


def default_path() -> Path:
    """Where the file lies on this system; neither it nor its folder need exist."""
    return user_config_path("Anonator", appauthor=False) / FILE_NAME


def load(path: Path | None = None) -> UserConfig:
    """Read the configuration as a whole, or not at all.

    Args:
        path: the file that the user named; None takes the one in the system's place, if there is one.

    Raises:
        SettingsError: the file cannot be read, or is no TOML, or a key or a value of it is wrong.
        HipaaLockError: [hipaa] holds a value that is less strict than HIPAA's and not signed for.
    """
    # the default file's place is told because few people know it; a named one may name a patient
    name = (
        f"The configuration file {default_path()}" if path is None else "The configuration file of --config"
    )
    try:
        return _parsed(_read(default_path() if path is None else path))
    except FileNotFoundError as exc:
        if path is None and not default_path().is_symlink():  # one that leads nowhere was put there
            return UserConfig()
        raise SettingsError(f"{name} is not there. Check its name.") from exc
    except OSError as exc:
        raise SettingsError(f"{name} cannot be read ({exc.strerror or type(exc).__name__}).") from exc
    except SettingsError as exc:
        raise type(exc)(f"{name} cannot be used: {exc}") from exc
    except (ValueError, RecursionError) as exc:  # Python's limits for the digits of a number and for depth
        raise SettingsError(f"{name} cannot be used: a value is too large or nested too deep.") from exc


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise SettingsError("it is too large for a configuration.")
    try:
        # Windows' editor may put a byte-order mark before the text
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise SettingsError("it is not a text in UTF-8. Save it again with that encoding.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"it is not valid TOML: {exc}.") from exc  # names line and column


def _parsed(data: dict[str, Any]) -> UserConfig:
    for name, value in data.items():
        if name not in ("hipaa", "standard"):
            what = "not a table of this file" if isinstance(value, dict) else "outside of a table"
            raise SettingsError(f"{name!r} is {what}; settings belong under [hipaa] or [standard].")
    return UserConfig(
        hipaa=_settings("hipaa", data.get("hipaa", {}), Settings()),
        standard=_settings("standard", data.get("standard", {}), Settings.standard()),
    )


def _settings(table: str, data: Any, defaults: Settings) -> Settings:
    """The settings of a table and of its tracking, on the ground of the defaults."""
    given = dict(_table(table, data))
    tracking = _table(f"{table}.tracking", given.pop("tracking", {}))
    signed = _signature(given) if defaults.hipaa else ""
    held: Collection[str] = (HIPAA_UNSIGNABLE if signed else HIPAA_FIXED) if defaults.hipaa else ()
    tracked = _values(f"{table}.tracking", tracking, defaults.tracking, held)
    values = _values(table, given, defaults, held)
    where = f"{table}.tracking"
    try:
        values["tracking"] = dataclasses.replace(defaults.tracking, **tracked)
        where = table
        return dataclasses.replace(defaults, hipaa_waiver=signed, **values)
    except SettingsError as exc:
        raise SettingsError(f"[{where}] {exc}") from exc


def _table(name: str, data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise SettingsError(f"{name} must be a table: write [{name}] and its settings below.")
    return data


def _signature(table: dict[str, Any]) -> str:
    """The signed sentence, taken out of the table; "" where nobody signed."""
    signed = table.pop(SIGNATURE, "")
    if signed not in ("", HIPAA_WAIVER):
        raise SettingsError(
            f'[hipaa] {SIGNATURE} must be exactly "{HIPAA_WAIVER}", or be left out to keep the lock whole.'
        )
    return str(signed)


def _values(
    table: str, given: dict[str, Any], defaults: Settings | TrackingSettings, held: Collection[str]
) -> dict[str, Any]:
    """The values of a table, all of known keys, choices as enums, and none looser that the lock holds."""
    known = {f.name: getattr(defaults, f.name) for f in dataclasses.fields(defaults)}
    for name in NOT_IN_THE_FILE + (STANDARD_ONLY if table == "hipaa" else ()):
        known.pop(name, None)
    prefix = "tracking." if isinstance(defaults, TrackingSettings) else ""
    values = {}
    for key, value in given.items():
        if key not in known:
            raise SettingsError(f"[{table}] {key!r} {_why_unknown(table, key, list(known))}")
        values[key] = _choice(table, key, value, known[key]) if isinstance(known[key], Enum) else value
        name = prefix + key
        if name in held:
            _require_as_strict(table, key, name, values[key])
    return values


def _choice(table: str, key: str, value: Any, default: Enum) -> Enum:
    choices = HIPAA_PERFORMANCE if (table, key) == ("hipaa", "performance") else tuple(type(default))
    found = None
    if isinstance(value, str):
        with contextlib.suppress(SettingsError):  # this message names the key too
            found = parse_enum(type(default), value)
    if found not in choices:
        listed = ", ".join(f'"{word(choice)}"' for choice in choices)
        raise SettingsError(f"[{table}] {key} must be one of {listed}, not {_written(value)}.")
    return found


def _require_as_strict(table: str, key: str, name: str, value: Any) -> None:
    """Refuse what is looser than the lock, with the range that is legal here."""
    numeric = name in HIPAA_STRICTER
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if (is_number or not numeric) and lock_takes(name, value):
        return
    what = f"a number from {lock_words(name)}" if numeric else lock_words(name)
    signing = "" if name in HIPAA_UNSIGNABLE else f", or sign for it with {SIGNATURE} (see CONFIG_EXAMPLE.md)"
    raise HipaaLockError(
        f"[{table}] {key} must be {what}, not {_written(value)}. HIPAA mode can be made stricter here, never "
        f"looser: put the value under [standard]{signing}."
    )


def _why_unknown(table: str, key: str, known: list[str]) -> str:
    """The rest of the sentence that begins with an unknown key."""
    mode, _, part = table.partition(".")
    if key in STANDARD_ONLY:
        return "belongs under [standard]: HIPAA mode ends a job at the first damaged frame."
    if key in ("hipaa", "hipaa_waiver", SIGNATURE):
        return (
            f"is not a setting here: the lock is on unless the window or --standard opens it, and "
            f"{SIGNATURE} under [hipaa] signs for looser values."
        )
    other = Settings if part else TrackingSettings
    if key in {f.name for f in dataclasses.fields(other)}:
        return f"belongs under [{mode if part else mode + '.tracking'}]."
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"is not a setting; {hint}[{table}] knows: {', '.join(known)}."


def _written(value: Any) -> str:
    """A value about as it stands in the file."""
    return f'"{value}"' if isinstance(value, str) else word(value)
