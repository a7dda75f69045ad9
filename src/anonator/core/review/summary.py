"""Summary: what a report says of a review."""

from __future__ import annotations

from collections.abc import Sequence

from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation, Span, standing
from anonator.core.review.reviewed import Reviewed
from anonator.core.review.signature import digest_of


def summary(edits: Sequence[Edit], state: Reviewed, analysis: Analysis) -> dict[str, object]:
    """By whom and when a review was signed, how much was seen, and what was changed, as JSON has it.

    Args:
        edits: all of them, in order.
        state: what follows from them.
        analysis: that they belong to.
    """
    stand = standing(edits)
    signed = next((edit for edit in stand if edit.operation is Operation.SIGN), None)
    seen = [edit for edit in stand if edit.operation is Operation.SEEN and edit.span is not None]
    ways = sorted({edit.reason for edit in seen})
    return {
        "signed_by": signed.reason if signed else None,
        "signed_at": signed.at if signed else None,
        "share_seen": share_seen(state, analysis),
        "share_on_sheet": round(
            _share([*state.seen, *state.on_sheet], analysis) - share_seen(state, analysis), 4
        ),
        "seen_how": {
            way or "not said": _share([e.span for e in seen if e.reason == way and e.span], analysis)
            for way in ways
        },
        "covers_added": sum(_is(edit, Operation.ADD) for edit in stand),
        "places_moved": sum(_is(edit, Operation.KEYFRAME) for edit in stand),
        "areas_added": len(state.areas),
        "stops_found_right": len(state.right),
        "places_found_right": len(state.judged),
        "repairs_of_the_second_look": len(state.of_program),
        "left_visible": [
            {**_times(span, analysis), "track": track, "reason": reason}
            for track, span, reason in sorted(state.visible, key=lambda each: (each[1], each[0]))
        ],
        "covered_only": [
            {**_times(edit.span, analysis), "track": edit.target, "reason": edit.reason}
            for edit in stand
            if edit.operation is Operation.TRIM and edit.span is not None
        ],
        "edits_sha256": digest_of(edits),
        "found_by_weights_sha256": analysis.weights_sha256 or None,
    }


def share_seen(state: Reviewed, analysis: Analysis) -> float:
    """How many of the frames were shown to a person, 0..1; the sheet shows one for each half second."""
    return _share(list(state.seen), analysis)


def _is(edit: Edit, operation: Operation) -> bool:
    return edit.operation is operation and not edit.by_program


def _times(span: Span, analysis: Analysis) -> dict[str, float]:
    numerator, denominator = analysis.key.time_base
    begin, end = (round(pts * numerator / denominator, 3) for pts in span)
    return {"start_seconds": begin, "end_seconds": end}


def _share(spans: Sequence[Span], analysis: Analysis) -> float:
    """How many of the frames are in one of the stretches, 0..1."""
    if not analysis.pts:
        return 0.0
    inside, ends = 0, iter(sorted(spans))
    last, reached = next(ends, None), None
    for pts in analysis.pts:
        while last is not None and last[0] <= pts:
            reached = last[1] if reached is None else max(reached, last[1])
            last = next(ends, None)
        inside += reached is not None and pts <= reached
    return round(inside / len(analysis.pts), 4)
