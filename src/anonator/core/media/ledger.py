"""Keeps the books while a video is read: what the file promised, what went in, what came out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from anonator.core.media.clock import format_seconds
from anonator.core.media.opening import OpenedVideo
from anonator.errors import DecodeError

ONE_TO_ONE = frozenset({"h264", "hevc", "av1", "libdav1d", "vp9", "mjpeg", "prores", "dnxhd", "ffv1"})
"""Decoders that make one picture of each packet, so that a picture that does not come is missed at once."""
SELF_REPORTING = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "prores"})
"""Decoders that mark damaged pictures reliably (40 of 40 or 39 of 40 in trials with overwritten bytes). With
them, a demuxer's suspicion is not held against a packet: joined transport streams raise it without damage."""
LONGEST_DELAY = 64
"""Packets after which a picture must have come: frame threads and reordering need fewer than 40."""
SEARCH_FOR_KEY = 600
"""Packets at the start that may precede the first key frame; a video without key frames is read as it is."""


class PacketLedger:
    """Compares packets sent to a decoder with pictures received, and both with the header's promises.

    Pictures before the first one that can stand alone belong to what was cut off before; no player
    shows them. They are counted and told, not held against the file.
    """

    def __init__(self, video: OpenedVideo) -> None:
        stream, container = video.stream, video.container
        self._time_base = Fraction(stream.time_base)
        self.promised_frames: int | None = stream.frames or None
        self.promised_seconds: Fraction | None = None
        if stream.duration:
            self.promised_seconds = stream.duration * self._time_base
        elif container.duration:
            self.promised_seconds = Fraction(container.duration, av.time_base)
        self.is_cut = video.promised_size is not None and video.promised_size > video.file_size
        self._start = stream.start_time
        self._follow = stream.codec_context.name in ONE_TO_ONE and "avi" not in container.format.name
        self._trusted = stream.codec_context.name in SELF_REPORTING
        # AVI has no presentation times: its n-th picture is shown at its n-th packet's time
        self._is_avi = "avi" in container.format.name
        self._avi_times: deque[int | None] = deque()
        self._waiting: Counter[int] = Counter()
        self._order: deque[tuple[int, int]] = deque()
        self._suspect: set[int] = set()
        self._packets = self._skipped = self._received = self._leading = 0
        self._forgivable = 0
        self._key_pts: int | None = None
        self._first_pts: int | None = None
        self._last_pts: int | None = None
        self._end: int | None = None

    def sent(self, packet: Any) -> bool:
        """Enter a packet that is about to be decoded; False if it must be left out."""
        self._packets += 1
        pts = packet.pts
        if self._is_avi:
            self._avi_times.append(packet.dts)
        if pts is not None:
            end = pts + (packet.duration or 0)
            self._end = end if self._end is None else max(self._end, end)
        if self._key_pts is None:
            if not packet.is_keyframe and self._skipped < SEARCH_FOR_KEY and self._received == 0:
                self._skipped += 1
                return False
            self._key_pts = pts
        if packet.is_discard:
            return True
        if pts is None:
            self._follow = False
        elif self._key_pts is not None and pts < self._key_pts:
            self._forgivable += 1
        else:
            if packet.is_corrupt and not self._trusted:
                self._suspect.add(pts)
            if self._follow:
                self._waiting[pts] += 1
                self._order.append((pts, self._packets))
                self._look_for_lost(self._packets - LONGEST_DELAY)
        return True

    def received(self, picture: Any) -> bool:
        """Enter a picture that was decoded; False if it is a broken one from before the start.

        Raises:
            DecodeError: it is damaged.
        """
        pts = picture.pts
        leading = pts is not None and self._key_pts is not None and pts < self._key_pts
        if picture.is_corrupt or pts in self._suspect:
            if leading:
                self._leading += 1
                return False
            raise self.failure("A frame is damaged", pts)
        if self._is_avi:
            picture.pts = pts = self._avi_times.popleft() if self._avi_times else None
        if picture.interlaced_frame:
            self._follow = False  # two fields may come in two packets and make one picture
        if pts in self._waiting:
            self._waiting[pts] -= 1
            if not self._waiting[pts]:
                del self._waiting[pts]
        if self._first_pts is None:
            self._first_pts = pts
        self._last_pts = pts if pts is not None else self._last_pts
        self._received += 1
        return True

    def forgive(self) -> bool:
        """Whether a decoding error may be one of the broken pictures before the start; uses up one."""
        if not self._forgivable:
            return False
        self._forgivable -= 1
        self._leading += 1
        return True

    def finish(self) -> None:
        """Compare at the end of the file.

        Raises:
            DecodeError: a picture did not come, or the file ends before its header says.
        """
        self._look_for_lost(self._packets)
        if self.is_cut or self._is_short():
            raise self.failure("The video ends too early", self._last_pts)

    def failure(self, what: str, pts: int | None = None) -> DecodeError:
        """The error that names time and count."""
        if pts is None:
            pts = self._last_pts
        start = self._first_pts or 0
        time = format_seconds(((pts or start) - start) * self._time_base)
        promised = f" of {self.promised_frames}" if self.promised_frames else ""
        return DecodeError(
            f"{what} at {time}, after {self._received}{promised} frames: the file is damaged or incomplete. "
            "Copy it again from where it came, or repair it first."
        )

    def notes(self) -> Iterator[str]:
        """Sentences about what was left out so far."""
        lost = self._skipped + self._leading
        if lost:
            yield (
                f"The video begins within a scene that was cut off: {lost} frames before its first whole "
                "picture cannot be decoded by any player and were left out."
            )

    def _look_for_lost(self, up_to: int) -> None:
        while self._order and self._order[0][1] <= up_to:
            pts, _ = self._order.popleft()
            if self._follow and self._waiting[pts] > 0:
                raise self.failure("A frame is missing", pts)
        if not self._follow:
            self._order.clear()

    def _is_short(self) -> bool:
        """The header promises more frames and more time than came; one of the two alone is often wrong."""
        if not self.promised_frames or not self.promised_seconds or self._end is None:
            return False
        lost = self.promised_frames - self._packets
        missing_seconds = self.promised_seconds - (self._end - (self._start or 0)) * self._time_base
        frame_seconds = self.promised_seconds / self.promised_frames
        return lost > 0 and missing_seconds > frame_seconds / 2
