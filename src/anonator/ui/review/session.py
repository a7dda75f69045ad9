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
from anonator.core.review.edits import (
    REDONE,
    SECOND_LOOK,
    UNDONE,
    Edit,
    Operation,
    Span,
    own_id,
    standing_with_undos,
)
from anonator.core.review.follow import Followed
from anonator.core.review.kept_sightings import Box
from anonator.core.review.reviewed import Reviewed, after
from anonator.core.review.tracks_file import TracksFile
from anonator.errors import ReviewError
from anonator.ui.review.assessment import Assessment, Assessor, DoubtCard
from anonator.ui.review.history import History
from anonator.ui.review.track_rows import TrackRow, covered_frames, rows_of

NOTHING_THERE = "There is nothing to delete here."


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
            ReviewError: it can't be opened; see TracksFile.
        """
        self.video = video
        self._file = TracksFile(tracks)
        self.analysis: Analysis = self._file.analysis
        self.version = 0
        """Rises with every change."""
        self._listeners: list[Callable[[], object]] = []
        self._history = History.of(self._file.edits)
        self._found: list[Masks] = []
        self._frames_of: dict[int, np.ndarray] = {}
        self._assessment = Assessment(-1, np.zeros(len(self.analysis.pts), np.int32), ())
        self._take_state()

    def close(self) -> None:
        """Unlock the review; everything is on the disk already. A signed one is compressed."""
        self._listeners.clear()
        self._file.close()

    def listen(self, told: Callable[[], object]) -> None:
        """Call this after every change."""
        self._listeners.append(told)

    # --- what there is

    @property
    def edits(self) -> Sequence[Edit]:
        """All edits, in order, undone ones and undos among them."""
        return self._file.edits

    @property
    def state(self) -> Reviewed:
        """What follows from the edits."""
        return self._file.state

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
        right = self.state.right
        return [
            replace(card, is_done=(card.doubt.kind.name.lower(), card.doubt.span) in right)
            for card in self._assessment.doubts
        ]

    # --- what people do

    def cover(self, ids: Iterable[int], span: Span) -> None:
        """Cover tracks again where they were left visible."""
        self._act(*(self._edit(Operation.COVER, id, span) for id in ids))

    def leave_visible(self, ids: Iterable[int], span: Span, reason: str = "") -> None:
        """Leave tracks visible for a while; in HIPAA mode with a reason."""
        self._act(*(self._edit(Operation.LEAVE_VISIBLE, id, span, reason=reason) for id in ids))

    def draw(self, pts: int, box: Box) -> int:
        """Cover a place on one frame, until it has been followed; returns the new track's id."""
        edit = self._edit(Operation.ADD, None, (pts, pts), ((pts, self._within(box)),))
        self._act(edit)
        return own_id(self.edits[-1].number)

    def move(self, id: int, pts: int, box: Box) -> int:
        """Put a cover elsewhere on one frame; returns the id of the track that is there now.

        What the program found keeps its own mask, since more black harms nobody: a new cover is drawn, which
        can be followed.
        """
        if not self.is_drawn(id):
            return self.draw(pts, box)
        edits = [self._edit(Operation.KEYFRAME, id, boxes=((pts, self._within(box)),))]
        first, last = self._span_of(id)
        if not first <= pts <= last:
            edits.append(self._edit(Operation.REACH, id, (min(first, pts), max(last, pts))))
        self._act(*edits)
        return id

    def placed(self, id: int) -> list[tuple[int, Box]]:
        """(PTS, box) of a drawn cover where a person put it, in order of time."""
        stands = self._standing()
        places: dict[int, Box] = {}
        for edit in self.edits:
            if edit.number not in stands or len(edit.boxes) != 1 or edit.by_program:
                continue
            is_add = edit.operation is Operation.ADD and own_id(edit.number) == id
            if is_add or (edit.operation is Operation.KEYFRAME and edit.target == id):
                places.update(edit.boxes)
        return sorted(places.items())

    def took(self, id: int, followed: Followed) -> None:
        """Take where a drawn cover went; it's part of the action that drew or moved it last.

        Nothing happens where that action was undone meanwhile.
        """
        action = self._last_placing(id)
        if action is None or not followed.steps:
            return
        placed = dict(self.placed(id))
        boxes = tuple((step.pts, placed.get(step.pts, step.box)) for step in followed.steps)
        made = [self._edit(Operation.REACH, id, followed.span, boxes)]
        made += [self._edit(Operation.HELD, id, span) for span in followed.held]
        self._act(*made, step=action)

    def area(self, span: Span, box: Box) -> int:
        """Cover a place of the picture for a while; returns its id."""
        self._act(self._edit(Operation.AREA, None, span, ((span[0], self._within(box)),)))
        return own_id(self.edits[-1].number)

    def begins_here(self, id: int, pts: int, reason: str = "") -> None:
        """Let a track begin at this time; in HIPAA mode a found one needs a reason."""
        self._reach(id, (pts, self._span_of(id)[1]), reason)

    def ends_here(self, id: int, pts: int, reason: str = "") -> None:
        """Let a track end at this time; in HIPAA mode a found one needs a reason."""
        self._reach(id, (self._span_of(id)[0], pts), reason)

    def join(self, id: int, other: int) -> None:
        """Make one track of two."""
        self._act(replace(self._edit(Operation.JOIN, id), other=other))

    def split(self, id: int, pts: int) -> int:
        """Make two tracks of one; returns the id of the one that begins at this time."""
        self._act(self._edit(Operation.SPLIT, id, (pts, pts)))
        return own_id(self.edits[-1].number)

    def deletes_without_reason(self, id: int) -> bool:
        """Whether delete() takes something back that a person made; a found track would become visible."""
        return self.is_drawn(id) or not self.moves(id)

    def delete(self, id: int, pts: int) -> None:
        """Take away the smallest thing a person made here: a moved place before a cover, a cover, an area."""
        if not self.deletes_without_reason(id):
            raise ReviewError(NOTHING_THERE)
        stands = self._standing()
        about = [edit for edit in self.edits if edit.number in stands and _is_about(edit, id)]
        keyframes = [edit for edit in about if edit.operation is Operation.KEYFRAME]
        moved = [edit for edit in keyframes if [place for place, _ in edit.boxes] == [pts]]
        if moved:
            action = moved[-1].step or moved[-1].number
            about = [edit for edit in about if (edit.step or edit.number) == action]
        if not about:
            raise ReviewError(NOTHING_THERE)
        self._act(*(self._edit(Operation.UNDO, edit.number) for edit in reversed(about)))

    def right(self, card: DoubtCard) -> None:
        """Say that nothing is wrong at a doubt."""
        kind = card.doubt.kind.name.lower()
        if (kind, card.doubt.span) not in self.state.right:
            self._act(self._edit(Operation.RIGHT, None, card.doubt.span, reason=kind))

    def saw(self, span: Span, how: str) -> None:
        """Note that a stretch was shown; no action of a person."""
        self._append(self._edit(Operation.SEEN, None, span, reason=how))
        self._tell()

    def repaired(self, places: Iterable[tuple[Span, Box]]) -> None:
        """Take down what the second look covered while the file was made; it's the program's own edit."""
        for span, box in places:
            edit = self._edit(Operation.ADD, None, span, ((span[0], box),), SECOND_LOOK)
            self._append(replace(edit, by_program=True))

    def sign(self, edit: Edit) -> None:
        """Take a signature; nothing can be changed after it. Only for Signing, which has made the file."""
        self._append(edit)
        self._take_state()
        self._changed()

    # --- undo and redo

    @property
    def undo_words(self) -> str:
        """What undo() would take back, in words, or ""."""
        return self._history.words(self._history.done[-1]) if self._history.done else ""

    @property
    def redo_words(self) -> str:
        """What redo() would do again, in words, or ""."""
        return self._history.words(self._history.undone[-1]) if self._history.undone else ""

    @property
    def undo_pts(self) -> int | None:
        """When in the video that was done; None if it has no one place."""
        return self._history.place(self._history.done[-1]) if self._history.done else None

    @property
    def redo_pts(self) -> int | None:
        """When in the video that would be done again."""
        return self._history.place(self._history.undone[-1]) if self._history.undone else None

    def undo(self) -> None:
        """Take the last action back, whole; without one, nothing happens."""
        if self._history.done:
            action = self._history.done[-1]
            numbers = self._history.undoing(action, self._standing())
            self._turn(numbers, action, UNDONE)

    def redo(self) -> None:
        """Do again what was undone last; without anything, nothing happens."""
        if self._history.undone:
            action = self._history.undone[-1]
            stands = self._standing()
            undos = [
                edit.number for edit in self.edits
                if edit.step == action and edit.reason == UNDONE and edit.number in stands
            ]  # fmt: skip
            self._turn(undos[::-1], action, REDONE)

    # --- inside

    def _turn(self, numbers: Sequence[int], action: int, how: str) -> None:
        for number in numbers:
            self._append(replace(self._edit(Operation.UNDO, number, reason=how), step=action))
        self._take_state()
        self._changed()

    def _edit(
        self,
        operation: Operation,
        target: int | None = None,
        span: Span | None = None,
        boxes: tuple[tuple[int, Box], ...] = (),
        reason: str = "",
    ) -> Edit:
        return Edit(0, operation, target, span, boxes, reason)  # numbered when it is appended

    def _act(self, *edits: Edit, step: int = 0) -> None:
        """Append the edits of one action, if all of them are possible."""
        first = self._next_number()
        action = step or (first if len(edits) > 1 else 0)
        made = [replace(edit, number=first + i, step=action) for i, edit in enumerate(edits)]
        if all(edit.operation is not Operation.UNDO for edit in made):
            state = self.state
            for edit in made:
                state = after(edit, state, self.analysis)
        for edit in made:
            self._append(edit)
        self._take_state()
        self._changed()

    def _append(self, edit: Edit) -> None:
        edit = replace(edit, number=self._next_number())
        self._file.append(edit)
        self._history.add(edit)

    def _next_number(self) -> int:
        return self.edits[-1].number + 1 if self.edits else 1

    def _reach(self, id: int, span: Span, reason: str) -> None:
        if span[0] > span[1]:
            raise ReviewError("A track can't end before it begins.")
        if self.is_drawn(id):
            self._act(self._edit(Operation.REACH, id, span))
        else:
            self._act(self._edit(Operation.TRIM, id, span, reason=reason))

    def _span_of(self, id: int) -> Span:
        for row in self.tracks():
            if row.id == id:
                return row.span
        raise ReviewError("There is no such track any more.")

    def _standing(self) -> set[int]:
        """Numbers of the edits that no other has undone, undos among them."""
        return {edit.number for edit in standing_with_undos(self.edits)}

    def _last_placing(self, id: int) -> int | None:
        """The action that drew or moved a cover last, if it stands."""
        stands = self._standing()
        if own_id(id) not in stands:  # the id of an id is the number
            return None
        last = own_id(id)
        for edit in self.edits:
            if edit.number in stands and edit.operation is Operation.KEYFRAME and edit.target == id:
                last = edit.number
        first = self._history.edit(last)
        return first.step or first.number

    def _within(self, box: Box) -> Box:
        """A box, cut at the picture's edges."""
        key = self.analysis.key
        x1, y1, x2, y2 = box
        return max(0.0, x1), max(0.0, y1), min(float(key.width), x2), min(float(key.height), y2)

    def _take_state(self) -> None:
        self._corrected = Corrected(self.state, self.analysis.settings.mask_scale)

    def _changed(self) -> None:
        self.version += 1
        self._tell()

    def _tell(self) -> None:
        for told in tuple(self._listeners):
            told()


def _is_about(edit: Edit, id: int) -> bool:
    """Whether a person's edit made this track, or changed it."""
    makes = edit.operation in (Operation.ADD, Operation.AREA) and own_id(edit.number) == id
    changes = edit.operation is not Operation.UNDO and edit.target == id
    return (makes or changes) and not edit.by_program
