"""Covers that are not black, as the finished file will show them, on the picture under review."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from anonator.core.config import Mode, Settings
from anonator.ui.review.marks import Box


class AsFinished:
    """Blurs covers, or turns them into mosaics; keeps the last picture, which is asked for repeatedly."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings of the job."""
        self._settings = settings
        self._image: Image.Image | None = None
        self._places: tuple[Box, ...] = ()
        self._made: Image.Image | None = None

    @property
    def is_black(self) -> bool:
        """Whether covers are solid, so that they can be drawn over the picture, which is quicker."""
        return self._settings.mode is Mode.SOLID

    def covered(self, image: Image.Image, video: tuple[int, int], boxes: Sequence[Box]) -> Image.Image:
        """A picture with these places covered.

        Args:
            image: the frame, of any size.
            video: width and height of the video's frames, in which boxes are given.
            boxes: what is covered, enlarged already.
        """
        from anonator.core.anonymizer import cover_picture

        places = tuple(boxes)
        if self._made is None or self._image is not image or self._places != places:
            picture = np.array(image)
            cover_picture(picture, np.array(boxes, np.float32).reshape(-1, 4), video, self._settings)
            self._image, self._places, self._made = image, places, Image.fromarray(picture)
        return self._made
