"""What a job covers in one frame, found from the frames around it: the nearest are looked at first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.frames import Detections, Frame, Look, Masks
from anonator.core.tracking.covering import horizon
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import Planned, find_faces


def reach(settings: Settings) -> tuple[float, float]:
    """How many seconds before and after a frame can decide on what is covered in it.

    A face that was seen before the frame and after it is covered in between, however a track began; one that
    was last seen before it is covered for a while, and moves on as it did before.
    """
    after = horizon(settings)
    return after + settings.tracking.extend_seconds, after


class Vicinity:
    """Some frames of a video around one of them, looked at from there outwards."""

    def __init__(self, plan: Sequence[Planned], place: int, detector: Detector, settings: Settings) -> None:
        """Look at nothing yet.

        Args:
            plan: frames one after another, of one scene or several.
            place: of the frame in question, among them.
            detector: of the job.
            settings: of the job.
        """
        begin = max((i for i in range(1, place + 1) if plan[i].cut), default=0)
        end = next((i for i in range(place + 1, len(plan)) if plan[i].cut), len(plan))
        # no track crosses a cut
        self._plan, self._place = plan[begin:end], place - begin
        self._detector, self._settings = detector, settings
        wanted = [i for i, each in enumerate(self._plan) if each.wanted]
        self._order = sorted(wanted, key=lambda i: (abs(i - self._place), i))
        self._found: dict[int, Detections] = {}

    @property
    def frame(self) -> Frame:
        """The frame in question."""
        return self._plan[self._place].frame

    @property
    def complete(self) -> bool:
        """Whether every frame was looked at."""
        return not self._order

    @property
    def seconds(self) -> float:
        """How far from the frame everything was looked at, on the nearer side that isn't complete."""
        begin, end = self._looked_at()
        here = float(self.frame.seconds)
        sides = []
        if begin > 0:
            sides.append(here - float(self._plan[begin].frame.seconds))
        if end < len(self._plan):
            sides.append(float(self._plan[end - 1].frame.seconds) - here)
        return min(sides, default=0.0)

    def look(self, checkpoint: Callable[[], None]) -> None:
        """Look at the next few frames.

        Args:
            checkpoint: called between layers of the network; may raise to end it there.
        """
        nearest = self._plan[self._order[0]]
        turns, light = nearest.turns, nearest.light
        room = self._detector.batch_size if self._found else 1  # a first answer soon
        alike = [i for i in self._order if (self._plan[i].turns, self._plan[i].light) == (turns, light)]
        batch = alike[:room]
        some = [self._plan[i].frame for i in batch]
        seen = find_faces(some, self._detector, turns, checkpoint, light=light)
        self._found.update(zip(batch, seen, strict=True))
        self._order = [i for i in self._order if i not in self._found]

    def masks(self) -> Masks:
        """What is covered in the frame, as far as the frames that were looked at tell."""
        begin, end = self._looked_at()
        part = self._plan[begin:end]
        looks = [
            Look(each.frame, each.cut, self._found.get(begin + i), each.turned, each.light)
            for i, each in enumerate(part)
        ]
        for frame, masks in Tracker(self._settings).run(looks):
            if frame is self.frame:
                return masks
        return Masks.empty()

    def _looked_at(self) -> tuple[int, int]:
        """The frames around the one in question, from and to, among which none is still to be looked at."""
        before = [i for i in self._order if i < self._place]
        after = [i for i in self._order if i >= self._place]
        return max(before, default=-1) + 1, min(after, default=len(self._plan))
