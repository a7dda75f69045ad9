"""The sheet: thirty finished pictures a page at most, as large as fits, from what nobody has seen yet."""

from __future__ import annotations

import math
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from PIL import Image, ImageTk

from anonator.ui.look.colours import ACCENT, BLACK, DIM, LINE, RAISED
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.review.review_state import Cell, SheetPage
from anonator.ui.state import text

NOTHING_LEFT = "You've seen all of it."


@dataclass(frozen=True, slots=True)
class SheetActions:
    """What the sheet asks for."""

    open: Callable[[int], object]
    """Go to the frame of the cell at this place."""
    choose: Callable[[int], object]
    """Mark the cell at this place."""
    turn: Callable[[int], object]
    """So many pages on."""
    resized: Callable[[], object]
    """Pictures of another size are wanted."""
    close: Callable[[], object]


class Sheet(ttk.Frame):
    """A page of pictures; a click goes to one, arrow keys choose, Enter opens."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: SheetActions) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._page: SheetPage | None = None
        self._photos: dict[int, tuple[Image.Image, ImageTk.PhotoImage]] = {}
        """By frame, so that a page that fills up is drawn again quickly."""
        self._size = (0, 0)
        px = theme.px
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        head = ttk.Frame(self)
        head.grid(row=0, column=0, sticky="ew", pady=(0, px(6)))
        self.title = ttk.Label(head, style="Strong.TLabel")
        self.title.pack(side="left")
        self.share = ttk.Label(head, style="Dim.TLabel")
        self.share.pack(side="left", padx=(px(14), 0))
        self.buttons: dict[str, ttk.Button] = {}
        for key, label, command, tip in (
            ("close", "Close the sheet", actions.close, "Back to the picture (G or Escape)."),
            ("on", "Next page", lambda: actions.turn(1), "The next pictures (Page Down or Space)."),
            ("back", "Previous page", lambda: actions.turn(-1), "The pictures before (Page Up)."),
        ):
            button = ttk.Button(head, text=label, command=command, style="Small.TButton")
            button.pack(side="right", padx=(px(6), 0))
            button.lower()
            ToolTip(button, theme, tip)
            self.buttons[key] = button
        self.canvas = tk.Canvas(
            self,
            background=BLACK,
            highlightthickness=px(1),
            highlightbackground=BLACK,
            highlightcolor=ACCENT,
            takefocus=True,
        )
        self.canvas.grid(row=1, column=0, sticky="nsew")
        self.canvas.bind("<Configure>", self._resized)
        self.canvas.bind("<Button-1>", self._clicked)
        for key, across, down in (("<Left>", -1, 0), ("<Right>", 1, 0), ("<Up>", 0, -1), ("<Down>", 0, 1)):
            self.canvas.bind(key, lambda _event, by=(across, down): self._step(*by))  # type: ignore[misc]
        for key, pages in (("<Prior>", -1), ("<Next>", 1), ("<space>", 1)):
            self.canvas.bind(key, lambda _event, pages=pages: self._turn(pages))  # type: ignore[misc]
        for key in ("<Return>", "<KP_Enter>"):
            self.canvas.bind(key, self._entered)
            self.canvas.bind(f"<Control-{key[1:]}", lambda _event: None)

    @property
    def room(self) -> tuple[int, int]:
        """Width and height that a picture may have, in pixels."""
        return self._room(self._columns)

    def draw(self, page: SheetPage | None, share: float) -> None:
        """Show this page, and how much of the video was seen."""
        self.share.configure(text=f"{seen_words(share)}. A page counts as seen after three seconds.")
        if page == self._page:
            return
        before, self._page = self._page, page
        if page is None:
            self.canvas.delete("all")
            self._photos = {}
            return
        self.title.configure(text=f"Page {page.number + 1} of {page.pages}" if page.pages else "Sheet")
        self.buttons["back"].state(["!disabled" if page.number > 0 else "disabled"])
        self.buttons["on"].state(["!disabled" if page.number + 1 < page.pages else "disabled"])
        if before is None:
            self.canvas.focus_set()
        self._draw_cells()

    def box_of(self, place: int) -> tuple[int, int, int, int]:
        """Where a cell is on the screen: left, top, width and height, for tests that click on it."""
        x, y = self._corner(place)
        return (self.canvas.winfo_rootx() + x, self.canvas.winfo_rooty() + y, *self.room)

    # --- inside

    @property
    def _columns(self) -> int:
        """So many pictures beside one another that each is as large as can be."""
        if self._page is None:
            return 1
        across, down = self._page.shape

        def scale(columns: int) -> float:
            width, height = self._room(columns)
            return min(width / across, height / down)

        return max(range(1, max(1, len(self._page.cells)) + 1), key=scale)

    def _room(self, columns: int) -> tuple[int, int]:
        px, line = self._theme.px, self._line
        cells = 0 if self._page is None else len(self._page.cells)
        rows = max(1, math.ceil(cells / columns))
        width = max(40, self.canvas.winfo_width() // columns - px(8))
        return width, max(24, self.canvas.winfo_height() // rows - line - px(8))

    @property
    def _line(self) -> int:
        return self._theme.px(16)

    def _corner(self, place: int) -> tuple[int, int]:
        px, (width, height) = self._theme.px, self.room
        row, column = divmod(place, self._columns)
        return px(4) + column * (width + px(8)), px(4) + row * (height + self._line + px(8))

    def _draw_cells(self) -> None:
        page, canvas = self._page, self.canvas
        canvas.delete("all")
        if page is None:
            return
        shown = {cell.index for cell in page.cells}
        self._photos = {index: photo for index, photo in self._photos.items() if index in shown}
        if not page.cells:
            canvas.create_text(
                canvas.winfo_width() // 2,
                canvas.winfo_height() // 2,
                text=NOTHING_LEFT,
                fill=DIM,
                font="AnonatorTitle",
            )
        for place, cell in enumerate(page.cells):
            self._draw_cell(place, cell, chosen=place == page.chosen)

    def _draw_cell(self, place: int, cell: Cell, *, chosen: bool) -> None:
        canvas, px, (width, height) = self.canvas, self._theme.px, self.room
        x, y = self._corner(place)
        canvas.create_rectangle(
            x - px(2), y - px(2), x + width + px(2), y + height + self._line,
            outline=ACCENT if chosen else BLACK, width=px(2),
        )  # fmt: skip
        if cell.picture is not None:
            kept = self._photos.get(cell.index)
            if kept is None or kept[0] is not cell.picture:
                kept = self._photos[cell.index] = cell.picture, ImageTk.PhotoImage(cell.picture, master=self)
            canvas.create_image(x + width // 2, y + height // 2, image=kept[1])
        else:
            canvas.create_rectangle(x, y, x + width, y + height, fill=RAISED, outline=LINE)
        canvas.create_text(
            x + width // 2, y + height + self._line // 2 - px(1), text=text.moment(cell.seconds), fill=DIM,
            font="AnonatorSmall",
        )  # fmt: skip

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if (event.width, event.height) != self._size:
            self._size = event.width, event.height
            self._draw_cells()
            if self._page is not None:
                self._actions.resized()

    def _clicked(self, event: tk.Event[tk.Misc]) -> None:
        if self._page is None:
            return
        width, height = self.room
        for place in range(len(self._page.cells)):
            x, y = self._corner(place)
            if x <= event.x <= x + width and y <= event.y <= y + height + self._line:
                self._actions.open(place)
                return

    def _step(self, across: int, down: int) -> str:
        page = self._page
        if page is not None and page.cells:
            to = page.chosen + across + down * self._columns
            if 0 <= to < len(page.cells):
                self._actions.choose(to)
            elif across:
                self._turn(across)
        return "break"

    def _turn(self, pages: int) -> str:
        page = self._page
        if page is not None and 0 <= page.number + pages < page.pages:
            self._actions.turn(pages)
        return "break"

    def _entered(self, _event: object) -> str:
        if self._page is not None and self._page.cells:
            self._actions.open(self._page.chosen)
        return "break"


def seen_words(share: float) -> str:
    """How much was seen, in words; 100 % only if it is all."""
    if share >= 1:
        return "100 % seen"
    return f"{min(99, int(share * 100))} % seen"
