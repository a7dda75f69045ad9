"""Reads videos: probe says what a file holds, VideoReader delivers its frames one by one, in order."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import av
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

from anonator.core.frames import Frame
from anonator.core.pictures.convert import Made, PictureMaker
from anonator.core.pictures.shape import Canvas
from anonator.core.privacy import without_path
from anonator.core.reading.black_spells import BlackSpells
from anonator.core.reading.canvas import PixelShape, ShapeTimes
from anonator.core.reading.container_crop import container_crop
from anonator.core.reading.decode import hear_of_damage, use_threads, whole_pictures
from anonator.core.reading.description import describe, frame_rate
from anonator.core.reading.info import VideoInfo
from anonator.core.reading.numbered_packets import Lost
from anonator.core.reading.opening import open_video
from anonator.core.reading.packet_ledger import PacketLedger
from anonator.core.reading.progressive import Progressive
from anonator.core.reading.repair import ReplacingDecoder
from anonator.core.reading.timestamps import Clock
from anonator.errors import AnonatorError, DecodeError, InputError

log = logging.getLogger(__name__)

NO_PICTURE_THERE = "No picture can be decoded at this point. Choose another one."


def probe(path: Path) -> VideoInfo:
    """Look at a file and its first frame.

    Raises:
        InputError: it cannot be used; the message says why.
    """
    with VideoReader(path) as reader:
        return reader.info


class VideoReader:
    """A context manager and iterator of Frame, in order of presentation, each with its own time.

    Frames keep the decoder's planes where they are yuv420p already. Time stamps are the input's; where
    one is missing, repeated or jumps back, Clock corrects it and a sentence in notes says so. No frame is
    ever dropped: what cannot be decoded ends the iteration with a DecodeError, or, up to damaged_limit,
    is delivered as a black frame with replaced = True.

    One thread at a time may use a reader.
    """

    def __init__(self, path: Path, damaged_limit: int = 0, canvas: Canvas | None = None) -> None:
        """Open the file and decode its first frame.

        Args:
            path: the video.
            damaged_limit: frames that may be replaced by black because they cannot be decoded, or depend
                on one that cannot; a file that ends too early is still an error.
            canvas: the size of all frames, into which each picture is fitted in its own shape; None is
                the size of the first picture.

        Raises:
            InputError: the file cannot be used; the message says why.
            DecodeError: its first frame cannot be decoded.
        """
        self._damaged_limit, self._canvas = damaged_limit, canvas
        self._black = BlackSpells()
        self.has_gaps = False
        """Whether pictures are missing among those that frames_from delivered last."""
        self._video = open_video(Path(path))
        try:
            self._start()
        except AnonatorError:
            self.close()
            raise
        except (av.FFmpegError, OSError) as exc:
            self.close()
            raise InputError(
                "The video cannot be decoded: it is damaged or in an unknown format. "
                "Convert it to MP4 with H.264, or copy it again from its source."
            ) from without_path(exc)

    def _start(self) -> None:
        stream = self._video.stream
        context = stream.codec_context
        self._set_threads(context)
        hear_of_damage(context)
        self._ledger = PacketLedger(self._video, follow=not self._damaged_limit)
        self._delivered = 0
        self._pictures: Iterator[VideoFrame | Lost] = (
            iter(ReplacingDecoder(self._video, self._ledger, self._damaged_limit))
            if self._damaged_limit
            else whole_pictures(self._video, self._ledger)
        )
        self._head: list[VideoFrame | Lost] = []
        for item in self._pictures:
            self._head.append(item)
            if not isinstance(item, Lost):
                first = item
                break
        else:
            raise InputError("There is no picture in this video that can be decoded. Copy it again.")
        self._pixels = PixelShape(self._video)
        self._first: VideoFrame | None = first
        self._maker = PictureMaker(
            first,
            matrix=context.colorspace,
            transfer=context.color_trc,
            color_range=context.color_range,
            sar=self._pixels.of(first),
            crop=container_crop(self._video),
            canvas=self._canvas,
        )
        self._clock = Clock(self._video.time_base, frame_rate(stream), self._head[0].pts)
        self.info = describe(self._video, first, self._maker, self._ledger, self._clock.shift)
        self._progressive = Progressive(self.info.time_base)
        seconds = self.info.duration_seconds
        self._shapes = ShapeTimes(self._maker.canvas, float(seconds) if seconds else None)

    def _set_threads(self, context: VideoCodecContext) -> None:
        use_threads(context)

    # -- the iterator ---------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames; can be called once.

        Raises:
            DecodeError: a frame is damaged or missing, or the file ends early.
        """
        time_base = self.info.time_base
        for made, replaced in self._fitted():
            made.image.pts = self._clock.next(made.image.pts)
            made.image.time_base = time_base
            frame = Frame(
                self._delivered,
                made.image.pts,
                time_base,
                made.image,
                replaced,
                self.info.sar,
                made.unfitted,
            )
            self._delivered += 1
            self._black.enter(frame)
            yield frame
        log.debug("video read to its end: %d frames", self._delivered)

    @property
    def replaced_frames(self) -> int:
        """Frames delivered as black so far, because they cannot be decoded."""
        return self._black.frames

    @property
    def outgrown_by(self) -> Canvas | None:
        """A size that would be better than the frames', because larger pictures have come for long enough."""
        return self._shapes.outgrown_by

    @property
    def notes(self) -> tuple[str, ...]:
        """info.notes and whatever came up while reading; complete once the iteration has ended."""
        found = [*self.info.notes, *self._black.notes(), *self._ledger.notes(), *self._clock.notes()]
        if self._progressive.deinterlaced and not self.info.interlaced:
            found.append("Parts of the video are interlaced; they were deinterlaced.")
        found += self._shapes.notes()
        return tuple(dict.fromkeys(found))

    @property
    def file_bytes(self) -> int:
        """Size of the file when it was opened."""
        return self._video.file_size

    @property
    def bytes_read(self) -> int:
        """How far into the file reading has got."""
        return self._ledger.bytes_read

    def frame_at(self, seconds: float) -> Frame:
        """The frame shown at a position, or the last one; for previews, not for a job.

        Without a canvas the picture has its own size, which need not be the first one's. It seeks, so the
        reader cannot be iterated afterwards, but asked for another moment.

        Raises:
            DecodeError: no complete picture can be found there.
        """
        stream, container = self._video.stream, self._video.container
        wanted = max(0, round(seconds / self._video.time_base)) - self._clock.shift
        best, self._first = self._first, None
        self._head.clear()
        try:
            container.seek(wanted, stream=stream, backward=True)
            for picture in container.decode(stream):
                if picture.is_corrupt:
                    continue
                if best is None or picture.pts is None or picture.pts <= wanted:
                    best = picture
                if picture.pts is not None and picture.pts >= wanted:
                    break
        except (av.FFmpegError, OSError) as exc:
            if best is None:
                raise DecodeError(NO_PICTURE_THERE) from without_path(exc)
        if best is None:
            raise DecodeError(NO_PICTURE_THERE)
        return self._alone(best, (best.pts or 0) + self._clock.shift, 0)

    def frames_from(self, seconds: float) -> Iterator[Frame]:
        """The frames from the key frame before a position on; for previews, not for a job.

        Their indexes are counted from their times. Pictures that cannot be decoded are left out, or end it;
        has_gaps tells of them. Like frame_at it seeks; asking again ends the frames asked for before.
        """
        stream, container = self._video.stream, self._video.container
        wanted = max(0, round(seconds / self._video.time_base)) - self._clock.shift
        self._first = None
        self._head.clear()
        index = last = -1
        self.has_gaps = False

        def whole() -> Iterator[VideoFrame]:
            for picture in container.decode(stream):
                if not picture.is_corrupt and picture.pts is not None:
                    yield picture
                elif last >= 0:  # what comes before the first one belongs to the key frame before
                    self.has_gaps = True

        try:
            container.seek(wanted, stream=stream, backward=True)
            for picture in self._progressive.pictures(whole()):
                assert not isinstance(picture, Lost) and picture.pts is not None
                pts = picture.pts + self._clock.shift
                if pts <= last:
                    continue
                time = pts * self.info.time_base
                index = round(time * self.info.average_rate) if index < 0 else index + 1
                last = pts
                yield self._alone(picture, pts, index)
        except (av.FFmpegError, OSError, ValueError) as exc:
            self.has_gaps = True
            log.debug("a preview ends early: %s", type(exc).__name__)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._video.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _alone(self, picture: VideoFrame, pts: int, index: int) -> Frame:
        """A picture for a preview: of its own size if there is no canvas."""
        time_base = self.info.time_base
        if self._canvas is not None:
            made = self._maker.make(picture)
            return Frame(index, pts, time_base, made.image, sar=self._canvas.sar, unfitted=made.unfitted)
        image, own = self._maker.alone(picture)
        return Frame(index, pts, time_base, image, sar=own.sar)

    # -- stages ---------------------------------------------------------------------------------

    def _fitted(self) -> Iterator[tuple[Made, bool]]:
        """Pictures as the Frame contract wants them, and whether each is black in place of a lost one."""
        try:
            for picture in self._progressive.pictures(self._all_decoded()):
                if isinstance(picture, Lost):
                    black = self._maker.black(picture.pts, picture.duration)
                    yield Made(black, None, self._maker.canvas), True
                else:
                    sar = self._pixels.of(picture)
                    made = self._maker.make(picture, sar)
                    self._shapes.enter(made.own, float(self._length(picture) * self.info.time_base))
                    yield made, False
        except (av.FFmpegError, ValueError) as exc:
            raise self._ledger.failure("A frame cannot be converted") from without_path(exc)

    def _length(self, picture: VideoFrame) -> int:
        """How long a picture is shown, in units of the time base, if the file says."""
        return int(picture.duration or 1 / self.info.average_rate / self.info.time_base)

    def _all_decoded(self) -> Iterator[VideoFrame | Lost]:
        if self._first is None:
            raise RuntimeError("a VideoReader can be read once; open another one")
        self._first = None
        while self._head:
            yield self._head.pop(0)
        yield from self._pictures
