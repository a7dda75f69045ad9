"""Keeps the books while a video is read: what the file promised, what went in, what came out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from anonator.core.media.clock import format_seconds
from anonator.core.media.opening import GROWING, OpenedVideo
from anonator.errors import DecodeError

ONE_TO_ONE = frozenset({"h264", "hevc", "av1", "libdav1d", "vp9", "mjpeg", "prores", "dnxhd", "ffv1"})
"""Decoders that make one picture of each packet, so that a picture that does not come is missed at once."""
SELF_REPORTING = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "prores"})
"""Decoders that mark damaged pictures reliably (40 of 40 or 39 of 40 in trials with overwritten bytes). With
them, a demuxer's suspicion is not held against a packet: joined transport streams raise it without damage."""
BREAKS_TOLD = 5
"""A note names so many places."""
ADVICE = "Copy it again from where it came, or repair it first."
LONGEST_DELAY = 64
"""Packets after which a picture must have come: frame threads and reordering need fewer than 40."""
HIDDEN = -(1 << 40)
"""Stamps from here down mark pictures that an edit list hides; they are decoded and checked, never shown."""
SEARCH_FOR_KEY = 600
"""Packets at the start that may precede the first key frame; a video without key frames is read as it is."""


class PacketLedger:
    """Compares packets sent to a decoder with pictures received, and both with the header's promises.

    Pictures before the first one that can stand alone belong to what was cut off before; no player
    shows them. They are counted and told, not held against the file.
    """

    def __init__(self, video: OpenedVideo, *, follow: bool = True) -> None:
        """Note what the file promises.

        Args:
            video: just opened.
            follow: raise as soon as a picture does not come; False where the caller looks after that.
        """
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
        self.one_to_one = stream.codec_context.name in ONE_TO_ONE
        self.is_avi = "avi" in container.format.name
        """AVI has no presentation times: its n-th picture is shown at its n-th packet's time."""
        self._follow = follow and self.one_to_one and not self.is_avi
        self._trusted = stream.codec_context.name in SELF_REPORTING
        self._avi_times: deque[int | None] = deque()
        self._strict = follow
        self._structure = video.structure
        self._video = video
        self._breaks: list[Fraction] = []
        self._waiting: Counter[int] = Counter()
        self._order: deque[tuple[int, int]] = deque()
        self._suspect: set[int] = set()
        self._packets = self._skipped = self._received = self._leading = 0
        self._forgivable = 0
        self._leading_pts: set[int] = set()
        self._key_pts: int | None = None
        self._key_at = 0
        self._first_pts: int | None = None
        self._last_pts: int | None = None
        self._end: int | None = None

    def sent(self, packet: Any) -> bool:
        """Enter a packet that is about to be decoded; False if it must be left out."""
        self._packets += 1
        pts = packet.pts
        self._check_structure(packet)
        if self.is_avi:
            self._avi_times.append(packet.dts)
        if pts is not None:
            end = pts + (packet.duration or 0)
            self._end = end if self._end is None else max(self._end, end)
        if self._key_pts is None:
            if not packet.is_keyframe and self._skipped < SEARCH_FOR_KEY and self._received == 0:
                self._skipped += 1
                return False
            self._key_pts, self._key_at = pts, self._packets
        leads = self._enter_leading(pts)
        if packet.is_discard:
            return True
        if pts is None:
            self._follow = False
        elif leads:
            self._forgivable += 1
        else:
            spoilt = self._structure is not None and self._structure.is_spoilt
            if (packet.is_corrupt or spoilt) and not self._trusted:
                self._suspect.add(pts)
            if self._follow:
                self._waiting[pts] += 1
                self._order.append((pts, self._packets))
                self._look_for_lost(self._packets - LONGEST_DELAY)
        return True

    def _check_structure(self, packet: Any) -> None:
        """Notice where the demuxer passed over damage, and perhaps over frames, without a word."""
        if self._structure is None or packet.pos is None or self._structure.reaches(packet.pos):
            return
        if self._strict:
            raise self.failure("The structure or a checksum of the file is wrong", packet.pts)
        self._breaks.append(self._since_start(packet.pts))
        if not self._structure.resume(packet.pos):
            self._structure = None

    def _since_start(self, pts: int | None) -> Fraction:
        if pts is None:
            pts = self._last_pts
        start = self._first_pts or 0
        return ((start if pts is None else pts) - start) * self._time_base

    def _enter_leading(self, pts: int | None) -> bool:
        """Whether a packet's picture is shown before the first one that can stand alone.

        Only packets soon after the key frame are: later a smaller time is that of a joined recording, and
        neither its damage nor a late decoding error may be taken for that of a leading picture.
        """
        since = self._packets - self._key_at
        if since > 2 * LONGEST_DELAY:
            self._leading_pts.clear()
            self._forgivable = 0
        if pts is None or self._key_pts is None or pts >= self._key_pts or since > LONGEST_DELAY:
            return False
        self._leading_pts.add(pts)
        return True

    def received(self, picture: Any) -> bool:
        """Enter a picture that was decoded; False if it is a broken one from before the start.

        Raises:
            DecodeError: it is damaged.
        """
        pts = picture.pts
        hidden = pts is not None and pts <= HIDDEN
        if self.is_damaged(picture):
            if self.leads(pts):
                self.leave_out()
                return False
            raise self.failure("A frame is damaged", None if hidden else pts)
        if hidden:
            return False
        if self.is_avi:
            picture.pts = pts = self.next_avi_time()
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

    def is_damaged(self, picture: Any) -> bool:
        """Whether the decoder says so, or the demuxer did of its packet."""
        return bool(picture.is_corrupt) or picture.pts in self._suspect

    def leads(self, pts: int | None) -> bool:
        """Whether a picture belongs before the first one that can stand alone."""
        return pts in self._leading_pts

    def leave_out(self) -> None:
        """Count a broken picture from before the start."""
        self._leading += 1

    def next_avi_time(self) -> int | None:
        """The time of the next picture of an AVI file, in order of presentation."""
        return self._avi_times.popleft() if self._avi_times else None

    def forgive(self) -> bool:
        """Whether a decoding error may be one of the broken pictures before the start; uses up one."""
        if not self._forgivable:
            return False
        self._forgivable -= 1
        self.leave_out()
        return True

    def finish(self) -> None:
        """Compare at the end of the file.

        Raises:
            DecodeError: a picture did not come, or the file ends before its header says, or it has grown.
        """
        self._look_for_lost(self._packets)
        if self._video.has_grown():
            raise DecodeError(GROWING)
        broken = self._structure is not None and not self._structure.reaches_end()
        short = self._is_short() and not self._video.is_surely_whole
        if self.is_cut or self._video.lacks_samples() or broken or short:
            raise self.failure("The video ends too early", self._last_pts)

    def failure(self, what: str, pts: int | None = None, *, advice: str = ADVICE) -> DecodeError:
        """The error that names time and count, or says that the file is not finished yet."""
        if self._video.is_being_written():
            return DecodeError(GROWING)
        time = format_seconds(self._since_start(pts))
        promised = f" of {self.promised_frames}" if self.promised_frames else ""
        return DecodeError(
            f"{what} at {time}, after {self._received}{promised} frames: the file is damaged or incomplete. "
            f"{advice}"
        )

    def notes(self) -> Iterator[str]:
        """Sentences about what was left out so far."""
        yield from self._video.notes
        if self._breaks:
            times = ", ".join(format_seconds(time) for time in self._breaks[:BREAKS_TOLD])
            more = " and other places" if len(self._breaks) > BREAKS_TOLD else ""
            yield f"The file is damaged before {times}{more}; frames may be damaged or missing there."
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
