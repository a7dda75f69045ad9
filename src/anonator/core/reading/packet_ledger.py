"""Keeps the books while a video is read: what the file promised, what went in, what came out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from anonator.core.clock_text import clock_text
from anonator.core.reading.avi_chunks import stored_pictures
from anonator.core.reading.hidden import shows_nothing
from anonator.core.reading.nal_units import NalUnits
from anonator.core.reading.opening import GROWING, OpenedVideo
from anonator.core.reading.transport_packets import is_whole
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
        self._promised_packets = self.promised_frames or 0
        if "mp4" in container.format.name and stream.index_entries:
            # without those that an edit list cuts off
            self._promised_packets = min(self._promised_packets, len(stream.index_entries))
        self.promised_seconds: Fraction | None = None
        if stream.duration:
            self.promised_seconds = stream.duration * self._time_base
        elif container.duration:
            self.promised_seconds = Fraction(container.duration, av.time_base)
        self.is_cut = video.promised_size is not None and video.promised_size > video.file_size
        self._start = stream.start_time
        self._codec = stream.codec_context.name
        self.one_to_one = self._codec in ONE_TO_ONE
        self.is_avi = "avi" in container.format.name
        """AVI has no presentation times: its n-th picture is shown at its n-th packet's time."""
        self.hides = self._carried = False
        """The packet entered last makes no picture: what it holds is only there to build others on."""
        self._follow = follow and self.one_to_one and not self.is_avi
        self._trusted = self._codec in SELF_REPORTING
        self._avi_times: deque[int | None] = deque()
        self._strict = follow
        self._structure = video.structure
        self._video = video
        self._breaks: list[Fraction] = []
        self._waiting: Counter[int] = Counter()
        self._order: deque[tuple[int, int]] = deque()
        self._suspect: dict[int, int] = {}
        self._path = video.path
        self._index = stream.index
        self._is_transport = "mpegts" in container.format.name
        self.units = NalUnits(self._codec, stream.codec_context.extradata)
        """Of the packets that were entered."""
        self._spliced = 0
        self._packets = self._skipped = self._received = self._leading = 0
        self._forgivable = 0
        self._leading_pts: set[int | None] = set()
        self._key_pts: int | None = None
        self._key_at = 0
        self._first_pts: int | None = None
        self._last_pts: int | None = None
        self._end: int | None = None

    def sent(self, packet: Any) -> bool:
        """Enter a packet that is about to be decoded; False if it must be left out."""
        self._packets += 1
        pts = packet.pts
        self.units.enter(packet)
        self.hides = self.units.is_cut_off or shows_nothing(self._codec, packet)
        self._check_structure(packet)
        if self.units.keeps(packet):
            self._carried |= bool(packet.is_corrupt)
            return False
        if self.is_avi:
            self._avi_times.append(packet.dts)
        if pts is not None:
            end = pts + (packet.duration or 0)
            self._end = end if self._end is None else max(self._end, end)
        if not self._key_at:
            is_key = packet.is_keyframe or self.units.has_key
            if not is_key and self._skipped < SEARCH_FOR_KEY and self._received == 0:
                self._skipped += 1
                return False
            self._key_pts, self._key_at = pts, self._packets
        leads = self._enter_leading(packet)
        if self.units.is_cut_off and not leads:
            self._spliced += 1
            return False
        if packet.is_discard:
            return True
        if leads:
            self._forgivable += 1
        elif pts is None:
            self._follow = False
        else:
            if not self._trusted and (self._carried or self._is_suspected(packet)):
                self._suspect[pts] = self._packets
                self._carried = self.hides  # what is built on it tells, for it is never seen itself
            if self._follow and not self.hides:
                self._waiting[pts] += 1
                self._order.append((pts, self._packets))
                self._look_for_lost(self._packets - LONGEST_DELAY)
        return True

    def _is_suspected(self, packet: Any) -> bool:
        """Whether the demuxer or a checksum has doubts about a packet."""
        if self._structure is not None and self._structure.is_spoilt:
            return True
        if not packet.is_corrupt:
            return False
        if not self._is_transport or packet.pos is None:
            return True
        # a packet's place counts from the part of the file that FFmpeg is reading
        place = packet.pos + getattr(self._video.container, "starts_at", 0)
        return not is_whole(self._path, place, bytes(packet))

    def _check_structure(self, packet: Any) -> None:
        """Notice where the demuxer passed over damage, and perhaps over frames, without a word."""
        if self._structure is None or packet.pos is None or self._structure.reaches(packet.pos):
            return
        self._refuse_other_recording(packet.pts)
        if self._strict:
            raise self.failure("The structure or a checksum of the file is wrong", packet.pts)
        self._breaks.append(self._since_start(packet.pts))
        if not self._structure.resume(packet.pos):
            self._structure = None

    def _refuse_other_recording(self, pts: int | None) -> None:
        if self._structure is not None and self._structure.has_changed:
            raise DecodeError(
                f"A second recording follows at {clock_text(self._since_start(pts))}, after "
                f"{self._received} frames, and cannot be read as part of the first. "
                "Use the recordings that were joined, one by one."
            )

    def _since_start(self, pts: int | None) -> Fraction:
        if pts is None:
            pts = self._last_pts
        start = self._first_pts or 0
        return ((start if pts is None else pts) - start) * self._time_base

    def _enter_leading(self, packet: Any) -> bool:
        """Whether a packet's picture is shown before the first one that can stand alone.

        Only packets soon after the key frame are: later a smaller time is that of a joined recording, and
        neither its damage nor a late decoding error may be taken for that of a leading picture.
        """
        since = self._packets - self._key_at
        if since > 2 * LONGEST_DELAY:
            self._leading_pts.clear()
            self._forgivable = 0
        if since == 0 or since > LONGEST_DELAY or not self._is_before_key(packet):
            return False
        self._leading_pts.add(packet.pts)
        return True

    def _is_before_key(self, packet: Any) -> bool:
        if packet.pts is None:  # with no other time either, FFmpeg's word for one below zero in Matroska
            return self._structure is not None and packet.dts is None
        return self._key_pts is not None and packet.pts < self._key_pts

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
        since = self._packets - self._suspect.get(picture.pts, self._packets - 2 * LONGEST_DELAY)
        # later, the same time is that of another joined recording
        return bool(picture.is_corrupt) or since <= LONGEST_DELAY

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
        self._refuse_other_recording(self._last_pts)
        is_cut = self.is_cut and not (self._structure is not None and self._structure.lacks_only_tail)
        if is_cut or self._video.lacks_samples() or broken or self._is_short():
            raise self.failure("The video ends too early", self._last_pts)

    def failure(self, what: str, pts: int | None = None, *, advice: str = ADVICE) -> DecodeError:
        """The error that names time and count, or says that the file is not finished yet."""
        if self._video.is_being_written():
            return DecodeError(GROWING)
        time = clock_text(self._since_start(pts))
        promised = f" of {self.promised_frames}" if self.promised_frames else ""
        return DecodeError(
            f"{what} at {time}, after {self._received}{promised} frames: the file is damaged or incomplete. "
            f"{advice}"
        )

    def notes(self) -> Iterator[str]:
        """Sentences about what was left out so far."""
        yield from self._video.notes
        if self._breaks:
            times = ", ".join(clock_text(time) for time in self._breaks[:BREAKS_TOLD])
            more = " and other places" if len(self._breaks) > BREAKS_TOLD else ""
            yield f"The file is damaged before {times}{more}; frames may be damaged or missing there."
        if self._spliced:
            yield (
                f"At places where recordings were joined, {self._spliced} frames cannot be decoded by any "
                "player and were left out."
            )
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
        if not self._promised_packets or not self.promised_seconds or self._end is None:
            return False
        lost = self._promised_packets - self._packets
        if lost > 0 and self.is_avi and stored_pictures(self._path, self._index) == self._packets:
            return False
        missing_seconds = self.promised_seconds - (self._end - (self._start or 0)) * self._time_base
        frame_seconds = self.promised_seconds / self._promised_packets
        return lost > 0 and missing_seconds > frame_seconds / 2
