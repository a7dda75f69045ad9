"""Pictures before the first independent one, which belong to what was cut off before the video."""

from __future__ import annotations

from anonator.core.reading.av_types import Packet

LONGEST_DELAY = 64
"""Packets after which a picture must have come: frame threads and reordering need fewer than 40."""
SEARCH_FOR_KEY = 600
"""Packets at the start that may precede the first key frame; a video without key frames is read as is."""


class LeadingPictures:
    """Knows them by their packets. No player shows them, so they are counted, not held against the file.

    Only packets soon after the key frame lead: later a smaller time is that of a joined recording, and
    neither its damage nor a late decoding error may be taken for that of a leading picture.
    """

    def __init__(self) -> None:
        self.left_out = 0
        """How many there were that could not be shown."""
        self._skipped = 0
        self._key_pts: int | None = None
        self._key_at = 0  # its number, from 1; 0 until it has come
        self._times: set[int | None] = set()
        self._forgivable = 0

    def skips(self, packet: Packet, number: int, *, is_key: bool, begun: bool) -> bool:
        """Whether a packet comes before the first key frame, so that nobody can decode it.

        Args:
            packet: the next one, in the file's order.
            number: of the packet, from 1.
            is_key: it is a key frame.
            begun: a picture has come already.
        """
        if self._key_at:
            return False
        if not is_key and not begun and self._skipped < SEARCH_FOR_KEY:
            self._skipped += 1
            self.left_out += 1
            return True
        self._key_pts, self._key_at = packet.pts, number
        return False

    def enter(self, packet: Packet, number: int, *, in_matroska: bool) -> bool:
        """Whether a packet's picture is shown before the first key frame's.

        Args:
            packet: the next one that is not skipped.
            number: of the packet, from 1.
            in_matroska: FFmpeg gives times below zero as none at all.
        """
        since = number - self._key_at
        if since > 2 * LONGEST_DELAY:
            self._times.clear()
            self._forgivable = 0
        if not 0 < since <= LONGEST_DELAY:
            return False
        if packet.pts is None:
            leads = in_matroska and packet.dts is None
        else:
            leads = self._key_pts is not None and packet.pts < self._key_pts
        if leads:
            self._times.add(packet.pts)
        return leads

    def has(self, pts: int | None) -> bool:
        """Whether a picture of that time is one of them."""
        return pts in self._times

    def leave_out(self) -> None:
        """Count one that is broken."""
        self.left_out += 1

    def may_fail(self) -> None:
        """Note that one was sent to the decoder, which may complain of it."""
        self._forgivable += 1

    def forgive(self) -> bool:
        """Whether a decoding error may be that of one of them; uses up one."""
        if not self._forgivable:
            return False
        self._forgivable -= 1
        self.leave_out()
        return True
