"""Reads videos: probe says what a file holds, VideoReader delivers its frames one by one, in order."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from anonator.core.frames import Frame
from anonator.core.media.clock import Clock
from anonator.core.media.info import AudioTrack, VideoInfo
from anonator.core.media.ledger import PacketLedger
from anonator.core.media.opening import MAX_PIXELS, open_video, packets_of, without_path
from anonator.core.media.pictures import Deinterlacer, PictureMaker
from anonator.core.media.rgb import to_rgb, to_rgb_within
from anonator.errors import AnonatorError, DecodeError, InputError

__all__ = ["AudioTrack", "VideoInfo", "VideoReader", "probe", "to_rgb", "to_rgb_within"]

log = logging.getLogger(__name__)

CANONICAL = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}
"""Decoders that are not named after their codec."""
STRICT_DECODERS = frozenset({"hevc", "mjpeg"})
"""Decoders that report damage only when told to stop at it; the others mark the damaged frames themselves."""


def probe(path: Path) -> VideoInfo:
    """Look at a file and its first frame.

    Raises:
        InputError: it cannot be used, and why.
    """
    with VideoReader(path) as reader:
        return reader.info


class VideoReader:
    """A context manager and iterator of Frame, in order of presentation, each with its own time.

    Frames keep the decoder's planes where they are yuv420p already. Time stamps are the input's; where
    one is missing, repeated or jumps back, Clock mends it and a sentence in notes says so. No frame is
    ever dropped: what cannot be decoded ends the iteration with a DecodeError.

    One thread at a time may use a reader.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and decode its first frame.

        Raises:
            InputError: the file cannot be used, and why.
            DecodeError: its first frame cannot be decoded.
        """
        self._video = open_video(Path(path))
        try:
            self._start()
        except AnonatorError:
            self.close()
            raise
        except (av.FFmpegError, OSError) as exc:
            self.close()
            raise InputError(
                "The video cannot be decoded: it is damaged or in a format unknown here. "
                "Convert it to MP4 with H.264, or copy it again from where it came."
            ) from without_path(exc)

    def _start(self) -> None:
        stream = self._video.stream
        context = stream.codec_context
        context.thread_type = "AUTO"  # whole frames in parallel where the decoder can
        context.options = {"max_pixels": str(MAX_PIXELS)}
        if context.name in STRICT_DECODERS:
            context.options = {**context.options, "err_detect": "explode"}
        self._ledger = PacketLedger(self._video)
        self._deinterlaced = False
        self._delivered = 0
        self._pictures = self._decoded()
        first = next(self._pictures, None)
        if first is None:
            raise InputError("There is no picture in this video that can be decoded. Copy it again.")
        self._first: Any | None = first
        self._maker = PictureMaker(
            first,
            matrix=context.colorspace,
            transfer=context.color_trc,
            color_range=context.color_range,
        )
        self._clock = Clock(stream.time_base, self._rate(), first.pts)
        self.info = self._describe(first)

    # -- the iterator ---------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames; can be called once.

        Raises:
            DecodeError: a frame is damaged or missing, or the file ends early.
        """
        time_base = self.info.time_base
        for picture in self._upright():
            picture.pts = self._clock.next(picture.pts)
            picture.time_base = time_base
            frame = Frame(self._delivered, picture.pts, time_base, picture)
            self._delivered += 1
            yield frame
        log.debug("video read to its end: %d frames", self._delivered)

    @property
    def notes(self) -> tuple[str, ...]:
        """info.notes and what came up while reading; complete once the iteration has ended."""
        found = [*self.info.notes, *self._ledger.notes(), *self._clock.notes()]
        if self._deinterlaced and not self.info.interlaced:
            found.append("Parts of the video are interlaced; they were deinterlaced.")
        if self._maker.resized:
            found.append(
                "The picture size changes within the video; later pictures were scaled to the first size."
            )
        return tuple(dict.fromkeys(found))

    def frame_at(self, seconds: float) -> Frame:
        """The frame that is shown at a moment, or the last one; for looking, not for a job.

        It seeks, so the reader cannot be iterated afterwards, but asked for another moment.

        Raises:
            DecodeError: there is no whole picture to be found there.
        """
        stream, container = self._video.stream, self._video.container
        wanted = max(0, int(seconds / stream.time_base)) - self._clock.shift
        best, self._first = self._first, None
        try:
            container.seek(wanted, stream=stream, backward=True)
            for picture in container.decode(stream):
                if best is None or picture.pts is None or picture.pts <= wanted:
                    best = picture
                if picture.pts is not None and picture.pts >= wanted:
                    break
        except (av.FFmpegError, OSError) as exc:
            if best is None:
                raise DecodeError(
                    "No picture can be decoded at this moment. Choose another one."
                ) from without_path(exc)
        if best is None:
            raise DecodeError("No picture can be decoded at this moment. Choose another one.")
        image = self._maker.make(best)
        pts = (best.pts or 0) + self._clock.shift
        return Frame(0, pts, self.info.time_base, image)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._video.container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- stages ---------------------------------------------------------------------------------

    def _decoded(self) -> Iterator[Any]:
        """Pictures as the decoder delivers them; every error is raised, none is skipped."""
        context = self._video.stream.codec_context
        try:
            for packet in packets_of(self._video.container, self._video.stream):
                # an empty packet is either AVI's "no change" or the end; sent, it would end decoding
                if packet.size == 0:
                    continue
                if self._ledger.sent(packet):
                    yield from self._checked(self._decode(context, packet))
            yield from self._checked(self._decode(context, None))
        except (av.FFmpegError, OSError) as exc:
            raise self._ledger.failure("A frame cannot be decoded") from without_path(exc)
        self._ledger.finish()

    def _decode(self, context: Any, packet: Any | None) -> list[Any]:
        try:
            return list(context.decode(packet))
        except av.EOFError:
            return []
        except av.InvalidDataError:
            # broken leading pictures hang on what was cut off before the first whole one
            if not self._ledger.forgive():
                raise
            return []

    def _checked(self, pictures: list[Any]) -> Iterator[Any]:
        for picture in pictures:
            if self._ledger.received(picture):
                yield picture

    def _upright(self) -> Iterator[Any]:
        """Pictures as the Frame contract wants them, in time base of the stream."""
        try:
            for picture in self._whole():
                yield self._maker.make(picture)
        except (av.FFmpegError, ValueError) as exc:
            raise self._ledger.failure("A frame cannot be converted") from without_path(exc)

    def _whole(self) -> Iterator[Any]:
        """Pictures that show one moment each: interlaced ones are made so."""
        deinterlacer: Deinterlacer | None = None
        for picture in self._all_decoded():
            if deinterlacer is None and not picture.interlaced_frame:
                yield picture
                continue
            deinterlacer = deinterlacer or Deinterlacer(self.info.time_base)
            self._deinterlaced = True
            yield from deinterlacer.push(picture)
        if deinterlacer is not None:
            yield from deinterlacer.finish()

    def _all_decoded(self) -> Iterator[Any]:
        first, self._first = self._first, None
        if first is None:
            raise RuntimeError("a VideoReader can be read once; open another one")
        yield first
        del first
        yield from self._pictures

    # -- the description ------------------------------------------------------------------------

    def _rate(self) -> Fraction:
        stream = self._video.stream
        for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
            if rate and 0 < rate <= 1000:
                return Fraction(rate)
        return Fraction(25)

    def _describe(self, first: Any) -> VideoInfo:
        video, maker = self._video, self._maker
        stream, context = video.stream, video.stream.codec_context
        sar = Fraction(stream.sample_aspect_ratio or 1)
        if maker.orientation.transpose:
            sar = 1 / sar
        hdr = bool(maker.hdr)
        return VideoInfo(
            width=maker.size[0],
            height=maker.size[1],
            display_width=maker.display_size[0],
            display_height=maker.display_size[1],
            sar=sar,
            time_base=Fraction(stream.time_base),
            average_rate=self._rate(),
            header_frames=stream.frames or None,
            duration_seconds=self._ledger.promised_seconds,
            start_shift=self._clock.shift,
            codec=CANONICAL.get(context.name, context.name),
            pix_fmt=first.format.name,
            rotation=maker.orientation.degrees,
            interlaced=bool(first.interlaced_frame),
            color_range=maker.color_range,
            color_space=maker.matrix,
            color_primaries=1 if hdr else context.color_primaries,
            color_transfer=1 if hdr else context.color_trc,
            audio=tuple(_audio_track(s) for s in video.container.streams.audio),
            file_id=video.file_id,
            notes=tuple(self._first_notes(first)),
        )

    def _first_notes(self, first: Any) -> Iterator[str]:
        maker, video = self._maker, self._video
        depth = max(component.bits for component in first.format.components)
        if maker.hdr:
            yield f"The video is HDR ({maker.hdr}); its colours were tone-mapped to ordinary BT.709."
        elif depth > 8:
            yield f"The video has {depth} bits per colour; the result has 8."
        if first.interlaced_frame:
            yield "The video is interlaced; the result is deinterlaced, with the same number of frames."
        if maker.orientation.flip_x != maker.orientation.flip_y and not maker.orientation.transpose:
            yield "The video is stored mirrored; the result shows it as players do."
        if video.other_videos:
            yield "The file holds more than one video; only the main one was used."
        if self._ledger.is_cut:
            yield "The file is incomplete: it is shorter than its own header says."


def _audio_track(stream: Any) -> AudioTrack:
    context = stream.codec_context
    if context is None:
        return AudioTrack(stream.index, "unknown", 0, 0)
    return AudioTrack(stream.index, context.name, context.sample_rate or 0, context.layout.nb_channels)
