"""Types for what PyAV takes and returns, and for what replaces one of its containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

import av
from av.container import InputContainer
from av.container.streams import StreamContainer
from av.format import ContainerFormat
from av.stream import Stream
from av.video.stream import VideoStream

Packet: TypeAlias = "av.Packet[Stream]"
"""A packet of any stream; PyAV's own class takes no parameter while the program runs."""
Streams: TypeAlias = Stream | Sequence[Stream]
"""One stream, or some."""


class Container(Protocol):
    """An open file: PyAV's InputContainer, or one that reads what PyAV alone would pass over."""

    @property
    def format(self) -> ContainerFormat:
        """What kind of file it is."""

    @property
    def streams(self) -> StreamContainer:
        """Its tracks."""

    @property
    def duration(self) -> int | None:
        """In microseconds, if the file says."""

    def demux(self, streams: Streams, /) -> Iterator[Packet]:
        """The packets of a stream, or of some, in the file's order."""

    def decode(self, stream: VideoStream, /) -> Iterator[av.VideoFrame]:
        """The pictures of a stream, for looking at some of them."""

    def seek(self, offset: int, *, backward: bool = True, stream: Stream | None = None) -> None:
        """Go to a time."""

    def close(self) -> None:
        """Close the file; safe to call twice."""


class StandIn:
    """A container that reads through another one, and does only some things differently."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container

    @property
    def format(self) -> ContainerFormat:
        """What kind of file it is."""
        return self._container.format

    @property
    def streams(self) -> StreamContainer:
        """Its tracks."""
        return self._container.streams

    @property
    def duration(self) -> int | None:
        """In microseconds, if the file says."""
        return self._container.duration

    def seek(self, offset: int, *, backward: bool = True, stream: Stream | None = None) -> None:
        """Go to a time."""
        self._container.seek(offset, backward=backward, stream=stream)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._container.close()


def listed(streams: Streams) -> list[Stream]:
    """One stream, or some, as a list."""
    return [streams] if isinstance(streams, Stream) else list(streams)
