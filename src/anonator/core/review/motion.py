"""How faces move: where one is a moment after it was seen, and how long a place still shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from anonator.core.review.kept_sightings import Box, Seen

FARTHEST = 2.0
"""In sides of its box: farther than that, nobody knows where a face has moved to."""
MOST_DRIFT = 0.5
"""Of its shorter side, a face may have moved away from a place that still shows it."""


def velocity(end: Seen, further: Seen) -> tuple[float, float]:
    """How a face moves between two sightings: pixels a frame, across and down; (0, 0) within one frame."""
    frames = end.frame - further.frame
    if not frames:
        return 0.0, 0.0
    (x, y), (a, b) = _centre(end.box), _centre(further.box)
    return (x - a) / frames, (y - b) / frames


def further_in(seen: Sequence[Seen], at: int, step: int, frames: float) -> Seen | None:
    """The sighting with which one at an end tells how a face moves.

    Two neighbours would tell how much the detector's boxes jump.

    Args:
        seen: sightings in order of time.
        at: which of them is the end.
        step: 1 if the face was seen before it, -1 if after it.
        frames: so far away, at most, if there's more than the neighbour.

    Returns:
        None if there is no neighbour.
    """
    found, end = None, seen[at].frame
    while 0 <= (at := at - step) < len(seen):
        if found is not None and abs(seen[at].frame - end) > frames:
            break
        found = seen[at]
    return found


def moved(end: Seen, further: Seen, frame: int) -> Box:
    """Where a face is on a frame if it goes on as between two sightings, but not too far."""
    most = FARTHEST * max(end.box[2] - end.box[0], end.box[3] - end.box[1])
    x, y = (min(max(each * (frame - end.frame), -most), most) for each in velocity(end, further))
    x1, y1, x2, y2 = end.box
    return x1 + x, y1 + y, x2 + x, y2 + y


def frames_in_sight(end: Seen, further: Seen | None) -> float:
    """For how many frames after a sighting its place still shows the face; infinite if nothing tells."""
    if further is None:
        return math.inf
    speed = math.hypot(*velocity(end, further))
    side = min(end.box[2] - end.box[0], end.box[3] - end.box[1])
    return math.inf if speed == 0 else MOST_DRIFT * side / speed


def shown_by(seen: Sequence[Seen], top: Seen, before: int, after: int) -> tuple[int, int]:
    """First and last frame on which the place of one sighting shows the face of all of them.

    Args:
        seen: sightings of one face, in order of time.
        top: one of them.
        before: the first frame that comes into question.
        after: the last one.
    """
    first = last = list(seen).index(top)
    while first > 0 and _holds_middle(top.box, seen[first - 1].box):
        first -= 1
    while last + 1 < len(seen) and _holds_middle(top.box, seen[last + 1].box):
        last += 1
    begin, end = seen[first].frame, seen[last].frame
    lasting = frames_in_sight(seen[-1], seen[0] if len(seen) > 1 else None)
    if first == 0:
        begin = round(max(before, begin - lasting))
    if last + 1 == len(seen):
        end = round(min(after, end + lasting))
    return begin, end


def _holds_middle(place: Box, box: Box) -> bool:
    x, y = _centre(box)
    return place[0] <= x <= place[2] and place[1] <= y <= place[3]


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
