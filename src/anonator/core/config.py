"""What can be chosen: the enums, and the frozen settings with everything there is to know about each.

A setting is one field, declared by setting() with its default, range, HIPAA rule, scope and sentence. The
lock, the command line, the configuration file and its document, the window and the report read it there.
That is why this file is long: it is the only list of settings (the numbers of tracking and of the performance
modes, which it holds as groups, are in tracking_settings.py and performance.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from anonator.core.areas import area
from anonator.core.performance import PerformancePreset, Presets
from anonator.core.setting import Hipaa, Scope, Topic, setting, settle, standard_values
from anonator.core.tracking_settings import STANDARD_TRACKING, TrackingSettings
from anonator.errors import SettingsError

if TYPE_CHECKING:
    from anonator.core.setting import Choice


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
    INTEL_GPU = "intel-gpu"
    OPENVINO_CPU = "openvino-cpu"


class Precision(Enum):
    """The number format that the network computes in."""

    AUTO = "auto"
    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"


PRECISIONS: dict[Device, tuple[Precision, ...]] = {
    Device.CPU: (Precision.AUTO, Precision.FLOAT32, Precision.BFLOAT16),
    Device.CUDA: (Precision.AUTO, Precision.FLOAT32, Precision.FLOAT16),
    Device.INTEL_GPU: (Precision.AUTO, Precision.FLOAT32),
    Device.OPENVINO_CPU: (Precision.AUTO, Precision.FLOAT32),
}
"""What each device can compute in; Device.AUTO is the CPU or CUDA once it is known."""


class Encoder(Enum):
    """Which H.264 encoder writes the output; all but X264 need hardware that was tried out first."""

    X264 = "libx264"
    NVENC = "h264_nvenc"
    QSV = "h264_qsv"
    AMF = "h264_amf"


class SecondDetector(Enum):
    """What the second, different detector is for."""

    CHECK = "check"
    LOOK = "look"
    OFF = "off"


HIPAA_SECOND_DETECTOR = (SecondDetector.CHECK, SecondDetector.LOOK)
DECIDED = (
    "model", "performance", "threshold", "multi_pass", "pass_factors", "nms_threshold", "orientations",
    "second_detector", "tracking", "presets",
)  # fmt: skip
"""Settings that decide what is found; tracks that were kept hold them, and they cannot change later."""
HIPAA_PERFORMANCE = (Performance.ORIGINAL, Performance.QUALITY, Performance.BALANCED)
CPU_BATCH_LIMIT = 4
MAX_UPSCALE = 2.0
"""Pictures smaller than max_resolution are scaled up to it, by no more than this."""
PASS_FACTORS = (1.0, 1.5, 0.7)
"""Multi-pass looks at these multiples of the threshold."""
NMS_THRESHOLD = 0.3
"""Boxes that overlap more than this are one face."""
MOSAIC_BLOCKS = 6
"""Most blocks across a face in a mosaic: with these, no detector finds the face again."""


HIPAA_WAIVER = "I accept that with these values HIPAA mode protects less, and that faces may stay visible."
"""The sentence that people sign in the configuration file before HIPAA mode takes looser values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that decides what a job does to a video; HIPAA's values unless told otherwise."""

    hipaa: bool = setting(
        True,
        "The lock: while it's on, every value is HIPAA's or stricter.",
        standard=False,
        scope=Scope.PROGRAM,
    )
    hipaa_waiver: str = setting(
        "",
        "The signed sentence that lets the lock take looser values; empty if nobody signed it.",
        scope=Scope.PROGRAM,
    )
    model: Choice[Model] = setting(
        Model.MOBILENET, "The network that looks for faces.", topic=Topic.FINDING, window=True
    )
    performance: Choice[Performance] = setting(
        Performance.QUALITY,
        "How much work goes into each second of video.",
        hipaa_choices=HIPAA_PERFORMANCE,
        why="Maximum Speed looks at too few frames",
        topic=Topic.SPEED,
        window=True,
    )
    threshold: float = setting(
        0.5,
        "Lowest score that counts as a face.",
        low=0.5,
        high=0.9,
        hipaa=Hipaa.LOWER,
        hipaa_low=0.2,
        topic=Topic.FINDING,
        window=True,
    )
    multi_pass: bool = setting(
        True,
        "Also accept lower scores, as several passes at multiples of the threshold would.",
        hipaa=Hipaa.FIXED,
        topic=Topic.FINDING,
        window=True,
    )
    pass_factors: tuple[float, ...] = setting(
        PASS_FACTORS,
        "The multiples of the threshold for multi_pass; the lowest decides what is found.",
        low=0.2,
        high=2.0,
        hipaa=Hipaa.LOWER,
        rare=True,
    )
    nms_threshold: float = setting(
        NMS_THRESHOLD,
        "Overlap (IoU) above which two boxes in a frame are one face.",
        low=0.1,
        high=0.7,
        hipaa=Hipaa.FIXED,
        topic=Topic.FINDING,
        rare=True,
    )
    orientations: bool = setting(
        True,
        "Also look for faces turned by 90, 180 and 270 degrees, such as those of people lying down.",
        hipaa=Hipaa.FIXED,
        standard=False,
        topic=Topic.FINDING,
        window=True,
    )
    second_detector: Choice[SecondDetector] = setting(
        SecondDetector.CHECK,
        "What a second, different detector does: check finished frames, also look for faces, or nothing.",
        hipaa_choices=HIPAA_SECOND_DETECTOR,
        why="a finished file must be looked at by a second detector",
        topic=Topic.FINDING,
    )
    mode: Choice[Mode] = setting(
        Mode.SOLID, "How a face is covered.", hipaa=Hipaa.FIXED, topic=Topic.COVERED, window=True
    )
    mask_scale: float = setting(
        1.5,
        "Size of the mask, as a multiple of the size of the face.",
        low=1.0,
        high=3.0,
        hipaa=Hipaa.HIGHER,
        topic=Topic.COVERED,
        window=True,
    )
    blur_strength: float = setting(
        1.0,
        "Strength of the blur; 1 already hides faces from detectors, and more hides more.",
        low=1.0,
        high=4.0,
        topic=Topic.COVERED,
        rare=True,
    )
    mosaic_blocks: int = setting(
        MOSAIC_BLOCKS,
        "Blocks across a face in a mosaic; fewer hide more.",
        low=1,
        high=MOSAIC_BLOCKS,
        topic=Topic.COVERED,
        rare=True,
    )
    areas: tuple[str, ...] = setting(
        (),
        "Places always covered, as X,Y,WIDTH,HEIGHT in pixels or percent, with @FROM-TO for a while.",
        form=area,
        topic=Topic.COVERED,
        option="area",
    )
    keep_audio: bool = setting(
        False,
        "Keep the sound; voices identify people too.",
        hipaa=Hipaa.FIXED,
        signable=False,  # a finished HIPAA file is checked to hold one video stream and nothing else
        topic=Topic.COVERED,
        window=True,
    )
    device: Choice[Device] = setting(Device.AUTO, "Where the network runs.", topic=Topic.SPEED, window=True)
    precision: Choice[Precision] = setting(
        Precision.AUTO,
        "Number format the network uses: float16 on a GPU, bfloat16 on a CPU, float32 on both.",
        topic=Topic.SPEED,
        rare=True,
    )
    encoder: Choice[Encoder] = setting(
        Encoder.X264, "Which encoder writes the H.264 video.", topic=Topic.SPEED, window=True
    )
    crf: int = setting(
        21,
        "Quality of the video; a lower number looks better and makes a larger file.",
        low=0,
        high=40,
        topic=Topic.RESULTS,
        window=True,
    )
    report: bool = setting(
        True,
        "Save an audit report.",
        hipaa=Hipaa.FIXED,
        signable=False,  # without it nobody can tell what was done
        standard=False,
        topic=Topic.RESULTS,
        window=True,
    )
    neutral_name: bool = setting(
        False,
        "Give the result a random name, because file names identify people.",
        topic=Topic.RESULTS,
        window=True,
    )
    hash_input: bool = setting(False, "Add the input's SHA-256 to the report.", topic=Topic.RESULTS)
    damaged_frames_limit: int = setting(
        250,
        "How many frames that cannot be decoded may be replaced with black before the job fails.",
        low=0,
        high=100_000,
        scope=Scope.STANDARD,
        why="HIPAA mode ends a job at the first damaged frame",
        topic=Topic.RESULTS,
    )
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    presets: Presets = field(default_factory=Presets)

    def __post_init__(self) -> None:
        settle(self, hipaa=self.hipaa)
        if self.hipaa_waiver not in ("", HIPAA_WAIVER):
            raise SettingsError(f'hipaa_waiver must be empty, or exactly "{HIPAA_WAIVER}"')
        for name, kind in (("tracking", TrackingSettings), ("presets", Presets)):
            if not isinstance(getattr(self, name), kind):
                raise SettingsError(f"{name} must be {kind.__name__}, not {getattr(self, name)!r}.")
        if self.precision not in PRECISIONS.get(self.device, tuple(Precision)):
            legal = ", ".join(each.value for each in PRECISIONS[self.device])
            raise SettingsError(
                f"precision must be one of {legal} with the device {self.device.value}, "
                f"not {self.precision.value}."
            )
        if min(self.pass_factors) > 1:
            raise SettingsError(
                "The lowest of pass_factors must not be above 1, because multi_pass would then find fewer "
                f"faces than a single pass, but it is {min(self.pass_factors):g}."
            )
        if self.tracking.continue_threshold > self.lowest_threshold + 1e-9:
            # the detector forgets everything under it, so faces that should start a track would be lost
            raise SettingsError(
                f"tracking.continue_threshold must not be higher than {self.lowest_threshold:g}, the score "
                f"that starts a track with these settings, but it is {self.tracking.continue_threshold:g}."
            )

    @property
    def preset(self) -> PerformancePreset:
        """The numbers of the chosen performance mode."""
        return self.presets.of(self.performance.value)

    @property
    def lowest_threshold(self) -> float:
        """The score from which a detection may start a track: the lowest pass counts."""
        return self.threshold * min(self.pass_factors) if self.multi_pass else self.threshold

    @property
    def looks_at_every_frame(self) -> bool:
        """Whether the second detector looks at the finished file: only there, black tells what is covered."""
        return self.second_detector is not SecondDetector.OFF and self.mode is Mode.SOLID

    @property
    def replaceable_frames(self) -> int:
        """How many damaged frames may be replaced with black: none in HIPAA mode."""
        return 0 if self.hipaa else self.damaged_frames_limit

    @classmethod
    def standard(cls, **changes: Any) -> Settings:
        """Settings without the lock; give any field by name."""
        return cls(**{**standard_values(cls), "tracking": STANDARD_TRACKING, **changes})
