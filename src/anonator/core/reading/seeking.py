"""Reads a video from the key frame before any time, and checks what comes against the times of all frames."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
from av import VideoFrame
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext

from anonator.core.frames import Frame
from anonator.core.pictures.deinterlacing import Deinterlacer
from anonator.core.pictures.shape import Canvas
from anonator.core.reading.av_types import Packet
from anonator.core.reading.canvas import OWN_SHAPE
from anonator.core.reading.late_streams import packets_of
from anonator.core.reading.reader import VideoReader
from anonator.errors import InputError

MOST_TIME = 1 << 62
ORDERED = ("mov",)
"""Containers whose tables put all frames in order, so that no time can come twice."""

NEVER_REORDERED = frozenset({"mjpeg", "dvvideo", "rawvideo", "ffv1", "huffyuv", "png", "cinepak", "msvideo1"})
"""Decoders whose pictures always come out in the order of their packets."""


class Hole(Exception):
    """A frame that should have come did not, or came with a time that no frame has."""


class Late(Exception):
    """A seek landed behind the frame that is wanted."""

    def __init__(self, landed: int) -> None:
        super().__init__("seek landed late")
        self.landed = landed
        """The earlier time of the key frame there."""


class SeekingReader(VideoReader):
    """A reader that seeks, and checks what comes against the times of all frames."""

    def __init__(self, path: Path, pts: Sequence[int], canvas: Canvas | None = None) -> None:
        """Open the file.

        Args:
            path: of the video.
            pts: of every frame.
            canvas: the size of all frames; None is the first picture's.
        """
        super().__init__(path, canvas=canvas)
        self._index = {time: index for index, time in enumerate(pts)}
        self._count, self._first_pts = len(pts), pts[0]
        self.keys: list[tuple[int, int]] = []
        """(shown, decoded) times of key frames, where the container has no table of them."""
        self.skims = False
        self.lead = int(self.info.interlaced)
        """Frames before the wanted one that it depends on in making it."""

    @property
    def shift(self) -> int:
        """Added to the file's times to get those of frames."""
        return self._clock.shift

    @property
    def has_own_shape(self) -> bool:
        """Whether all pictures have the same shape of pixels."""
        return any(name in self._video.container.format.name for name in OWN_SHAPE)

    def is_in_order(self, tick: Callable[[], None]) -> bool:
        """Whether each time comes once, so that a frame is known by it; reads the file if need be.

        Args:
            tick: called for every packet; may raise to end it.
        """
        if any(name in self._video.container.format.name for name in ORDERED):
            return True
        before = last_key = last = None
        guesses = "avi" in self._video.container.format.name  # what FFmpeg says of AVI isn't in the file
        try:
            self._video.container.seek(0, stream=self._video.stream)
            for packet in packets_of(self._video.container, self._video.stream):
                tick()
                time = _time(packet)
                if not packet.size or time is None:
                    continue
                if (guesses or packet.pts is None) and not self._shows_as_decoded():
                    return False
                if packet.is_keyframe:
                    if last_key is not None and time <= last_key:
                        return False
                    before, last_key = last_key, time
                    self.keys.append((time, time if packet.dts is None else packet.dts))
                elif before is not None and time <= before:
                    return False
                last = time if last is None else max(last, time)
        except (av.FFmpegError, OSError, ValueError, InputError):
            return False
        # what was joined on has been moved
        return last is not None and last + self.shift >= max(self._index)

    def _shows_as_decoded(self) -> bool:
        """Whether pictures are certainly shown in the order in which they are decoded."""
        context = self._video.stream.codec_context
        return context.name in NEVER_REORDERED or (context.name == "mpeg4" and not context.has_b_frames)

    def frames_since(self, aim: int, first: int, before: int = 0) -> Iterator[Frame | None]:
        """The frames from one on, decoded from the key frame before a time.

        Args:
            aim: in the file's own times.
            first: index of the first frame that is wanted.
            before: so many frames before it come, too, if they come after the key frame.

        Raises:
            Late: the key frame comes after the frame.
            Hole: it can't be done this way.
        """
        wanted = -1
        before = 0 if self.lead else before  # what comes right after a seek isn't made as in the job
        for picture in self._deinterlaced_pictures(self._decoded(aim, first, before)):
            if picture is None:
                yield None
                continue
            assert picture.pts is not None  # so says _Watch
            index = self._index[picture.pts + self.shift]
            if index < first - before:
                continue
            if wanted < first < index and not self.skims:
                raise Hole("the frame was left out")
            wanted = index
            made = self._maker.make(picture, self._pixels.of(picture))
            base = self.info.time_base
            made.image.pts, made.image.time_base = picture.pts + self.shift, base
            yield Frame(index, made.image.pts, base, made.image, sar=self.info.sar, unfitted=made.unfitted)

    def _decoded(self, aim: int, first: int, before: int) -> Iterator[VideoFrame | None]:
        """Whole pictures from a key frame on, none missing but those that were skimmed."""
        self._first = None
        self._head.clear()
        stream, container = self._video.stream, self._video.container
        context: VideoCodecContext = stream.codec_context
        watch: _Watch | None = None
        try:
            container.seek(self._place(aim), stream=stream, backward=True)
            for packet in packets_of(container, stream):
                time = _time(packet)
                if not packet.size:
                    continue
                if watch is None:
                    if not packet.is_keyframe:
                        continue
                    watch = self._begun(packet, time, first)
                index = None if time is None else self._index.get(time + self.shift)
                skims = not self.lead and index is not None and (index < first - before or self.skims)
                if skims and index is not None:
                    watch.skimmed.add(index)
                context.skip_frame = "NONREF" if skims else "DEFAULT"
                for picture in context.decode(packet):
                    if watch.takes(picture):
                        yield picture
                yield None
            if watch is None:
                raise Hole("no key frame")
            for picture in context.decode(None):
                if watch.takes(picture):
                    yield picture
        except (av.FFmpegError, OSError, ValueError) as exc:
            raise Hole(type(exc).__name__) from None
        watch.end(self._count)

    def _place(self, aim: int) -> int:
        """Where to seek so that the key frame before a time is met; most demuxers go to any frame."""
        at = bisect.bisect_right(self.keys, (aim, MOST_TIME)) - 1
        return self.keys[at][1] if at >= 0 else aim

    def _begun(self, packet: Packet, time: int | None, first: int) -> _Watch:
        """A watch over what follows from a key frame."""
        index = None if time is None else self._index.get(time + self.shift)
        if time is not None and time + self.shift < self._first_pts:
            index = 0  # an edit list hides it
        if time is None or index is None:
            raise Hole("a key frame whose time is no frame's")
        if index > first - min(first, self.lead):
            raise Late(time if packet.dts is None else min(time, packet.dts))
        return _Watch(self._index, self.shift, index)

    def _deinterlaced_pictures(self, pictures: Iterator[VideoFrame | None]) -> Iterator[VideoFrame | None]:
        deinterlacer: Deinterlacer | None = None
        for picture in pictures:
            if picture is None or (deinterlacer is None and not picture.interlaced_frame):
                yield picture
                continue
            if not self.lead:  # from now on, none may be left out
                self.lead = 1
                raise Hole("it is interlaced")
            deinterlacer = deinterlacer or Deinterlacer(self.info.time_base)
            yield from deinterlacer.push(picture)
        if deinterlacer is not None:
            yield from deinterlacer.finish()

    def _set_threads(self, context: VideoCodecContext) -> None:
        # the job has seen every frame, so speed is worth more than noticing damage at once
        context.thread_type = ThreadType.FRAME
        context.thread_count = 2


