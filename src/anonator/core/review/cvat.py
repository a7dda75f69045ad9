"""Exchange with CVAT, in its "video XML 1.1": what is covered goes out, and what was drawn there comes in.

Names, dates and places that CVAT writes into its files are neither read nor written. Other programs' XML is
untrusted: a file that declares a document type or an entity is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from anonator.core.review.analysis import Analysis
from anonator.core.review.covered import covered, stretches
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_sightings import Box
from anonator.errors import ReviewError

FROM_CVAT = "CVAT"
"""The reason of covers that came from there."""
LARGEST_BYTES = 256 * 1024 * 1024
OTHER_SHAPES = ("polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")


@dataclass(slots=True)
class _Track:
    """One track of the file."""

    places: dict[int, Box | None] = field(default_factory=dict)
    """By frame; None is where it is not to be seen from then on."""


def to_cvat(analysis: Analysis, edits: Sequence[Edit]) -> Iterator[str]:
    """The file's text, piece by piece."""
    key = analysis.key
    tracks: dict[int, dict[int, Box]] = {}
    for index, places in enumerate(covered(analysis, edits)):
        for id, box in places.items():
            tracks.setdefault(id, {})[index] = box
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n'
    yield f"    <job>\n      <size>{key.frames}</size>\n      <mode>interpolation</mode>\n      <labels>\n"
    yield "        <label>\n          <name>covered</name>\n"
    yield "          <type>rectangle</type>\n        </label>\n"
    yield "      </labels>\n      <original_size>\n"
    yield f"        <width>{key.width}</width>\n        <height>{key.height}</height>\n"
    yield "      </original_size>\n    </job>\n  </meta>\n"
    for number, (id, places) in enumerate(sorted(tracks.items(), key=lambda each: (each[0] < 0, each[0]))):
        source = "manual" if id < 0 else "auto"
        yield f'  <track id="{number}" label="covered" source="{source}">\n'
        for first, last in stretches(sorted(places)):
            for index in range(first, last + 1):
                yield _box(index, places[index], outside=False)
            if last + 1 < key.frames:
                yield _box(last + 1, places[last], outside=True)
        yield "  </track>\n"
    yield "</annotations>\n"


def _box(index: int, box: Box, *, outside: bool) -> str:
    sides = zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True)
    places = " ".join(f"{name}={quoteattr(f'{value:.2f}')}" for name, value in sides)
    return (
        f'    <box frame="{index}" keyframe="1" outside="{int(outside)}" occluded="0" {places} z_order="0">'
        "</box>\n"
    )


def from_cvat(content: bytes, analysis: Analysis, number: int) -> list[Edit]:
    """What was drawn in CVAT, as covers to add.

    Args:
        content: of the file.
        analysis: of the video that it belongs to.
        number: of the first edit.

    Raises:
        ReviewError: it is no such file, of another video, or holds what a cover cannot be.
    """
    edits: list[Edit] = []
    for track in _Reader(analysis).read(content):
        for frames in _shown(track, analysis.key.frames):
            boxes = tuple((analysis.pts[i], box) for i, box in frames.places)
            span = analysis.pts[frames.first], analysis.pts[frames.last]
            edits.append(Edit(number + len(edits), Operation.ADD, None, span, boxes, FROM_CVAT))
    return edits


@dataclass(frozen=True, slots=True)
class _Shown:
    """A stretch in which a track is to be seen."""

    first: int
    last: int
    places: tuple[tuple[int, Box], ...]


def _shown(track: _Track, frames: int) -> Iterator[_Shown]:
    places: list[tuple[int, Box]] = []
    for index, box in sorted(track.places.items()):
        if box is not None:
            places.append((index, box))
        elif places:
            yield _Shown(places[0][0], index - 1, tuple(places))
            places = []
    if places:
        yield _Shown(places[0][0], frames - 1, tuple(places))  # as CVAT has it: to the end


class _Reader:
    """Reads tracks and their boxes, and refuses what it does not know rather than leave a cover out."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._path: list[str] = []
        self._tracks: list[_Track] = []
        self._text = ""
        self._size: dict[str, int] = {}

    def read(self, content: bytes) -> list[_Track]:
        if len(content) > LARGEST_BYTES:
            raise ReviewError("This file is too large for a list of covers.")
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, KeyError, OverflowError) as exc:
            raise ReviewError("This is not a file of CVAT's format for videos.") from exc
        key = self._analysis.key
        if self._size and self._size != {"width": key.width, "height": key.height}:
            raise ReviewError("This file belongs to a video of another size.")
        return self._tracks

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path and name != "annotations":
            raise ValueError("another kind of file")
        if name == "image":
            raise ReviewError("This file is for pictures. Export it as CVAT for video 1.1.")
        inside = self._path[-1:] == ["track"]
        if name == "track":
            self._tracks.append(_Track())
        elif inside and name == "box":
            self._add(attributes)
        elif inside and name in OTHER_SHAPES:
            raise ReviewError(f"A {name} cannot be a cover. Draw rectangles, or convert it in CVAT.")
        self._path.append(name)
        self._text = ""

    def _characters(self, text: str) -> None:
        self._text += text[:100]

    def _end(self, name: str) -> None:
        self._path.pop()
        if name in ("width", "height") and self._path[-1:] == ["original_size"]:
            self._size[name] = int(self._text)

    def _add(self, attributes: dict[str, str]) -> None:
        frame = int(attributes["frame"])
        if not 0 <= frame < self._analysis.key.frames:
            raise ReviewError("This file belongs to a longer video.")
        x1, y1, x2, y2 = (float(attributes[side]) for side in ("xtl", "ytl", "xbr", "ybr"))
        box = _upright((x1, y1, x2, y2), float(attributes.get("rotation", 0)))
        outside = attributes.get("outside") == "1"
        if not (math.isfinite(sum(box)) and (outside or (box[0] < box[2] and box[1] < box[3]))):
            raise ReviewError("A box in this file has no width or no height.")
        self._tracks[-1].places[frame] = None if outside else box


def _upright(box: Box, degrees: float) -> Box:
    """The upright box around one that was turned about its centre."""
    turn = math.radians(degrees)
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    half = (
        (abs(width * math.cos(turn)) + abs(height * math.sin(turn))) / 2,
        (abs(width * math.sin(turn)) + abs(height * math.cos(turn))) / 2,
    )
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return (x - half[0], y - half[1], x + half[0], y + half[1]) if degrees else box


def _refuse(*_: object) -> None:
    raise ReviewError("This file declares its own document type, which no file of CVAT does.")
