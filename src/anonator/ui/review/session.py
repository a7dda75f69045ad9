"""The session: one video's open review, with what was found, every edit, and what follows from both.

Used by the window's thread only, and never slow: what takes long is in assessment.py, for a worker.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import Corrected
from anonator.core.review.edits import SECOND_LOOK, Edit, Operation, Span, own_id
from anonator.core.review.follow import Followed
from anonator.core.review.judged import Judged, by_place, finding_right, is_judged
from anonator.core.review.kept_sightings import Box
from anonator.core.review.place_search import CENTRE, COVERED
from anonator.core.review.places import Kind
from anonator.core.review.reviewed import Reviewed
from anonator.errors import ReviewError
from anonator.ui.review.assessment import Assessment, Assessor, CardStop, DoubtCard
from anonator.ui.review.edit_log import EditLog, made
from anonator.ui.review.track_rows import TrackRow, covered_frames, rows_of

NOTHING_THERE = "There is nothing to delete here."
BARE = (Kind.NEAR_MISS, Kind.BREAKS_OFF)
"""Kinds of places that are a doubt only as long as nothing covers them."""


class ReviewSession:
    """An open review: masks to draw, tracks and doubts to list, and one method for each thing people do.

    Every method that changes something raises ReviewError, with a sentence, where that isn't possible.
    """

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
        return rows_of(self.state, self.analysis, self._frames_of)

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
        here = [p for p in stop.stop.places if p.box is not None and p.window[0] <= pts <= p.window[1]]
        covers = self.masks(index).boxes
        if not here or not len(covers):
            return tuple(place.box for place in here if place.box is not None)
        middles = box_ops.expand(np.array([place.box for place in here], np.float32), CENTRE)
        bare = (box_ops.inside(middles, covers).max(axis=1) < COVERED).tolist()
        return tuple(
            place.box
            for place, is_bare in zip(here, bare, strict=True)
            if place.box is not None and (is_bare or place.kind not in BARE)
        )

    # --- what people do

    def cover(self, ids: Iterable[int], span: Span) -> None:
        """Cover tracks again where they were left visible."""
        self._act(*(made(Operation.COVER, id, span) for id in ids))

    def leave_visible(self, ids: Iterable[int], span: Span, reason: str = "") -> None:
        """Leave tracks visible for a while; in HIPAA mode with a reason."""
        self._act(*(made(Operation.LEAVE_VISIBLE, id, span, reason=reason) for id in ids))

    def draw(self, pts: int, box: Box) -> int:
        """Cover a place on one frame, until it has been followed; returns the new track's id."""
        edit = made(Operation.ADD, None, (pts, pts), ((pts, self._within(box)),))
        self._act(edit)
        return own_id(self.edits[-1].number)

    def move(self, id: int, pts: int, box: Box) -> int:
        """Put a cover elsewhere on one frame; returns the id of the track that is there now.

        What the program found keeps its own mask, since more black harms nobody: a new cover is drawn, which
        can be followed.
        """
        if not self.is_drawn(id):
            return self.draw(pts, box)
        edits = [made(Operation.KEYFRAME, id, boxes=((pts, self._within(box)),))]
        first, last = self._span_of(id)
        if not first <= pts <= last:
            edits.append(made(Operation.REACH, id, (min(first, pts), max(last, pts))))
        self._act(*edits)
        return id

    def placed(self, id: int) -> list[tuple[int, Box]]:
        """(PTS, box) of a drawn cover where a person put it, in order of time."""
        return self._log.placed(id)

    def took(self, id: int, followed: Followed) -> None:
        """Take where a drawn cover went; it's part of the action that drew or moved it last.

        Nothing happens where that action was undone meanwhile.
        """
        action = self._log.last_placing(id)
        if action is None or not followed.steps:
            return
        placed = dict(self.placed(id))
        boxes = tuple((step.pts, placed.get(step.pts, step.box)) for step in followed.steps)
        edits = [made(Operation.REACH, id, followed.span, boxes)]
        edits += [made(Operation.HELD, id, span) for span in followed.held]
        self._act(*edits, step=action)

    def area(self, span: Span, box: Box) -> int:
        """Cover a place of the picture for a while; returns its id."""
        self._act(made(Operation.AREA, None, span, ((span[0], self._within(box)),)))
        return own_id(self.edits[-1].number)

    def begins_here(self, id: int, pts: int, reason: str = "") -> None:
        """Let a track begin at this time; in HIPAA mode a found one needs a reason."""
        self._reach(id, (pts, self._span_of(id)[1]), reason)

    def ends_here(self, id: int, pts: int, reason: str = "") -> None:
        """Let a track end at this time; in HIPAA mode a found one needs a reason."""
        self._reach(id, (self._span_of(id)[0], pts), reason)

    def join(self, id: int, other: int) -> None:
        """Make one track of two."""
        self._act(replace(made(Operation.JOIN, id), other=other))

    def split(self, id: int, pts: int) -> int:
        """Make two tracks of one; returns the id of the one that begins at this time."""
        self._act(made(Operation.SPLIT, id, (pts, pts)))
        return own_id(self.edits[-1].number)

    def deletes_without_reason(self, id: int) -> bool:
        """Whether delete() takes something back that a person made; a found track would become visible."""
        return self.is_drawn(id) or not self.moves(id)

    def delete(self, id: int, pts: int) -> None:
        """Take away the smallest thing a person made here: a moved place before a cover, a cover, an area."""
        if not self.deletes_without_reason(id):
            raise ReviewError(NOTHING_THERE)
        about = self._log.about(id)
        keyframes = [edit for edit in about if edit.operation is Operation.KEYFRAME]
        moved = [edit for edit in keyframes if [place for place, _ in edit.boxes] == [pts]]
        if moved:
            action = moved[-1].step or moved[-1].number
            about = [edit for edit in about if (edit.step or edit.number) == action]
        if not about:
            raise ReviewError(NOTHING_THERE)
        self._act(*(made(Operation.UNDO, edit.number) for edit in reversed(about)))

    def right(self, card: DoubtCard, stop: CardStop) -> None:
        """Say that nothing is wrong at a stop; what a person judged once stays judged until it's undone."""
        key = self.analysis.key
        if not is_judged(stop.stop, by_place(self.state.judged), key):
            self._log.act([finding_right(card.doubt, stop.stop, key)])
            self._tell()  # no cover has changed, so the doubts are what they were

    def saw(self, span: Span, how: str) -> None:
        """Note that a stretch was shown; no action of a person."""
        self._log.append(made(Operation.SEEN, None, span, reason=how))
        self._tell()

    def repaired(self, places: Iterable[tuple[Span, Box]]) -> None:
        """Take down what the second look covered while the file was made; it's the program's own edit."""
        for span, box in places:
            edit = made(Operation.ADD, None, span, ((span[0], box),), SECOND_LOOK)
            self._log.append(replace(edit, by_program=True))

    def sign(self, edit: Edit) -> None:
        """Take a signature; nothing can be changed after it. Only for Signing, which has made the file."""
        self._log.append(edit)
        self._changed()

    # --- undo and redo

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

    def undo(self) -> None:
        """Take the last action back, whole; without one, nothing happens."""
        if self._log.undo():
            self._changed()

    def redo(self) -> None:
        """Do again what was undone last; without anything, nothing happens."""
        if self._log.redo():
            self._changed()

    # --- inside

    def _act(self, *edits: Edit, step: int = 0) -> None:
        self._log.act(edits, step)
        self._changed()

    def _reach(self, id: int, span: Span, reason: str) -> None:
        if span[0] > span[1]:
            raise ReviewError("A track can't end before it begins.")
        if self.is_drawn(id):
            self._act(made(Operation.REACH, id, span))
        else:
            self._act(made(Operation.TRIM, id, span, reason=reason))

    def _span_of(self, id: int) -> Span:
        for row in self.tracks():
            if row.id == id:
                return row.span
        raise ReviewError("There is no such track any more.")

    def _within(self, box: Box) -> Box:
        """A box, cut at the picture's edges."""
        key = self.analysis.key
        x1, y1, x2, y2 = box
        return max(0.0, x1), max(0.0, y1), min(float(key.width), x2), min(float(key.height), y2)

    def _changed(self) -> None:
        self._corrected = Corrected(self.state, self.analysis.settings.mask_scale)
        self.version += 1
        self._tell()

    def _tell(self) -> None:
        for told in tuple(self._listeners):
            told()
