"""The settings people chose, on top of the configuration file; no widgets.

Only choices that differ from the configuration are remembered, separately for HIPAA mode on and off, so a
changed file takes effect at the next start unless somebody chose otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from anonator.core.catalogue import SETTINGS
from anonator.core.config import HIPAA_PERFORMANCE, Encoder, Settings
from anonator.core.config_file import UserConfig
from anonator.core.hipaa_lock import HIPAA_STRICTER, lock_takes, lock_words, require_lock_holds
from anonator.core.setting import Hipaa, with_values
from anonator.errors import SettingsError

_OFFERED = {name: each for name, each in SETTINGS.items() if each.declared.window}
_FREE = {name: each for name, each in _OFFERED.items() if each.hipaa is Hipaa.FREE}
IN_BOTH_MODES = tuple(name for name, each in _FREE.items() if each.default == each.standard)
"""A choice made with HIPAA mode off also counts with it on, if it is allowed there."""
STRICTER = tuple(name for name in _OFFERED if name in HIPAA_STRICTER)
"""Under the lock these may only be made stricter."""
IN_EACH_MODE = tuple(name for name in _FREE if name not in IN_BOTH_MODES) + STRICTER
"""Chosen separately for each mode, because their defaults or ranges differ."""
OPEN_LOCK_ONLY = tuple(name for name in _OFFERED if name not in IN_BOTH_MODES + IN_EACH_MODE)
CHANGED_PERFORMANCE = "Maximum Speed isn't available in HIPAA mode, so the performance mode is {} again."
CHANGED_ENCODER = "The chosen encoder doesn't work on this computer, so the processor (x264) is used instead."


@dataclass(frozen=True, slots=True)
class Choices:
    """The chosen settings by name, with HIPAA mode on and off."""

    hipaa: dict[str, object] = field(default_factory=dict)
    standard: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names that don't belong to the mode, and values no job may have.

        Raises:
            SettingsError: saying which.
        """
        for given, names in (
            (self.hipaa, IN_BOTH_MODES + IN_EACH_MODE),
            (self.standard, IN_BOTH_MODES + IN_EACH_MODE + OPEN_LOCK_ONLY),
        ):
            for name in given:
                if name not in names:
                    raise SettingsError(f'"{name}" isn\'t a setting the window remembers.')
        require_lock_holds(with_values(Settings(), self.hipaa))
        with_values(Settings.standard(), self.standard)


class ChosenSettings:
    """The settings of the next job: the configuration, the choices on top, and the lock."""

    def __init__(self, config: UserConfig, choices: Choices) -> None:
        self.locked = True
        self._config = config
        self._hipaa, self._standard = dict(choices.hipaa), dict(choices.standard)

    @property
    def hipaa(self) -> Settings:
        """The settings with HIPAA mode on."""
        return with_values(self._config.hipaa, self._taken())

    @property
    def standard(self) -> Settings:
        """The settings with HIPAA mode off."""
        return with_values(self._config.standard, self._standard)

    def settings(self) -> Settings:
        """The settings of the next job."""
        return self.hipaa if self.locked else self.standard

    def choices(self) -> Choices:
        """The choices to remember: those that differ from the configuration."""
        return Choices(
            _differing(_strict(self._taken()), self._config.hipaa),
            _differing(self._standard, self._config.standard),
        )

    def on(self, config: UserConfig) -> ChosenSettings:
        """The same choices on top of another configuration, with the lock closed."""
        return ChosenSettings(config, Choices(_strict(self._hipaa), self._standard))

    def choose(self, name: str, value: object) -> None:
        """Take a choice for the current mode, and for the other one if it counts there too.

        Raises:
            SettingsError: it doesn't go with the other settings; nothing has changed then.
        """
        here, there = (self._hipaa, self._standard) if self.locked else (self._standard, self._hipaa)
        if self.locked and not _strict({name: value}, self._config.hipaa):
            raise SettingsError(f"HIPAA mode takes {name} {lock_words(name, self._config.hipaa)}.")
        with_values(self.settings(), {name: value})
        here[name] = value
        if name in IN_BOTH_MODES and (self.locked or name != "performance" or value in HIPAA_PERFORMANCE):
            there[name] = value

    def _taken(self) -> dict[str, object]:
        """The choices under the lock, without those that the configuration has become stricter than."""
        return _strict(self._hipaa, self._config.hipaa)

    def turn_lock(self, locked: bool) -> str:
        """Close or open the lock, and return a sentence to show about it, or ""."""
        self.locked = locked
        if locked and self.standard.performance not in HIPAA_PERFORMANCE:
            return CHANGED_PERFORMANCE.format(self.hipaa.performance.value.capitalize())
        return ""

    def leave_encoder(self, usable: tuple[Encoder, ...]) -> str:
        """Drop an encoder that doesn't work on this computer, and return a sentence about it, or ""."""
        lost = False
        for chosen, settings in ((self._hipaa, self.hipaa), (self._standard, self.standard)):
            if settings.encoder not in usable:
                chosen["encoder"] = Encoder.X264
                lost = True
        return CHANGED_ENCODER if lost else ""

    def restore_defaults(self) -> None:
        """Forget all choices; HIPAA mode stays as it is."""
        self._hipaa.clear()
        self._standard.clear()


def _strict(chosen: dict[str, object], than: Settings | None = None) -> dict[str, object]:
    """The choices that the lock takes; without a configuration's signature, those that need none."""
    return {
        name: value for name, value in chosen.items() if name not in STRICTER or lock_takes(name, value, than)
    }


def _differing(chosen: dict[str, object], ground: Settings) -> dict[str, object]:
    return {name: value for name, value in chosen.items() if getattr(ground, name) != value}
