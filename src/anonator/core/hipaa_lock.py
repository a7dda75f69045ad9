"""The HIPAA lock: which values a job under it may have, as the settings' declarations say."""

from __future__ import annotations

from typing import Any

from anonator.core.catalogue import SETTINGS
from anonator.core.config import HIPAA_WAIVER, Settings
from anonator.core.setting import Hipaa, word
from anonator.errors import HipaaLockError

HIPAA_FIXED: dict[str, object] = {
    name: each.default for name, each in SETTINGS.items() if each.hipaa is not Hipaa.FREE
}
"""The settings that the lock holds, with HIPAA's values."""
HIPAA_STRICTER: dict[str, Hipaa] = {
    name: each.hipaa for name, each in SETTINGS.items() if each.hipaa in (Hipaa.LOWER, Hipaa.HIGHER)
}
"""What may go beyond HIPAA's value, and in which direction; nothing else has a surely stricter value."""
NOT_UNDER_LOCK = (
    "These tracks were found without the HIPAA lock, so it cannot hold for a file made from them. "
    "Switch the lock off (--standard), or run the video again."
)
HIPAA_UNSIGNABLE = tuple(name for name in HIPAA_FIXED if not SETTINGS[name].declared.signable)
"""What no signature can loosen."""


def lock_takes(name: str, value: object, than: Settings | None = None) -> bool:
    """Whether a value is legal and at least as strict as the lock's.

    Args:
        name: one of HIPAA_FIXED.
        value: of the setting's own type.
        than: compare with these HIPAA settings instead, which the user made stricter, or signed for.
    """
    setting = SETTINGS[name]
    bounds = lock_range(name, than)
    if bounds is not None:
        return bool(bounds[0] <= _counting(value) <= bounds[1])
    return value in (setting.default, setting.of(than) if than else None)


def lock_words(name: str, than: Settings | None = None) -> str:
    """The values that the lock takes for a setting, in words: "0.2 to 0.5", "solid"."""
    setting = SETTINGS[name]
    bounds = lock_range(name, than)
    if bounds is None:
        return word(setting.default)
    low, high = bounds
    legal = f"{low:g} to {high:g}" if low < high else f"{low:g}"
    return f"{legal} as the lowest" if isinstance(setting.default, tuple) else legal


def lock_range(name: str, than: Settings | None = None) -> tuple[float, float] | None:
    """Least and greatest value that the lock takes, or None if only one is right.

    Args:
        name: one of HIPAA_FIXED.
        than: as for lock_takes.
    """
    if name not in HIPAA_STRICTER:
        return None
    setting = SETTINGS[name]
    bar = _counting(setting.of(than) if than else setting.default)
    low, high = setting.declared.range(hipaa=True)
    return (low, bar) if setting.hipaa is Hipaa.LOWER else (bar, high)


def _counting(value: Any) -> float:
    """The number that decides how much is found: of several, the lowest."""
    return float(min(value) if isinstance(value, tuple) else value)


def looser_values(settings: Settings) -> dict[str, object]:
    """The values that protect less than the lock's, by the names of HIPAA_FIXED."""
    values = {name: SETTINGS[name].of(settings) for name in HIPAA_FIXED}
    return {name: value for name, value in values.items() if not lock_takes(name, value)}


def require_lock_holds(settings: Settings) -> None:
    """Refuse HIPAA settings with looser values but without the signed sentence.

    Raises:
        HipaaLockError: naming the first setting that differs and what to do.
    """
    if not settings.hipaa:
        return
    for name, value in looser_values(settings).items():
        if settings.hipaa_waiver != HIPAA_WAIVER or name in HIPAA_UNSIGNABLE:
            raise HipaaLockError(
                f"HIPAA mode takes {name} {lock_words(name)}, but the job asks for {word(value)}. "
                "Leave it out, or switch HIPAA mode off."
            )
    for setting in SETTINGS.values():
        choices = setting.declared.hipaa_choices
        if choices and setting.of(settings) not in choices:
            listed = " or ".join(", ".join(map(word, choices)).rsplit(", ", 1))
            raise HipaaLockError(
                f"HIPAA mode does not allow {setting.name} {word(setting.of(settings))}: "
                f"{setting.declared.why}. Choose {listed}, or switch HIPAA mode off."
            )


def waiver_note(settings: Settings) -> str:
    """What people must know about a job whose lock was loosened by a signature, or "" if it wasn't."""
    if not settings.hipaa or not (looser := looser_values(settings)):
        return ""
    values = (f"{name} {word(value)} instead of {lock_words(name)}" for name, value in looser.items())
    return f"HIPAA mode was loosened by the signature in the configuration file: {', '.join(values)}."
