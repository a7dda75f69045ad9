"""What can be chosen, its defaults and its legal values: enums, frozen settings and the HIPAA lock."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from anonator.errors import HipaaLockError, SettingsError


class Mode(Enum):
    """How a face is made unrecognizable."""

    SOLID = "solid"
    BLUR = "blur"
    MOSAIC = "mosaic"


class Model(Enum):
    """Which network looks for faces."""

    MOBILENET = "RetinaNetMobileNetV1"
    RESNET50 = "RetinaNetResNet50"
    DSFD = "DSFDDetector"


class Performance(Enum):
    """How much work is spent on each second of video."""

    ORIGINAL = "original"
    QUALITY = "quality"
    BALANCED = "balanced"
    MAXIMUM = "maximum"


class Device(Enum):
    """Where the network runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Encoder(Enum):
    """Which H.264 encoder writes the output; all but X264 need hardware that was tried out first."""

    X264 = "libx264"
    NVENC = "h264_nvenc"
    QSV = "h264_qsv"
    AMF = "h264_amf"


EnumT = TypeVar("EnumT", bound=Enum)


def parse_enum(kind: type[EnumT], text: str) -> EnumT:
    """Turn a string from a command line or a file into a choice, whatever its case.

    Raises:
        SettingsError: the text is none of the choices; the message lists them.
    """
    for choice in kind:
        if text.strip().lower() == str(choice.value).lower():
            return choice
    valid = ", ".join(str(choice.value) for choice in kind)
    raise SettingsError(f'"{text}" is not a {kind.__name__.lower()}; choose one of: {valid}.')


@dataclass(frozen=True, slots=True)
class PerformancePreset:
    """The numbers behind a performance mode."""

    batch_size: int
    """Pictures that the network sees at once on a GPU; a CPU takes at most CPU_BATCH_LIMIT."""
    detect_every: int
    """Detection runs on every n-th frame; the tracker covers those between."""
    max_resolution: int
    """Long side, in pixels, of the picture that the detector sees."""
    encoder_preset: str
    """x264 preset."""


PRESETS: dict[Performance, PerformancePreset] = {
    Performance.ORIGINAL: PerformancePreset(1, 1, 1920, "faster"),
    Performance.QUALITY: PerformancePreset(8, 1, 1920, "veryfast"),
    Performance.BALANCED: PerformancePreset(8, 3, 1280, "superfast"),
    Performance.MAXIMUM: PerformancePreset(16, 5, 960, "ultrafast"),
}
CPU_BATCH_LIMIT = 4
MAX_UPSCALE = 2.0
"""Pictures smaller than max_resolution are scaled up to it, by no more than this."""
PASS_FACTORS = (1.0, 1.5, 0.7)
"""Multi-pass looks at these multiples of the threshold."""


