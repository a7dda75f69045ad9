"""Turns interlaced pictures into whole ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av
from av import VideoFrame

from anonator.core.pictures.planes import copy_time


class Deinterlacer:
    """Turns interlaced pictures into whole ones, one for one, by FFmpeg's bwdif; others pass unchanged."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._graph: av.filter.Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._held: deque[VideoFrame] = deque()

    def push(self, picture: VideoFrame) -> Iterator[VideoFrame]:
        """Give a picture; what comes out is one picture behind."""
        shape = (picture.width, picture.height, picture.format.name)
        if self._graph is None or shape != self._shape:
            yield from self.finish()
            self._graph, self._shape = self._build(picture), shape
        self._held.append(picture)
        self._graph.push(picture)
        yield from self._made(self._graph)

    def finish(self) -> Iterator[VideoFrame]:
        """The frames still held back."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._made(self._graph)
            self._graph = self._shape = None

    def _build(self, like: VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=self._time_base
        )
        bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
        return graph

    def _made(self, graph: av.filter.Graph) -> Iterator[VideoFrame]:
        while True:
            try:
                made = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            # the filter counts time in its own way; order and number are what it keeps
            copy_time(self._held.popleft(), made)
            yield made
