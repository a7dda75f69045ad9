"""Pages of the sheet: which pictures they show, and when they count as seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from anonator.ui.review.crops import Crops
from anonator.ui.review.desk import ReviewDesk
from anonator.ui.review.review_state import Cell, ReviewStore, SheetPage

if TYPE_CHECKING:
    from anonator.ui.review.seen import Seen
    from anonator.ui.review.session import ReviewSession

SEEN_MS = 3000
"""A page that was shown so long, with all its pictures, counts as seen."""


class SheetDesk:
    """Opens, fills, turns and closes the sheet."""

    def __init__(
        self,
        session: ReviewSession,
        seen: Seen,
        crops: Crops,
        desk: ReviewDesk,
        store: ReviewStore,
        *,
        room: Callable[[], tuple[int, int]],
        later: Callable[[int, Callable[[], object]], str],
        never: Callable[[str], object],
    ) -> None:
        """Set it up.

        Args:
            session: the open review.
            seen: what was shown so far.
            crops: makes the pictures.
            desk: goes to a frame.
            store: holds what is shown.
            room: width and height that a picture may have, in pixels.
            later: calls something after so many milliseconds, and returns a name for that.
            never: cancels such a call.
        """
        self._session, self._seen, self._crops, self._desk = session, seen, crops, desk
        self._store, self._room, self._later, self._never = store, room, later, never
        self._pages: list[list[int]] = []
        self._timer = ""

    def turn(self) -> None:
        """Show the sheet, or close it."""
        if self._store.state.sheet is not None:
            self.close()
        elif self._store.state.ready:
            self._pages = self._seen.pages()
            self._show(0)

    def close(self) -> None:
        """Go back to the picture."""
        self._stop()
        self._store.change(sheet=None)

    def page(self, by: int) -> None:
        """Turn so many pages on."""
        sheet = self._store.state.sheet
        if sheet is not None and 0 <= sheet.number + by < sheet.pages:
            self._show(sheet.number + by)

    def choose(self, place: int) -> None:
        """Mark a picture."""
        sheet = self._store.state.sheet
        if sheet is not None:
            self._store.change(sheet=replace(sheet, chosen=place))

    def open(self, place: int) -> None:
        """Go to the frame of a picture."""
        sheet = self._store.state.sheet
        if sheet is not None and place < len(sheet.cells):
            self.close()
            self._desk.go(sheet.cells[place].index)

    def resized(self) -> None:
        """Make pictures of another size."""
        sheet = self._store.state.sheet
        if sheet is not None:
            self._ask(sheet)

    # --- inside

    def _show(self, number: int) -> None:
        self._stop()
        indices = self._pages[number] if self._pages else []
        cells = tuple(Cell(index, self._desk.times.seconds(index)) for index in indices)
        key = self._session.analysis.key
        sheet = SheetPage(number, len(self._pages), cells, shape=(key.width, key.height))
        self._store.change(sheet=sheet)
        self._ask(sheet)

    def _ask(self, sheet: SheetPage) -> None:
        width, height = self._room()
        key = self._session.analysis.key
        side = max(round(min(width, height * key.width / key.height)), 16)
        if key.height > key.width:
            side = max(round(min(height, width * key.height / key.width)), 16)
        wanted = [(cell.index, self._session.masks(cell.index).boxes.tolist()) for cell in sheet.cells]
        self._crops.ask_sheet(wanted, self._session.analysis.settings, side, self._take)

    def _take(self, index: int, picture: Image.Image) -> None:
        sheet = self._store.state.sheet
        if sheet is None:
            return
        cells = tuple(
            replace(cell, picture=picture, has_picture=True, size=picture.size)
            if cell.index == index
            else cell
            for cell in sheet.cells
        )
        sheet = replace(sheet, cells=cells)
        self._store.change(sheet=sheet)
        if all(cell.has_picture for cell in cells) and not self._timer:
            self._timer = self._later(SEEN_MS, self._stayed)

    def _stayed(self) -> None:
        """The page was there long enough."""
        self._timer = ""
        sheet = self._store.state.sheet
        if sheet is not None:
            self._seen.on_sheet([cell.index for cell in sheet.cells])
            self._desk.refresh_seen()

    def _stop(self) -> None:
        if self._timer:
            self._never(self._timer)
            self._timer = ""
