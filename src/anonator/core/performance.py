"""The numbers behind the performance modes: how often and how closely a video is searched for faces."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from anonator.core.setting import Hipaa, Scope, setting, settle
from anonator.errors import SettingsError


@dataclass(frozen=True, slots=True)
class PerformancePreset:
    """The numbers behind a performance mode."""

    batch_size: int = setting(
        8, "How many pictures a GPU works on at once; a CPU decides by itself.", low=1, high=64, rare=True
    )
    detect_every: int = setting(
        1,
        "Look for faces in every n-th frame; between them, faces are followed.",
        low=1,
        high=30,
        hipaa=Hipaa.LOWER,
        rare=True,
    )
    max_resolution: int = setting(
        1920,
        "Long side, in pixels, of the picture that is searched for faces.",
        low=320,
        high=4096,
        hipaa=Hipaa.HIGHER,
        rare=True,
    )
    encoder_preset: str = setting("veryfast", "The preset of x264.", scope=Scope.PROGRAM, rare=True)
    full_size_every: int = setting(
        1,
        "Look at the full size in every n-th of these frames, and at half of it in the others; a GPU always "
        "looks at the full size.",
        low=1,
        high=5,
        hipaa=Hipaa.LOWER,
        rare=True,
    )

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presets:
    """The numbers of every performance mode; the published leaks were measured with these defaults."""

    original: PerformancePreset = PerformancePreset(1, 1, 1920, "faster")
    quality: PerformancePreset = PerformancePreset(8, 1, 1920, "faster", 2)
    balanced: PerformancePreset = PerformancePreset(8, 3, 1280, "veryfast")
    maximum: PerformancePreset = PerformancePreset(16, 5, 960, "superfast")

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            if not isinstance(getattr(self, f.name), PerformancePreset):
                raise SettingsError(f"presets.{f.name} must be a PerformancePreset.")

    def of(self, name: str) -> PerformancePreset:
        """The numbers of one mode."""
        preset: PerformancePreset = getattr(self, name)
        return preset