class _Watch:
    """Sees to it that pictures come in order, and that none is missing."""

    def __init__(self, index: dict[int, int], shift: int, begin: int) -> None:
        self._index, self._shift, self._next, self._begin = index, shift, begin, begin
        self.skimmed: set[int] = set()
        """Frames that may be missing."""

    def takes(self, picture: VideoFrame) -> bool:
        """Whether to use a picture.

        Raises:
            Hole: one before it is missing, or its time is no frame's.
        """
        index = None if picture.pts is None else self._index.get(picture.pts + self._shift)
        if index is not None and index < self._begin:
            return False  # it depends on what comes before the key frame
        if index is None and picture.pts is not None and self._next == self._begin:
            return False  # likewise, or hidden by an edit list
        if index is None or index < self._next or picture.is_corrupt:
            raise Hole("a picture that is no frame")
        self._skip_to(index)
        return True

    def end(self, count: int) -> None:
        """Look whether all came until the last one."""
        self._skip_to(count)

    def _skip_to(self, index: int) -> None:
        for missing in range(self._next, index):
            if missing not in self.skimmed:
                raise Hole("a picture is missing")
            self.skimmed.discard(missing)
        self.skimmed.discard(index)
        self._next = index + 1


def _time(packet: Packet) -> int | None:
    """When a packet's picture is shown; AVI files say only when it is decoded, which is the same there."""
    return packet.dts if packet.pts is None else packet.pts
