"""Previews for people: a small frame before and after, from a running job or at one position."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from anonator.core.anonymizer import anonymize
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detectors
from anonator.core.detection.joined import for_looking
from anonator.core.frames import Frame, Masks
from anonator.core.hipaa_lock import require_lock_holds
from anonator.core.job import Preview
from anonator.core.pictures.planes import copy_of
from anonator.core.pictures.rgb import to_rgb_within
from anonator.core.reading.reader import VideoReader
from anonator.core.tracking.schedule import Planned, plan
from anonator.core.tracking.vicinity import Vicinity, reach

PREVIEW_SIDE = 640
"""Long side of the pictures of a running job, in pixels."""
PATIENCE_SECONDS = 1.6
"""A test of a frame that takes longer shows what it knows by then; opening and drawing come on top."""
AROUND_BYTES = 384 * 1024 * 1024
"""The frames around the tested one take no more memory than this."""


def anonymize_and_show(
    frame: Frame, masks: Masks, settings: Settings, side: int = PREVIEW_SIDE, note: str = ""
) -> Preview:
    """Cover the masks of a frame, in place, and return it as it was before and is now.

    Args:
        frame: is changed.
        masks: what to cover.
        settings: of the job.
        side: long side of the pictures, in pixels.
        note: for the preview.
    """
    before = to_rgb_within(frame, side)
    anonymize(frame, masks, settings)
    return Preview(before, to_rgb_within(frame, side), float(frame.seconds), len(masks), note)


def preview_frame(
    source: Path,
    seconds: float,
    settings: Settings,
    detectors: Detectors,
    *,
    side: int = PREVIEW_SIDE,
    on_first: Callable[[Preview], None] | None = None,
    stop_if_cancelled: Callable[[], None] = lambda: None,
) -> Preview:
    """One frame before and after, as a job with these settings would make it.

    The frames around it are looked at as in a job, for as long before and after as can matter. HIPAA mode's
    second look may still make a job cover more.

    Args:
        source: the video.
        seconds: presentation time; the frame shown then, or the last one.
        settings: of the job.
        detectors: keeps the model.
        side: long side of the pictures, in pixels.
        on_first: called once with what is known after PATIENCE_SECONDS, if looking takes longer; the
            preview's note says what is missing.
        stop_if_cancelled: called between layers of the network; may raise to end it there.

    Raises:
        AnonatorError: what a job would raise.
    """
    require_lock_holds(settings)
    due = time.monotonic() + PATIENCE_SECONDS
    with VideoReader(source) as reader:
        planned, place, limit = _around(reader, seconds, settings, stop_if_cancelled)
        gaps = reader.has_gaps
    near = Vicinity(planned, place, for_looking(detectors.get(settings), settings), settings)

    def shown(note: str) -> Preview:
        frame = replace(near.frame, image=copy_of(near.frame.image))  # it is needed again
        return anonymize_and_show(frame, near.masks(), settings, side, note)

    begin = time.monotonic()
    while not near.complete:
        near.look(stop_if_cancelled)
        now = time.monotonic()
        # not when it is due, but before the look that would end after it
        if on_first is not None and not near.complete and now + (now - begin) > due:
            far = f"{near.seconds:.1f} s around this frame" if near.seconds >= 0.05 else "at this frame alone"
            on_first(shown(f"Looked {far} so far; the job looks further, and so does this test…"))
            on_first = None
        begin = now
    return shown(_what_differs(settings, limit, gaps=gaps))


def _what_differs(settings: Settings, limit: float | None, *, gaps: bool) -> str:
    """In what the finished test of a frame differs from the job.

    Args:
        settings: of the job.
        limit: how far it looked, in seconds, if memory limited that.
        gaps: whether some of the pictures around the frame could not be decoded.
    """
    said = []
    if limit is not None:
        said.append(
            f"Looked only {limit:.1f} s around this frame, because its pictures are large. The job looks "
            f"{reach(settings)[1]:g} s around it, so it may cover more."
        )
    if gaps:
        ends = not settings.replaceable_frames
        said.append(
            "The video is damaged near this frame, and what cannot be decoded was left out. "
            + ("The job ends there." if ends else "The job replaces it with black.")
        )
    return " ".join(said)


def _around(
    reader: VideoReader, seconds: float, settings: Settings, stop_if_cancelled: Callable[[], None]
) -> tuple[list[Planned], int, float | None]:
    """The frames that can decide on one, its place among them, and their reach if memory limits it."""
    before, after = reach(settings)
    frames: deque[Frame] = deque()
    place, room, goes_on, limited = -1, 0, False, False
    for frame in reader.frames_from(seconds - before):
        stop_if_cancelled()
        room = room or max(3, AROUND_BYTES // frame.nbytes // 2)
        frames.append(frame)
        if frame.seconds - reader.info.time_base / 2 <= seconds or place < 0:
            place = len(frames) - 1
            # one more than matters stays: it tells whether the next one begins a scene
            while place > room or (place > 1 and float(frames[1].seconds) < seconds - before):
                limited = limited or place > room
                frames.popleft()
                place -= 1
        elif float(frame.seconds) > seconds + after or len(frames) - place > room:
            limited = limited or float(frame.seconds) <= seconds + after
            goes_on = True
            break
    if not frames:
        return list(plan([reader.frame_at(seconds)], settings)), 0, None
    within = place > 0 and frames[0].index > 0
    planned = list(plan(frames, settings, begins_within=within))
    if goes_on:
        planned.pop()  # planned as if the video ended there
    here = float(frames[place].seconds)
    limit = min(here - float(frames[0].seconds), float(frames[-1].seconds) - here) if limited else None
    return planned, place - within, limit
