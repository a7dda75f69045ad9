"""The places to check, as cards with a picture, a time and a sentence."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import font, ttk

from PIL import Image, ImageTk

from anonator.ui.look.colours import (
    ACCENT,
    ACCENT_DARK,
    BLACK,
    DIM,
    FAINT,
    LINE,
    RAISED,
    SURFACE,
    WHITE,
)
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.review.review_state import Card
from anonator.ui.state import text

CROP = 56
"""Side of a card's picture."""
NOTHING = "Nothing to check. The program has no doubts about this video, but it can be wrong: watch it."
WAITING = "Looking for places to check…"


class ToCheck(ttk.Frame):
    """A list of cards that scrolls; one of them may be chosen."""

    def __init__(self, parent: tk.Misc, theme: Theme, choose: Callable[[int], object]) -> None:
        """Create an empty list.

        Args:
            parent: where it lies.
            theme: of the window.
            choose: called with the number of a card that was clicked.
        """
        super().__init__(parent)
        self._theme, self._choose = theme, choose
        self._cards: tuple[Card, ...] = ()
        self._chosen: int | None = None
        self._stop: int | None = None
        self._ready = False
        self._photos: dict[int, tuple[Image.Image, ImageTk.PhotoImage]] = {}
        self._tops: dict[int, tuple[int, int]] = {}
        """By number: the first and the last row of pixels of a card."""
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        self.title = ttk.Label(self, text="To check", style="Strong.TLabel")
        self.title.grid(row=0, column=0, columnspan=2, sticky="w", pady=(0, theme.px(4)))
        ToolTip(
            self.title,
            theme,
            "Stops where the program itself isn't sure, the large and likely ones first. N goes to the next "
            "one; Enter says that all is right there. A stop is one frame, which may have several places.",
        )
        self.canvas = tk.Canvas(
            self,
            background=BLACK,
            width=theme.px(200),
            height=theme.px(80),
            highlightthickness=theme.px(1),
            highlightbackground=BLACK,
            highlightcolor=ACCENT,
            takefocus=True,
        )
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self.canvas.yview)
        self.canvas.configure(yscrollcommand=self._bar.set)
        self.canvas.grid(row=1, column=0, sticky="nsew")
        self._bar.grid(row=1, column=1, sticky="ns")
        self._strong = font.Font(self, font="AnonatorStrong")
        self.canvas.bind("<Configure>", lambda _event: self._draw_all())
        self.canvas.bind("<Button-1>", self._clicked)
        self.canvas.bind("<Up>", lambda _event: self._step(-1))
        self.canvas.bind("<Down>", lambda _event: self._step(1))
        self.canvas.bind("<MouseWheel>", lambda event: self._wheel(-1 if event.delta > 0 else 1))
        self.canvas.bind("<Button-4>", lambda _event: self._wheel(-1))
        self.canvas.bind("<Button-5>", lambda _event: self._wheel(1))

    def draw(
        self, cards: tuple[Card, ...], chosen: int | None, stop: int | None = None, *, ready: bool
    ) -> None:
        """Show exactly these cards.

        Args:
            cards: in order.
            chosen: number of the chosen one.
            stop: number of the chosen stop, which is one of its.
            ready: whether they are known yet.
        """
        before, self._cards = (self._cards, self._stop, self._ready), cards
        moved = chosen != self._chosen
        self._chosen, self._stop, self._ready = chosen, stop, ready
        if (cards, stop, ready) != before:
            stops = [each for card in cards for each in card.stops]
            left = sum(not each.is_done for each in stops)
            self.title.configure(text=_title(left, len(stops)) if ready else "To check")
            self._draw_all()
        if moved:
            self._show_chosen()

    def box_of(self, number: int) -> tuple[int, int, int, int]:
        """Where a card is on the screen: left, top, width and height, for tests that click on it."""
        top, bottom = self._tops[number]
        shift = int(self.canvas.canvasy(0))
        canvas = self.canvas
        return canvas.winfo_rootx(), canvas.winfo_rooty() + top - shift, canvas.winfo_width(), bottom - top

    # --- inside

    def _draw_all(self) -> None:
        canvas, px = self.canvas, self._theme.px
        canvas.delete("all")
        numbers = {card.number for card in self._cards}
        self._photos = {number: photo for number, photo in self._photos.items() if number in numbers}
        self._tops = {}
        width, y, gap, pad = canvas.winfo_width(), 0, px(6), px(8)
        if not self._cards:
            words = NOTHING if self._ready else WAITING
            canvas.create_text(
                pad, pad, text=words, width=width - 2 * pad, anchor="nw", fill=DIM, font="AnonatorSmall"
            )
        for card in self._cards:
            y = self._draw_card(card, y, width, pad) + gap
        canvas.configure(scrollregion=(0, 0, width, max(y, 1)))
        (self._bar.grid if y > canvas.winfo_height() else self._bar.grid_remove)()
        self._mark()

    def _draw_card(self, card: Card, y: int, width: int, pad: int) -> int:
        """Draw a card from this row on, and return the row below it."""
        canvas, px, side = self.canvas, self._theme.px, self._theme.px(CROP)
        tag = f"card{card.number}"
        ground = canvas.create_rectangle(
            1, y, width - px(4), y, fill=SURFACE, outline=LINE, tags=(tag, "ground")
        )
        x, top = pad, y + pad
        if card.crop is not None:
            kept = self._photos.get(card.number)
            if kept is None or kept[0] is not card.crop:  # it is of another stop now
                kept = self._photos[card.number] = card.crop, ImageTk.PhotoImage(card.crop, master=self)
            canvas.create_image(x + side // 2, top + side // 2, image=kept[1], tags=(tag,))
        else:
            canvas.create_rectangle(x, top, x + side, top + side, fill=RAISED, width=0, tags=(tag,))
        x += side + pad
        mark = _stops(card, self._stop, sum(len(each.stops) for each in self._cards))
        canvas.create_text(
            x, top, text=text.moment(card.seconds), anchor="nw", font="AnonatorStrong",
            fill=DIM if card.is_done else WHITE, tags=(tag,),
        )  # fmt: skip
        canvas.create_text(
            width - px(4) - pad, top, text=mark, anchor="ne", font="AnonatorSmall",
            fill=WHITE if card.number == self._chosen else ACCENT, tags=(tag,),
        )  # fmt: skip
        words = canvas.create_text(
            x, top + self._strong.metrics("linespace") + px(2), text=card.sentence, anchor="nw",
            width=max(px(60), width - x - pad - px(4)), font="AnonatorSmall",
            fill=FAINT if card.is_done else DIM, tags=(tag,),
        )  # fmt: skip
        bottom = max(top + side, canvas.bbox(words)[3]) + pad
        canvas.coords(ground, 1, y, width - px(4), bottom)
        self._tops[card.number] = y, bottom
        return bottom

    def _mark(self) -> None:
        self.canvas.itemconfigure("ground", fill=SURFACE, outline=LINE)
        for item in self.canvas.find_withtag(f"card{self._chosen}"):
            if "ground" in self.canvas.gettags(item):
                self.canvas.itemconfigure(item, fill=ACCENT_DARK, outline=ACCENT)

    def _show_chosen(self) -> None:
        """Scroll so that the chosen card is visible, with a bit of the next one."""
        place = self._tops.get(self._chosen or 0)
        if place is None:
            return
        whole = max(bottom for _, bottom in self._tops.values())
        first, seen = self.canvas.canvasy(0), self.canvas.winfo_height()
        if place[0] < first or place[1] > first + seen:
            self.canvas.yview_moveto(max(0, place[0] - seen // 4) / max(1, whole))

    def _clicked(self, event: tk.Event[tk.Misc]) -> None:
        self.canvas.focus_set()
        y = self.canvas.canvasy(event.y)
        for number, (top, bottom) in self._tops.items():
            if top <= y <= bottom:
                self._choose(number)

    def _step(self, by: int) -> str:
        numbers = [card.number for card in self._cards]
        if numbers:
            at = numbers.index(self._chosen) + by if self._chosen in numbers else 0
            self._choose(numbers[min(max(at, 0), len(numbers) - 1)])
        return "break"

    def _wheel(self, by: int) -> None:
        if self._bar.winfo_manager():
            self.canvas.yview_scroll(by * 3, "units")


def _title(left: int, of: int) -> str:
    """How many stops are left, as the dialog that signs counts them."""
    if not of:
        return "To check"
    if not left:
        return f"To check: all {text.count(of, 'stop')} done" if of > 1 else "To check: done"
    return f"To check: {text.count(of, 'stop')}" if left == of else f"To check: {left} of {of} stops"


def _stops(card: Card, stop: int | None, of: int) -> str:
    """Which stops a card has, or which of them is the chosen one, numbered through the whole review."""
    if card.is_done:
        return "\N{CHECK MARK}  right"
    numbers = [each.number for each in card.stops]
    if stop in numbers:
        return f"stop {stop} of {of}"
    if len(numbers) == 1:
        return f"stop {numbers[0]}"
    done = sum(each.is_done for each in card.stops)
    return f"stops {numbers[0]}\N{EN DASH}{numbers[-1]}" + (f", {done} done" if done else "")
