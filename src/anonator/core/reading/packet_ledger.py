"""Keeps count while a video is read: what the file promised, what went in, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av

from anonator.core.clock_text import clock_text
from anonator.core.reading.av_types import Packet
from anonator.core.reading.avi_chunks import AviTimes, stored_pictures
from anonator.core.reading.awaited_pictures import AwaitedPictures
from anonator.core.reading.hidden import shows_nothing
from anonator.core.reading.leading_pictures import LONGEST_DELAY, LeadingPictures
from anonator.core.reading.nal_units import NalUnits
from anonator.core.reading.opening import GROWING, OpenedVideo
from anonator.core.reading.promises import Promises
from anonator.core.reading.transport_packets import is_whole
from anonator.errors import DecodeError

ONE_TO_ONE = frozenset({"h264", "hevc", "av1", "libdav1d", "vp9", "mjpeg", "prores", "dnxhd", "ffv1"})
"""Decoders that make one picture of each packet, so that a missing picture is noticed right away."""
SELF_REPORTING = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "prores"})
"""Decoders that mark damaged pictures reliably (40 of 40 or 39 of 40 in trials with overwritten bytes). With
them, a demuxer's suspicion is not held against a packet: joined transport streams raise it without damage."""
BREAKS_TOLD = 5
"""A note names this many places."""
ADVICE = "Copy it again from its source, or repair it first."
HIDDEN = -(1 << 40)
"""Stamps from here down mark pictures that an edit list hides; they are decoded and checked, never shown."""


