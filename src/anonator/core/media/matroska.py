"""Follows the structure of a Matroska file and its checksums: tells where FFmpeg skipped over damage."""

from __future__ import annotations

import zlib
from pathlib import Path

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
IN_SEGMENT = frozenset(
    [CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0x1B538667,
     0xEC, 0xBF]
)  # fmt: skip
"""Seek head, info, tracks, cues, attachments, chapters, tags, signature, void, checksum. Source: RFC 9559."""
BLOCKS = (0xA3, 0xA0)
CHECKSUM = 0xBF
"""CRC-32 of what follows it. Source: RFC 8794, section 11.3.1."""
IN_CLUSTER = frozenset([0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0xEC, 0xBF])
"""Time, silent tracks, position, previous size, blocks, void and checksum."""


class MatroskaWalk:
    """Goes over the elements of a file in order, reading only their heads."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by close
        self._at = self._body = 0
        self._segment_end: int | None = None
        self._cluster_end: int | None = None
        self._in_segment = self._in_cluster = False
        self.is_spoilt = False
        """The checksum of the cluster that was reached last does not hold."""

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def reaches(self, block: int) -> bool:
        """Whether the structure is whole up to a block.

        Args:
            block: byte at which its body begins, as FFmpeg tells of packets; not before the last call's.
        """
        while self._body < block:
            if not self._step():
                return False
        return self._body == block

    def reaches_end(self) -> bool:
        """Whether the structure is whole up to its own end, or to that of the file where it names none."""
        size = self._file.seek(0, 2)
        while self._at < size:
            if self._at == self._segment_end and self._at == (self._cluster_end or self._at):
                break
            if not self._step():
                return False
        return not self.is_spoilt and self._at <= size

    def resume(self, block: int) -> bool:
        """Go on from this block after damage, if its head is to be found."""
        for start in range(block - 2, max(0, block - 12), -1):
            head = self._head(start)
            if head is not None and head[0] in BLOCKS and head[1] == block:
                self._at, self._cluster_end = start, None
                self._in_segment = self._in_cluster = True
                self.is_spoilt = False
                return self._step()
        return False

    def _step(self) -> bool:
        """Move to the next element; False where there is none that may be here."""
        if self._in_cluster and self._at == self._cluster_end:
            self._in_cluster = False
            if self.is_spoilt:  # told only now, because the decoder may say more precisely where
                return False
        if self._in_segment and not self._in_cluster and self._at == self._segment_end:
            self._in_segment = False
        head = self._head(self._at)
        if head is None:
            return False
        kind, body, size = head
        self._body = body
        if self._in_cluster and self._cluster_end is None and kind in IN_SEGMENT - IN_CLUSTER:
            self._in_cluster = False  # a cluster of unknown size ends where something else begins
        if self._in_cluster:
            allowed = kind in IN_CLUSTER
        else:
            allowed = kind in (IN_SEGMENT if self._in_segment else (EBML, SEGMENT))
        if not allowed:
            return False
        end = None if size is None else body + size
        if kind == SEGMENT:
            self._in_segment, self._segment_end, self._at = True, end, body
        elif kind == CLUSTER:
            self._in_cluster, self._cluster_end, self._at = True, end, body
            self.is_spoilt = end is not None and not self._checksum_holds(body, end)
        elif end is None or (self._in_cluster and self._cluster_end is not None and end > self._cluster_end):
            return False
        else:
            self._at = end
        return True

    def _checksum_holds(self, body: int, end: int) -> bool:
        """Compare the checksum that some programs put in front of a cluster's contents."""
        first = self._head(body)
        if first is None or first[0] != CHECKSUM or first[2] != 4:
            return True
        self._file.seek(first[1])
        stated, found = int.from_bytes(self._file.read(4), "little"), 0
        left = end - first[1] - 4
        while left > 0 and (part := self._file.read(min(left, 1 << 20))):
            found, left = zlib.crc32(part, found), left - len(part)
        return found == stated

    def _head(self, start: int) -> tuple[int, int, int | None] | None:
        """(identifier, start of the body, size of the body or None where that is left open), or None."""
        self._file.seek(start)
        head = self._file.read(12)
        id_length = 9 - head[0].bit_length() if head and head[0] else 9
        if id_length > 4 or len(head) <= id_length or not head[id_length]:
            return None
        size_length = 9 - head[id_length].bit_length()
        body = id_length + size_length
        if len(head) < body:
            return None
        size = int.from_bytes(head[id_length:body], "big") & ((1 << 7 * size_length) - 1)
        unknown = size == (1 << 7 * size_length) - 1
        return int.from_bytes(head[:id_length], "big"), start + body, None if unknown else size
