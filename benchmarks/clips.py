"""Reads and makes the clips that are measured: plain decoding, copies, turned copies, and 1080p ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter

TRANSPOSE = {90: "clock", 180: None, 270: "cclock"}
"""FFmpeg's names of clockwise turns."""
SIZE_1080P = (1920, 1080)


def decoded(path: Path, limit: int | None = None) -> Iterator[Any]:
    """Every av.VideoFrame of a file's first video stream, read without the program's own reader."""
    with av.open(path) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            if limit is not None and index >= limit:
                return
            yield frame


def frame_count(path: Path) -> int:
    """How many frames a file decodes to."""
    return sum(1 for _ in decoded(path))


def copy_frames(
    source: Path,
    target: Path,
    *,
    change: Callable[[Any], Any] = lambda frame: frame,
    limit: int | None = None,
    options: dict[str, str],
) -> int:
    """Write a file's frames to another one with x264, each at its own time; no sound.

    Args:
        source: any video.
        target: is overwritten.
        change: applied to every av.VideoFrame; its time stamp is kept.
        limit: at most so many frames.
        options: x264's.

    Returns:
        The number of frames.
    """
    count = 0
    with av.open(source) as given, av.open(target, "w") as container:
        track = given.streams.video[0]
        track.thread_type = "AUTO"
        stream: Any = None
        for frame in given.decode(track):
            if limit is not None and count >= limit:
                break
            pts, image = frame.pts, change(frame)
            if stream is None:
                stream = container.add_stream("libx264", rate=track.average_rate or 25, options=options)
                stream.width, stream.height, stream.pix_fmt = image.width, image.height, "yuv420p"
                stream.codec_context.time_base = track.time_base
                stream.codec_context.color_range = image.color_range
                if track.codec_context.sample_aspect_ratio:
                    stream.codec_context.sample_aspect_ratio = track.codec_context.sample_aspect_ratio
            image.pts, image.time_base, image.pict_type = pts, track.time_base, 0
            container.mux(stream.encode(image))
            count += 1
        if stream is not None:
            container.mux(stream.encode(None))
    return count


def make_1080p(clip: Path, target: Path, seconds: float) -> int:
    """Write a clip, scaled to 1920x1080 and repeated until it is long enough, as H.264 without sound.

    Returns:
        The number of frames.
    """
    count, elapsed, rate = 0, 0.0, Fraction(25)
    with av.open(target, "w") as container:
        stream: Any = None
        while elapsed < seconds:
            with av.open(clip) as source:
                rate = source.streams.video[0].average_rate or rate
                if stream is None:
                    stream = container.add_stream(
                        "libx264", rate=rate, options={"preset": "veryfast", "crf": "18"}
                    )
                    stream.width, stream.height = SIZE_1080P
                    stream.pix_fmt = "yuv420p"
                for frame in source.decode(video=0):
                    large = frame.reformat(*SIZE_1080P, format="yuv420p", interpolation="BICUBIC")
                    large.pts, large.time_base, large.pict_type = count, 1 / rate, 0
                    container.mux(stream.encode(large))
                    count += 1
            if count == 0:
                raise SystemExit("There is no picture in this clip.")
            elapsed = float(count / rate)
        container.mux(stream.encode(None))
    return count


def turning_filters(degrees: int) -> list[tuple[str, str | None]]:
    """FFmpeg's filters that turn a picture clockwise; a slanted one lies on black, with even sides."""
    if degrees % 90:
        a = f"{degrees}*PI/180"
        return [("rotate", f"a={a}:ow=2*ceil(rotw({a})/2):oh=2*ceil(roth({a})/2)")]
    direction = TRANSPOSE[degrees]
    return [("transpose", direction)] if direction else [("hflip", None), ("vflip", None)]


class Turner:
    """Turns av.VideoFrames clockwise on their planes, with FFmpeg's filters."""

    def __init__(self, degrees: int) -> None:
        """Build the filters when the first frame tells its format."""
        self._degrees = degrees
        self._graph: Any = None

    def __call__(self, frame: Any) -> Any:
        """The turned frame."""
        if not self._degrees:
            return frame
        if self._graph is None:
            steps = turning_filters(self._degrees)
            self._graph = av.filter.Graph()
            nodes = [
                self._graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
                )
            ]
            nodes += [self._graph.add(name, argument) for name, argument in steps]
            nodes.append(self._graph.add("buffersink"))
            for a, b in itertools.pairwise(nodes):
                a.link_to(b)
            self._graph.configure()
        self._graph.push(frame)
        turned = self._graph.pull()
        turned.color_range = frame.color_range
        return turned
