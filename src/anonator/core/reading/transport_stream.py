"""Opens transport streams: skips reserved space at the end and continues where another programme does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from av import VideoFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from anonator.core.clock_text import clock_text
from anonator.core.reading.av_types import Container, Packet, StandIn, Streams, listed
from anonator.core.reading.late_streams import packets, pictures
from anonator.core.reading.programme_tables import Layout, ProgrammeTables, layout_of
from anonator.errors import InputError

HEAD = 1 << 16
TAIL = 1 << 20
"""Bytes at the end in which the last programme's tables are looked for, and behind a change in which the
programme before ends."""
BUFFER = 1 << 18
CHUNK = 1 << 20
LONGEST_GAP = 10
"""Seconds between two programmes that are taken for a gap; more, or less than nothing, is another clock."""
CLOCK = 90_000
"""Units of time in a second, in every transport stream."""

Open: TypeAlias = "Callable[[Part, dict[str, str]], InputContainer]"
"""Opens a part with further options."""
Choose: TypeAlias = Callable[[Container], VideoStream | None]
"""The video stream of a container."""


class Part:
    """A stretch of a file, as FFmpeg reads it: it ends where another programme begins."""

    def __init__(self, file: BinaryIO, layout: Layout, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end
        self._position = start
        self._ending = b""  # belongs to this part, but comes after the beginning of the next
        self.tables = ProgrammeTables(layout, start)

    def read(self, size: int) -> bytes:
        """Up to this many bytes; none at the end."""
        self._file.seek(self._position)
        data = self._file.read(max(0, min(size, self._end - self._position)))
        reached = self.tables.reached
        if self._position <= reached < self._position + len(data):
            self.tables.follow(data[reached - self._position :])
        change = self.tables.change
        if change is not None and change < self._end:
            self._file.seek(change)
            self._ending = self.tables.endings(self._file.read(min(TAIL, self._end - change)))
            self._end = change
            data = data[: max(0, change - self._position)]
        if not data:
            data = self._ending[self._position - self._end :][:size]
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Counted from the part's own beginning, or its end."""
        end = self._end + len(self._ending)
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._position, os.SEEK_END: end}[whence]
        self._position = max(self._start, base + offset)
        return self.tell()

    def tell(self) -> int:
        """Counted from the part's own beginning."""
        return self._position - self._start


class TransportStream(StandIn):
    """An open transport stream; the parts that follow the first programme are read as if they were its own.

    In all else it is the av.container.InputContainer of the first part.
    """

    def __init__(self, file: BinaryIO, layout: Layout, size: int, opener: Open, choose: Choose) -> None:
        """Open the first part.

        Args:
            file: open for reading; belongs to this object from now on.
            layout: of its packets.
            size: what the file system says.
            opener: how a part is opened.
            choose: which of its streams is the video.

        Raises:
            av.FFmpegError: it is no video after all.
        """
        self._file, self._layout, self._opener, self._choose = file, layout, opener, choose
        self._end = end_of_packets(file, layout, size)
        self.notes: list[str] = []
        """Sentences about what came up while it was read."""
        self.starts_at = 0
        """Byte of the file from which the places of the packets count that are being delivered."""
        self._part = Part(file, layout, 0, self._end)
        super().__init__(opener(self._part, self._options()))
        self.is_scrambled = self._part.tables.scrambled

    def close(self) -> None:
        """Close the parts and the file; safe to call twice."""
        self._container.close()
        self._file.close()

    def demux(self, streams: Streams, /) -> Iterator[Packet]:
        """The packets of a stream of the first part, or of some, and of those that take their places."""
        wanted = listed(streams)
        part, container, main = self._part, self._container, self._choose(self._container)
        first, shift, ends = main, 0, 0
        if main is not None:
            part.tables.choose(main.id)
        places = {stream.index: stream for stream in wanted}
        while True:
            chosen = [container.streams[index] for index in places]
            if main is not None and main.index not in places:
                chosen.append(main)
            chosen = chosen or list(container.streams)
            for packet in packets(container, chosen):
                if part.tables.scrambled:
                    raise InputError(SCRAMBLED)
                _move(packet, shift)
                if main is not None and packet.stream_index == main.index and packet.pts is not None:
                    ends = max(ends, packet.pts + (packet.duration or 0))
                target = places.get(packet.stream_index)
                if target is not None:
                    packet.stream = target
                    yield packet
            if part.tables.late_videos:
                self._say("The file holds more than one video; only the main one was used.")
            if container is not self._container:
                container.close()
            change = part.tables.change
            if change is None:
                return
            number = part.tables.number
            part = Part(self._file, self._layout, change, self._end)
            self.starts_at = change
            container = self._opener(part, {"skip_estimate_duration_from_pts": "1"})
            main = _same_programme(container, part.tables, number) or self._choose(container)
            if main is None or first is None:  # nothing to see, but it is gone through for what follows
                main, places = None, {}
                continue
            self._require_same_codec(first, main, ends)
            part.tables.choose(main.id)
            shift = _shift(main, ends)
            places = self._places(wanted, first, container, main, ends)

    def decode(self, stream: VideoStream, /) -> Iterator[VideoFrame]:
        """The pictures of a stream of the first part, for looking at some of them."""
        yield from pictures(packets(self._container, stream), stream)

    def _options(self) -> dict[str, str]:
        """FFmpeg looks for the last time at the end, and must not find another programme there."""
        head, tail = (ProgrammeTables(self._layout, 0) for _ in range(2))
        for tables, start in ((head, 0), (tail, max(0, self._end - TAIL))):
            start -= (start - self._layout.first) % self._layout.length if start else 0
            self._file.seek(start)
            tables.follow(self._file.read(min(TAIL, self._end - start)))
        if head.announced <= tail.announced and head.change is None and tail.change is None:
            return {}
        return {"skip_estimate_duration_from_pts": "1"}

    def _require_same_codec(self, first: VideoStream, main: VideoStream, ends: int) -> None:
        names = [stream.codec_context.name if stream.codec_context else "unknown" for stream in (first, main)]
        if names[0] != names[1]:
            time = clock_text((ends - (first.start_time or 0)) / CLOCK)
            raise InputError(
                f"At {time} the recording continues with a different kind of video ({names[1]} after "
                f"{names[0]}), "
                "which cannot be joined. Cut it there, or convert it to MP4 with H.264 first."
            )

    def _places(
        self,
        wanted: list[Stream],
        first: VideoStream,
        container: Container,
        main: VideoStream,
        ends: int,
    ) -> dict[int, Stream]:
        """Which streams of the next part take the places of those that are read."""
        self._say(
            f"Another programme continues at {clock_text((ends - (first.start_time or 0)) / CLOCK)}, as in "
            f"joined recordings; it is part of the result."
        )
        places: dict[int, Stream] = {main.index: first} if first in wanted else {}
        sounds = list(container.streams.audio)
        for old in self._container.streams.audio:
            new = sounds.pop(0) if sounds else None
            if new is None or not _sounds_alike(old, new):
                self._say(
                    "A later programme has another kind of sound, so any sound that was kept ends before it."
                )
            elif old in wanted:
                places[new.index] = old
        return places

    def _say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


