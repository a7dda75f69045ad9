"""One picture, as large as the pane allows or nearer, or words if there is none."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial

from PIL import Image, ImageTk

from anonator.core.frames import UInt8Array
from anonator.ui.look.colours import ACCENT, DIM, SURFACE, WHITE
from anonator.ui.look.pictures import LARGEST, part
from anonator.ui.look.theme import Theme
from anonator.ui.state.zoom import Zoom

Nearer = Callable[[int, tuple[float, float]], None]
"""Asks for so many steps nearer, around a point in pixels from the pane's middle."""


class PicturePane(tk.Canvas):
    """Draws a centred picture, or the part of it that the zoom shows."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, nearer: Nearer, dragged: Callable[[int, int], None]
    ) -> None:
        """Create an empty pane.

        Args:
            parent: the widget it lies in.
            theme: of the window.
            nearer: called when the wheel is turned.
            dragged: called with the pixels by which the picture was dragged.
        """
        super().__init__(
            parent,
            background=SURFACE,
            highlightthickness=theme.px(1),
            highlightbackground=SURFACE,
            highlightcolor=ACCENT,
            width=theme.px(160),
            height=theme.px(90),
            takefocus=True,
        )
        self._nearer, self._dragged = nearer, dragged
        self._photo: ImageTk.PhotoImage | None = None
        self.picture: UInt8Array | None = None
        self.words = ""
        """Shown in place of a picture."""
        self.note = ""
        """Shown over its lower edge."""
        self._zoom = Zoom()
        self._picture_item = self.create_image(0, 0)
        self._words_item = self.create_text(0, 0, fill=DIM, justify="center", font="AnonatorSmall")
        self._ground_item = self.create_rectangle(0, 0, 0, 0, fill=SURFACE, width=0, state="hidden")
        self._note_item = self.create_text(
            0, 0, fill=WHITE, anchor="sw", font="AnonatorSmall", state="hidden"
        )
        self._margin = theme.px(40)
        self._pad = theme.px(6)
        self._timer: str | None = None
        self._held: tuple[int, int] | None = None
        self.bind("<Configure>", self._moved)
        self.bind("<Destroy>", lambda _event: self._forget_timer())
        self.bind("<ButtonPress-1>", self._pressed)
        self.bind("<B1-Motion>", self._pulled)
        self.bind("<MouseWheel>", lambda event: self._turned(1 if event.delta > 0 else -1, event))
        self.bind("<Button-4>", partial(self._turned, 1))
        self.bind("<Button-5>", partial(self._turned, -1))

    @property
    def room(self) -> tuple[int, int]:
        """The width and height available for a picture."""
        return max(32, min(self.winfo_width(), LARGEST[0])), max(32, min(self.winfo_height(), LARGEST[1]))

    def show(self, content: UInt8Array | str, note: str = "") -> None:
        """Show an (H, W, 3) picture, cheapest if it already has the right size, or words."""
        self.note = note
        if isinstance(content, str):
            self.picture, self._photo, self.words = None, None, content
            self.itemconfigure(self._picture_item, image="")
        else:
            self.picture, self.words = content, ""
            self._draw()
        self._write()

    def zoom(self, zoom: Zoom) -> None:
        """Show another part of the picture."""
        if zoom != self._zoom:
            self._zoom = zoom
            self.configure(cursor="" if zoom.fits else "fleur")
            if self.picture is not None:
                self._draw()

    def _draw(self) -> None:
        assert self.picture is not None
        whole = Image.fromarray(self.picture)
        image = part(whole, *self._zoom.visible(whole.size, self.room))
        if self._photo is not None and (self._photo.width(), self._photo.height()) == image.size:
            self._photo.paste(image)
        else:
            self._photo = ImageTk.PhotoImage(image, master=self)
            self.itemconfigure(self._picture_item, image=self._photo)

    def _write(self) -> None:
        """Put words and note into their places."""
        width, height = self.winfo_width(), self.winfo_height()
        for item in (self._picture_item, self._words_item):
            self.coords(item, width // 2, height // 2)
        self.itemconfigure(self._words_item, text=self.words, width=max(60, width - self._margin))
        shown = "normal" if self.note else "hidden"
        self.itemconfigure(self._note_item, text=self.note, width=max(60, width - 2 * self._pad), state=shown)
        self.coords(self._note_item, self._pad, height - self._pad // 2)
        self.itemconfigure(self._ground_item, state=shown)
        if self.note:
            _, top, _, _ = self.bbox(self._note_item)
            self.coords(self._ground_item, 0, top - self._pad // 2, width, height)

    # --- what people do

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        self.focus_set()
        self._held = (event.x, event.y)

    def _pulled(self, event: tk.Event[tk.Misc]) -> None:
        if self._held is not None:
            self._dragged(event.x - self._held[0], event.y - self._held[1])
        self._held = (event.x, event.y)

    def _turned(self, steps: int, event: tk.Event[tk.Misc]) -> str:
        self._nearer(steps, (event.x - self.winfo_width() / 2, event.y - self.winfo_height() / 2))
        return "break"

    # --- another size

    def _moved(self, _event: tk.Event[tk.Misc]) -> None:
        self._write()
        self._forget_timer()
        self._timer = self.after(60, self._redraw)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def _redraw(self) -> None:
        self._timer = None
        if self.picture is not None:
            self._draw()
