"""The rows of the list of all tracks, made of what was found and what follows from the edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import places_of
from anonator.core.review.edits import Span
from anonator.core.review.kept_sightings import Box
from anonator.core.review.reviewed import Reviewed
from anonator.ui.review.review_state import Covered


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track, drawn cover or fixed area."""

    id: int
    span: Span
    """First and last PTS at which it covers, or would."""
    sightings: int
    """How often it was found; 0 for what a person drew."""
    by: str
    """"program", "person" or "area"."""
    covered: Covered
    reasons: tuple[str, ...] = ()
    """Why parts of it stay visible."""
    best: tuple[int, Box] | None = None
    """(frame, box) at which a picture of it is cut out."""


def covered_frames(found: Sequence[Masks]) -> dict[int, np.ndarray]:
    """By found track: the frames in which it has a mask, in order."""
    frames: defaultdict[int, list[int]] = defaultdict(list)
    for index, masks in enumerate(found):
        for id in masks.track_ids.tolist():
            frames[id].append(index)
    return {id: np.array(each, np.int64) for id, each in frames.items()}


def rows_of(state: Reviewed, analysis: Analysis, frames_of: Mapping[int, np.ndarray]) -> list[TrackRow]:
    """All rows, in order of time.

    Args:
        state: what follows from the edits.
        analysis: of the video.
        frames_of: from covered_frames.
    """
    pts = np.array(analysis.pts, np.int64)
    sources = {track.id: track.sightings for track in analysis.tracks}
    times: defaultdict[int, list[np.ndarray]] = defaultdict(list)
    seen: defaultdict[int, int] = defaultdict(int)
    best: dict[int, tuple[float, int, Box]] = {}
    for piece in sorted(state.pieces, key=lambda each: (each.source, each.span)):
        covered = pts[frames_of.get(piece.source, np.zeros(0, np.int64))]
        times[piece.id].append(covered[(covered >= piece.span[0]) & (covered <= piece.span[1])])
        rows = sources[piece.source].rows if piece.source in sources else None
        if rows is None:
            continue
        own = rows[(pts[rows["frame"]] >= piece.span[0]) & (pts[rows["frame"]] <= piece.span[1])]
        seen[piece.id] += len(own)
        if len(own):
            top = own[int(own["score"].argmax())]
            x1, y1, x2, y2 = top["box"].tolist()
            candidate = float(top["score"]), int(top["frame"]), (x1, y1, x2, y2)
            best[piece.id] = max(best.get(piece.id, candidate), candidate)
    rows_made = []
    for id, stretches in times.items():
        all_times = np.sort(np.concatenate(stretches))
        if len(all_times):
            place = best.get(id)
            row = _row(id, all_times, seen[id], "program", state)
            rows_made.append(_with_best(row, None if place is None else (place[1], place[2])))
    places = places_of(state.keyframes)
    for id, (first, last) in state.added:
        inside = pts[(pts >= first) & (pts <= last)]
        by = "program" if id in state.of_program else "person"
        at, sides = places[id]
        x1, y1, x2, y2 = sides[:, len(at) // 2].tolist()
        index = int(np.searchsorted(pts, at[len(at) // 2]))
        rows_made.append(_with_best(_row(id, inside, 0, by, state, (first, last)), (index, (x1, y1, x2, y2))))
    for id, (first, last), box in state.areas:
        index = min(len(pts) - 1, int(np.searchsorted(pts, first)))
        rows_made.append(TrackRow(id, (first, last), 0, "area", Covered.ALL, (), (index, box)))
    return sorted(rows_made, key=lambda row: (row.span, row.id))


def _row(
    id: int, times: np.ndarray, sightings: int, by: str, state: Reviewed, span: Span | None = None
) -> TrackRow:
    hidden = np.ones(len(times), bool)
    reasons: dict[str, None] = {}
    for track, (first, last), reason in sorted(state.visible, key=lambda each: each[1]):
        if track == id:
            here = (times >= first) & (times <= last)
            hidden &= ~here
            if here.any():
                reasons[reason] = None
    covered = Covered.ALL if hidden.all() else Covered.PARTLY if hidden.any() else Covered.NOTHING
    if span is None:
        span = int(times[0]), int(times[-1])
    return TrackRow(id, span, sightings, by, covered, tuple(reason for reason in reasons if reason))


def _with_best(row: TrackRow, best: tuple[int, Box] | None) -> TrackRow:
    return TrackRow(row.id, row.span, row.sightings, row.by, row.covered, row.reasons, best)
