"""Reads the user's configuration file (TOML): what HIPAA mode and standard mode start from.

load() gives both front ends what they need, and raises nothing but SettingsError:

    config = load()                     # anonator.toml in its usual place, or the defaults without one
    config = load(Path("ward.toml"))    # --config; must exist
    config.hipaa                        # Settings under the lock: HIPAA's values or stricter ones
    config.standard                     # Settings without the lock

A job's settings are made of one of the two by dataclasses.replace. hipaa_lock.waiver_note(settings) is the
sentence to show if the user signed for looser values. A file that cannot be used is an error and doesn't
mean "the defaults": somebody who wrote stricter values must not run without them. CONFIG_EXAMPLE.md
describes the file itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from platformdirs import user_config_path

from anonator.core.catalogue import SETTINGS
from anonator.core.config import HIPAA_WAIVER, Performance, Settings
from anonator.core.hipaa_lock import (
    HIPAA_FIXED,
    HIPAA_STRICTER,
    HIPAA_UNSIGNABLE,
    lock_takes,
    lock_words,
)
from anonator.core.performance import PerformancePreset, Presets
from anonator.core.setting import Scope, is_number, parse_enum, with_values, word
from anonator.core.toml_file import read
from anonator.core.tracking_settings import TrackingSettings
from anonator.errors import HipaaLockError, SettingsError

FILE_NAME = "anonator.toml"
SIGNATURE = "i_accept"
"""Key in [hipaa] under which HIPAA_WAIVER is signed."""
STANDARD_ONLY = tuple(name for name, each in SETTINGS.items() if each.declared.scope is Scope.STANDARD)
"""Settings that have no effect under the lock."""


@dataclass(frozen=True, slots=True)
class UserConfig:
    """What the modes start from."""

    hipaa: Settings = field(default_factory=Settings)
    """Under the lock."""
    standard: Settings = field(default_factory=Settings.standard)
    """Without it."""
    report_folder: Path | None = None
    """Where audit reports are saved; None is next to each result."""


def default_path() -> Path:
    """Where the file is kept on this system; neither it nor its folder needs to exist."""
    return user_config_path("Anonator", appauthor=False) / FILE_NAME


def load(path: Path | None = None) -> UserConfig:
    """Read the configuration as a whole, or not at all.

    Args:
        path: the file the user named; None takes the one in the usual place, if there is one.

    Raises:
        SettingsError: the file cannot be read, isn't TOML, or has a wrong key or value.
        HipaaLockError: [hipaa] holds a value that is less strict than HIPAA's and not signed for.
    """
    # the default file's place is named because few people know it; a named one may name a patient
    name = (
        f"The configuration file {default_path()}"
        if path is None
        else "The configuration file given with --config"
    )
    try:
        return _parsed(read(default_path() if path is None else path))
    except FileNotFoundError as exc:
        if path is None and not default_path().is_symlink():  # a broken link was put there on purpose
            return UserConfig()
        raise SettingsError(f"{name} was not found. Check its name.") from exc
    except OSError as exc:
        raise SettingsError(f"{name} cannot be read ({exc.strerror or type(exc).__name__}).") from exc
    except SettingsError as exc:
        raise type(exc)(f"{name} cannot be used: {exc}") from exc
    except (ValueError, RecursionError) as exc:  # Python's limits for the digits of a number and for depth
        raise SettingsError(f"{name} cannot be used: a value is too large or nested too deep.") from exc


def _parsed(data: dict[str, object]) -> UserConfig:
    for name, value in data.items():
        if name not in ("hipaa", "standard", "performance", "reports"):
            what = "not a table of this file" if isinstance(value, dict) else "outside of a table"
            raise SettingsError(
                f"{name!r} is {what}; settings belong under [hipaa] or [standard], the numbers of a "
                "performance mode under [performance.balanced] or another, and the folder for audit reports "
                "under [reports]."
            )
    hipaa, standard = (dict(_table(name, data.get(name, {}))) for name in ("hipaa", "standard"))
    signed = _signature(hipaa)
    held = HIPAA_UNSIGNABLE if signed else tuple(HIPAA_FIXED)
    locked, unlocked = _presets(_table("performance", data.get("performance", {})), held)
    start = dataclasses.replace(Settings(), hipaa_waiver=signed, presets=locked)
    return UserConfig(
        hipaa=_settings("hipaa", hipaa, start, held),
        standard=_settings("standard", standard, Settings.standard(presets=unlocked), ()),
        report_folder=_report_folder(_table("reports", data.get("reports", {}))),
    )


def _report_folder(table: dict[str, object]) -> Path | None:
    """Where reports are saved; whether the folder is there is for the job to find out."""
    for key in table:
        if key != "folder":
            raise SettingsError(f"[reports] {key!r} is not a setting; [reports] accepts: folder.")
    folder = table.get("folder", "")
    if not isinstance(folder, str):
        raise SettingsError(f"[reports] folder must be a text, not {_written(folder)}.")
    if folder and not Path(folder).is_absolute():
        raise SettingsError(
            "[reports] folder must be a whole path, such as '/srv/audit' or 'D:\\Audit'. Single quotes keep "
            "its backslashes."
        )
    return Path(folder) if folder else None


def _presets(modes: dict[str, object], held: Collection[str]) -> tuple[Presets, Presets]:
    """The numbers of the performance modes under the lock, and those without it."""
    locked = unlocked = Presets()
    known = [mode.value for mode in Performance]
    for mode, table in modes.items():
        if mode not in known:
            listed = ", ".join(f"[performance.{each}]" for each in known)
            raise SettingsError(f"[performance] {mode!r} is not a performance mode; choose one of: {listed}.")
        name = f"performance.{mode}"
        given = dict(_table(name, table))
        only_standard = _table(f"{name}.standard", given.pop("standard", {}))
        mine = _preset(name, given, locked.of(mode), held)
        locked = dataclasses.replace(locked, **{mode: mine})
        theirs = _preset(f"{name}.standard", only_standard, mine, ())
        unlocked = dataclasses.replace(unlocked, **{mode: theirs})
    return locked, unlocked


def _preset(
    table: str, given: dict[str, object], defaults: PerformancePreset, held: Collection[str]
) -> PerformancePreset:
    values = _values(table, given, defaults, held)
    try:
        return with_values(defaults, values)
    except SettingsError as exc:
        raise SettingsError(f"[{table}] {exc}") from exc


def _settings(table: str, given: dict[str, object], defaults: Settings, held: Collection[str]) -> Settings:
    """The settings of a table and its tracking, on top of the defaults."""
    tracking = _table(f"{table}.tracking", given.pop("tracking", {}))
    tracked = _values(f"{table}.tracking", tracking, defaults.tracking, held)
    values = _values(table, given, defaults, held)
    where = f"{table}.tracking"
    try:
        values["tracking"] = with_values(defaults.tracking, tracked)
        where = table
        return with_values(defaults, values)
    except SettingsError as exc:
        raise SettingsError(f"[{where}] {exc}") from exc


def _table(name: str, data: object) -> dict[str, object]:
    if not isinstance(data, dict):
        raise SettingsError(f"{name} must be a table: write [{name}] and its settings below.")
    return data


def _signature(table: dict[str, object]) -> str:
    """The signed sentence, removed from the table; "" if nobody signed."""
    signed = table.pop(SIGNATURE, "")
    if signed not in ("", HIPAA_WAIVER):
        raise SettingsError(
            f'[hipaa] {SIGNATURE} must be exactly "{HIPAA_WAIVER}", or be left out to keep the full lock.'
        )
    return str(signed)


def _values(
    table: str,
    given: dict[str, object],
    defaults: Settings | TrackingSettings | PerformancePreset,
    held: Collection[str],
) -> dict[str, object]:
    """The values of a table: all keys known, choices as enums, and none looser than the lock allows."""
    prefix = _prefix(table)
    names = {each.key: name for name, each in SETTINGS.items() if name == prefix + each.key}
    known = [key for key, name in names.items() if table != "hipaa" or name not in STANDARD_ONLY]
    values: dict[str, object] = {}
    for key, value in given.items():
        if key not in known:
            raise SettingsError(f"[{table}] {key!r} {_why_unknown(table, key, known)}")
        default = getattr(defaults, key)
        if isinstance(default, Enum):
            value = _choice(table, key, value, default)
        elif isinstance(default, tuple) and isinstance(value, list):
            value = tuple(value)
        values[key] = value
        if prefix + key in held:
            _require_as_strict(table, prefix + key, value)
    return values


def _prefix(table: str) -> str:
    """The prefix of this table's keys in the setting's name, such as "tracking."."""
    if table.startswith("performance."):
        return table.removesuffix(".standard") + "."
    return table.partition(".")[2] + "." if "." in table else ""


def _choice(table: str, key: str, value: object, default: Enum) -> Enum:
    legal = SETTINGS[_prefix(table) + key].declared.hipaa_choices if table == "hipaa" else ()
    choices = legal or tuple(type(default))
    found = None
    if isinstance(value, str):
        with contextlib.suppress(SettingsError):  # this message names the key too
            found = parse_enum(type(default), value)
    if found not in choices:
        listed = ", ".join(f'"{word(choice)}"' for choice in choices)
        raise SettingsError(f"[{table}] {key} must be one of {listed}, not {_written(value)}.")
    return found


def _require_as_strict(table: str, name: str, value: object) -> None:
    """Refuse what is looser than the lock, with the range that is legal here."""
    setting, numeric = SETTINGS[name], name in HIPAA_STRICTER
    several = isinstance(setting.default, tuple)
    comparable = bool(value) and all(map(is_number, value)) if isinstance(value, tuple) else is_number(value)
    if ((comparable and several == isinstance(value, tuple)) or not numeric) and lock_takes(name, value):
        return
    legal = lock_words(name)
    if numeric and " to " in legal:
        legal = f"{'numbers with' if several else 'a number from'} {legal}"
    other = f"{table}.standard" if table.startswith("performance.") else "standard"
    signing = ""
    if setting.declared.signable:
        signing = f", or sign for it with {SIGNATURE} (see CONFIG_EXAMPLE.md)"
    raise HipaaLockError(
        f"[{table}] {setting.key} must be {legal}, not {_written(value)}. HIPAA mode can be made stricter "
        f"here, never looser: put the value under [{other}]{signing}."
    )


def _why_unknown(table: str, key: str, known: list[str]) -> str:
    """The rest of the sentence that begins with an unknown key."""
    if key in ("hipaa", "hipaa_waiver", SIGNATURE):
        return (
            f"is not a setting here: the lock is on unless you open it in the window or with --standard, and "
            f"{SIGNATURE} under [hipaa] allows looser values."
        )
    if key in STANDARD_ONLY:
        return f"belongs under [standard]: {SETTINGS[key].declared.why}."
    for name, each in SETTINGS.items():
        if each.key == key:
            return f"belongs under [{_table_of(name, table)}]."
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"is not a setting; {hint}[{table}] accepts: {', '.join(known)}."


def _table_of(name: str, asked: str) -> str:
    """The right table for a setting, in the mode of the table where it was written."""
    group = name.rpartition(".")[0]
    if group.startswith("performance."):
        return "performance.quality"  # or another mode's, which has the same keys
    mode = "hipaa" if asked.startswith("hipaa") else "standard"
    return f"{mode}.{group}" if group else mode


def _written(value: object) -> str:
    """A value roughly as it is written in the file."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return f'"{value}"' if isinstance(value, str) else word(value)
