"""Where in the video a review is, and what of it is shown: doubts, tracks, and what was seen."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import TYPE_CHECKING

from anonator.ui.look.colours import track_colour
from anonator.ui.review.crops import Crops, Wish
from anonator.ui.review.review_state import Card, ReviewStore, TrackLine
from anonator.ui.review.times import Times

if TYPE_CHECKING:
    from anonator.ui.review.assessment import DoubtCard
    from anonator.ui.review.playing import Playing
    from anonator.ui.review.seen import Seen
    from anonator.ui.review.session import ReviewSession
    from anonator.ui.review.track_rows import TrackRow

BEFORE_SECONDS = 1.0
"""So long before a doubt playing begins."""
UPCOMING = 4
"""So many doubts are looked ahead, so that N shows its picture at once."""
MOST_SELECTED = 2
"""Of a doubt's tracks are selected with it."""
REASONS = 2
"""Of a doubt are on its card; the rest is counted."""
LAST_ONE = "This is the only one left to check."
ALL_CHECKED = "That was the last one. G shows what you haven't seen yet; Ctrl+Enter signs."
ALL_SEEN = "You've seen all of it. Ctrl+Enter signs."


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
        self._doubts: dict[int, DoubtCard] = {}
        self._place = -1
        """Where the chosen card is or was in the list, so that the next one is the one after it."""
        self._stop = 0
        """Which of its frames was stopped on."""

    @property
    def _playing(self) -> Playing:
        return self._player()

    # --- moving

    def go(self, index: int) -> None:
        """Stop, and show a frame."""
        self._playing.go(self.times.inside(index))

    def go_near(self, first: int, last: int) -> None:
        """Stop, and show the frame of a stretch, both ends included, that is there soonest."""
        self._playing.go_near(self.times.inside(first), self.times.inside(last))

    def step(self, frames: int) -> None:
        """Stop, and show another frame, so many on."""
        self._playing.step(frames)

    def step_seconds(self, seconds: float) -> None:
        """Stop, and show the frame so many seconds on."""
        self._playing.skip(seconds)

    # --- doubts

    def next_doubt(self, by: int = 1) -> None:
        """Go to the next card that nobody has checked, or to the one before."""
        state = self._store.state
        if by > 0 and self._has_more():
            self.open_card(state.card or 0, self._stop + 1)
            return
        cards, at = state.cards, self._place
        if state.card is not None or by < 0:
            after, before = cards[at + 1 :], cards[: max(at, 0)]
        else:  # the chosen one is no doubt any more, and the next one has taken its place
            after, before = cards[max(at, 0) :], cards[: max(at, 0)]
        order = [*after, *before] if by > 0 else [*reversed(before), *reversed(after)]
        found = next((card for card in order if not card.is_done), None)
        if found is not None:
            self.open_card(found.number)
        elif cards and all(card.is_done or card.number == state.card for card in cards):
            left = any(not card.is_done for card in cards)
            self._store.change(message=LAST_ONE if left else ALL_CHECKED)

    def open_card(self, number: int, stop: int = 0) -> None:
        """Play towards a doubt, and stop on it; one with several places has several frames to stop on."""
        card = self._doubts.get(number)
        if card is None:
            return
        index = card.stops[min(stop, len(card.stops) - 1)]
        tracks = {line.id for line in self._store.state.tracks}
        selected = tuple(id for id in card.doubt.tracks if id in tracks)
        if len(selected) > MOST_SELECTED:  # in a crowd, nobody means all of them
            selected = ()
        self._store.change(card=number, selected=selected, message="")
        self._place, self._stop = list(self._doubts).index(number), stop
        begin = self.times.index_at(self.times.seconds(index) - BEFORE_SECONDS)
        self._playing.play_to(begin, index)

    def upcoming(self) -> list[int]:
        """Frames that will probably be asked for next: where playing towards the next doubts begins."""
        cards, at = self._store.state.cards, self._place
        later = [card for card in (*cards[at + 1 :], *cards[: max(at, 0)]) if not card.is_done]
        stops = [
            self._doubts[card.number].stops[0] for card in later[:UPCOMING] if card.number in self._doubts
        ]
        return [self.times.index_at(self.times.seconds(stop) - BEFORE_SECONDS) for stop in stops]

    def right(self) -> None:
        """The chosen doubt is right as it is; go on to the next one, or to its own next place."""
        card = self._doubts.get(self._store.state.card or 0)
        if card is not None and not card.is_done and not self._has_more():
            self._session.right(card)
        self.next_doubt()

    def _has_more(self) -> bool:
        """Whether the chosen doubt has places that weren't stopped on yet."""
        card = self._doubts.get(self._store.state.card or 0)
        return card is not None and self._stop + 1 < len(card.stops)

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
        self._store.change(index=index, seconds=self.times.seconds(index), speed=speed)

    def refresh(self) -> None:
        """Show what the session has become."""
        session, store = self._session, self._store
        chosen = self._doubts.get(store.state.card or 0)
        self._doubts = {card.number: card for card in session.doubts()}
        rows = session.tracks()
        wishes = {("card", n): self._card_wish(card) for n, card in self._doubts.items()}
        wishes |= {("track", row.id): self._track_wish(row) for row in rows}
        if store.state.ready:
            self._crops.ask(wishes.values())
        cards = tuple(self._card(card, wishes["card", n]) for n, card in self._doubts.items())
        lines = tuple(self._line(row, wishes["track", row.id]) for row in rows)
        ids = {line.id for line in lines}
        card = self._same_as(chosen)
        if card is not None:
            self._place = list(self._doubts).index(card)
        store.change(
            cards=cards,
            card=card,
            tracks=lines,
            selected=tuple(id for id in store.state.selected if id in ids),
            undo=session.undo_words,
            redo=session.redo_words,
            **self._seen_now(),
        )

    def _same_as(self, chosen: DoubtCard | None) -> int | None:
        """The number of the doubt that a chosen one has become: a cover changes its places and its span."""
        if chosen is None:
            return None
        for number, each in self._doubts.items():
            if each.doubt == chosen.doubt:
                return number
        first, last = chosen.doubt.span
        for number, each in self._doubts.items():
            begin, end = each.doubt.span
            if each.doubt.kind is chosen.doubt.kind and begin <= last and first <= end:
                # go on after the frame that is shown, not from its beginning
                self._stop = bisect.bisect_right(each.stops, self._store.state.index) - 1
                return number
        return None

    def refresh_seen(self) -> None:
        """Show how much was seen."""
        self._store.change(**self._seen_now())

    def _seen_now(self) -> dict[str, float]:
        share = self._seen.share
        return {"share_seen": share, "unseen_seconds": (1 - share) * self.times.length}

    def _card(self, card: DoubtCard, wish: Wish) -> Card:
        crop = self._crops.get(wish)
        seconds = self.times.seconds(wish.index)
        sights = tuple(zip(card.stops, card.places, strict=False))
        sentence = in_short(card.doubt.sentence)
        return Card(card.number, seconds, sentence, card.is_done, crop, crop is not None, sights)

    def _card_wish(self, card: DoubtCard) -> Wish:
        places = card.places[0] if card.places else ()
        return Wish(("card", card.doubt), card.stops[0], places[0] if places else None, self._crop_side)

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
    if len(reasons) <= REASONS:
        return sentence
    last, bracket, places = reasons[-1].partition(" (")
    more = f"; and {len(reasons) - REASONS} more reasons" if len(reasons) > REASONS + 1 else f"; {last}"
    return f"{'; '.join(reasons[:REASONS])}{more}{bracket}{places}."


def name_of(id: int, by: str) -> str:
    """What people call a track; lists for other programs say the same."""
    if id >= 0:
        return f"Face {id}"
    return f"{'Area' if by == 'area' else 'Cover'} {-1 - id}"
