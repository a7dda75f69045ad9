"""Writes the result: H.264 in MP4 under a temporary name, which becomes the final one only by publish."""

from __future__ import annotations

import contextlib
import math
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.video.stream import VideoStream

from anonator.core.config import Encoder
from anonator.core.frames import Frame
from anonator.core.job import NO_SOUND
from anonator.core.privacy import without_path
from anonator.core.reading.av_types import Packet
from anonator.core.reading.info import VideoInfo
from anonator.core.windows_files import reachable
from anonator.core.writing import leftovers
from anonator.core.writing.audio import AudioFeed
from anonator.core.writing.disk_space import SpaceWatch
from anonator.core.writing.encoders import encoder_setup
from anonator.core.writing.frame_lengths import FASTEST_CLOCK, FrameLengths
from anonator.core.writing.partial_file import TemporaryFile, check_target, output_error
from anonator.errors import AnonatorError, DeviceError, OutputError

BUFFER = 1 << 20


class VideoWriter:
    """A context manager that takes frames and makes a file; left without publish, it leaves nothing behind.

        with VideoWriter(target, info, encoder=Encoder.X264, preset="medium", crf=20) as writer:
            for frame in frames:
                writer.write(frame)
            writer.close()
            writer.publish()

    One thread at a time may use a writer.
    """

    def __init__(
        self,
        target: Path,
        info: VideoInfo,
        *,
        encoder: Encoder = Encoder.X264,
        preset: str = "medium",
        crf: int = 20,
        audio_from: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        """Open encoder and temporary file.

        Args:
            target: the final name; its folder must exist.
            info: of the frames that will come.
            preset: one of x264's names; other encoders get what is nearest.
            crf: quality, 0 to 51, lower is better.
            audio_from: the input whose sound is kept; None writes no sound.

        Raises:
            OutputExistsError: a file of that name exists, and overwrite is False.
            OutputError: the file cannot be written there; the message says why.
            DeviceError: the encoder cannot be used on this computer.
            InputError: audio_from cannot be opened.
        """
        self._target = reachable(Path(target))
        self._info = info
        self._overwrite = overwrite
        self.frames_written = 0
        """Frames given to write."""
        self.packets_written = 0
        """Frames that came out of the encoder and into the file."""
        self._lengths = FrameLengths(info)
        self.pts: array[int] = self._lengths.pts
        """Presentation times of the frames written, in units of info.time_base."""
        self.audio_outcome = "removed" if info.audio else NO_SOUND
        """What became of the sound, in words."""
        self.bytes_written = 0
        """Size of the finished file; 0 before close."""
        self._audio: AudioFeed | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._without_sei: BitStreamFilterContext | None = None
        """Both are there until close."""
        self._closed = self._published = self._discarded = False
        check_target(self._target, info.file_id, overwrite)
        leftovers.sweep()
        self._space = SpaceWatch(self._target.parent)
        self._file = TemporaryFile(self._target.parent)
        try:
            self._open(encoder, preset, crf, audio_from)
        except BaseException:
            self._discard()
            raise

    @property
    def temporary_path(self) -> Path:
        """Where the file is until publish, for verification."""
        return self._file.path

    def write(self, frame: Frame) -> None:
        """Encode the next frame; its planes may have been changed in place.

        Raises:
            OutputError: the disk is full or nearly so, the encoder failed, or the frame comes many
                hours after the last one.
            DecodeError: the sound that belongs here cannot be read.
            ValueError: the frame has another size or does not come after the last one.
        """
        if self._closed:
            raise ValueError("the writer is closed")
        if (frame.width, frame.height) != (self._info.width, self._info.height):
            raise ValueError(f"a frame of {frame.width} x {frame.height} in a video of {self._size_words()}")
        if self.pts and frame.pts <= self.pts[-1]:
            raise ValueError(f"pts {frame.pts} does not come after {self.pts[-1]}")
        image = frame.image
        image.pts, image.time_base = frame.pts, frame.time_base
        image.pict_type = 0  # else x264 repeats the input's choice of I, P and B frames
        self._lengths.enter(frame.pts, image.duration)
        self.frames_written += 1
        with self._output_errors():
            self._space.check()
            self._take(self._encoder.encode(image))

    def close(self) -> None:
        """Encode what is still under way, write the rest of the sound and complete the file.

        Raises:
            OutputError: the disk is full, the encoder failed or lost a frame, or nothing was written.
            DecodeError: the rest of the sound cannot be read.
        """
        if self._discarded:
            raise ValueError("the writer has failed or was left")
        if self._closed:
            return
        if not self.pts:
            raise OutputError("No frame was written, so there is no result. Check the input.")
        self._lengths.end()
        with self._output_errors():
            self._take(self._encoder.encode(None), last=True)
            if self._lengths.owes or self.packets_written != self.frames_written:
                raise OutputError(
                    f"The encoder returned {self.packets_written} of {self.frames_written} frames. "
                    "Try again, with the libx264 encoder if another one was chosen."
                )
            if self._audio:
                self._audio.feed(None)
            assert self._container is not None  # until here
            self._container.close()
            self._container = None
            self._free_encoder()
            self.bytes_written = self._file.finish(self._info.display_size, self._info.sar)
        if self._audio:
            self._audio.close()
        self._closed = True

    def publish(self) -> Path:
        """Give the closed file its final name and ordinary permissions.

        Raises:
            OutputExistsError: a file of that name has appeared, and overwrite is False.
            OutputError: the name cannot be given.
        """
        if not self._closed or self._discarded:
            raise ValueError("publish before close, or after a failure")
        if self._published:
            return self._target
        try:
            check_target(self._target, self._info.file_id, self._overwrite)
            self._file.publish(self._target, self._overwrite)
        except AnonatorError:
            self._discard()
            raise
        except OSError as exc:
            error = output_error(exc, self._target)
            self._discard()
            raise error from without_path(exc)
        self._published = True
        return self._target

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._published:
            self._discard()

    # -- inside ---------------------------------------------------------------------------------

    def _open(self, encoder: Encoder, preset: str, crf: int, audio_from: Path | None) -> None:
        info = self._info
        scale = self._lengths.clock
        rates = [track.sample_rate for track in info.audio if track.sample_rate] if audio_from else []
        movie_scale = math.lcm(scale, *rates)
        self._container = container = av.open(
            self._file,
            "w",
            format="mp4",
            buffer_size=BUFFER,
            container_options={
                "fflags": "+bitexact",  # names no program
                "video_track_timescale": str(scale),
                # start offsets are written in this unit: with the default of 1/1000 they are rounded
                "movie_timescale": str(movie_scale if movie_scale <= FASTEST_CLOCK else scale),
                "empty_hdlr_name": "1",
            },
        )
        self._add_video(container, encoder, preset, crf)
        # supplemental data in the stream: x264's options, closed captions, time codes
        self._without_sei = BitStreamFilterContext("filter_units=remove_types=6", self._encoder)
        if audio_from is not None:
            self._audio = AudioFeed(audio_from, container, info.start_shift * info.time_base)
            self.audio_outcome = self._audio.outcome
        with self._output_errors():
            container.start_encoding()

    def _add_video(self, container: OutputContainer, encoder: Encoder, preset: str, crf: int) -> None:
        info = self._info
        pix_fmt, options = encoder_setup(encoder, preset, crf, info.width * info.height)
        rate = max(info.average_rate.limit_denominator(100_000), Fraction(1, 100_000))
        try:
            stream = container.add_stream(encoder.value, rate=rate, options=options)
            context = stream.codec_context
            context.width, context.height, context.pix_fmt = info.width, info.height, pix_fmt
            context.time_base = info.time_base
            context.sample_aspect_ratio = info.sar
            context.color_range, context.colorspace = info.color_range, info.color_space
            context.color_primaries, context.color_trc = info.color_primaries, info.color_transfer
            context.flags |= av.codec.context.Flags.bitexact
            context.open()
        except (av.FFmpegError, ValueError) as exc:
            raise DeviceError(
                f"The encoder {encoder.value} cannot be used on this computer for a video of "
                f"{self._size_words()}. Choose libx264."
            ) from without_path(exc)
        self._stream = stream

    @property
    def _encoder(self) -> VideoStream:
        assert self._stream is not None  # until close
        return self._stream

    def _take(self, packets: list[Packet], *, last: bool = False) -> None:
        """Mux packets in the encoder's order as soon as it is known how long their frames last."""
        for packet in packets:
            assert self._without_sei is not None  # until the last packet is here
            for filtered in self._without_sei.filter(packet):
                filtered.stream, filtered.time_base = self._encoder, self._info.time_base
                self._lengths.add(filtered)
        assert self._container is not None
        for packet in self._lengths.ready(last=last):
            if self._audio:
                self._audio.feed(float((packet.dts or 0) * self._info.time_base))
            self._container.mux_one(packet)
            self.packets_written += 1

    @contextlib.contextmanager
    def _output_errors(self) -> Iterator[None]:
        """Turn whatever goes wrong while writing into one of our errors, and leave nothing behind."""
        try:
            yield
        except AnonatorError:
            self._discard()
            raise
        except (av.FFmpegError, OSError, ValueError, OverflowError) as exc:
            cause = self._file.error or exc
            self._discard()
            raise output_error(cause) from without_path(cause)

    def _free_encoder(self) -> None:
        """At 1920x1080 it holds a quarter of a gigabyte, which the checks of the file can use."""
        self._stream = self._without_sei = None

    def _discard(self) -> None:
        self._closed = self._discarded = True
        self._file.ignore_writes()
        if self._container is not None:
            container, self._container = self._container, None
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                container.close()  # frees what it holds; the file takes no more bytes
        self._free_encoder()
        if self._audio:
            self._audio.close()
        self._file.remove()

    def _size_words(self) -> str:
        return f"{self._info.width} x {self._info.height}"
