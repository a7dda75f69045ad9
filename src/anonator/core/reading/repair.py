"""Decodes a damaged video as far as it can be trusted, and reports which frames cannot be decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import av

from anonator.core.privacy import without_path
from anonator.core.reading.av_types import Packet
from anonator.core.reading.decode import unhidden
from anonator.core.reading.late_streams import packets_of
from anonator.core.reading.leading_pictures import LONGEST_DELAY
from anonator.core.reading.numbered_packets import Lost, NumberedPackets, is_before
from anonator.core.reading.opening import OpenedVideo
from anonator.core.reading.packet_ledger import PacketLedger

MOST_HELD, LEAST_HELD = 32, 8
"""Pictures that may wait for one that is decoded before and shown after them; codecs need 16 or fewer, and no
more than 6 of 8K."""
HELD_BYTES = 512 * 1024 * 1024
"""Large pictures wait in smaller numbers."""
MOST_REORDERED = 4
"""Pictures that interlaced H.264 may owe at a time where every packet makes one."""


@dataclass(slots=True, eq=False)
class _Place:
    """One position in presentation order, not yet delivered."""

    number: int
    """Of the packet."""
    frame: Lost
    picture: av.VideoFrame | None
    """None once the frame is given up."""


class ReplacingDecoder:
    """Pictures and Lost frames of a video, in order of presentation, one for each packet.

    Decoders mark only the picture whose own bytes are damaged. Those after it are built on it and look
    smeared, without a mark, until the next key frame. So nothing from the damaged packet on, in order of
    decoding, is trusted until a whole key frame comes out; what is decoded before it cannot depend on it.
    Therefore a picture is delivered only when all that was decoded before it has come out whole. Each
    packet carries a number in place of its time through the decoder, so that every picture is known by
    its packet, whatever the container says of times.

    Streams in which packets and pictures do not go in pairs (two fields in two packets, frames that are
    never shown) are read too, but their first damage is an error.
    """

    def __init__(self, video: OpenedVideo, ledger: PacketLedger, limit: int) -> None:
        """Take a video that was just opened and its ledger, and how many frames may be lost."""
        self.lost = 0
        """Frames given up so far."""
        self._video, self._ledger, self._limit = video, ledger, limit
        self._context = video.stream.codec_context
        self._is_h264 = self._context.name == "h264"
        picture_bytes = max(1, self._context.width * self._context.height * 3 // 2)
        self._most_held = max(LEAST_HELD, min(MOST_HELD, HELD_BYTES // picture_bytes))
        self._packets = NumberedPackets()
        self._open: dict[int, None] = {}  # packets whose picture has not come, in order
        self._held: deque[_Place] = deque()
        self._unplaced: list[_Place] = []  # of packets without a picture: their order is not known yet
        self._bad: set[int] = set()  # damaged packets, until a key frame ends the consequences
        self._searching = False  # the decoder complained, and it is not known yet of which packet
        self._key: _Place | None = None  # where the last damage ended
        self._in_pairs = True
        self._fields = False  # two of them may come in two packets and make one picture

    def __iter__(self) -> Iterator[av.VideoFrame | Lost]:
        """Deliver av.VideoFrames and Losts.

        Raises:
            DecodeError: more frames are lost than the limit allows, the container cannot be read on, the
                file ends too early, or there is damage where packets and pictures do not go in pairs.
        """
        try:
            for packet in packets_of(self._video.container, self._video.stream):
                if packet.size and self._ledger.sent(packet):
                    self._take(packet)
                    yield from self._release()
        except (av.FFmpegError, OSError) as exc:
            raise self._ledger.failure("A frame cannot be decoded") from without_path(exc)
        self._end()
        yield from self._release()
        self._ledger.finish()

    # -- packets --------------------------------------------------------------------------------

    def _take(self, packet: Packet) -> None:
        if self._ledger.units.begins_anew:
            self._decode(None)
            self._context.flush_buffers()
        number = self._packets.enter(packet)
        if packet.is_discard:
            packet = unhidden(packet)
        packet = self._ledger.units.completed(packet)
        if packet.is_keyframe:
            self._packets.keys.add(number)
        if self._in_pairs and not self._ledger.hides and not self._ledger.leading.has(packet.pts):
            self._open[number] = None
        packet.pts = number
        self._decode(packet)
        self._look_for_missing()

    def _decode(self, packet: Packet | None) -> None:
        try:
            pictures = list(self._context.decode(packet))
        except av.EOFError:
            return
        except av.MemoryError:
            raise
        except av.FFmpegError:
            if not self._ledger.leading.forgive():
                self._complain()
            return
        for picture in pictures:
            self._receive(picture)

    def _complain(self) -> None:
        latest = self._packets.count - 1
        if self._is_h264 and self._context.thread_count == 1 and latest in self._open:
            self._miss([latest])
        else:  # decoders that work in parallel complain late
            self._require_pairs(None)
            self._searching = True

    def _end(self) -> None:
        self._decode(None)
        missing = list(self._open)
        if missing and (self._searching or self._bad or self._pairs_are_sure()):
            self._miss(missing)
        elif self._searching and self._held:
            self._distrust([min(place.number for place in self._held)])
        self._enter(list(self._unplaced))
        self._open.clear()
        self._searching = False

    # -- pictures -------------------------------------------------------------------------------

    def _receive(self, picture: av.VideoFrame) -> None:
        number = picture.pts
        if number is None:
            raise self._ledger.failure("A frame cannot be decoded")
        place = _Place(number, self._packets.frame(number), picture)
        picture.pts = place.frame.pts
        self._open.pop(number, None)
        self._fields |= self._is_h264 and bool(picture.interlaced_frame)
        if number in self._packets.missed:
            return
        damaged = self._ledger.is_damaged(picture)
        if self._ledger.leading.has(picture.pts) and damaged:
            self._ledger.leading.leave_out()
            return
        if damaged:
            self._distrust([number])
        elif number in self._packets.keys and picture.key_frame:
            self._trust_from(place)
        if number not in self._packets.hidden:
            self._held.append(place)
            if number >= min(self._bad, default=number + 1) or self._comes_before_key(place):
                self._lose(place)

    def _trust_from(self, key: _Place) -> None:
        """An intact key frame has come: nothing that was decoded or is shown before it will come now."""
        end = self._packets.recording_goes_on_to(key.number)

        def precedes(number: int) -> bool:
            pts = self._packets.frame(number).pts
            return number < key.number or (number < end and is_before(pts, key.frame.pts))

        missing = [number for number in self._open if precedes(number)]
        if missing and not (self._searching or self._bad or self._pairs_are_sure()):
            self._give_up_pairs()
        elif missing:
            self._miss(missing)
            self._searching = False
        self._enter([place for place in self._unplaced if precedes(place.number)])
        ended = {number for number in self._bad if precedes(number)}
        if ended:
            self._bad -= ended
            self._key = key

    def _comes_before_key(self, place: _Place) -> bool:
        """Whether a picture is shown before the key frame that ended the damage, though it came later."""
        if self._key is None or not 0 < place.number - self._key.number < LONGEST_DELAY:
            return False  # much later, a smaller time is that of a joined recording
        return is_before(place.frame.pts, self._key.frame.pts)

    def _look_for_missing(self) -> None:
        """Give up on a picture that is so late that it will never come."""
        waiting = sum(place.picture is not None for place in self._held)
        if waiting <= self._most_held and len(self._open) <= LONGEST_DELAY:
            return
        oldest = next(iter(self._open), None)
        if oldest is None:
            self._distrust([min(place.number for place in self._held)])
            self._searching = False
        elif self._searching or self._bad or self._pairs_are_sure():
            self._miss([oldest])
            self._searching = False
        else:
            self._give_up_pairs()

    def _pairs_are_sure(self) -> bool:
        return self._in_pairs and self._ledger.one_to_one and not self._fields

    def _give_up_pairs(self) -> None:
        self._in_pairs = False
        self._open.clear()

    def _release(self) -> Iterator[av.VideoFrame | Lost]:
        """Deliver whatever doesn't depend on something still missing."""
        first_open = next(iter(self._open), self._packets.count)
        while self._held and not self._searching and self._held[0].number < first_open:
            if self._unplaced and is_before(self._unplaced[0].frame.pts, self._held[0].frame.pts):
                place = self._unplaced.pop(0)
            else:
                place = self._held.popleft()
            if place.picture is not None:
                self._ledger.received(place.picture)
                yield place.picture
            elif self._ledger.avi_times is not None:
                yield Lost(self._ledger.avi_times.next(), place.frame.duration)
            else:
                yield place.frame

    # -- damage ---------------------------------------------------------------------------------

    def _distrust(self, damaged: list[int]) -> None:
        """Give up what has come of the first of these packets and those after it, and what will come."""
        self._require_pairs(self._packets.frame(damaged[0]).pts)
        self._bad.update(damaged)
        for place in self._held:
            if place.number >= damaged[0]:
                self._lose(place)

    def _require_pairs(self, pts: int | None) -> None:
        newest = max((place.number for place in self._held), default=0)
        owed = sum(number < newest for number in self._open)
        if not self._in_pairs or (self._fields and owed > MOST_REORDERED):
            raise self._ledger.failure("A frame is damaged", pts)

    def _miss(self, numbers: list[int]) -> None:
        """Give up packets whose pictures will never come, in ascending order."""
        self._distrust(numbers)
        for number in numbers:
            self._open.pop(number, None)
            self._packets.missed.add(number)
            if number not in self._packets.hidden:
                frame = self._packets.frame(number)
                self._unplaced.append(_Place(number, frame, None))
                self._count_lost(frame)
        self._unplaced.sort(key=lambda place: (place.frame.pts is None, place.frame.pts))

    def _enter(self, places: list[_Place]) -> None:
        """Put what was given up where it belongs, as far as times are known: nothing comes before it now."""
        for place in places:
            self._unplaced.remove(place)
            later = (i for i, held in enumerate(self._held) if is_before(place.frame.pts, held.frame.pts))
            self._held.insert(next(later, len(self._held)), place)

    def _lose(self, place: _Place) -> None:
        if place.picture is not None:
            place.picture = None
            self._count_lost(place.frame)

    def _count_lost(self, frame: Lost) -> None:
        self.lost += 1
        if self.lost > self._limit:
            raise self._ledger.failure(
                f"Too many frames cannot be decoded (the limit is {self._limit}), the last",
                frame.pts,
                advice="Copy it again from its source, repair it first, or allow more damaged frames "
                "in the settings.",
            )
