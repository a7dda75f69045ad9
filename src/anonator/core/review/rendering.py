"""Rendering: a video is made again from its tracks and their edits, without looking at it.

More black cannot uncover a face. So the second look need only see the frames whose masks have become smaller.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from anonator.core.anonymizer import covered_pixels
from anonator.core.areas import area
from anonator.core.config import DECIDED, Settings
from anonator.core.frames import Float32Array, Frame, Masks, TrackSummary
from anonator.core.hipaa_lock import NOT_UNDER_LOCK
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import Corrected
from anonator.core.review.edits import Edit, standing
from anonator.core.review.reviewed import apply, done, start
from anonator.core.review.summary import summary
from anonator.core.review.tracks_file import OTHER_VIDEO, TORN, Kept
from anonator.core.tracking.linking import LONG_GAP_SECONDS
from anonator.errors import HipaaLockError, ReviewError, SettingsError

LOOK_EVERY = 10
"""Of a stretch whose masks have become smaller, every n-th frame is looked at, the first and the last one."""

Rectangle = tuple[int, int, int, int]


def settings_for(found: Settings, given: Settings | None) -> Settings:
    """The settings of a rendering: what was found is as it was, the rest as asked for.

    Args:
        found: of the first run.
        given: None is the first run's own.

    Raises:
        HipaaLockError: the first run was not under the lock.
    """
    if given is None:
        return found
    if given.hipaa and not found.hipaa:
        raise HipaaLockError(NOT_UNDER_LOCK)
    return dataclasses.replace(given, **{name: getattr(found, name) for name in DECIDED})


class Rendering:
    """One video's tracks and edits, on their way to become masks again."""

    def __init__(self, kept: Kept, settings: Settings) -> None:
        """Take what a tracks file holds.

        Args:
            kept: of the video.
            settings: of the job.

        Raises:
            ReviewError: edits are missing, or not possible.
            SettingsError: the settings are none of settings_for.
        """
        if kept.problem and not kept.problem.startswith(TORN):
            raise ReviewError(f"{kept.problem} What comes after it may cover a face, so no file was made.")
        self.analysis, self.edits = kept.analysis, kept.edits
        self.state = apply(kept.edits, kept.analysis)
        self.notes = [kept.problem] if kept.problem else []
        if settings != settings_for(kept.analysis.settings, settings):
            raise SettingsError("Tracks cannot be used with settings that would have found something else.")
        self._settings, first = settings, kept.analysis.settings
        by_program = [edit for edit in standing(kept.edits) if edit.by_program]
        self._first = _corrected(by_program, kept.analysis)
        self._now = Corrected(self.state, settings.mask_scale)
        takes_away = {piece.span for piece in self.state.pieces} - {(-np.inf, np.inf)}
        self._may_lose = bool(
            takes_away
            or self.state.visible
            or settings.mask_scale < first.mask_scale
            or settings.mode is not first.mode
            or set(first.areas) - set(settings.areas)
        )
        self.shown: dict[int, Float32Array] = {}
        """By frame: (N, 4) places that were covered and that an edit leaves visible."""
        self.lost: list[int] = []
        """The frames whose masks have become smaller."""

    def frames(self, frames: Iterable[Frame], file_bytes: int) -> Iterator[tuple[Frame, Masks]]:
        """The frames of the video, in order, with what must be covered in them.

        Args:
            frames: of the video, as the first run got them.
            file_bytes: length of its file.

        Raises:
            ReviewError: it is another video, or it was changed.
        """
        self.shown, self.lost = {}, []
        key, pts, size = self.analysis.key, self.analysis.pts, None
        if file_bytes != key.file_bytes:
            raise ReviewError(OTHER_VIDEO)
        index = -1
        for index, (frame, found) in enumerate(zip(frames, self._found(), strict=False)):
            if frame.pts != pts[index] or frame.time_base.as_integer_ratio() != key.time_base:
                raise ReviewError(OTHER_VIDEO)
            masks = self._now.masks(frame.pts, found)
            if self._may_lose:
                self._compare(frame, found, masks)
            size = frame.width, frame.height
            yield frame, masks
        # only now: a video whose pictures grow is begun anew when that comes out
        if index + 1 != len(pts) or size != (key.width, key.height):
            raise ReviewError(OTHER_VIDEO)

    def _found(self) -> Iterator[Masks]:
        """What covering put on each frame; one frame more than there were is another video."""
        yield from self.analysis.masks()
        raise ReviewError(OTHER_VIDEO)

    def to_look_at(self) -> dict[int, bool]:
        """The frames of the second look, and whether each is also looked at turned."""
        lost = set(self.lost)
        turned = {index for index, also_turned in self.analysis.looks if also_turned}
        return {
            index: index in turned
            for index in self.lost
            if index % LOOK_EVERY == 0 or not {index - 1, index + 1} <= lost
        }

    def summary(self) -> dict[str, object]:
        """What a report says of the review."""
        return summary(self.edits, self.state, self.analysis)

    def summaries(self) -> list[TrackSummary]:
        """What a report says of the tracks, as after the first run."""
        numerator, denominator = self.analysis.key.time_base
        looks = np.array([index for index, _ in self.analysis.looks], np.int64)
        told = []
        for track in self.analysis.tracks:
            rows = track.sightings.rows
            if not rows["sure"].any() and not self._is_believed_at_end(rows):
                continue  # it never covered anything
            upto, after = (np.searchsorted(looks, rows["frame"], side) for side in ("left", "right"))
            times = [self.analysis.pts[frame] * numerator / denominator for frame in rows["frame"].tolist()]
            missed = np.flatnonzero(upto[1:] > after[:-1]).tolist()
            gaps = [(times[i], times[i + 1]) for i in missed]
            lowest = float(rows["score"].min())
            long = tuple(each for each in gaps if each[1] - each[0] >= LONG_GAP_SECONDS)
            told.append(TrackSummary(times[0], times[-1], len(rows), len(gaps), lowest, long))
        return told

    def _is_believed_at_end(self, rows: np.ndarray) -> bool:
        """Whether an unsure track counts because its scene ended before a turned look spoke against it."""
        last = rows["frame"][-1]
        end = min((cut for cut in self.analysis.cuts if cut > last), default=len(self.analysis.pts))
        return len(rows) > 1 and not any(turned and last < i < end for i, turned in self.analysis.looks)

    def _compare(self, frame: Frame, found: Masks, masks: Masks) -> None:
        """Note where this frame's masks are smaller than the first run's."""
        first, now = self.analysis.settings, self._settings
        before = self._covered(frame, self._first.masks(frame.pts, found), first)
        after = self._covered(frame, masks, now)
        if now.mode is first.mode and set(before) <= set(after):
            return
        if now.mode is not first.mode or _uncovers(before, after, frame.width, frame.height):
            self.lost.append(frame.index)
        shown = self._now.shown(frame.pts, found)
        if len(shown):
            self.shown[frame.index] = shown

    def _covered(self, frame: Frame, masks: Masks, settings: Settings) -> list[Rectangle]:
        rectangles = covered_pixels(masks.boxes, settings.mask_scale, frame.width, frame.height)
        areas = (each for each in map(area, settings.areas) if each.holds_at(float(frame.seconds)))
        return rectangles + [each.pixels(frame.width, frame.height) for each in areas]


def _corrected(by_program: list[Edit], analysis: Analysis) -> Corrected:
    """The masks that the first run ended with: all that was found, and the repairs of its second look."""
    state = start(analysis)
    for edit in by_program:
        state = done(edit, state)
    return Corrected(state, analysis.settings.mask_scale)


def _uncovers(before: list[Rectangle], after: list[Rectangle], width: int, height: int) -> bool:
    """Whether a pixel was covered by one of the rectangles before and is by none after."""
    black = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in after:
        black[y1:y2, x1:x2] = True
    return any(not black[y1:y2, x1:x2].all() for x1, y1, x2, y2 in before)
