"""What a video is done again with: its own threshold and mask scale, never looser than the window's."""

from __future__ import annotations

from dataclasses import dataclass, replace

from anonator.core.catalogue import legal_range
from anonator.core.config import Settings

FINER, WIDER = 0.1, 0.25
"""How much stricter a video is done again unless somebody chooses otherwise."""


@dataclass(frozen=True, slots=True)
class Stricter:
    """Values of one video that count where they are stricter than those of its run."""

    threshold: float
    mask_scale: float

    @classmethod
    def suggested(cls, settings: Settings) -> Stricter:
        """A step stricter than these settings, as far as there is one."""
        thresholds, scales = ranges(settings)
        return cls(
            round(max(thresholds[0], settings.threshold - FINER), 4),
            round(min(scales[1], settings.mask_scale + WIDER), 4),
        )

    def of(self, settings: Settings) -> Settings:
        """The settings of a run, made as strict as this.

        Raises:
            SettingsError: they don't go together with the others of the run.
        """
        lowest = legal_range("threshold", hipaa=settings.hipaa)[0]
        return replace(
            settings,
            threshold=max(lowest, min(settings.threshold, self.threshold)),
            mask_scale=max(settings.mask_scale, self.mask_scale),
        )

    @property
    def words(self) -> str:
        """For the row that waits."""
        return (
            f"Will be done again with a threshold of {self.threshold:g} and a mask scale of "
            f"{self.mask_scale:g}, or stricter if the settings are."
        )


def ranges(settings: Settings) -> tuple[tuple[float, float], tuple[float, float]]:
    """Thresholds and mask scales that are at least as strict as those of the settings."""
    lowest = legal_range("threshold", hipaa=settings.hipaa)[0]
    return (lowest, settings.threshold), (settings.mask_scale, legal_range("mask_scale")[1])
