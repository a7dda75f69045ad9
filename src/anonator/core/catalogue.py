"""Every setting by its name, such as "threshold" or "tracking.bridge_seconds", as declared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from anonator.core.config import HIPAA_PERFORMANCE, Settings
from anonator.core.setting import Declaration, Hipaa, Scope, declaration

TABLES = {"tracking": "tracking", "presets": "performance"}
"""Fields of Settings that are groups, and what people call them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its declaration, where it is found in Settings, and its defaults."""

    name: str
    """Its name in the configuration file and in messages, with its tables in front."""
    path: str
    """Where it is found in Settings."""
    default: object
    """Under the lock."""
    standard: object
    """Without it."""
    declared: Declaration
    hipaa: Hipaa
    """What the lock takes; FREE too in a performance mode that the lock does not offer."""

    @property
    def key(self) -> str:
        """The name without its tables."""
        return self.name.rpartition(".")[2]

    def of(self, settings: Settings) -> object:
        """Its value."""
        return attrgetter(self.path)(settings)


def all_settings(kind: type[Settings] = Settings) -> dict[str, Setting]:
    """Every setting that people can change, by its name, in the order of its declaration.

    Args:
        kind: the class that declares them.
    """
    found = _walk("", "", kind(), kind.standard())
    return {each.name: each for each in found}


def _walk(name: str, path: str, default: Any, standard: object) -> Iterator[Setting]:
    for f in dataclasses.fields(default):
        ours, theirs = getattr(default, f.name), getattr(standard, f.name)
        here = path + f.name
        if dataclasses.is_dataclass(ours):
            yield from _walk(f"{name}{TABLES.get(f.name, f.name)}.", f"{here}.", ours, theirs)
            continue
        declared = declaration(f)
        assert declared is not None, f"{here} is not declared by setting()"
        if declared.scope is not Scope.PROGRAM:
            rule = declared.hipaa if _may_be_locked(path) else Hipaa.FREE
            yield Setting(name + f.name, here, ours, theirs, declared, rule)


def _may_be_locked(path: str) -> bool:
    """Whether the lock offers what is found there at all."""
    group, _, mode = path.rstrip(".").partition(".")
    return group != "presets" or mode in {each.value for each in HIPAA_PERFORMANCE}


SETTINGS = all_settings()


def legal_range(name: str, *, hipaa: bool = False) -> tuple[float, float]:
    """Least and greatest legal value of a number, whatever the lock takes of it.

    Args:
        name: of the setting, such as "threshold" or "tracking.bridge_seconds".
        hipaa: for a job under the lock.
    """
    return SETTINGS[name].declared.range(hipaa=hipaa)
