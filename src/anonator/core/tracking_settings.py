"""The settings of tracking: how detections become tracks, and what a track covers beyond them."""

from __future__ import annotations

from dataclasses import dataclass

from anonator.core.setting import Hipaa, setting, settle, standard_values


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How detections become tracks, and how far a track reaches beyond what was detected."""

    continue_threshold: float = setting(
        0.1,
        "Lowest score at which a detection may continue an existing track.",
        low=0.02,
        high=0.9,
        hipaa=Hipaa.LOWER,
        standard=0.2,
    )
    bridge_seconds: float = setting(
        1.0,
        "Longest gap in a track that is filled, in seconds.",
        low=0.0,
        high=5.0,
        hipaa=Hipaa.HIGHER,
        standard=0.5,
    )
    extend_seconds: float = setting(
        0.25,
        "How long a face stays covered before its first and after its last detection, in seconds.",
        low=0.0,
        high=5.0,
        hipaa=Hipaa.HIGHER,
        standard=0.12,
    )
    link_iou: float = setting(
        0.2,
        "Overlap (IoU) at which two boxes count as the same face right away.",
        low=0.01,
        high=0.9,
        hipaa=Hipaa.FIXED,
    )
    link_distance: float = setting(
        2.0,
        "How far a face may move between two detections, in face sizes.",
        low=0.0,
        high=5.0,
        hipaa=Hipaa.FIXED,
    )
    cut_correlation: float = setting(
        0.3,
        "Colour-histogram correlation below which two frames belong to different scenes.",
        low=-1.0,
        high=1.0,
        hipaa=Hipaa.FIXED,
    )

    def __post_init__(self) -> None:
        settle(self)


STANDARD_TRACKING = TrackingSettings(**standard_values(TrackingSettings))
"""What standard mode starts from; HIPAA's own, more generous values are TrackingSettings' defaults."""
