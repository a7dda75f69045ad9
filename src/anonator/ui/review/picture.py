"""The picture under review, with its covers and outlines."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence

from PIL import Image, ImageTk

from anonator.core.frames import UInt8Array
from anonator.ui.look.colours import ACCENT, BLACK, DIM, SURFACE, WHITE, track_colour
from anonator.ui.look.pictures import LARGEST, fitted, part
from anonator.ui.look.theme import Theme
from anonator.ui.review import look_here, pointing
from anonator.ui.review.as_finished import AsFinished
from anonator.ui.review.dragging import Dragging, PictureActions
from anonator.ui.review.marks import Box, Mark
from anonator.ui.review.pointing import View
from anonator.ui.state.zoom import LARGEST as NEAREST
from anonator.ui.state.zoom import STEP, Size, Zoom, one_to_one

MOST_SIDE = 4096
"""Pictures aren't decoded larger, however near they are looked at."""
SMALL = 36
"""Design pixels of a cover's shorter side below which handles would hide it."""
SIZE_MS = 60
"""After so long at the same size, pictures of that size are asked for."""


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
        self.marks: tuple[Mark, ...] = ()
        """Of the frame that is shown."""
        self._zoom = Zoom()
        self._original = False
        self._covers: AsFinished | None = None
        self._drawn: Image.Image | None = None
        """What of the frame is on the screen: itself, or with its covers if they aren't black."""
        self._size_timer: str | None = None
        self._picture_item = self.create_image(0, 0)
        self._words_item = self.create_text(0, 0, fill=DIM, justify="center")
        self.bind("<Configure>", lambda _event: self._moved())
        self.bind("<Destroy>", lambda _event: self._forget_timer())
        self._dragging = Dragging(self, self, self._px, actions)

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
        self.marks = tuple(marks)
        self.itemconfigure(self._words_item, text="")
        self._draw_picture()
        self.draw_marks()

    def mark(self, marks: Sequence[Mark]) -> None:
        """Draw other marks over the frame that is shown, after an edit or another selection."""
        self.marks = tuple(marks)
        self.draw_marks()

    def say(self, words: str) -> None:
        """Show words and no picture."""
        self.cancel_drag()
        self._image = self._photo = None
        self.marks = ()
        self.itemconfigure(self._picture_item, image="")
        self.itemconfigure(self._words_item, text=words)
        self._place()
        self.draw_marks()

    def cover_as(self, covers: AsFinished) -> None:
        """Show covers as the finished file will; black is drawn over the picture."""
        self._covers = None if covers.is_black else covers
        self.draw_marks()

    def show_original(self, yes: bool) -> None:
        """Take the covers away, or put them back; outlines stay."""
        if yes != self._original:
            self._original = yes
            self.draw_marks()

    def draw_area(self, yes: bool) -> None:
        """Show that the next drag draws a fixed area, also where it begins on the selected mark."""
        self._dragging.draw_area(yes)

    def nearer(self, steps: int, at: tuple[float, float] = (0.0, 0.0)) -> None:
        """Look so many steps closer, or from further away if negative.

        Args:
            steps: of the zoom.
            at: the point that stays where it is, in pixels of the canvas from its middle.
        """
        view = self.view
        if view is None:
            return
        most = max(1.0, NEAREST * one_to_one(max(view.video), view.picture, view.room))
        factor = min(most, self._zoom.factor * STEP**steps)
        self.look(self._zoom.scaled(factor, view.picture, view.room, at))

    def look(self, zoom: Zoom) -> None:
        """Show another part of the picture."""
        if zoom == self._zoom:
            return
        side = self.side
        self._zoom = zoom
        self._draw_picture()
        self.draw_marks()
        if self.side != side:
            self._actions.resized()

    def closer(self) -> None:
        """Look one step closer at what is marked or selected in sight, or else at the middle."""
        view, wanted = self.view, self._wanted()
        at = 0.0, 0.0
        if view is not None and wanted is not None:
            x1, y1, x2, y2 = view.to_screen(wanted)
            x, y = (x1 + x2 - view.canvas[0]) / 2, (y1 + y2 - view.canvas[1]) / 2
            if abs(x) <= view.canvas[0] / 2 and abs(y) <= view.canvas[1] / 2:
                at = x, y
        self.nearer(1, at)
        if at != (0.0, 0.0) and (view := self.view) is not None:
            self.look(view.zoom.dragged(-at[0], -at[1], view.picture, view.room))

    def fit(self) -> None:
        """Show the whole picture."""
        self.look(Zoom())

    def cancel_drag(self) -> bool:
        """Give up what is being drawn or moved, and say whether there was anything (for Escape)."""
        return self._dragging.cancel()

    def settle(self) -> None:
        """Let the size hold to which the wheel was turned."""
        self._dragging.settle()

    def leave_frame(self) -> None:
        """Another frame will be shown: a size holds on this one, and what is being drawn is given up."""
        self._dragging.leave_frame()

    # --- drawing

    def _covered(self) -> Image.Image | None:
        """The frame, with its covers where they aren't black."""
        if self._image is None or self._covers is None or self._original:
            return self._image
        marks = map(self._dragging.as_dragged, self.marks)
        boxes = [mark.box for mark in marks if not mark.visible]
        return self._covers.covered(self._image, self._video, boxes)

    def _wanted(self) -> Box | None:
        """What is around all places to look at on this frame, or else around what is selected."""
        boxes = [mark.box for mark in self.marks if mark.wanted]
        boxes = boxes or [mark.box for mark in self.marks if mark.selected]
        if not boxes:
            return None
        left, top, right, bottom = zip(*boxes, strict=True)
        return min(left), min(top), max(right), max(bottom)

    @property
    def _room(self) -> Size:
        return max(32, min(self.winfo_width(), LARGEST[0])), max(32, min(self.winfo_height(), LARGEST[1]))

    def _draw_picture(self) -> None:
        view, self._drawn = self.view, self._covered()
        if view is None or self._drawn is None:
            return
        image = part(self._drawn, *view.part())
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

    def draw_marks(self) -> None:
        """Draw the marks again, as a drag would change them."""
        self.delete("mark")
        view = self.view
        if view is None:
            return
        marks = [self._dragging.as_dragged(mark) for mark in self.marks]
        if self._drawn is not self._covered():
            self._draw_picture()
        if not self._original and self._covers is None:
            for mark in marks:
                if not mark.visible:
                    self.create_rectangle(view.to_screen(mark.box), fill=BLACK, width=0, tags="mark")
        # above all covers, because one of them may hide a neighbour's outline
        for mark in sorted(marks, key=lambda each: each.selected):
            if not mark.wanted:
                self._outline(mark, view.to_screen(mark.box))
        wanted = [view.to_screen(mark.box) for mark in marks if mark.wanted]
        look_here.draw(self, wanted, self._px, "mark")
        new = self._dragging.new_box
        if new is not None:
            box = view.to_screen(new)
            self.create_rectangle(box, outline=ACCENT, width=self._px(2), tags=("mark", "new"))
        grip = self._dragging.grip
        if grip is not None:
            self._grips(view.to_screen(grip.box))

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
        """Handles; around a small cover only at its corners, and beside it, so that it stays in sight."""
        x1, y1, x2, y2 = box
        half = self._px(3.5)
        middle = (x1 + x2) / 2, (y1 + y2) / 2
        small = min(x2 - x1, y2 - y1) < self._px(SMALL)
        if small:
            x1, y1, x2, y2 = x1 - half, y1 - half, x2 + half, y2 + half
        for x in (x1, middle[0], x2):
            for y in (y1, middle[1], y2):
                if (x, y) != middle and not (small and (x == middle[0] or y == middle[1])):
                    place = x - half, y - half, x + half, y + half
                    self.create_rectangle(place, fill=WHITE, outline=BLACK, tags=("mark", "grip"))

    # --- nearer, and another size

    def _moved(self) -> None:
        self._draw_picture()  # at once, so that covers and picture stay together
        self._place()
        self.draw_marks()
        if self._size_timer is not None:
            self.after_cancel(self._size_timer)
        self._size_timer = self.after(SIZE_MS, self._rested)

    def _rested(self) -> None:
        self._size_timer = None
        self._actions.resized()

    def _forget_timer(self) -> None:
        if self._size_timer is not None:
            self.after_cancel(self._size_timer)
            self._size_timer = None
