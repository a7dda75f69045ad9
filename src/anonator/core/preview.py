"""Previews for people: a small frame before and after, from a running job or at one position."""

from __future__ import annotations

from pathlib import Path

from anonator.core.anonymizer import anonymize
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.frames import Frame, Masks, Preview
from anonator.core.hipaa_lock import require_lock_holds
from anonator.core.reading.reader import VideoReader, to_rgb_within
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import look

PREVIEW_SIDE = 640
"""Long side of the preview pictures, in pixels."""


def anonymize_and_show(frame: Frame, masks: Masks, settings: Settings) -> Preview:
    """Cover the masks of a frame, in place, and return it as it was before and is now.

    Args:
        frame: is changed.
        masks: what to cover.
        settings: of the job.
    """
    before = to_rgb_within(frame, PREVIEW_SIDE)
    anonymize(frame, masks, settings)
    return Preview(before, to_rgb_within(frame, PREVIEW_SIDE), float(frame.seconds), len(masks))


def preview_frame(source: Path, seconds: float, settings: Settings, detectors: DetectorCache) -> Preview:
    """One frame before and after, as a job with these settings would make it from this frame alone.

    Args:
        source: the video.
        seconds: presentation time; the frame shown then, or the last one.
        settings: of the job.
        detectors: keeps the model.

    Raises:
        AnonatorError: what a job would raise.
    """
    require_lock_holds(settings)
    with VideoReader(source) as reader:
        frame = reader.frame_at(seconds)
    detector = detectors.get(settings)
    ((frame, masks),) = Tracker(settings).run(look([frame], detector, settings))
    return anonymize_and_show(frame, masks, settings)
