"""The picture under review, with its covers and outlines; covers are drawn, moved and resized on it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PIL import Image, ImageTk

from anonator.core.frames import UInt8Array
from anonator.ui.look.colours import ACCENT, BLACK, DIM, SURFACE, WHITE, track_colour
from anonator.ui.look.pictures import LARGEST, fitted, part
from anonator.ui.look.theme import Theme
from anonator.ui.review import look_here, pointing
from anonator.ui.review.keys import CONTROL, SHIFT
from anonator.ui.review.marks import Box, Mark
from anonator.ui.review.pointing import View
from anonator.ui.state.zoom import LARGEST as NEAREST
from anonator.ui.state.zoom import STEP, Size, Zoom, one_to_one

MOST_SIDE = 4096
"""Pictures aren't decoded larger, however near they are looked at."""
CLICK = 4
"""A drag of fewer design pixels is a click."""
REACH = 6
"""So near to an edge of the selected cover, in design pixels, the mouse takes hold of it."""
GROWTH = 1.06
"""One turn of the wheel makes the selected cover so much larger."""
REST_MS = 350
"""After so long without another turn of the wheel, the new size holds."""
SIZE_MS = 60
"""After so long at the same size, pictures of that size are asked for."""
CURSORS = {
    pointing.MOVE: "fleur",
    "n": "top_side",
    "s": "bottom_side",
    "w": "left_side",
    "e": "right_side",
    "nw": "top_left_corner",
    "ne": "top_right_corner",
    "sw": "bottom_left_corner",
    "se": "bottom_right_corner",
}


def _nothing() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class PictureActions:
    """What the picture asks for; boxes are in pixels of the video's frames."""

    draw: Callable[[Box], object]
    """A new box was drawn with the mouse."""
    move: Callable[[int, Box], object]
    """The selected mark with this id was moved or resized; called once, when the mouse lets go."""
    select: Callable[[int | None, bool], object]
    """A mark was clicked, or (None) nothing; True adds to the selection (Shift or Ctrl is held)."""
    resized: Callable[[], object]
    """Pictures of another size are wanted now: see Picture.side."""
    began: Callable[[], object] = _nothing
    """A drag begins, which is meant for the frame that is shown: playing must stop."""


@dataclass(slots=True)
class _Drag:
    """The mouse is held."""

    x: int
    """Where it was pressed, in pixels of the canvas."""
    y: int
    more: bool
    """Shift or Ctrl is held."""
    sides: str | None
    """What of the selected mark is pulled; None draws a new box."""
    mark: Mark | None
    pans: bool = False
    begun: bool = False
    """It has gone too far for a click."""
    box: Box | None = None
    """As it would be now, in pixels of the video."""


