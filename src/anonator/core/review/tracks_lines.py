"""What the lines of a tracks file say: an analysis and its edits as JSON can hold them, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeAlias

from anonator.core.config import Settings
from anonator.core.review.analysis import Analysis, FoundTrack, VideoKey
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_sightings import Sightings
from anonator.core.review.shades import Shade
from anonator.errors import ReviewError, SettingsError

Line: TypeAlias = dict[str, Any]
"""One line, as JSON holds it."""
SCHEMA, VERSION = "anonator-tracks", 1
PTS_A_LINE = 5000
BROKEN = (ValueError, KeyError, TypeError, IndexError, AttributeError, SettingsError)
"""What a line that is not what it must be can raise."""


def lines_of(analysis: Analysis) -> Iterator[Line]:
    """The lines that an analysis becomes, the header first."""
    yield {
        "kind": "header",
        "schema": SCHEMA,
        "version": VERSION,
        "key": plain(analysis.key),
        "settings": plain(analysis.settings),
        "weights_sha256": analysis.weights_sha256,
    }
    for begin in range(0, len(analysis.pts), PTS_A_LINE):
        end = begin + PTS_A_LINE
        yield {"kind": "pts", "pts": analysis.pts[begin:end], "shades": analysis.shades[begin:end]}
    yield {"kind": "looks", "cuts": analysis.cuts, "looks": analysis.looks, "rooms": analysis.rooms}
    for track in analysis.tracks:
        yield {"kind": "track", "id": track.id, "seen": track.sightings.plain()}
    yield {
        "kind": "complete",
        "near_misses": analysis.near_misses.plain(),
        "left_out": analysis.near_misses_left_out,
        "second_opinions": analysis.second_opinions.plain(),
    }


def analysis_of(lines: list[Line]) -> Analysis:
    """The analysis that lines hold.

    Raises:
        ReviewError: something is missing or of the wrong kind.
    """

    def of(kind: str) -> list[Line]:
        return [line for line in lines if line["kind"] == kind]

    try:
        (head,), (looks,), (last,) = of("header"), of("looks"), of("complete")
        made = Analysis(
            key_of(head),
            settings_of(head["settings"]),
            head["weights_sha256"],
            tuple(pts for line in of("pts") for pts in line["pts"]),
            tuple(looks["cuts"]),
            tuple((index, turned) for index, turned in looks["looks"]),
            tuple((index, room) for index, room in looks["rooms"]),
            tuple(FoundTrack(each["id"], Sightings.from_plain(each["seen"])) for each in of("track")),
            Sightings.from_plain(last["near_misses"]),
            last["left_out"],
            tuple(Shade(*shade) for line in of("pts") for shade in line["shades"]),
            Sightings.from_plain(last["second_opinions"]),
        )
        _require_sound(made)
    except BROKEN as exc:
        raise ReviewError("This file of tracks does not hold what it must.") from exc
    return made


def _require_sound(made: Analysis) -> None:
    """Raise ValueError where a file, though unchanged since it was written, says what cannot be."""
    frames, rows = len(made.pts), [track.sightings.rows for track in made.tracks]
    indexes = [made.cuts, [i for i, _ in made.looks], [i for i, _ in made.rooms]]
    indexes += [each["frame"].tolist() for each in (*rows, made.near_misses.rows, made.second_opinions.rows)]
    for each in indexes:
        if any(not 0 <= index < frames for index in each) or list(each) != sorted(each):
            raise ValueError("frames that are not there, or not in order")
    if frames != made.key.frames or list(made.pts) != sorted(set(made.pts)):
        raise ValueError("times that do not belong to the video's key")
    if min(made.key.time_base) < 1 or len(made.shades) not in (0, frames):
        raise ValueError("impossible times")


def key_of(head: Line) -> VideoKey:
    """The key of the video that a header names."""
    key = head["key"]
    return VideoKey(**{**key, "time_base": tuple(key["time_base"])})


def line_of(edit: Edit) -> Line:
    """The line that an edit becomes; it may hold thousands of boxes, so they aren't copied."""
    values = {field.name: getattr(edit, field.name) for field in dataclasses.fields(edit)}
    return {"kind": "edit", **values, "operation": edit.operation.value}


def edit_of(line: Line) -> Edit:
    """The edit that a line holds."""
    return Edit(
        line["number"],
        Operation(line["operation"]),
        line["target"],
        None if line["span"] is None else (line["span"][0], line["span"][1]),
        tuple((pts, tuple(box)) for pts, box in line["boxes"]),
        line["reason"],
        line["other"],
        line["at"],
        line.get("step", 0),
        line["by_program"],
    )


def settings_of(values: Line) -> Settings:
    """Settings from what `plain` made of them.

    Raises:
        TypeError: there are some that this version does not know.
        SettingsError: a value is out of its range.
    """
    made: Settings = _settings(Settings(), values)
    return made


def _settings(default: Any, values: Line) -> Any:
    given = {
        name: _settings(getattr(default, name), value)
        if dataclasses.is_dataclass(getattr(default, name))
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in values.items()
    }
    return type(default)(**given)


def plain(value: Any) -> Line:
    """A dataclass as JSON can hold it."""

    def simple(each: Any) -> Any:
        return each.value if isinstance(each, Enum) else each

    return dataclasses.asdict(value, dict_factory=lambda pairs: {k: simple(v) for k, v in pairs})
