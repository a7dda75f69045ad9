"""How near a picture is looked at, and which part of it that shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

STEP = 1.25
"""One turn of the wheel enlarges this much."""
LARGEST = 4.0
"""Pixels of the screen for each of the video's, at most."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Zoom:
    """A factor, and the point of the picture in the middle of the pane."""

    factor: float = 1.0
    """1 fits the whole picture into the pane."""
    x: float = 0.5
    """0..1 of the picture's width."""
    y: float = 0.5

    @property
    def fits(self) -> bool:
        """Whether the whole picture is in sight."""
        return self.factor <= 1.0

    def visible(self, picture: Size, room: Size) -> tuple[tuple[float, float, float, float], Size]:
        """The part of a picture that is in sight, and how large it is drawn.

        Returns:
            left, top, right and bottom in pixels of the picture; width and height in pixels of the pane.
        """
        x, y = self._inside(picture, room)
        scale = _fit(picture, room) * self.factor
        shares = [min(1.0, side / (length * scale)) for side, length in zip(room, picture, strict=True)]
        (left, right), (top, bottom) = (
            ((middle - share / 2) * length, (middle + share / 2) * length)
            for middle, share, length in zip((x, y), shares, picture, strict=True)
        )
        width, height = (
            max(1, round(share * length * scale)) for share, length in zip(shares, picture, strict=True)
        )
        box = (max(0.0, left), max(0.0, top), min(float(picture[0]), right), min(float(picture[1]), bottom))
        return box, (width, height)

    def scaled(self, factor: float, picture: Size, room: Size, at: tuple[float, float] = (0, 0)) -> Zoom:
        """Nearer or further away, while one point stays where it is.

        Args:
            factor: the new one; at least 1 is taken.
            picture: width and height.
            room: of the pane, in pixels.
            at: the point, in pixels of the pane from its middle.
        """
        factor = max(1.0, factor)
        x, y = self._inside(picture, room)
        before, after = (_fit(picture, room) * each for each in (self.factor, factor))
        middle = (
            place + offset / length * (1 / before - 1 / after)
            for place, offset, length in zip((x, y), at, picture, strict=True)
        )
        return Zoom(factor, *middle)._settled(picture, room)

    def dragged(self, across: float, down: float, picture: Size, room: Size) -> Zoom:
        """The picture moved under the pane by so many pixels."""
        x, y = self._inside(picture, room)
        scale = _fit(picture, room) * self.factor
        moved = replace(self, x=x - across / (picture[0] * scale), y=y - down / (picture[1] * scale))
        return moved._settled(picture, room)

    def _settled(self, picture: Size, room: Size) -> Zoom:
        x, y = self._inside(picture, room)
        return Zoom() if self.fits else replace(self, x=x, y=y)

    def _inside(self, picture: Size, room: Size) -> tuple[float, float]:
        """The middle, moved so that nothing beyond the picture's edges is in sight."""
        scale = _fit(picture, room) * self.factor
        x, y = (
            min(max(middle, share / 2), 1 - share / 2)
            for middle, share in (
                (self.x, min(1.0, room[0] / (picture[0] * scale))),
                (self.y, min(1.0, room[1] / (picture[1] * scale))),
            )
        )
        return x, y


def one_to_one(video: int, picture: Size, room: Size) -> float:
    """The factor at which each pixel of the video is one of the screen.

    Args:
        video: long side of the video, in pixels.
        picture: width and height of the picture, which may be a smaller copy.
        room: of the pane.
    """
    return max(video, *picture) / (max(picture) * _fit(picture, room))


def _fit(picture: Size, room: Size) -> float:
    """Pixels of the pane for each of a picture's that just fits."""
    return min(room[0] / picture[0], room[1] / picture[1])
