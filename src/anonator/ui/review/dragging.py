"""The mouse on the picture under review: draws, moves and resizes covers, selects and pans."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from anonator.ui.review import pointing
from anonator.ui.review.keys import CONTROL, SHIFT
from anonator.ui.review.marks import Box, Mark
from anonator.ui.review.pointing import View
from anonator.ui.state.zoom import Zoom

CLICK = 4
"""A drag of fewer design pixels is a click."""
REACH = 6
"""So near to an edge of the selected cover, in design pixels, the mouse takes hold of it."""
GROWTH = 1.06
"""One turn of the wheel makes the selected cover so much larger."""
REST_MS = 350
"""After so long without another turn of the wheel, the new size holds."""
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


class Surface(Protocol):
    """What is dragged on."""

    @property
    def view(self) -> View | None:
        """Where the video lies on the canvas, or None without a picture."""

    @property
    def marks(self) -> Sequence[Mark]:
        """Of the frame that is shown."""

    def look(self, zoom: Zoom) -> None:
        """Show another part of the picture."""

    def nearer(self, steps: int, at: tuple[float, float] = (0.0, 0.0)) -> None:
        """Look so many steps closer at a point, in pixels from the middle."""

    def draw_marks(self) -> None:
        """Draw the marks again, because a drag has changed one."""


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


class Dragging:
    """Knows what the mouse is doing; nothing is changed before it lets go."""

    def __init__(
        self, canvas: tk.Canvas, surface: Surface, px: Callable[[float], int], actions: PictureActions
    ) -> None:
        """Listen to the mouse.

        Args:
            canvas: that it moves on.
            surface: the same, for what is shown there.
            px: design pixels in pixels of the screen.
            actions: what to call.
        """
        self._canvas, self._surface, self._px, self._actions = canvas, surface, px, actions
        self._drag: _Drag | None = None
        self._growing: tuple[int, Box] | None = None
        self._rest_timer: str | None = None
        self._area = False
        canvas.bind("<ButtonPress-1>", self._pressed)
        canvas.bind("<B1-Motion>", self._pulled)
        canvas.bind("<ButtonRelease-1>", self._released)
        canvas.bind("<ButtonPress-2>", self._pan_pressed)
        canvas.bind("<B2-Motion>", self._pulled)
        canvas.bind("<ButtonRelease-2>", lambda _event: self.cancel())
        canvas.bind("<Motion>", self._hovered)
        canvas.bind("<MouseWheel>", lambda event: self._turned(1 if event.delta > 0 else -1, event))
        canvas.bind("<Button-4>", partial(self._turned, 1))
        canvas.bind("<Button-5>", partial(self._turned, -1))
        canvas.bind("<Destroy>", lambda _event: self._forget_timer(), add=True)

    @property
    def new_box(self) -> Box | None:
        """The cover that is being drawn, in pixels of the video."""
        drag = self._drag
        return drag.box if drag is not None and drag.mark is None else None

    @property
    def grip(self) -> Mark | None:
        """The mark that the mouse can take hold of, as it would be if it let go now."""
        if self._area:
            return None
        return pointing.movable([self.as_dragged(mark) for mark in self._surface.marks])

    def as_dragged(self, mark: Mark) -> Mark:
        """A mark as it would be if the mouse let go now."""
        box = None
        if self._drag is not None and self._drag.mark is not None and self._drag.mark.id == mark.id:
            box = self._drag.box
        elif self._growing is not None and self._growing[0] == mark.id:
            box = self._growing[1]
        return mark if box is None or not mark.selected else replace(mark, box=box)

    def draw_area(self, yes: bool) -> None:
        """Say whether the next drag draws a fixed area, also where it begins on the selected mark."""
        self._area = yes
        self._canvas.configure(cursor="cross" if yes else "crosshair")

    def cancel(self) -> bool:
        """Give up what is being drawn or moved, and say whether there was anything."""
        was = self._drag is not None and self._drag.begun and not self._drag.pans
        was = was or self._growing is not None
        self._drag = self._growing = None
        self._surface.draw_marks()
        return was

    def settle(self) -> None:
        """Let the size hold to which the wheel was turned, on the frame for which that was meant."""
        if self._rest_timer is not None:
            self._canvas.after_cancel(self._rest_timer)
            self._rest_timer = None
        growing, self._growing = self._growing, None
        if growing is not None:
            self._actions.move(*growing)

    def leave_frame(self) -> None:
        """Another frame will be shown: a size holds on this one, and what is being drawn is given up."""
        self.settle()
        if self._drag is not None and self._drag.begun and not self._drag.pans:
            self.cancel()

    # --- the mouse

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        self._canvas.focus_set()
        self.settle()
        view = self._surface.view
        if view is None:
            return
        state = int(event.state)
        sides, mark = (None, None) if self._area or state & (SHIFT | CONTROL) else self._grip(event)
        self._drag = _Drag(
            event.x, event.y, bool(state & (SHIFT | CONTROL)), sides, mark, pans=bool(state & CONTROL)
        )

    def _grip(self, event: tk.Event[tk.Misc]) -> tuple[str | None, Mark | None]:
        """What of the selected mark lies under the mouse."""
        view, mark = self._surface.view, pointing.movable(self._surface.marks)
        if view is None or mark is None:
            return None, None
        sides = pointing.handle(view.to_screen(mark.box), event.x, event.y, self._px(REACH))
        return sides, None if sides is None else mark

    def _pan_pressed(self, event: tk.Event[tk.Misc]) -> None:
        self._drag = _Drag(event.x, event.y, False, None, None, pans=True)

    def _pulled(self, event: tk.Event[tk.Misc]) -> None:
        drag, view = self._drag, self._surface.view
        if drag is None or view is None:
            return
        across, down = event.x - drag.x, event.y - drag.y
        if not drag.begun:
            if max(abs(across), abs(down)) < self._px(CLICK):
                return
            if not drag.pans:
                self._actions.began()  # which may ask for the frame that is shown
            drag.begun = True
        if drag.pans:
            self._surface.look(view.zoom.dragged(across, down, view.picture, view.room))
            drag.x, drag.y = event.x, event.y
            return
        start, now = view.to_video(drag.x, drag.y), view.to_video(event.x, event.y)
        if drag.mark is None:
            drag.box = pointing.drawn(start, now)
        else:
            moved = now[0] - start[0], now[1] - start[1]
            drag.box = pointing.pulled(drag.mark.box, drag.sides or pointing.MOVE, *moved, view.video)
        self._surface.draw_marks()

    def _released(self, event: tk.Event[tk.Misc]) -> None:
        drag, view = self._drag, self._surface.view
        self._drag = None
        if drag is None or view is None:
            return
        if not drag.begun:
            mark = pointing.clicked(self._surface.marks, *view.to_video(event.x, event.y))
            self._actions.select(None if mark is None else mark.id, drag.more)
        elif not drag.pans and drag.box is not None:
            if drag.mark is None:
                self._actions.draw(drag.box)
            else:
                self._actions.move(drag.mark.id, drag.box)
        self._surface.draw_marks()

    def _hovered(self, event: tk.Event[tk.Misc]) -> None:
        if self._drag is None and not self._area:
            sides, _ = self._grip(event)
            cursor = "crosshair" if sides is None else CURSORS[sides]
            if str(self._canvas.cget("cursor")) != cursor:
                self._canvas.configure(cursor=cursor)

    def _turned(self, steps: int, event: tk.Event[tk.Misc]) -> str:
        state, view = int(event.state), self._surface.view
        if view is None:
            return "break"
        if state & CONTROL:
            self._surface.nearer(
                steps, (event.x - self._canvas.winfo_width() / 2, event.y - self._canvas.winfo_height() / 2)
            )
        elif self._grip(event)[0] is not None and not state & SHIFT:
            self._grow(GROWTH**steps, view)
        elif not view.zoom.fits:
            way = steps * self._px(60)
            across, down = (way, 0) if state & SHIFT else (0, way)
            self._surface.look(view.zoom.dragged(across, down, view.picture, view.room))
        return "break"

    # --- the wheel on the selected cover

    def _grow(self, factor: float, view: View) -> None:
        mark = pointing.movable(self._surface.marks)
        if mark is None:
            return
        if self._growing is None:
            self._actions.began()
        box = self._growing[1] if self._growing is not None else mark.box
        self._growing = mark.id, pointing.grown(box, factor, view.video)
        if self._rest_timer is not None:
            self._canvas.after_cancel(self._rest_timer)
        self._rest_timer = self._canvas.after(REST_MS, self.settle)
        self._surface.draw_marks()

    def _forget_timer(self) -> None:
        if self._rest_timer is not None:
            self._canvas.after_cancel(self._rest_timer)
            self._rest_timer = None
