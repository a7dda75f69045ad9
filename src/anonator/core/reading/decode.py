"""Sets the decoder up, feeds it packets, takes its pictures; any damage is an error, nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.video.codeccontext import VideoCodecContext

from anonator.core.privacy import without_path
from anonator.core.reading.av_types import Packet
from anonator.core.reading.late_streams import packets_of
from anonator.core.reading.opening import MAX_PIXELS, OpenedVideo
from anonator.core.reading.packet_ledger import HIDDEN, PacketLedger

STRICT_DECODERS = frozenset({"hevc", "mjpeg"})
"""Decoders that report damage only when told to stop at it, and to compare checksums where there are any; the
others mark the damaged frames themselves."""


def use_threads(context: VideoCodecContext) -> None:
    """Let a decoder use all processors as far as it still tells which pictures are damaged."""
    context.thread_type = "AUTO"  # whole frames in parallel where the decoder can
    if context.name == "h264" and context.has_b_frames:
        # with frames in parallel it often returns a damaged one before it has marked it
        context.thread_count = 1


def hear_of_damage(context: VideoCodecContext) -> None:
    """Let a decoder refuse huge pictures, and stop at damage that it wouldn't tell of otherwise."""
    context.options = {"max_pixels": str(MAX_PIXELS)}
    if context.name in STRICT_DECODERS:
        context.options = {**context.options, "err_detect": "crccheck+explode"}


def whole_pictures(video: OpenedVideo, ledger: PacketLedger) -> Iterator[av.VideoFrame]:
    """Every picture of the video as decoded, in order of presentation.

    Raises:
        DecodeError: at the first frame that is damaged or missing, or at the end if that comes too early.
    """
    context = video.stream.codec_context
    hidden = 0
    try:
        for packet in packets_of(video.container, video.stream):
            # an empty packet is either AVI's "no change" or the end; sent, it would end decoding
            if packet.size == 0 or not ledger.sent(packet):
                continue
            if ledger.units.begins_anew:
                yield from _checked(ledger, _decode(context, ledger, None))
                context.flush_buffers()
            if packet.is_discard and not ledger.leading.has(packet.pts):
                packet = unhidden(packet)
                packet.pts = HIDDEN - hidden
                hidden += 1
            yield from _checked(ledger, _decode(context, ledger, ledger.units.completed(packet)))
        yield from _checked(ledger, _decode(context, ledger, None))
    except (av.FFmpegError, OSError) as exc:
        raise ledger.failure("A frame cannot be decoded") from without_path(exc)
    ledger.finish()


def unhidden(packet: Packet) -> Packet:
    """A copy of a packet that an edit list hides, without the mark that says so.

    FFmpeg decodes such a packet and throws the picture away before anybody can see that it is damaged;
    the pictures that depend on it would then pass for whole.
    """
    # not Packet(bytes): a decoder's thread that frees such a buffer waits for the interpreter's lock, and the
    # thread that holds it may be waiting for the decoder to end
    copy = av.Packet(packet.size)
    copy.update(bytes(packet))
    copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
    copy.is_keyframe = packet.is_keyframe
    return copy


def _decode(context: VideoCodecContext, ledger: PacketLedger, packet: Packet | None) -> list[av.VideoFrame]:
    try:
        return list(context.decode(packet))
    except av.EOFError:
        return []
    except av.InvalidDataError:
        # broken leading pictures depend on what was cut off before the first complete one
        if not ledger.leading.forgive():
            raise
        return []


def _checked(ledger: PacketLedger, pictures: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    for picture in pictures:
        if ledger.received(picture):
            yield picture
