"""The options that give each H.264 encoder the chosen quality, in bounded memory and without extras."""

from __future__ import annotations

from fractions import Fraction

import av

from anonator.core.config import Encoder

LOOKAHEAD = {
    "ultrafast": 0, "superfast": 0, "veryfast": 10, "faster": 20, "fast": 30,
    "medium": 40, "slow": 50, "slower": 60, "veryslow": 60,
}  # fmt: skip
"""Frames that x264 looks ahead by preset, where nothing else is said."""
LOOKAHEAD_BYTES = 256 * 1024 * 1024
"""Most memory that the frames held for looking ahead may take: 20 frames in 4K, 5 in 8K."""

_NVENC = {
    "ultrafast": "p1",
    "superfast": "p2",
    "veryfast": "p3",
    "faster": "p3",
    "fast": "p4",
    "medium": "p5",
}
_QSV = ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_AMF = {
    "ultrafast": "speed",
    "superfast": "speed",
    "veryfast": "speed",
    "faster": "balanced",
    "fast": "balanced",
}


def encoder_setup(encoder: Encoder, preset: str, crf: int, pixels: int) -> tuple[str, dict[str, str]]:
    """Pixel format to feed an encoder with, and its options.

    Args:
        preset: x264's name.
        crf: x264's measure, 0 to 51; the other encoders' measures are close to it.
        pixels: of a frame.

    Raises:
        ValueError: no such preset.
    """
    if preset not in LOOKAHEAD:
        raise ValueError(f"{preset!r} is not a preset; choose one of {', '.join(LOOKAHEAD)}")
    # at 0 x264 leaves the profile that players know
    quality = str(max(1, crf))
    if encoder is Encoder.X264:
        ahead = min(LOOKAHEAD[preset], max(4, LOOKAHEAD_BYTES * 2 // (3 * pixels)))
        options = {"preset": preset, "crf": quality, "rc-lookahead": str(ahead), "a53cc": "0"}
        # without it, x264's look ahead with AVX-512 gives the same frames other bits from time to time
        options["x264-params"] = "cpu-independent=1"
        return "yuv420p", options
    if encoder is Encoder.NVENC:
        speed = _NVENC.get(preset, "p6")
        return "yuv420p", {
            "preset": speed,
            "rc": "vbr",
            "cq": quality,
            "b": "0",
            "profile": "high",
            "a53cc": "0",
        }
    if encoder is Encoder.QSV:
        speed = preset if preset in _QSV else "veryfast"
        return "nv12", {"preset": speed, "global_quality": quality, "profile": "high", "a53cc": "0"}
    b_frame = str(min(51, int(quality) + 2))
    speed = _AMF.get(preset, "quality")
    return "nv12", {"quality": speed, "rc": "cqp", "qp_i": quality, "qp_p": quality, "qp_b": b_frame}


def usable_encoders() -> tuple[Encoder, ...]:
    """The encoders that have just encoded a few frames on this computer; libx264 always does."""
    return tuple(encoder for encoder in Encoder if encoder is Encoder.X264 or _encodes(encoder))


def _encodes(encoder: Encoder) -> bool:
    """Whether a hardware encoder works: FFmpeg naming it says nothing of the driver and the card."""
    width, height, frames = 640, 360, 5
    pix_fmt, options = encoder_setup(encoder, "veryfast", 23, width * height)
    try:
        context = av.VideoCodecContext.create(encoder.value, "w")
        context.width, context.height, context.pix_fmt = width, height, pix_fmt
        context.time_base, context.options = Fraction(1, 25), options
        packets = 0
        for pts in range(frames):
            image = av.VideoFrame(width, height, pix_fmt)
            image.pts, image.time_base = pts, Fraction(1, 25)
            packets += len(context.encode(image))
        return packets + len(context.encode(None)) == frames
    except (av.FFmpegError, ValueError, OSError):
        return False