class Picture(tk.Canvas):
    """Draws a frame and what is covered on it. It draws only what it is given, and changes nothing itself."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: PictureActions) -> None:
        """Create an empty picture.

        Args:
            parent: the widget it lies in.
            theme: of the window.
            actions: what to call.
        """
        super().__init__(
            parent,
            background=SURFACE,
            highlightthickness=theme.px(1),
            highlightbackground=SURFACE,
            highlightcolor=ACCENT,
            width=theme.px(320),
            height=theme.px(180),
            takefocus=True,
            cursor="crosshair",
        )
        self._px, self._actions = theme.px, actions
        self._image: Image.Image | None = None
        self._photo: ImageTk.PhotoImage | None = None
        self._video: Size = (0, 0)
        self._marks: tuple[Mark, ...] = ()
        self._zoom = Zoom()
        self._original = self._area = False
        self._drag: _Drag | None = None
        self._growing: tuple[int, Box] | None = None
        self._size_timer: str | None = None
        self._rest_timer: str | None = None
        self._picture_item = self.create_image(0, 0)
        self._words_item = self.create_text(0, 0, fill=DIM, justify="center")
        self.bind("<Configure>", lambda _event: self._moved())
        self.bind("<Destroy>", lambda _event: self._forget_timers())
        self.bind("<ButtonPress-1>", self._pressed)
        self.bind("<B1-Motion>", self._pulled)
        self.bind("<ButtonRelease-1>", self._released)
        self.bind("<ButtonPress-2>", self._pan_pressed)
        self.bind("<B2-Motion>", self._pulled)
        self.bind("<ButtonRelease-2>", lambda _event: self.cancel_drag())
        self.bind("<Motion>", self._hovered)
        self.bind("<MouseWheel>", lambda event: self._turned(1 if event.delta > 0 else -1, event))
        self.bind("<Button-4>", partial(self._turned, 1))
        self.bind("<Button-5>", partial(self._turned, -1))

    # --- what is shown

    @property
    def side(self) -> int:
        """The long side, in pixels, in which pictures should be decoded for this size and zoom."""
        room = self._room
        shape = self._image.size if self._image is not None else room
        return min(MOST_SIDE, max(1, round(max(fitted(shape, room)) * self._zoom.factor)))

    @property
    def view(self) -> View | None:
        """Where the video lies on the canvas, or None without a picture."""
        if self._image is None:
            return None
        size = self.winfo_width(), self.winfo_height()
        return View(self._video, self._image.size, self._room, size, self._zoom)

    def show(self, picture: UInt8Array, size: tuple[int, int], marks: Sequence[Mark]) -> None:
        """Draw a frame with its marks, both at once, so that no cover is ever drawn on another frame.

        Args:
            picture: (H, W, 3) RGB.
            size: width and height of the video's frames (analysis.key), in which marks are given.
            marks: of this frame.
        """
        self._image, self._video = Image.fromarray(picture), size
        self._marks = tuple(marks)
        self.itemconfigure(self._words_item, text="")
        self._draw_picture()
        self._draw_marks()

    def mark(self, marks: Sequence[Mark]) -> None:
        """Draw other marks over the frame that is shown, after an edit or another selection."""
        self._marks = tuple(marks)
        self._draw_marks()

    def say(self, words: str) -> None:
        """Show words and no picture."""
        self.cancel_drag()
        self._image = self._photo = None
        self._marks = ()
        self.itemconfigure(self._picture_item, image="")
        self.itemconfigure(self._words_item, text=words)
        self._place()
        self._draw_marks()

    def show_original(self, yes: bool) -> None:
        """Take the covers away, or put them back; outlines stay."""
        if yes != self._original:
            self._original = yes
            self._draw_marks()

    def draw_area(self, yes: bool) -> None:
        """Show that the next drag draws a fixed area, also where it begins on the selected mark."""
        self._area = yes
        self.configure(cursor="cross" if yes else "crosshair")

    def nearer(self, steps: int) -> None:
        """Look so many steps closer, or from further away if negative."""
        self._nearer(steps, (0.0, 0.0))

    def fit(self) -> None:
        """Show the whole picture."""
        self._look(Zoom())

    def cancel_drag(self) -> bool:
        """Give up what is being drawn or moved, and say whether there was anything (for Escape)."""
        was = self._drag is not None and self._drag.begun and not self._drag.pans
        was = was or self._growing is not None
        self._drag = self._growing = None
        self._draw_marks()
        return was

    # --- drawing

    @property
    def _room(self) -> Size:
        return max(32, min(self.winfo_width(), LARGEST[0])), max(32, min(self.winfo_height(), LARGEST[1]))

    def _draw_picture(self) -> None:
        view = self.view
        if view is None or self._image is None:
            return
        image = part(self._image, *view.part())
        if self._photo is not None and (self._photo.width(), self._photo.height()) == image.size:
            self._photo.paste(image)
        else:
            self._photo = ImageTk.PhotoImage(image, master=self)
            self.itemconfigure(self._picture_item, image=self._photo, anchor="nw")
        self._place()

    def _place(self) -> None:
        width, height = self.winfo_width(), self.winfo_height()
        self.coords(self._words_item, width // 2, height // 2)
        self.itemconfigure(self._words_item, width=max(60, width - self._px(40)))
        if self._photo is not None:
            place = (width - self._photo.width()) // 2, (height - self._photo.height()) // 2
            self.coords(self._picture_item, *place)

    def _draw_marks(self) -> None:
        self.delete("mark")
        view = self.view
        if view is None:
            return
        marks = [self._as_dragged(mark) for mark in self._marks]
        if not self._original:
            for mark in marks:
                if not mark.visible:
                    self.create_rectangle(view.to_screen(mark.box), fill=BLACK, width=0, tags="mark")
        # above all covers, because one of them may hide a neighbour's outline
        for mark in sorted(marks, key=lambda each: each.selected):
            if not mark.wanted:
                self._outline(mark, view.to_screen(mark.box))
        wanted = [view.to_screen(mark.box) for mark in marks if mark.wanted]
        look_here.draw(self, wanted, self._px, "mark")
        drag = self._drag
        if drag is not None and drag.mark is None and drag.box is not None:
            box = view.to_screen(drag.box)
            self.create_rectangle(box, outline=ACCENT, width=self._px(2), tags=("mark", "new"))
        grip = pointing.movable(marks)
        if grip is not None and not self._area:
            self._grips(view.to_screen(grip.box))

    def _as_dragged(self, mark: Mark) -> Mark:
        """A mark as it would be if the mouse let go now."""
        box = None
        if self._drag is not None and self._drag.mark is not None and self._drag.mark.id == mark.id:
            box = self._drag.box
        elif self._growing is not None and self._growing[0] == mark.id:
            box = self._growing[1]
        if box is None or not mark.selected:
            return mark
        return Mark(mark.id, box, mark.selected, mark.held, mark.visible, mark.moves)

    def _outline(self, mark: Mark, box: Box) -> None:
        colour, px = track_colour(mark.id), self._px
        if mark.held:
            line = pointing.hatching(box, px(9))
            if len(line) >= 4:
                self.create_line(line, fill=colour, width=px(1), tags="mark")
        dash = (px(5), px(4)) if mark.visible else ()
        if mark.selected:  # a white line around the coloured one is seen on any picture
            wide = px(5)
            self.create_rectangle(box, outline=WHITE, width=wide, dash=dash, tags="mark")
        self.create_rectangle(
            box, outline=colour, width=px(3) if mark.selected else px(1.5), dash=dash, tags="mark"
        )

    def _grips(self, box: Box) -> None:
        x1, y1, x2, y2 = box
        half = self._px(3.5)
        middle = (x1 + x2) / 2, (y1 + y2) / 2
        for x in (x1, middle[0], x2):
            for y in (y1, middle[1], y2):
                if (x, y) != middle:
                    place = x - half, y - half, x + half, y + half
                    self.create_rectangle(place, fill=WHITE, outline=BLACK, tags=("mark", "grip"))

    # --- the mouse

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        self.focus_set()
        self._settle()
        view = self.view
        if view is None:
            return
        state = int(event.state)
        sides, mark = (None, None) if self._area or state & (SHIFT | CONTROL) else self._grip(event)
        self._drag = _Drag(
            event.x, event.y, bool(state & (SHIFT | CONTROL)), sides, mark, pans=bool(state & CONTROL)
        )

    def _grip(self, event: tk.Event[tk.Misc]) -> tuple[str | None, Mark | None]:
        """What of the selected mark lies under the mouse."""
        view, mark = self.view, pointing.movable(self._marks)
        if view is None or mark is None:
            return None, None
        sides = pointing.handle(view.to_screen(mark.box), event.x, event.y, self._px(REACH))
        return sides, None if sides is None else mark

    def _pan_pressed(self, event: tk.Event[tk.Misc]) -> None:
        self._drag = _Drag(event.x, event.y, False, None, None, pans=True)

    def _pulled(self, event: tk.Event[tk.Misc]) -> None:
        drag, view = self._drag, self.view
        if drag is None or view is None:
            return
        across, down = event.x - drag.x, event.y - drag.y
        if not drag.begun:
            if max(abs(across), abs(down)) < self._px(CLICK):
                return
            drag.begun = True
            if not drag.pans:
                self._actions.began()
        if drag.pans:
            self._look(self._zoom.dragged(across, down, view.picture, view.room))
            drag.x, drag.y = event.x, event.y
            return
        start, now = view.to_video(drag.x, drag.y), view.to_video(event.x, event.y)
        if drag.mark is None:
            drag.box = pointing.drawn(start, now)
        else:
            moved = now[0] - start[0], now[1] - start[1]
            drag.box = pointing.pulled(drag.mark.box, drag.sides or pointing.MOVE, *moved, view.video)
        self._draw_marks()

    def _released(self, event: tk.Event[tk.Misc]) -> None:
        drag, view = self._drag, self.view
        self._drag = None
        if drag is None or view is None:
            return
        if not drag.begun:
            mark = pointing.clicked(self._marks, *view.to_video(event.x, event.y))
            self._actions.select(None if mark is None else mark.id, drag.more)
        elif not drag.pans and drag.box is not None:
            if drag.mark is None:
                self._actions.draw(drag.box)
            else:
                self._actions.move(drag.mark.id, drag.box)
        self._draw_marks()

    def _hovered(self, event: tk.Event[tk.Misc]) -> None:
        if self._drag is None and not self._area:
            sides, _ = self._grip(event)
            cursor = "crosshair" if sides is None else CURSORS[sides]
            if str(self.cget("cursor")) != cursor:
                self.configure(cursor=cursor)

    def _turned(self, steps: int, event: tk.Event[tk.Misc]) -> str:
        state, view = int(event.state), self.view
        if view is None:
            return "break"
        if state & CONTROL:
            self._nearer(steps, (event.x - self.winfo_width() / 2, event.y - self.winfo_height() / 2))
        elif self._grip(event)[0] is not None and not state & SHIFT:
            self._grow(GROWTH**steps, view)
        elif not self._zoom.fits:
            way = steps * self._px(60)
            across, down = (way, 0) if state & SHIFT else (0, way)
            self._look(self._zoom.dragged(across, down, view.picture, view.room))
        return "break"

    # --- the wheel on the selected cover

    def _grow(self, factor: float, view: View) -> None:
        mark = pointing.movable(self._marks)
        if mark is None:
            return
        if self._growing is None:
            self._actions.began()
        box = self._growing[1] if self._growing is not None else mark.box
        self._growing = mark.id, pointing.grown(box, factor, view.video)
        if self._rest_timer is not None:
            self.after_cancel(self._rest_timer)
        self._rest_timer = self.after(REST_MS, self._settle)
        self._draw_marks()

    def _settle(self) -> None:
        """Let the size hold to which the wheel was turned."""
        if self._rest_timer is not None:
            self.after_cancel(self._rest_timer)
            self._rest_timer = None
        growing, self._growing = self._growing, None
        if growing is not None:
            self._actions.move(*growing)

    # --- nearer, and another size

    def _nearer(self, steps: int, at: tuple[float, float]) -> None:
        view = self.view
        if view is None:
            return
        most = max(1.0, NEAREST * one_to_one(max(view.video), view.picture, view.room))
        factor = min(most, self._zoom.factor * STEP**steps)
        self._look(self._zoom.scaled(factor, view.picture, view.room, at))

    def _look(self, zoom: Zoom) -> None:
        if zoom == self._zoom:
            return
        side = self.side
        self._zoom = zoom
        self._draw_picture()
        self._draw_marks()
        if self.side != side:
            self._actions.resized()

    def _moved(self) -> None:
        self._draw_picture()  # at once, so that covers and picture stay together
        self._place()
        self._draw_marks()
        if self._size_timer is not None:
            self.after_cancel(self._size_timer)
        self._size_timer = self.after(SIZE_MS, self._rested)

    def _rested(self) -> None:
        self._size_timer = None
        self._actions.resized()

    def _forget_timers(self) -> None:
        for timer in (self._size_timer, self._rest_timer):
            if timer is not None:
                self.after_cancel(timer)
        self._size_timer = self._rest_timer = None
