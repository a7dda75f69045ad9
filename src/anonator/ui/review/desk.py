"""Where in the video a review is, and what of it is shown: doubts, tracks, and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from anonator.core.review.doubts import Rank, sentence_about
from anonator.ui.look.colours import track_colour
from anonator.ui.review.crops import Crops, Wish
from anonator.ui.review.review_state import Card, ReviewStore, StopLine, TrackLine
from anonator.ui.review.selecting import in_turn, next_one
from anonator.ui.review.times import Times
from anonator.ui.review.walk import Walk

if TYPE_CHECKING:
    from anonator.ui.review.assessment import DoubtCard
    from anonator.ui.review.playing import Playing
    from anonator.ui.review.seen import Seen
    from anonator.ui.review.session import ReviewSession
    from anonator.ui.review.track_rows import TrackRow

REASONS = 2
"""Of a doubt are on its card; the rest is counted."""
LATER = "Small, faint or probably covered:"
"""How the cards begin that come last."""
NOBODY = "Nothing is covered on this frame."
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
        self.walk = Walk(session, playing, store, self.times, self.refresh)

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

    def next_face(self, by: int = 1) -> None:
        """Select the next face on this frame, or the one before; those of the chosen stop come first."""
        state = self._store.state
        there = self._session.masks(state.index), self._session.left_visible(state.index)
        id = next_one(in_turn(there, self.walk.doubtful(state.index)), state.selected, by)
        self._store.change(**({"message": NOBODY} if id is None else {"selected": (id,), "message": ""}))

    # --- what is shown

    def moved(self, index: int, speed: float) -> None:
        """Another frame was asked for, or another speed."""
        self._store.change(index=index, seconds=self.times.seconds(index), speed=speed)

    def refresh(self) -> None:
        """Show what the session has become, or what there is at another stop."""
        session, store = self._session, self._store
        doubts = session.doubts()
        rows = session.tracks()
        wishes = {("card", card.number): self._card_wish(card) for card in doubts}
        wishes |= {("track", row.id): self._track_wish(row) for row in rows}
        if store.state.ready:
            self._crops.ask(wishes.values())
        lines = tuple(self._line(row, wishes["track", row.id]) for row in rows)
        ids = {line.id for line in lines}
        card, stop = self.walk.refreshed()
        store.change(
            cards=tuple(self._card(each, wishes["card", each.number]) for each in doubts),
            card=card,
            stop=stop,
            tracks=lines,
            selected=tuple(id for id in store.state.selected if id in ids),
            undo=session.undo_words,
            redo=session.redo_words,
            **self._seen_now(),
        )

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
        chosen = self.walk.chosen_of(card)
        sentence = in_short(card.doubt.sentence if chosen is None else sentence_about(chosen.stop.places))
        if card.doubt.rank is Rank.LATER:
            sentence = f"{LATER} {sentence[0].lower()}{sentence[1:]}"
        places = len(card.doubt.places)
        seconds = self.times.seconds(wish.index if chosen is None else chosen.index)
        return Card(card.number, seconds, sentence, stops, places, crop, crop is not None)

    def _card_wish(self, card: DoubtCard) -> Wish:
        """The largest place of the chosen stop, or else of the first one that is left."""
        stop = self.walk.chosen_of(card)
        stop = stop or next((stop for stop in card.stops if not stop.is_done), card.stops[0])
        heaviest = max(stop.stop.places, key=lambda place: place.weight)
        first, last = (self.times.index_of(pts) for pts in heaviest.window)
        index = min(max(stop.index, first), last)
        return Wish(("card", card.doubt), index, heaviest.where, self._crop_side)

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
