"""What is known about a video before it is read to its end."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from anonator.core.pictures.shape import Canvas


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One sound track of the input."""

    index: int
    """Stream index in the input."""
    codec: str
    """FFmpeg's name, such as "aac"."""
    sample_rate: int
    """Hz."""
    channels: int


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video is, according to its header and its first frame."""

    width: int
    """Of the frames as delivered: upright and even."""
    height: int
    display_width: int
    """Of the picture that players show: upright, before padding to even."""
    display_height: int
    sar: Fraction
    """Width of a pixel in heights of a pixel, after rotation; 1 where the file says nothing."""
    time_base: Fraction
    """Seconds per unit of the frames' pts."""
    average_rate: Fraction
    """Frames per second, from the header or guessed; 25 where nothing is known."""
    header_frames: int | None
    """Frames that the header promises, or None. Not a count."""
    duration_seconds: Fraction | None
    """Length that the header promises, or None."""
    start_shift: int
    """Added to all time stamps, in units of time_base, so that none is negative; nearly always 0."""
    codec: str
    """Of the input, such as "h264"."""
    pix_fmt: str
    """Of the input, such as "yuv420p10le"."""
    rotation: int
    """Clockwise turn in degrees that was applied: 0, 90, 180 or 270."""
    interlaced: bool
    """The input's frames are interlaced; those delivered are not."""
    color_range: int
    """Of the frames as delivered; AVColorRange: 0 not said, 1 limited, 2 full."""
    color_space: int
    """AVColorSpace, the matrix between YUV and RGB; 2 not said."""
    color_primaries: int
    """AVColorPrimaries; 2 not said."""
    color_transfer: int
    """AVColorTransferCharacteristic; 2 not said."""
    audio: tuple[AudioTrack, ...]
    file_id: tuple[int, int]
    """(device, inode) of the input, to recognise it under another name."""
    notes: tuple[str, ...]
    """Sentences that the user must be told: tone-mapped, deinterlaced, ..."""

    @property
    def display_size(self) -> tuple[int, int]:
        """(width, height) that players show, before the pixels' shape is applied."""
        return self.display_width, self.display_height

    @property
    def canvas(self) -> Canvas:
        """The size and the pixels' shape of all frames as delivered."""
        return Canvas(self.display_width, self.display_height, self.sar)
