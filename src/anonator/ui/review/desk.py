"""Where in the video a review is, and what of it is shown: doubts, tracks, and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from anonator.core.review.doubts import Rank
from anonator.ui.look.colours import track_colour
from anonator.ui.review.crops import Crops, Wish
from anonator.ui.review.review_state import Card, ReviewStore, StopLine, TrackLine
from anonator.ui.review.times import Times

if TYPE_CHECKING:
    from anonator.ui.review.assessment import CardStop, DoubtCard
    from anonator.ui.review.playing import Playing
    from anonator.ui.review.seen import Seen
    from anonator.ui.review.session import ReviewSession
    from anonator.ui.review.track_rows import TrackRow

BEFORE_SECONDS = 1.0
"""So long before a doubt playing begins."""
UPCOMING = 4
"""So many stops are looked ahead, so that N shows its picture at once."""
MOST_SELECTED = 2
"""Of a stop's tracks are selected with it."""
REASONS = 2
"""Of a doubt are on its card; the rest is counted."""
LATER = "Small, faint or probably covered:"
"""How the cards begin that come last."""
LAST_ONE = "This is the only stop left to check."
ALL_CHECKED = "That was the last stop. G shows what you haven't seen yet; Ctrl+Enter signs."
ALL_SEEN = "Nothing is left that you haven't seen. Ctrl+Enter signs."


