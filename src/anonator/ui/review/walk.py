"""The walk through the stops: which one is next, and what is right there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from anonator.core.review.doubts import Rank
from anonator.ui.review.review_state import ReviewStore
from anonator.ui.review.selecting import doubtful
from anonator.ui.review.times import Times

if TYPE_CHECKING:
    from anonator.ui.review.assessment import CardStop, DoubtCard
    from anonator.ui.review.playing import Playing
    from anonator.ui.review.session import ReviewSession

BEFORE_SECONDS = 1.0
"""So long before a stop playing begins."""
UPCOMING = 4
"""So many stops are looked ahead, so that N shows its picture at once."""
NOT_YET = "The program is still looking for places to check. Press N in a moment."
LAST_ONE = "This is the only stop left to check."
ALL_CHECKED = "That was the last stop. G shows what you haven't seen yet; Ctrl+Enter signs."
ALL_DONE = "That was the last stop, and you've seen all of the video. Ctrl+Enter signs."


class Walk:
    """Goes from stop to stop, the large and likely first, and keeps its place while covers change them."""

    def __init__(
        self,
        session: ReviewSession,
        playing: Callable[[], Playing],
        store: ReviewStore,
        times: Times,
        went: Callable[[], object],
    ) -> None:
        """Set it up; no stop is chosen yet.

        Args:
            session: the open review.
            playing: gives what moves through the video.
            store: holds what is shown.
            times: of the frames.
            went: called when another stop was chosen.
        """
        self._session, self._playing, self._store, self._times = session, playing, store, times
        self._went = went
        self._stops: list[tuple[DoubtCard, CardStop]] = []
        """All of them, in the order in which they are gone through."""
        self._now: tuple[DoubtCard, CardStop] | None = None
        """The chosen one, or what it was before it was no doubt any more."""
        self._reached = False
        """Whether its frame was on the screen and stood still."""

    def next(self, by: int = 1) -> None:
        """Go to the next stop that nobody has judged, or to the one before."""
        if not self._store.state.assessed:
            self._store.change(message=NOT_YET)
            return
        stops = self._stops
        at, there = self._where()
        after, before = stops[at + there :], stops[:at]
        order = [*after, *before] if by > 0 else [*reversed(before), *reversed(after)]
        found = next(((card, stop) for card, stop in order if not stop.is_done), None)
        if found is not None:
            self._open(*found)
        elif stops:
            left = there and not stops[at][1].is_done
            done = ALL_CHECKED if self._store.state.unseen_seconds > 0 else ALL_DONE
            self._store.change(message=LAST_ONE if left else done)

    def open_card(self, number: int) -> None:
        """Go to the first stop of a card that nobody has judged, or else to its first one."""
        mine = [(card, stop) for card, stop in self._stops if card.number == number]
        if mine:
            self._open(*next((each for each in mine if not each[1].is_done), mine[0]))

    def open_stop(self, number: int) -> None:
        """Go to a stop."""
        for card, stop in self._stops:
            if stop.number == number:
                self._open(card, stop)

    def _open(self, card: DoubtCard, stop: CardStop) -> None:
        """Play towards a stop, and stop on it."""
        self._now, self._reached = (card, stop), False
        # one of them, because V and Delete mean one; and only what is seen there as selected
        selected = self.doubtful(stop.index)[:1]
        self._store.change(card=card.number, stop=stop.number, selected=selected, message="")
        self._went()
        self._playing().play_to(self._begin(stop), stop.index)

    def upcoming(self) -> list[int]:
        """Frames that will probably be asked for next: where playing towards the next stops begins."""
        at, there = self._where()
        later = [stop for _, stop in (*self._stops[at + there :], *self._stops[:at]) if not stop.is_done]
        return [self._begin(stop) for stop in later[:UPCOMING]]

    def _begin(self, stop: CardStop) -> int:
        """The frame from which is played towards a stop."""
        return self._times.index_at(self._times.seconds(stop.index) - BEFORE_SECONDS)

    def right(self) -> None:
        """All is right at the chosen stop; go on to the next one. If it wasn't reached yet, show it first."""
        if self._now is not None and not self._reached:
            self._playing().go(self._now[1].index)
            return
        if self._now is not None and self._where()[1]:
            self._session.right(*self._now)
            self._read()
        self.next()

    def _read(self) -> None:
        """Take the stops as they are now."""
        self._stops = [(card, stop) for card in self._session.doubts() for stop in card.stops]

    def _where(self) -> tuple[int, bool]:
        """Where the chosen stop is in the list, and True; or where it would be, and False."""
        if self._now is None:
            return 0, False
        card, stop = self._now
        for at, (_, each) in enumerate(self._stops):
            if each.stop == stop.stop:
                return at, True
        rank = list(Rank).index(card.doubt.rank)
        for at, (other, each) in enumerate(self._stops):
            if (list(Rank).index(other.doubt.rank), each.index) > (rank, stop.index):
                return at, False
        return len(self._stops), False

    def doubtful(self, index: int) -> tuple[int, ...]:
        """The tracks that the chosen stop is about and that are seen on a frame, the most doubtful first."""
        if self._now is None:
            return ()
        covered, visible = self._session.masks(index), self._session.left_visible(index)
        here = {*covered.track_ids.tolist(), *visible.track_ids.tolist()}
        here &= {line.id for line in self._store.state.tracks}
        return doubtful(self._now[1].stop.places, here)

    def chosen_of(self, card: DoubtCard) -> CardStop | None:
        """The chosen stop, if it is one of a card's."""
        stop = None if self._now is None else self._now[1]
        return stop if stop is not None and any(each.stop == stop.stop for each in card.stops) else None

    def stood(self, index: int) -> None:
        """A frame is on the screen, and stands still."""
        if self._now is not None and index == self._now[1].index:
            self._reached = True

    def refreshed(self) -> tuple[int | None, int | None]:
        """Take the stops as they are now; returns the number of the chosen card and of its stop."""
        self._read()
        before, self._now = self._now, self._same()
        if before is not None and self._now is not None and before[1].index != self._now[1].index:
            state = self._store.state
            self._reached = not state.speed and state.index == self._now[1].index  # or nobody saw that frame
        if self._now is None or self._now not in self._stops:
            return None, None
        return self._now[0].number, self._now[1].number

    def _same(self) -> tuple[DoubtCard, CardStop] | None:
        """What the chosen stop has become: a cover takes places from it, or moves it by some frames."""
        if self._now is None:
            return None
        at, there = self._where()
        if there:
            return self._stops[at]
        (card, stop), places = self._now, set(self._now[1].stop.places)
        near = [
            (other, each)
            for other, each in self._stops
            if other.doubt.rank is card.doubt.rank and places & set(each.stop.places)
        ]
        return min(near, key=lambda each: abs(each[1].index - stop.index), default=self._now)
