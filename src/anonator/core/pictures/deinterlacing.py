"""Turns interlaced pictures into whole ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from anonator.core.pictures.planes import copy_time


class Deinterlacer:
    """Turns interlaced pictures into whole ones, one for one, by FFmpeg's bwdif; others pass unchanged."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._graph: Any = None
        self._shape: tuple[int, int, str] | None = None
        self._held: deque[Any] = deque()

    def push(self, picture: Any) -> Iterator[Any]:
        """Give a picture; what comes out is one picture behind."""
        shape = (picture.width, picture.height, picture.format.name)
        if shape != self._shape:
            yield from self.finish()
            self._build(picture)
            self._shape = shape
        self._held.append(picture)
        self._graph.push(picture)
        yield from self._made()

    def finish(self) -> Iterator[Any]:
        """What is still held back."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._made()
            self._graph = self._shape = None

    def _build(self, like: Any) -> None:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=self._time_base
        )
        bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
        self._graph = graph

    def _made(self) -> Iterator[Any]:
        while True:
            try:
                made = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            # the filter counts time in its own way; order and number are what it keeps
            copy_time(self._held.popleft(), made)
            yield made