SCRAMBLED = (
    "The video is encrypted (scrambled, as pay television is), so no picture in it can be seen. "
    "Record or export it without protection, and choose that file."
)


def open_transport_stream(path: Path, size: int, opener: Open, choose: Choose) -> TransportStream | None:
    """Open a file if its first bytes are a transport stream."""
    file = open(path, "rb")  # noqa: SIM115 - closed by TransportStream
    try:
        layout = layout_of(file.read(HEAD))
        if layout is not None:
            stream = TransportStream(file, layout, size, opener, choose)
            if "mpegts" in stream.format.name:
                return stream
            stream.close()
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def end_of_packets(file: BinaryIO, layout: Layout, size: int) -> int:
    """Where the last packet ends, before space at the end that was reserved and never written.

    Such space is all zeros or all ones. What is shorter than a packet is no such space, and the last
    packet may itself end with such bytes.
    """
    end, filler = size, b""
    while end > 0:
        start = max(0, end - CHUNK)
        file.seek(start)
        chunk = file.read(end - start)
        filler = filler or chunk[-1:]
        if filler not in (b"\0", b"\xff"):
            return size
        left = chunk.rstrip(filler)
        end = start + len(left)
        if left:
            break
    packets = -(-(end - layout.first) // layout.length)
    rounded = layout.first + packets * layout.length
    return rounded if size - rounded >= layout.length else size


def _move(packet: Packet, shift: int) -> None:
    if shift:
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift


def _shift(main: VideoStream, ends: int) -> int:
    """What is added to the times of a part so that it follows the one before."""
    start = main.start_time
    if start is None or 0 <= start - ends <= LONGEST_GAP * CLOCK:
        return 0
    return ends - int(start)


def _same_programme(container: Container, tables: ProgrammeTables, number: int | None) -> VideoStream | None:
    """The video that belongs to the programme of the same number, where there is more than one video."""
    videos = list(container.streams.video)
    if len(videos) < 2:
        return None
    own = {video[0] for video in tables.announced if tables.programme_of(video) == number}
    return next((stream for stream in videos if stream.id in own), None)


def _sounds_alike(old: AudioStream, new: AudioStream) -> bool:
    contexts = [stream.codec_context for stream in (old, new)]
    if None in contexts:  # of an unknown codec
        return False
    kinds = [(c.name, c.sample_rate, c.layout.nb_channels) for c in contexts]
    return kinds[0] == kinds[1]
