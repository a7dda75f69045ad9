"""Describes a video from its header and its first picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av import VideoFrame
from av.audio.stream import AudioStream
from av.video.reformatter import ColorPrimaries, ColorTrc
from av.video.stream import VideoStream

from anonator.core.pictures.convert import PictureMaker
from anonator.core.reading.info import AudioTrack, VideoInfo
from anonator.core.reading.opening import OpenedVideo
from anonator.core.reading.packet_ledger import PacketLedger

CANONICAL = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}
"""Decoders that are not named after their codec."""


def frame_rate(stream: VideoStream) -> Fraction:
    """Frames per second as far as the header says or FFmpeg guesses; 25 where nothing sensible is known."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return Fraction(25)


def describe(
    video: OpenedVideo, first: VideoFrame, maker: PictureMaker, ledger: PacketLedger, start_shift: int
) -> VideoInfo:
    """What is known once the first picture is decoded.

    Args:
        video: the open file.
        first: its first av.VideoFrame.
        maker: planned from that picture.
        ledger: of the file.
        start_shift: added to all time stamps, in units of the stream's time base.
    """
    stream, context = video.stream, video.stream.codec_context
    hdr = bool(maker.first.hdr)
    return VideoInfo(
        width=maker.canvas.size[0],
        height=maker.canvas.size[1],
        display_width=maker.canvas.width,
        display_height=maker.canvas.height,
        sar=maker.canvas.sar,
        time_base=video.time_base,
        average_rate=frame_rate(stream),
        header_frames=stream.frames or None,
        duration_seconds=ledger.promises.seconds,
        start_shift=start_shift,
        codec=CANONICAL.get(context.name, context.name),
        pix_fmt=first.format.name,
        rotation=maker.first.orientation.degrees,
        interlaced=bool(first.interlaced_frame),
        color_range=maker.first.color_range,
        color_space=maker.first.matrix,
        color_primaries=int(ColorPrimaries.BT709) if hdr else context.color_primaries,
        color_transfer=int(ColorTrc.BT709) if hdr else context.color_trc,
        audio=tuple(_audio_track(s) for s in video.container.streams.audio),
        file_id=video.file_id,
        notes=tuple(_notes(video, first, maker, ledger)),
    )


def _notes(video: OpenedVideo, first: VideoFrame, maker: PictureMaker, ledger: PacketLedger) -> Iterator[str]:
    turn = maker.first.orientation
    depth = max(component.bits for component in first.format.components)
    if maker.first.hdr:
        yield f"The video is HDR ({maker.first.hdr}); its colours were tone-mapped to standard BT.709."
    elif depth > 8:
        yield f"The video has {depth} bits per colour; the result has 8."
    if first.interlaced_frame:
        yield "The video is interlaced; the result is deinterlaced, with the same number of frames."
    if turn.flip_x != turn.flip_y and not turn.transpose:
        yield "The video is stored mirrored; the result shows it as players do."
    if video.other_videos:
        yield "The file holds more than one video; only the main one was used."
    if ledger.promises.is_cut:
        yield "The file is incomplete: it is shorter than its own header says."


def _audio_track(stream: AudioStream) -> AudioTrack:
    context = stream.codec_context
    if context is None:
        return AudioTrack(stream.index, "unknown", 0, 0)
    return AudioTrack(stream.index, context.name, context.sample_rate or 0, context.layout.nb_channels)
