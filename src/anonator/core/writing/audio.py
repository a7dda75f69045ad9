"""Carries the sound over: copied packet by packet if MP4 can hold it, otherwise converted to AAC."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer

from anonator.core.clock_text import clock_text
from anonator.core.job import NO_SOUND
from anonator.core.privacy import without_path
from anonator.core.reading.av_types import Packet
from anonator.core.reading.late_streams import packets_of
from anonator.core.reading.opening import open_container
from anonator.core.reading.timestamps import JUMP_SECONDS
from anonator.errors import AnonatorError, DecodeError

UNPLAYABLE_IN_MP4 = ("pcm_", "vorbis")
"""Codecs that the muxer takes, but that common players do not play from an MP4 file."""
AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
BITS_PER_CHANNEL = 96_000
GAP_SECONDS = 0.05
"""A longer gap between decoded sounds is kept as a gap; a shorter one is rounding in the input."""


def mp4_holds(stream: AudioStream) -> bool:
    """Ask the MP4 muxer whether it takes this stream, by writing a header into memory."""
    if stream.codec_context is None or stream.codec_context.name.startswith(UNPLAYABLE_IN_MP4):
        return False
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


class AudioFeed:
    """Muxes all sound tracks of an input into an output, up to a given time at each call."""

    def __init__(self, source: Path, output: OutputContainer, shift: Fraction) -> None:
        """Open the input a second time and add its sound tracks to the output.

        Args:
            source: the input.
            output: av.container.OutputContainer before its header is written.
            shift: seconds added to all times, as the video's frames had.

        Raises:
            InputError: the input cannot be opened.
            DecodeError: a track is in a format that can neither be copied nor decoded.
        """
        self._container, _ = open_container(source)
        self._output = output
        try:
            streams = list(self._container.streams.audio)
            self._tracks = {s.index: _make_track(s, output, shift) for s in streams}
        except AnonatorError:
            self._container.close()
            raise
        self.outcome = _outcome([track.word for track in self._tracks.values()])
        """What became of the sound, in words."""
        self._packets = self._read(streams) if streams else iter(())
        self._next: tuple[float, Packet] | None = None

    def feed(self, until: float | None) -> None:
        """Mux everything before a time in seconds; None means everything that is left.

        Raises:
            DecodeError: the sound cannot be read.
        """
        while True:
            if self._next is None:
                self._next = next(self._packets, None)
            if self._next is None or (until is not None and self._next[0] > until):
                return
            (time, packet), self._next = self._next, None
            try:
                self._output.mux_one(packet)
            except av.InvalidDataError as exc:  # the muxer looks into some codecs' packets
                raise _unreadable(time) from without_path(exc)

    def close(self) -> None:
        """Close the input."""
        self._container.close()

    def _read(self, streams: list[AudioStream]) -> Iterator[tuple[float, Packet]]:
        last = 0.0
        try:
            for packet in packets_of(self._container, streams):
                if packet.size:
                    for made in self._tracks[packet.stream.index].packets(packet):
                        last = float((made.dts or 0) * made.time_base)
                        yield last, made
            for track in self._tracks.values():
                for made in track.packets(None):
                    yield last, made
        except (av.FFmpegError, OSError) as exc:
            raise _unreadable(last) from without_path(exc)


def _unreadable(seconds: float) -> DecodeError:
    return DecodeError(
        f"The sound cannot be read at {clock_text(seconds)}: it is damaged. "
        "Start the job again without sound, or copy the video again from its source."
    )


def _make_track(stream: AudioStream, output: OutputContainer, shift: Fraction) -> _Copy | _Convert:
    if mp4_holds(stream):
        return _Copy(stream, output, shift)
    if stream.codec_context is None:
        raise DecodeError("The sound is in an unknown format. Start the job again without sound.")
    return _Convert(stream, output, shift)


def _outcome(words: list[str]) -> str:
    if not words:
        return NO_SOUND
    if len(set(words)) == 1:
        return words[0]
    return ", ".join(f"track {i} {word}" for i, word in enumerate(words, 1))


class _Copy:
    """Passes the packets of a track on, bit for bit."""

    word = "kept unchanged"

    def __init__(self, stream: AudioStream, output: OutputContainer, shift: Fraction) -> None:
        self._stream = output.add_stream_from_template(stream)
        context = stream.codec_context
        self._rate = context.sample_rate or 48000
        self._frame_size = int(getattr(context, "frame_size", 0) or 0)
        self._scale = Fraction(stream.time_base or 1) * self._rate
        self._shift = shift * self._rate
        self._expected: int | None = None
        self._last = -(2**62)

    def packets(self, packet: Packet | None) -> Iterator[Packet]:
        """The packet with its time in samples; containers that count in milliseconds are smoothed."""
        if packet is None:
            return
        stamp = packet.pts if packet.pts is not None else packet.dts
        time = self._expected or 0 if stamp is None else round(stamp * self._scale + self._shift)
        if self._expected is not None and abs(time - self._expected) <= max(Fraction(1), self._scale):
            time = self._expected
        elif self._expected is not None and time < self._expected - JUMP_SECONDS * self._rate:
            self._shift += self._expected - time  # a joined recording: time continues, as the picture's does
            time = self._expected
        time = max(time, self._last + 1)
        length = self._frame_size or round((packet.duration or 0) * self._scale)
        self._last, self._expected = time, time + length
        packet.time_base = Fraction(1, self._rate)
        packet.pts = packet.dts = time
        packet.duration = length
        packet.stream = self._stream
        yield packet


class _Convert:
    """Decodes a track and encodes it as AAC."""

    def __init__(self, stream: AudioStream, output: OutputContainer, shift: Fraction) -> None:
        self._decoder = stream.codec_context
        self._scale = Fraction(stream.time_base or 1)
        self._shift = shift
        rate = self._decoder.sample_rate
        channels = self._decoder.layout.nb_channels
        layout = LAYOUTS.get(channels, "stereo")
        self._encoder = output.add_stream(
            "aac",
            rate=rate if rate in AAC_RATES else 48000,
            layout=layout,
            bit_rate=BITS_PER_CHANNEL * LAYOUT_CHANNELS[layout],
        )
        self._encoder.codec_context.flags |= av.codec.context.Flags.bitexact  # names no program
        self._next: int | None = None
        self.word = f"converted to AAC, because MP4 cannot hold {self._decoder.name}"

    def packets(self, packet: Packet | None) -> Iterator[Packet]:
        """The AAC packets that come out when this packet goes in; None ends the track."""
        for sound in self._decoder.decode(packet):
            rate = sound.sample_rate
            if sound.pts is not None:
                time = round((sound.pts * self._scale + self._shift) * rate)
                if self._next is None or abs(time - self._next) > GAP_SECONDS * rate:
                    self._next = max(time, self._next or time)
            sound.pts = self._next = self._next or 0
            sound.time_base = Fraction(1, rate)
            self._next += sound.samples
            yield from self._encoder.encode(sound)
        if packet is None:
            yield from self._encoder.encode(None)


LAYOUT_CHANNELS = {name: count for count, name in LAYOUTS.items()}