class PacketLedger:
    """Compares the packets sent to a decoder with the pictures received, and both with the header's
    promises."""

    def __init__(self, video: OpenedVideo, *, follow: bool = True) -> None:
        """Record what the file promises.

        Args:
            video: just opened.
            follow: raise as soon as a picture does not come; False if the caller looks after that.
        """
        stream, container = video.stream, video.container
        self.promises = Promises.of(video)
        """What the header says."""
        self.leading = LeadingPictures()
        """Pictures before the first independent one."""
        self.avi_times = AviTimes() if "avi" in container.format.name else None
        """None in other containers, whose packets have presentation times."""
        self.units = NalUnits(stream.codec_context.name, stream.codec_context.extradata)
        """Of the packets that were entered."""
        self.one_to_one = stream.codec_context.name in ONE_TO_ONE
        """Every packet makes one picture."""
        self.hides = self._carried = False
        """The packet entered last makes no picture: what it holds is only there to build others on."""
        self.bytes_read = 0
        """Where the packets that were entered end in the file."""
        self._video, self._structure, self._strict = video, video.structure, follow
        self._codec = stream.codec_context.name
        self._time_base = video.time_base
        self._awaited = AwaitedPictures(follows=follow and self.one_to_one and self.avi_times is None)
        self._breaks: list[Fraction] = []
        self._suspect: dict[int, int] = {}
        self._packets = self._received = self._spliced = 0
        self._first_pts: int | None = None
        self._last_pts: int | None = None
        self._end: int | None = None

    def sent(self, packet: Packet) -> bool:
        """Enter a packet that is about to be decoded; False if it must be left out."""
        self._packets += 1
        self.bytes_read = max(self.bytes_read, (packet.pos or 0) + packet.size)
        pts = packet.pts
        self.units.enter(packet)
        self.hides = self.units.is_cut_off or shows_nothing(self._codec, packet)
        self._check_structure(packet)
        if self.units.keeps(packet):
            self._carried |= bool(packet.is_corrupt)
            return False
        if self.avi_times is not None:
            self.avi_times.enter(packet.dts)
        if pts is not None:
            end = pts + (packet.duration or 0)
            self._end = end if self._end is None else max(self._end, end)
        is_key = packet.is_keyframe or self.units.has_key
        if self.leading.skips(packet, self._packets, is_key=is_key, begun=self._received > 0):
            return False
        leads = self.leading.enter(packet, self._packets, in_matroska=self._structure is not None)
        if self.units.is_cut_off and not leads:
            self._spliced += 1
            return False
        if packet.is_discard:
            return True
        if leads:
            self.leading.may_fail()
        elif pts is None:
            self._awaited.follows = False
        else:
            if self._codec not in SELF_REPORTING and (self._carried or self._is_suspected(packet)):
                self._suspect[pts] = self._packets
                self._carried = self.hides  # what is built on it tells, for it is never seen itself
            if self._awaited.follows and not self.hides:
                self._awaited.enter(pts, self._packets)
                self._look_for_lost(self._packets - LONGEST_DELAY)
        return True

    def _is_suspected(self, packet: Packet) -> bool:
        """Whether the demuxer or a checksum has doubts about a packet."""
        if self._structure is not None and self._structure.is_spoilt:
            return True
        if not packet.is_corrupt:
            return False
        if "mpegts" not in self._video.container.format.name or packet.pos is None:
            return True
        # a packet's place counts from the part of the file that FFmpeg is reading
        place = packet.pos + getattr(self._video.container, "starts_at", 0)
        return not is_whole(self._video.path, place, bytes(packet))

    def _check_structure(self, packet: Packet) -> None:
        """Notice where the demuxer silently skipped damage, and perhaps frames."""
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
                "Use the original recordings, one by one."
            )

    def _since_start(self, pts: int | None) -> Fraction:
        if pts is None:
            pts = self._last_pts
        start = self._first_pts or 0
        return ((start if pts is None else pts) - start) * self._time_base

    def received(self, picture: av.VideoFrame) -> bool:
        """Enter a picture that was decoded; False if it is a broken one from before the start.

        Raises:
            DecodeError: it is damaged.
        """
        pts = picture.pts
        hidden = pts is not None and pts <= HIDDEN
        if self.is_damaged(picture):
            if self.leading.has(pts):
                self.leading.leave_out()
                return False
            raise self.failure("A frame is damaged", None if hidden else pts)
        if hidden:
            return False
        if self.avi_times is not None:
            picture.pts = pts = self.avi_times.next()
        if picture.interlaced_frame:
            self._awaited.follows = False  # two fields may come in two packets and make one picture
        self._awaited.came(pts)
        if self._first_pts is None:
            self._first_pts = pts
        self._last_pts = pts if pts is not None else self._last_pts
        self._received += 1
        return True

    def is_damaged(self, picture: av.VideoFrame) -> bool:
        """Whether the decoder says so, or the demuxer did of its packet."""
        suspected_at = None if picture.pts is None else self._suspect.get(picture.pts)
        # later, the same time is that of another joined recording
        doubted = suspected_at is not None and self._packets - suspected_at <= LONGEST_DELAY
        return bool(picture.is_corrupt) or doubted

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
        is_cut = self.promises.is_cut and not (
            self._structure is not None and self._structure.lacks_only_tail
        )
        if is_cut or self._video.lacks_samples() or broken or self._is_short():
            raise self.failure("The video ends too early", self._last_pts)

    def failure(self, what: str, pts: int | None = None, *, advice: str = ADVICE) -> DecodeError:
        """The error that gives time and count, or says that the file isn't finished yet."""
        if self._video.is_being_written():
            return DecodeError(GROWING)
        time = clock_text(self._since_start(pts))
        promised = f" of {self.promises.frames}" if self.promises.frames else ""
        why = self._video.why_out_of_reach() or f"The file is damaged or incomplete. {advice}"
        return DecodeError(f"{what} at {time}, after {self._received}{promised} frames. {why}")

    def notes(self) -> Iterator[str]:
        """Sentences about what was left out so far."""
        yield from self._video.notes
        if self._breaks:
            times = ", ".join(clock_text(time) for time in self._breaks[:BREAKS_TOLD])
            more = " and other places" if len(self._breaks) > BREAKS_TOLD else ""
            yield f"The file is damaged before {times}{more}; frames may be damaged or missing there."
        if self._spliced:
            yield (
                f"Where recordings were joined, {self._spliced} frames cannot be decoded by any "
                "player and were left out."
            )
        lost = self.leading.left_out
        if lost:
            yield (
                f"The video begins in the middle of a scene: {lost} frames before its first complete "
                f"picture cannot be decoded by any player and were left out."
            )

    def _look_for_lost(self, up_to: int) -> None:
        missed = self._awaited.missed(up_to)
        if missed is not None:
            raise self.failure("A frame is missing", missed)

    def _is_short(self) -> bool:
        """Whether the header promises more than came, beyond the frames a recorder may have dropped."""
        if self._end is None:
            return False
        stream = self._video.stream
        seconds = (self._end - (stream.start_time or 0)) * self._time_base
        if not self.promises.exceed(self._packets, seconds):
            return False
        return self.avi_times is None or stored_pictures(self._video.path, stream.index) != self._packets