class ReviewDesk:
    """Goes through the video, and keeps what is shown up to date with the session."""

    def __init__(
        self,
        session: ReviewSession,
        seen: Seen,
        playing: Callable[[], Playing],
        crops: Crops,
        store: ReviewStore,
        *,
        crop_side: int,
        thumbnail_side: int,
    ) -> None:
        """Set it up; refresh shows the session for the first time.

        Args:
            session: the open review.
            seen: what was shown so far.
            playing: gives what moves through the video; it is made after the desk.
            crops: makes small pictures.
            store: holds what is shown.
            crop_side: side of a card's picture, in pixels.
            thumbnail_side: of a track's.
        """
        self._session, self._seen, self._player = session, seen, playing
        self._crops, self._store = crops, store
        self._crop_side, self._thumbnail_side = crop_side, thumbnail_side
        self.times = Times(session.analysis.pts, session.analysis.key.time_base)
        self._stops: list[tuple[DoubtCard, CardStop]] = []
        """All of them, in the order in which they are gone through."""
        self._now: tuple[DoubtCard, CardStop] | None = None
        """The chosen one, or what it was before it was no doubt any more."""
        self._reached = False
        """Whether the video was stopped on its frame."""

    @property
    def _playing(self) -> Playing:
        return self._player()

    # --- moving

    def go(self, index: int) -> None:
        """Stop, and show a frame."""
        self._playing.go(self.times.inside(index))

    def step(self, frames: int) -> None:
        """Stop, and show another frame, so many on."""
        self._playing.step(frames)

    def step_seconds(self, seconds: float) -> None:
        """Stop, and show the frame so many seconds on."""
        self._playing.skip(seconds)

    # --- doubts

    def next_doubt(self, by: int = 1) -> None:
        """Go to the next stop that nobody has judged, or to the one before."""
        stops = self._stops
        at, there = self._where()
        after, before = stops[at + there :], stops[:at]
        order = [*after, *before] if by > 0 else [*reversed(before), *reversed(after)]
        found = next(((card, stop) for card, stop in order if not stop.is_done), None)
        if found is not None:
            self._open(*found)
        elif stops:
            left = there and not stops[at][1].is_done
            self._store.change(message=LAST_ONE if left else ALL_CHECKED)

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
        tracks = {line.id for line in self._store.state.tracks}
        about = dict.fromkeys(place.track for place in stop.stop.places)
        selected = tuple(id for id in about if id is not None and id in tracks)
        if len(selected) > MOST_SELECTED:  # in a crowd, nobody means all of them
            selected = ()
        self._now, self._reached = (card, stop), False
        self._store.change(card=card.number, stop=stop.number, selected=selected, message="")
        begin = self.times.index_at(self.times.seconds(stop.index) - BEFORE_SECONDS)
        self._playing.play_to(begin, stop.index)

    def stop_now(self) -> CardStop | None:
        """The chosen stop."""
        return None if self._now is None else self._now[1]

    def upcoming(self) -> list[int]:
        """Frames that will probably be asked for next: where playing towards the next stops begins."""
        at, there = self._where()
        later = [stop for _, stop in (*self._stops[at + there :], *self._stops[:at]) if not stop.is_done]
        return [
            self.times.index_at(self.times.seconds(stop.index) - BEFORE_SECONDS) for stop in later[:UPCOMING]
        ]

    def right(self) -> None:
        """All is right at the chosen stop; go on to the next one. If it wasn't reached yet, show it first."""
        if self._now is not None and not self._reached:
            self._playing.go(self._now[1].index)
            return
        if self._now is not None:
            self._session.right(*self._now)
            self._read()
        self.next_doubt()

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

    def unseen(self) -> None:
        """Go to the next stretch that nobody has seen."""
        pts = self._seen.next_unseen(self.times.pts(self._store.state.index))
        if pts is None:
            self._store.change(message=ALL_SEEN)
        else:
            self.go(self.times.index_of(pts))

    # --- tracks

    def select(self, ids: tuple[int, ...]) -> None:
        """Select tracks; go to the last one if it isn't in sight."""
        self._store.change(selected=ids)
        line = next((line for line in self._store.state.tracks if ids and line.id == ids[-1]), None)
        if line is not None and not line.begin <= self._store.state.seconds <= line.end:
            self.go(self.times.index_at((line.begin + line.end) / 2))

    def select_in_picture(self, id: int | None, add: bool) -> None:
        """Select what was clicked in the picture, or add it to what is selected, or take it away."""
        before = self._store.state.selected
        if add and id is not None:
            kept = tuple(each for each in before if each != id)
            self._store.change(selected=kept if id in before else (*before, id))
        else:
            known = any(line.id == id for line in self._store.state.tracks)  # or it shows a doubt's place
            self._store.change(selected=(id,) if id is not None and known else ())

    # --- what is shown

    def moved(self, index: int, speed: float) -> None:
        """Another frame was asked for, or another speed."""
        if self._now is not None and not speed and index == self._now[1].index:
            self._reached = True
        self._store.change(index=index, seconds=self.times.seconds(index), speed=speed)

    def refresh(self) -> None:
        """Show what the session has become."""
        session, store = self._session, self._store
        self._read()
        doubts = session.doubts()
        rows = session.tracks()
        wishes = {("card", card.number): self._card_wish(card) for card in doubts}
        wishes |= {("track", row.id): self._track_wish(row) for row in rows}
        if store.state.ready:
            self._crops.ask(wishes.values())
        lines = tuple(self._line(row, wishes["track", row.id]) for row in rows)
        ids = {line.id for line in lines}
        self._now = self._same()
        store.change(
            cards=tuple(self._card(card, wishes["card", card.number]) for card in doubts),
            card=self._now[0].number if self._now is not None and self._now in self._stops else None,
            stop=self._now[1].number if self._now is not None and self._now in self._stops else None,
            tracks=lines,
            selected=tuple(id for id in store.state.selected if id in ids),
            undo=session.undo_words,
            redo=session.redo_words,
            **self._seen_now(),
        )

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

    def refresh_seen(self) -> None:
        """Show how much was seen."""
        self._store.change(**self._seen_now())

    def _seen_now(self) -> dict[str, float]:
        share, sheet = self._seen.share, self._seen.share_on_sheet
        unseen = 1 - float(self._seen.frames().mean())
        return {
            "share_seen": share,
            "share_on_sheet": sheet,
            "unseen_seconds": unseen * self.times.length,
        }

    def _card(self, card: DoubtCard, wish: Wish) -> Card:
        crop = self._crops.get(wish)
        stops = tuple(StopLine(stop.number, stop.index, stop.is_done) for stop in card.stops)
        sentence = in_short(card.doubt.sentence)
        if card.doubt.rank is Rank.LATER:
            sentence = f"{LATER} {sentence[0].lower()}{sentence[1:]}"
        places = len(card.doubt.places)
        return Card(
            card.number, self.times.seconds(wish.index), sentence, stops, places, crop, crop is not None
        )

    def _card_wish(self, card: DoubtCard) -> Wish:
        """The largest place of the first stop that is left."""
        stop = next((stop for stop in card.stops if not stop.is_done), card.stops[0])
        heaviest = max(stop.stop.places, key=lambda place: place.weight)
        first, last = (self.times.index_of(pts) for pts in heaviest.window)
        index = min(max(stop.index, first), last)
        return Wish(("card", card.doubt), index, heaviest.box, self._crop_side)

    def _line(self, row: TrackRow, wish: Wish) -> TrackLine:
        crop = self._crops.get(wish)
        return TrackLine(
            row.id,
            name_of(row.id, row.by),
            self.times.seconds_of(row.span[0]),
            self.times.seconds_of(row.span[1]),
            row.sightings,
            row.covered,
            row.reasons,
            track_colour(row.id),
            crop,
            crop is not None,
        )

    def _track_wish(self, row: TrackRow) -> Wish:
        if row.best is None:
            return Wish(("track", row.id), self.times.index_of(row.span[0]), None, self._thumbnail_side)
        index, box = row.best
        return Wish(("track", row.id), index, box, self._thumbnail_side)


def in_short(sentence: str) -> str:
    """A doubt's sentence with its first reasons only, so that a card of many places stays small."""
    reasons = sentence.removesuffix(".").split("; ")
    if len(reasons) <= REASONS + 1:
        return sentence
    return f"{'; '.join(reasons[:REASONS])}; and {len(reasons) - REASONS} more reasons."


def name_of(id: int, by: str) -> str:
    """What people call a track; lists for other programs say the same."""
    if id >= 0:
        return f"Face {id}"
    return f"{'Area' if by == 'area' else 'Cover'} {-1 - id}"
