"""Small pictures for cards, tracks and sheet, made in a worker while people go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from PIL import Image

from anonator.core.config import Settings
from anonator.ui.review.stills import Box, Stills, crop
from anonator.ui.work.worker import Task, Worker

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """A crop that is wanted."""

    key: object
    """Under which it is kept."""
    index: int
    """Of the frame."""
    box: Box | None
    """In pixels of the frame; None is all of it."""
    side: int


class Crops:
    """Keeps what was made, and asks for what is missing; all in the window's thread."""

    def __init__(self, stills: Stills, worker: Worker, arrived: Callable[[], object]) -> None:
        """Set it up.

        Args:
            stills: decodes; only the worker's thread uses it.
            worker: of this review alone.
            arrived: called when new pictures are there.
        """
        self._stills, self._worker, self._arrived = stills, worker, arrived
        self._made: dict[Wish, Image.Image | None] = {}
        self._asked: set[Wish] = set()
        self._sheet: list[Task] = []

    def get(self, wish: Wish) -> Image.Image | None:
        """A crop if it was made; None if not yet, or if its frame can't be read."""
        return self._made.get(wish)

    def ask(self, wishes: Iterable[Wish]) -> None:
        """Make those that are missing, in order of time; the rest of what was made is forgotten."""
        wanted = set(wishes)
        self._made = {wish: made for wish, made in self._made.items() if wish in wanted}
        for wish in sorted(wanted - self._asked - self._made.keys(), key=lambda each: each.index):
            self._asked.add(wish)
            self._worker.submit(
                partial(self._crop, wish), partial(self._take, wish), partial(self._lose, wish)
            )

    def ask_sheet(
        self,
        pages: Iterable[tuple[int, list[list[float]]]],
        settings: Settings,
        side: int,
        take: Callable[[int, Image.Image], object],
    ) -> None:
        """Make finished pictures before everything else, and forget about those asked for before.

        Args:
            pages: frames with what is covered on them.
            settings: of the job.
            side: long side of a picture, in pixels.
            take: called with each frame's picture.
        """
        for task in self._sheet:
            task.withdraw()
        made = [
            self._worker.submit(
                partial(self._finished, index, places, settings, side), partial(take, index), _log, first=True
            )
            for index, places in reversed(sorted(pages, key=lambda each: each[0]))
        ]
        self._sheet = made

    # --- in the worker

    def _crop(self, wish: Wish) -> Image.Image:
        return crop(self._stills.frame(wish.index), wish.box, wish.side)

    def _finished(self, index: int, places: list[list[float]], settings: Settings, side: int) -> Image.Image:
        picture = Image.fromarray(self._stills.finished(index, places, settings, side))
        scale = side / max(picture.size)
        if scale <= 1:
            return picture
        width, height = (max(1, round(each * scale)) for each in picture.size)  # of a video smaller than that
        return picture.resize((width, height), Image.Resampling.BICUBIC)

    # --- in the window's thread

    def _take(self, wish: Wish, made: Image.Image) -> None:
        self._asked.discard(wish)
        self._made[wish] = made
        self._arrived()

    def _lose(self, wish: Wish, error: Exception) -> None:
        self._asked.discard(wish)
        self._made[wish] = None
        _log(error)


def _log(error: Exception) -> None:
    logger.info("a small picture can't be made: %s", type(error).__name__)
