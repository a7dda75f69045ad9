"""Follows the structure of a Matroska file and its checksums: tells where FFmpeg skipped over damage."""

from __future__ import annotations

import zlib
from pathlib import Path

from anonator.core.reading.matroska_elements import (
    BLOCK,
    CHECKSUM,
    CLUSTER,
    CUES,
    EBML,
    FARTHEST,
    GROUP,
    IN_CLUSTER,
    IN_GROUP,
    IN_SEGMENT,
    INFO,
    MOST_READ,
    SEGMENT,
    SIMPLE_BLOCK,
    TOP,
    TRACKS,
    Element,
    block_of,
    element_at,
    is_foreign,
    scale_of,
    tracks_of,
)

INSIDE = {SEGMENT: IN_SEGMENT, CLUSTER: IN_CLUSTER, GROUP: IN_GROUP}
"""The elements that are entered, and what may be in them; all others are passed over whole."""
KNOWN = TOP.union(*INSIDE.values())
BLOCKS = (SIMPLE_BLOCK, BLOCK)
LONGEST_HEAD = 12
FILLING = (0x00, 0xFF)
"""What reserved space holds that was never written, on disks and on memory cards."""


class MatroskaWalk:
    """Goes over the elements of a file in order, reading only their heads.

    Recordings may follow one another in one file, and reserved space may follow them.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by close
        self._size = self._file.seek(0, 2)
        self._at = self._body = 0
        self._block: tuple[int, bool] | None = None
        self._levels: list[tuple[int, int | None]] = []
        self._recorded = 0  # segments that have come
        self._read = 0  # the last of them that FFmpeg read from
        self._has_clusters = False  # in this segment
        self._own: int | None = None  # the track whose packets are asked for
        self._tracks: dict[int, tuple[bytes, ...]] | None = None
        self._scale: int | None = None
        self._is_complete = False  # the index of all clusters, which is made last, has come
        self.lacks_only_tail = False
        """Only the index or titles at its very end were found to be cut off."""
        self.is_spoilt = False
        """The checksum of the cluster that was reached last does not hold."""
        self.has_changed = False
        """A recording follows that FFmpeg passes over, or takes for one like the first when it is not."""

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def reaches(self, block: int) -> bool:
        """Whether the structure is whole up to a block, and no block of its track was left out on the way.

        Args:
            block: byte at which its body begins, as FFmpeg tells of packets; not before the last call's.
        """
        while self._body < block:
            if not self._step() or (self._body < block and self._is_passed_over()):
                return False
        if self._body != block:
            return False
        self._read = self._recorded
        if self._own is None and self._block is not None:
            self._own = self._block[0]
        return True

    def reaches_end(self) -> bool:
        """Whether the structure is whole up to its own end, or to that of the file where it names none."""
        while self._at < self._size and not self._has_ended():
            if not self._step():
                is_in_head = self._size - self._at < LONGEST_HEAD
                self.lacks_only_tail = self._is_complete and not self.is_spoilt and is_in_head
                return self.lacks_only_tail
            if self._is_passed_over():
                return False
        self.lacks_only_tail = self._is_complete and not self.is_spoilt and self._at > self._size
        return not self.is_spoilt and (self._at <= self._size or self.lacks_only_tail)

    def resume(self, block: int) -> bool:
        """Continue from this block after damage, if its header can be found."""
        for start in range(block - 2, max(0, block - 12), -1):
            head = element_at(self._file, start)
            if head is not None and head[0] in BLOCKS and head[1] == block:
                self._at, self._recorded = start, max(1, self._recorded)
                self._levels = [(SEGMENT, None), (CLUSTER, None)]
                if head[0] == BLOCK:
                    self._levels.append((GROUP, None))
                self.is_spoilt = False
                return self._step()
        return False

    def _is_passed_over(self) -> bool:
        """Whether this is a block of the track that holds something."""
        if self._block is None or self._block != (self._own, True):
            return False
        self.has_changed |= self._recorded > self._read > 0
        return True

    def _has_ended(self) -> bool:
        """Whether the recording is over here and no other one follows."""
        ends = [end for _, end in self._levels if end is not None]
        if any(self._at < end for end in ends):
            return False
        if self._levels and self._levels[0][1] is None:
            return self._skip_filling() == self._size
        self._at = self._skip_filling()
        head = element_at(self._file, self._at)
        return head is None or head[0] not in TOP | {CLUSTER} or not self._fits(head)

    def _fits(self, element: Element) -> bool:
        return element[2] is None or element[1] + element[2] <= self._size or element[0] in INSIDE

    def _skip_filling(self) -> int:
        """The end of the reserved space that begins here."""
        if self._at >= self._size:
            return self._at
        self._file.seek(self._at)
        at, first = self._at, self._file.read(1)
        if not first or first[0] not in FILLING:
            return at
        self._file.seek(at)
        while part := self._file.read(1 << 20):
            rest = len(part.lstrip(first))
            at += len(part) - rest
            if rest:
                break
        return at

    def _step(self) -> bool:
        """Move to the next element; False if there is none that may be here."""
        if not self._leave() or self._at >= FARTHEST:
            return False
        element = element_at(self._file, self._at)
        if element is None and self._recorded and all(end is None for _, end in self._levels):
            self._at = self._skip_filling()
            element = element_at(self._file, self._at)
            if element is not None and element[0] != EBML:
                return False
        if element is None or not self._admits(element):
            return False
        kind, body, size = element
        end = None if size is None else body + size
        if end is None and kind not in (SEGMENT, CLUSTER):
            return False
        # the end of a segment is often wrong, and FFmpeg reads on past it
        limits = [limit for level, limit in self._levels if level != SEGMENT and limit is not None]
        if end is not None and limits and end > limits[-1]:
            return False
        self._body, self._block = body, None
        if kind in INSIDE:
            self._levels.append((kind, end))
            self._recorded += kind == SEGMENT
            self._has_clusters = kind != SEGMENT
            self._is_complete = False
            self._at = body
            if kind == CLUSTER:
                self.is_spoilt = end is not None and not self._checksum_holds(body, end)
        else:
            assert end is not None and size is not None
            self._at = end
            self._is_complete |= kind == CUES and self._has_clusters
            if kind in BLOCKS:
                self._block = block_of(self._file, body, size)
            elif kind in (INFO, TRACKS):
                self._compare(kind, body, size)
        return not self.has_changed

    def _leave(self) -> bool:
        """Leave what ends here; False where a checksum did not hold in it."""
        while True:
            ends = [depth for depth, (_, end) in enumerate(self._levels) if end is not None]
            if not ends or self._at < (self._levels[ends[-1]][1] or 0):
                return True
            left = self._levels[ends[-1] :]
            del self._levels[ends[-1] :]
            if self.is_spoilt and any(level == CLUSTER for level, _ in left):
                return False  # told only now, because the decoder may say more precisely where

    def _admits(self, element: Element) -> bool:
        """Whether an element may be here; what is of unknown size ends where something else begins."""
        kind = element[0]
        if self._levels and kind not in KNOWN:
            return is_foreign(self._file, element)
        while self._levels:
            level, end = self._levels[-1]
            if kind in INSIDE[level]:
                return True
            if end is not None:
                return False
            self._levels.pop()
        if kind in TOP:
            return True
        if self._recorded and kind in IN_SEGMENT:  # the segment continues beyond the end it names
            self._levels.append((SEGMENT, None))
            return True
        return False

    def _compare(self, kind: int, body: int, size: int) -> None:
        """Look whether a recording that follows has the same track: FFmpeg knows only the first one's."""
        self._file.seek(body)
        data = self._file.read(min(size, MOST_READ))
        if kind == INFO:
            scale = scale_of(data)
            self.has_changed |= self._scale not in (None, scale)
            self._scale = scale
            return
        tracks = tracks_of(data)
        if self._tracks is None:
            self._tracks = tracks
        elif self._own is not None:
            self.has_changed |= tracks.get(self._own) != self._tracks.get(self._own)

    def _checksum_holds(self, body: int, end: int) -> bool:
        """Compare the checksum that some programs put in front of a cluster's contents."""
        first = element_at(self._file, body)
        if first is None or first[0] != CHECKSUM or first[2] != 4:
            return True
        self._file.seek(first[1])
        stated, found = int.from_bytes(self._file.read(4), "little"), 0
        left = end - first[1] - 4
        while left > 0 and (part := self._file.read(min(left, 1 << 20))):
            found, left = zlib.crc32(part, found), left - len(part)
        return found == stated
