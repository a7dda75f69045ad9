"""An open review, to be looked at: what was found, every edit, and what follows from both.

Used by the window's thread only, and never slow: what takes long is in assessment.py, for a worker.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import Corrected
from anonator.core.review.edits import Edit, Span
from anonator.core.review.judged import Judged, by_place, is_judged
from anonator.core.review.kept_sightings import Box
from anonator.core.review.place_search import CENTRE, COVERED
from anonator.core.review.places import BARE, Place
from anonator.core.review.reviewed import Reviewed
from anonator.errors import ReviewError
from anonator.ui.review.assessment import Assessment, Assessor, CardStop, DoubtCard
from anonator.ui.review.edit_log import EditLog
from anonator.ui.review.track_rows import TrackRow, covered_frames, rows_of


class OpenReview:
    """Masks to draw, tracks and doubts to list; what people do is in ReviewSession."""

    def __init__(self, video: Path, tracks: Path) -> None:
        """Open a review, and lock it against other programs.

        Args:
            video: the original.
            tracks: the tracks file that belongs to it.

        Raises:
            ReviewError: it can't be opened; see EditLog.
        """
        self.video = video
        self._log = EditLog(tracks)
        self.analysis: Analysis = self._log.analysis
        self.version = 0
        """Rises with every change."""
        self._listeners: list[Callable[[], object]] = []
        self._found: list[Masks] = []
        self._frames_of: dict[int, np.ndarray] = {}
        self._assessment = Assessment(-1, np.zeros(len(self.analysis.pts), np.int32), ())
        self._rows: tuple[int, list[TrackRow]] | None = None
        """The version that they belong to, and all rows: long videos have thousands of tracks."""
        self._corrected = Corrected(self.state, self.analysis.settings.mask_scale)

    def close(self) -> None:
        """Unlock the review; everything is on the disk already. A signed one is compressed."""
        self._listeners.clear()
        self._log.close()

    def listen(self, told: Callable[[], object]) -> None:
        """Call this after every change."""
        self._listeners.append(told)

    # --- what there is

    @property
    def edits(self) -> Sequence[Edit]:
        """All edits, in order, undone ones and undos among them."""
        return self._log.edits

    @property
    def state(self) -> Reviewed:
        """What follows from the edits."""
        return self._log.state

    @property
    def is_prepared(self) -> bool:
        """Whether the found masks are known, without which no frame can be drawn."""
        return bool(self._found) or not self.analysis.pts

    def prepare(self) -> Callable[[], list[Masks]]:
        """The slow part of opening, for a worker; prepared() takes what it gives."""
        analysis = self.analysis
        return lambda: list(analysis.masks())

    def prepared(self, found: list[Masks]) -> None:
        """Take the masks of all frames as they were found."""
        self._found, self._frames_of = found, covered_frames(found)
        self._changed()

    def index_at(self, pts: int) -> int:
        """The frame that is shown at this time."""
        return max(0, bisect.bisect_right(self.analysis.pts, pts) - 1)

    def seconds_at(self, index: int) -> float:
        """The time of a frame."""
        numerator, denominator = self.analysis.key.time_base
        return self.analysis.pts[index] * numerator / denominator

    def masks(self, index: int) -> Masks:
        """What will be covered on a frame: (N, 4) xyxy in pixels, enlarged and cut at the edges, and ids."""
        return self._on_picture(self._corrected.masks, index)

    def left_visible(self, index: int) -> Masks:
        """What would be covered on a frame and stays visible by an edit, as masks() gives it."""
        return self._on_picture(self._corrected.left_visible, index)

    def _on_picture(self, of: Callable[[int, Masks], Masks], index: int) -> Masks:
        if not self._found:
            return Masks(np.zeros((0, 4), np.float32), np.zeros(0, np.int32))
        key = self.analysis.key
        masks = of(self.analysis.pts[index], self._found[index])
        boxes = box_ops.expand(masks.boxes, self.analysis.settings.mask_scale)
        boxes = box_ops.clip(boxes, key.width, key.height)
        whole = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
        return Masks(boxes[whole], masks.track_ids[whole])

    def held(self, index: int) -> set[int]:
        """Ids of the drawn covers that couldn't be followed at this frame."""
        pts = self.analysis.pts[index]
        return {id for id, (first, last) in self.state.held if first <= pts <= last}

    def is_visible(self, id: int, pts: int) -> bool:
        """Whether an edit leaves this track visible at this time."""
        return any(id == track and first <= pts <= last for track, (first, last), _ in self.state.visible)

    def is_drawn(self, id: int) -> bool:
        """Whether a person drew this cover."""
        return id not in self.state.of_program and any(id == each for each, _ in self.state.added)

    def moves(self, id: int) -> bool:
        """Whether it can be moved: anything but a fixed area."""
        return all(id != each for each, _, _ in self.state.areas)

    def tracks(self) -> list[TrackRow]:
        """All tracks, drawn covers and fixed areas, in order of time."""
        if self._rows is None or self._rows[0] != self.version:
            self._rows = self.version, rows_of(self.state, self.analysis, self._frames_of)
        return list(self._rows[1])

    def needs_reason(self) -> bool:
        """Whether leaving something visible needs a reason."""
        return self.analysis.settings.hipaa

    # --- what takes long, for a worker

    def assessor(self) -> Assessor:
        """What makes counts and doubts of the state as it is now; call it in a worker."""
        return Assessor(self.version, self.analysis, tuple(self.edits), self._found)

    def assessed(self, assessment: Assessment) -> None:
        """Take what an assessor made."""
        self._assessment = assessment
        self._tell()

    @property
    def is_assessed(self) -> bool:
        """Whether counts and doubts belong to the state as it is now."""
        return self._assessment.version == self.version

    def counts(self) -> np.ndarray:
        """(frames,) int32: places covered on each frame, as of the last assessment."""
        return self._assessment.counts

    def doubts(self) -> list[DoubtCard]:
        """The doubts of the last assessment, with what a person has judged since."""
        judged = by_place(self.state.judged)
        return [self._judged(card, judged) for card in self._assessment.doubts]

    def _judged(self, card: DoubtCard, judged: Judged) -> DoubtCard:
        key = self.analysis.key
        stops = (replace(each, is_done=is_judged(each.stop, judged, key)) for each in card.stops)
        return replace(card, stops=tuple(stops))

    def stop(self, number: int | None) -> CardStop | None:
        """The stop with this number."""
        stops = (stop for card in self._assessment.doubts for stop in card.stops)
        return next((stop for stop in stops if stop.number == number), None)

    def marked(self, stop: CardStop, index: int) -> tuple[Box, ...]:
        """Where to look on a frame at what is judged at a stop: what a cover hides by now isn't marked."""
        pts = self.analysis.pts[index]
        here = [place for place in stop.stop.places if place.window[0] <= pts <= place.window[1]]
        covers = self.masks(index).boxes
        return tuple(place.where for place in here if place.where is not None and not _hides(covers, place))

    def hides(self, place: Place, pts: int) -> bool:
        """Whether a cover hides a place that was a doubt because nothing covered it."""
        first, last = place.window
        return _hides(self.masks(self.index_at(min(max(pts, first), last))).boxes, place)

    # --- what undo and redo would do

    @property
    def undo_words(self) -> str:
        """What undo() would take back, in words, or ""."""
        return self._log.history.undo_words

    @property
    def redo_words(self) -> str:
        """What redo() would do again, in words, or ""."""
        return self._log.history.redo_words

    @property
    def undo_pts(self) -> int | None:
        """When in the video that was done; None if it has no one place."""
        return self._log.history.undo_place

    @property
    def redo_pts(self) -> int | None:
        """When in the video that would be done again."""
        return self._log.history.redo_place

    # --- inside

    def _span_of(self, id: int) -> Span:
        for row in self.tracks():
            if row.id == id:
                return row.span
        raise ReviewError("There is no such track any more.")

    def _changed(self) -> None:
        self._corrected = Corrected(self.state, self.analysis.settings.mask_scale)
        self.version += 1
        self._tell()

    def _tell(self) -> None:
        for told in tuple(self._listeners):
            told()


def _hides(covers: np.ndarray, place: Place) -> bool:
    if place.box is None or place.kind not in BARE:
        return False
    middle = box_ops.expand(np.array([place.box], np.float32), CENTRE)
    return bool((box_ops.inside(middle, covers) >= COVERED).any())