def setting(default: Any, doc: str, *, low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field whose default, description and legal range stand in one place."""
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


def _check_fields(settings: Any) -> None:
    """Refuse wrong types and values out of range, naming the setting, the value and the range."""
    for f in dataclasses.fields(settings):
        value = getattr(settings, f.name)
        low, high = f.metadata.get("low"), f.metadata.get("high")
        if isinstance(f.default, (Enum, bool)):
            if type(value) is not type(f.default):
                raise SettingsError(f"{f.name} must be a {type(f.default).__name__}, not {value!r}.")
        elif low is not None and high is not None:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not low <= value <= high:
                raise SettingsError(f"{f.name} must be a number from {low} to {high}, not {value!r}.")
            if isinstance(f.default, int) and value != int(value):
                raise SettingsError(f"{f.name} must be a whole number, not {value!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How detections become tracks, and how far a track reaches beyond what was detected."""

    continue_threshold: float = setting(
        0.1, "Score from which a detection may continue a track that is there already.", low=0.02, high=0.9
    )
    bridge_seconds: float = setting(
        1.0, "Longest gap in a track that is filled by interpolation, in seconds.", low=0.0, high=5.0
    )
    extend_seconds: float = setting(
        0.25,
        "How long a mask stays before the first and after the last detection, in seconds.",
        low=0.0,
        high=5.0,
    )
    link_iou: float = setting(
        0.2, "Overlap (IoU) from which two boxes are the same face at once.", low=0.01, high=0.9
    )
    link_distance: float = setting(
        2.0,
        "Largest centre distance of the same face in neighbouring detections, in face sizes.",
        low=0.0,
        high=5.0,
    )
    cut_correlation: float = setting(
        0.3,
        "Colour-histogram correlation under which two frames belong to different scenes.",
        low=-1.0,
        high=1.0,
    )

    def __post_init__(self) -> None:
        _check_fields(self)


STANDARD_TRACKING = TrackingSettings(continue_threshold=0.2, bridge_seconds=0.5, extend_seconds=0.12)
"""What standard mode starts from; HIPAA's own, more generous values are TrackingSettings' defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that decides what a job does to a video; HIPAA's values unless told otherwise."""

    hipaa: bool = setting(True, "The lock: on means HIPAA's values and no others.")
    model: Model = setting(Model.MOBILENET, "The network that looks for faces.")
    performance: Performance = setting(Performance.QUALITY, "How much work is spent on each frame.")
    threshold: float = setting(0.5, "Score from which something counts as a face.", low=0.5, high=0.9)
    multi_pass: bool = setting(True, "Also accept faces at 0.7 of the threshold, as three passes would.")
    orientations: bool = setting(
        True, "Also look for faces turned by 90, 180 and 270 degrees (people lying down)."
    )
    mode: Mode = setting(Mode.SOLID, "What is put over a face.")
    mask_scale: float = setting(
        1.5, "Size of the mask, in sizes of the face that was found.", low=1.0, high=3.0
    )
    keep_audio: bool = setting(False, "Keep the sound; voices identify people too.")
    device: Device = setting(Device.AUTO, "Where the network runs.")
    encoder: Encoder = setting(Encoder.X264, "What writes the H.264 output.")
    crf: int = setting(17, "Quality of the output: lower is better and larger.", low=0, high=40)
    report: bool = setting(True, "Write an audit report (JSON) beside the result.")
    neutral_name: bool = setting(
        False, "Give the result a random name without the input's, because file names identify people."
    )
    hash_input: bool = setting(False, "Put the input's SHA-256 into the report.")
    damaged_frames_limit: int = setting(
        25,
        "Frames that cannot be decoded and are replaced by black before the job fails; "
        "HIPAA mode always fails at the first.",
        low=0,
        high=100_000,
    )
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        _check_fields(self)
        if not isinstance(self.tracking, TrackingSettings):
            raise SettingsError(f"tracking must be TrackingSettings, not {self.tracking!r}.")

    @property
    def preset(self) -> PerformancePreset:
        """The numbers of the chosen performance mode."""
        return PRESETS[self.performance]

    @property
    def lowest_threshold(self) -> float:
        """The score from which a detection may start a track: the lowest pass counts."""
        return self.threshold * min(PASS_FACTORS) if self.multi_pass else self.threshold

    @classmethod
    def standard(cls, **changes: Any) -> Settings:
        """Settings without the lock; any field can be given by name."""
        return cls(
            **{
                "hipaa": False,
                "orientations": False,
                "tracking": STANDARD_TRACKING,
                "report": False,
                **changes,
            }
        )


HIPAA_FIXED: dict[str, Any] = {
    "threshold": 0.5,
    "multi_pass": True,
    "orientations": True,
    "mode": Mode.SOLID,
    "mask_scale": 1.5,
    "keep_audio": False,
    "tracking": TrackingSettings(),
}
"""What the lock fixes; model, performance, device, encoder and quality stay free within limits."""

HIPAA_PERFORMANCE = (Performance.ORIGINAL, Performance.QUALITY, Performance.BALANCED)


def require_lock_holds(settings: Settings) -> None:
    """Refuse settings that say HIPAA and carry other values.

    Raises:
        HipaaLockError: naming the first setting that differs and what to do.
    """
    if not settings.hipaa:
        return
    for name, fixed in HIPAA_FIXED.items():
        value = getattr(settings, name)
        if value != fixed:
            raise HipaaLockError(
                f"HIPAA mode fixes {name} at {_word(fixed)}, but the job asks for {_word(value)}. "
                "Leave it out, or switch HIPAA mode off (--standard)."
            )
    if settings.performance not in HIPAA_PERFORMANCE:
        raise HipaaLockError(
            "HIPAA mode does not allow Maximum Speed, because it looks at too few frames. "
            "Choose Balanced, Quality or Original, or switch HIPAA mode off (--standard)."
        )


def _word(value: Any) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)
