"""Fixed areas: places of the picture that are always covered, such as a clock or a burned-in name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from anonator.errors import SettingsError

_NUMBER = r"(\d+(?:\.\d+)?%?)"
_TIME = r"((?:\d+:){0,2}\d+(?:\.\d+)?)"
_AREA = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}(?:@{_TIME}?-{_TIME}?)?", re.ASCII)
_SLACK = 1e-6
"""Seconds or pixels that are rounding errors."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of the picture, for the whole video or a part of it."""

    text: str
    """As people write it: X,Y,WIDTH,HEIGHT, each in pixels or percent, and perhaps @FROM-TO."""
    lengths: tuple[tuple[float, bool], ...]
    """X, Y, width and height, and whether each is in percent."""
    begin: float = 0.0
    """Seconds."""
    end: float = math.inf

    def holds_at(self, seconds: float) -> bool:
        """Whether it is covered at a moment."""
        return self.begin - _SLACK <= seconds <= self.end + _SLACK

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The rectangle in a picture of that size, rounded outwards to even numbers.

        Raises:
            SettingsError: all of it is outside the picture, so it would cover nothing.
        """
        x, y, w, h = (
            value * side / 100 if percent else value
            for (value, percent), side in zip(self.lengths, (width, height) * 2, strict=True)
        )
        x1, y1 = (math.floor((low + _SLACK) / 2) * 2 for low in (x, y))
        x2, y2 = (math.ceil((high - _SLACK) / 2) * 2 for high in (x + w, y + h))
        x2, y2 = min(x2, width), min(y2, height)
        if x1 >= x2 or y1 >= y2:
            raise SettingsError(
                f"The area {self.text} is outside the picture of {width}x{height} pixels, so it would cover "
                "nothing. Correct it, or leave it out."
            )
        return x1, y1, x2, y2


@lru_cache(maxsize=1024)
def area(text: str) -> Area:
    """An area from its text, such as "10,20,300,40", "0%,90%,100%,10%" or "10,20,300,40@1:05-2:00".

    Raises:
        SettingsError: it isn't one; the message shows how to write it.
    """
    found = _AREA.fullmatch(text.replace(" ", "")) if isinstance(text, str) else None
    if found is None:
        raise SettingsError(
            f'"{text}" is not an area. Write X,Y,WIDTH,HEIGHT in pixels or percent, such as "10,20,300,40" '
            'or "0%,90%,100%,10%", and @FROM-TO for a part of the video, such as "10,20,300,40@1:05-2:00".'
        )
    *numbers, begin, end = found.groups()
    lengths = tuple((float(each.rstrip("%")), each.endswith("%")) for each in numbers)
    if not (lengths[2][0] and lengths[3][0]):
        raise SettingsError(f"The area {text} has no width or no height.")
    made = Area(text, lengths, _seconds(begin, 0.0), _seconds(end, math.inf))
    if made.end < made.begin:
        raise SettingsError(f"The area {text} ends before it begins.")
    return made


def _seconds(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
