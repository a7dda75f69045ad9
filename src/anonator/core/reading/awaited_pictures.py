"""Pictures that must come out of a decoder because their packets went in."""

from __future__ import annotations

from collections import Counter, deque


class AwaitedPictures:
    """Notices a missing picture, if packets and pictures come in pairs."""

    def __init__(self, *, follows: bool) -> None:
        """Say whether to begin at all."""
        self.follows = follows
        """False from the first sign that packets and pictures do not go in pairs; then nothing is missed."""
        self._waiting: Counter[int] = Counter()
        self._order: deque[tuple[int, int]] = deque()

    def enter(self, pts: int, number: int) -> None:
        """Wait for the picture of a packet, named by its time and its number."""
        self._waiting[pts] += 1
        self._order.append((pts, number))

    def came(self, pts: int | None) -> None:
        """Stop waiting for a picture of that time."""
        if pts is not None and pts in self._waiting:
            self._waiting[pts] -= 1
            if not self._waiting[pts]:
                del self._waiting[pts]

    def missed(self, up_to: int) -> int | None:
        """The time of a picture that has not come, among packets up to that number, or None."""
        while self._order and self._order[0][1] <= up_to:
            pts, _ = self._order.popleft()
            if self.follows and self._waiting[pts] > 0:
                return pts
        if not self.follows:
            self._order.clear()
        return None
