"""Reads containers whose streams may begin late, and never overlooks a video that takes over."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from anonator.core.reading.av_types import Container, Packet, StandIn, Streams, listed
from anonator.core.reading.other_lengths import flv_tags
from anonator.errors import InputError

FORMATS = frozenset({"flv", "live_flv", "mpeg"})
"""FFmpeg makes their streams when it meets the first packet of each."""
PES_OF_VIDEO = re.compile(rb"\x00\x00\x01([\xe0-\xef])..[\x80-\xbf\x0f\x21-\x3f\xff\x40-\x7f]", re.DOTALL)
"""Source: ISO/IEC 13818-1, section 2.4.3.6, and ISO/IEC 11172-1 for what follows the length."""
CHUNK = 1 << 20
OVERLAP = 6
CHANCE = 8
"""How often such bytes may turn up by chance in sound or other data."""
ANOTHER = (
    "A different video takes over partway through this file and cannot be joined to the first. Cut the "
    "file there, or convert it to MP4 with H.264 first."
)


class LateStreams(StandIn):
    """An open container of such a format."""

    def __init__(self, path: Path, container: InputContainer) -> None:
        """Take an open container and the path of its file."""
        super().__init__(container)
        self._path = path

    def demux(self, streams: Streams, /) -> Iterator[Packet]:
        """The packets of a stream or of some.

        Raises:
            InputError: at the end, where another video has taken over on the way.
        """
        yield from packets(self._container, streams)
        if all(stream.type != "video" for stream in listed(streams)):
            return
        with open(self._path, "rb") as file:
            if _has_another_video(file, self._container, streams):
                raise InputError(ANOTHER)

    def decode(self, stream: VideoStream, /) -> Iterator[VideoFrame]:
        """The pictures of a stream, for looking at some of them."""
        yield from pictures(packets(self._container, stream), stream)


def packets_of(container: Container, streams: Streams) -> Iterator[Packet]:
    """All packets of a stream, or of a list of streams, in the file's order; empty ones mark ends."""
    demuxer = container.demux(streams)
    while True:
        try:
            packet = next(demuxer)
        # IndexError: at the end of the file PyAV stumbles over streams that appeared on the way
        except (StopIteration, IndexError):
            return
        yield packet


def packets(container: Container, streams: Streams) -> Iterator[Packet]:
    """The packets that hold something."""
    return (packet for packet in packets_of(container, streams) if packet.size)


def pictures(packets: Iterator[Packet], stream: VideoStream) -> Iterator[VideoFrame]:
    """What a stream's decoder makes of packets, to its last picture."""
    for packet in packets:
        yield from stream.codec_context.decode(packet)
    yield from stream.codec_context.decode(None)


def _has_another_video(file: BinaryIO, container: Container, streams: Streams) -> bool:
    if "flv" in container.format.name:
        return _flv_goes_on(file)
    ids = {stream.id & 0xFF for stream in listed(streams) if stream.type == "video"}
    found = _ps_videos(file)
    return any(
        len(places) > CHANCE and _mostly_outside(places, found[own])
        for own in ids & found.keys()
        for other, places in found.items()
        if other != own
    )


def _mostly_outside(places: list[int], own: list[int]) -> bool:
    """Whether a video runs more before or after another one than alongside it."""
    beside = sum(own[0] <= place <= own[-1] for place in places)
    return beside * 2 < len(places)


def _flv_goes_on(file: BinaryIO) -> bool:
    """Whether an FLV file holds videos of two kinds, or another file after its last tag."""
    tags = flv_tags(file)
    file.seek(tags[-1][0])
    kinds = {_flv_codec(first) for _, first in tags if first} - {None}
    return len(kinds) > 1 or file.read(3) == b"FLV"


def _flv_codec(first: bytes) -> bytes | int | None:
    """The codec from the first bytes of a picture; None for commands and for what wraps other packets.

    Source: Adobe Flash Video File Format Specification, annex E.4.3; Enhanced RTMP, "Enhanced Video".
    """
    if first[0] >> 4 & 7 == 5 or (first[0] & 0x80 and first[0] & 15 > 5):
        return None
    return first[1:5] if first[0] & 0x80 else first[0] & 15


def _ps_videos(file: BinaryIO) -> dict[int, list[int]]:
    """Where each video's packets begin in an MPEG programme stream."""
    found: dict[int, list[int]] = defaultdict(list)
    file.seek(0)
    rest, place = b"", 0
    while chunk := file.read(CHUNK):
        data = rest + chunk
        for match in PES_OF_VIDEO.finditer(data):
            found[match[1][0]].append(place + match.start())
        rest = data[-OVERLAP:]
        place += len(data) - len(rest)
    return found
