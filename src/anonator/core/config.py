"""What can be chosen, its defaults and its legal values: enums, frozen settings and the HIPAA lock."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

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


if TYPE_CHECKING:

    class Choice(Generic[EnumT]):
        """The type of a setting that's given as a choice or as its text, and always is the choice."""

        def __get__(self, instance: object, owner: Any) -> EnumT: ...

        def __set__(self, instance: object, value: EnumT | str) -> None: ...


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


def setting(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    hipaa_low: float | None = None,
) -> Any:
    """A dataclass field whose default, description and legal range stand in one place.

    Args:
        default: what it is where nobody says anything.
        doc: one sentence for people.
        low: least legal number, or None where it is no number.
        high: greatest legal number.
        hipaa_low: least legal number of a job under the lock, where that may be stricter than any other job.
    """
    return field(default=default, metadata={"doc": doc, "low": low, "high": high, "hipaa_low": hipaa_low})


def legal_range(name: str, *, hipaa: bool = False) -> tuple[float, float]:
    """Least and greatest legal value of a number.

    Args:
        name: of the setting, such as "threshold" or "tracking.bridge_seconds".
        hipaa: for a job under the lock.
    """
    kind: type[Any] = TrackingSettings if name.startswith("tracking.") else Settings
    return _range(kind.__dataclass_fields__[name.removeprefix("tracking.")].metadata, hipaa)


def _range(metadata: Any, hipaa: bool) -> tuple[float, float]:
    stricter = metadata["hipaa_low"] if hipaa else None
    return (metadata["low"] if stricter is None else stricter), metadata["high"]


def _check_fields(settings: Any, *, hipaa: bool = False) -> None:
    """Turn texts into choices, and refuse wrong types and values out of range, saying what would be right."""
    for f in dataclasses.fields(settings):
        value = getattr(settings, f.name)
        if isinstance(f.default, Enum):
            if isinstance(value, str):
                object.__setattr__(settings, f.name, parse_enum(type(f.default), value))
            elif type(value) is not type(f.default):
                valid = ", ".join(word(choice) for choice in type(f.default))
                raise SettingsError(f"{f.name} must be one of {valid}, not {value!r}.")
        elif isinstance(f.default, bool):
            if not isinstance(value, bool):
                raise SettingsError(f"{f.name} must be true or false, not {value!r}.")
        elif isinstance(f.default, (int, float)):
            low, high = _range(f.metadata, hipaa)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not low <= value <= high:  # NaN lies nowhere
                raise SettingsError(f"{f.name} must be a number from {low} to {high}, not {value!r}.")
            if isinstance(f.default, int) and not isinstance(value, int):
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

HIPAA_WAIVER = "I accept that with these values HIPAA mode protects less, and that faces may stay visible."
"""The sentence that people sign in the configuration file before HIPAA mode takes looser values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that decides what a job does to a video; HIPAA's values unless told otherwise."""

    hipaa: bool = setting(True, "The lock: on means HIPAA's values or stricter ones.")
    hipaa_waiver: str = setting(
        "", "The sentence that was signed so that the lock holds looser values; empty where nobody did."
    )
    model: Choice[Model] = setting(Model.MOBILENET, "The network that looks for faces.")
    performance: Choice[Performance] = setting(Performance.QUALITY, "How much work is spent on each frame.")
    threshold: float = setting(
        0.5, "Score from which something counts as a face.", low=0.5, high=0.9, hipaa_low=0.2
    )
    multi_pass: bool = setting(True, "Also accept faces at 0.7 of the threshold, as three passes would.")
    orientations: bool = setting(
        True, "Also look for faces turned by 90, 180 and 270 degrees (people lying down)."
    )
    mode: Choice[Mode] = setting(Mode.SOLID, "What is put over a face.")
    mask_scale: float = setting(
        1.5, "Size of the mask, in sizes of the face that was found.", low=1.0, high=3.0
    )
    keep_audio: bool = setting(False, "Keep the sound; voices identify people too.")
    device: Choice[Device] = setting(Device.AUTO, "Where the network runs.")
    encoder: Choice[Encoder] = setting(Encoder.X264, "What writes the H.264 output.")
    crf: int = setting(17, "Quality of the output: lower is better and larger.", low=0, high=40)
    report: bool = setting(True, "Write an audit report (JSON) beside the result.")
    neutral_name: bool = setting(
        False, "Give the result a random name without the input's, because file names identify people."
    )
    hash_input: bool = setting(False, "Put the input's SHA-256 into the report.")
    damaged_frames_limit: int = setting(
        250,
        "Frames that cannot be decoded and are replaced by black before the job fails; "
        "HIPAA mode always fails at the first.",
        low=0,
        high=100_000,
    )
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        _check_fields(self, hipaa=self.hipaa)
        if self.hipaa_waiver not in ("", HIPAA_WAIVER):
            raise SettingsError(f'hipaa_waiver must be empty, or exactly "{HIPAA_WAIVER}"')
        if not isinstance(self.tracking, TrackingSettings):
            raise SettingsError(f"tracking must be TrackingSettings, not {self.tracking!r}.")
        if self.tracking.continue_threshold > self.lowest_threshold + 1e-9:
            # the detector forgets everything under it, so faces that should start a track would be lost
            raise SettingsError(
                f"tracking.continue_threshold must not be higher than {self.lowest_threshold:g}, the score "
                f"that starts a track with these settings, but it is {self.tracking.continue_threshold:g}."
            )

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
    "tracking.continue_threshold": 0.1,
    "tracking.bridge_seconds": 1.0,
    "tracking.extend_seconds": 0.25,
    "tracking.link_iou": 0.2,
    "tracking.link_distance": 2.0,
    "tracking.cut_correlation": 0.3,
}
"""What the lock fixes; model, performance, device, encoder, quality and report stay free within limits."""


class Stricter(Enum):
    """In which direction a number finds and covers more."""

    LOWER = "lower"
    HIGHER = "higher"


HIPAA_STRICTER: dict[str, Stricter] = {
    "threshold": Stricter.LOWER,
    "mask_scale": Stricter.HIGHER,
    "tracking.continue_threshold": Stricter.LOWER,
    "tracking.bridge_seconds": Stricter.HIGHER,
    "tracking.extend_seconds": Stricter.HIGHER,
}
"""What may go beyond HIPAA's value, and where to; of everything else no other value is surely stricter."""

HIPAA_UNSIGNABLE = ("keep_audio",)
"""What no signature loosens: a finished HIPAA file is checked to hold one video stream and nothing else."""

HIPAA_PERFORMANCE = (Performance.ORIGINAL, Performance.QUALITY, Performance.BALANCED)


def lock_takes(name: str, value: Any, than: Settings | None = None) -> bool:
    """Whether a value is legal and at least as strict as the lock's.

    Args:
        name: one of HIPAA_FIXED.
        value: of the setting's own type.
        than: compare with these HIPAA settings instead, which the user made stricter, or signed for.
    """
    bounds = _lock_range(name, than)
    if bounds is not None:
        return bool(bounds[0] <= value <= bounds[1])
    return value in (HIPAA_FIXED[name], attrgetter(name)(than) if than else None)


def lock_words(name: str, than: Settings | None = None) -> str:
    """What the lock takes of a setting, in words: "0.2 to 0.5", "solid"."""
    bounds = _lock_range(name, than)
    return word(HIPAA_FIXED[name]) if bounds is None else f"{bounds[0]:g} to {bounds[1]:g}"


def _lock_range(name: str, than: Settings | None) -> tuple[float, float] | None:
    """Least and greatest value that the lock takes, or None where only one is right."""
    direction = HIPAA_STRICTER.get(name)
    if direction is None:
        return None
    bar = attrgetter(name)(than) if than else HIPAA_FIXED[name]
    low, high = legal_range(name, hipaa=True)
    return (low, bar) if direction is Stricter.LOWER else (bar, high)


def looser_values(settings: Settings) -> dict[str, Any]:
    """The values that protect less than the lock's, by the names of HIPAA_FIXED."""
    values = {name: attrgetter(name)(settings) for name in HIPAA_FIXED}
    return {name: value for name, value in values.items() if not lock_takes(name, value)}


def require_lock_holds(settings: Settings) -> None:
    """Refuse settings that say HIPAA and carry looser values without the signed sentence.

    Raises:
        HipaaLockError: naming the first setting that differs and what to do.
    """
    if not settings.hipaa:
        return
    for name, value in looser_values(settings).items():
        if settings.hipaa_waiver != HIPAA_WAIVER or name in HIPAA_UNSIGNABLE:
            raise HipaaLockError(
                f"HIPAA mode takes {name} {lock_words(name)}, but the job asks for {word(value)}. "
                "Leave it out, or switch HIPAA mode off (--standard)."
            )
    if settings.performance not in HIPAA_PERFORMANCE:
        raise HipaaLockError(
            "HIPAA mode does not allow Maximum Speed, because it looks at too few frames. "
            "Choose Balanced, Quality or Original, or switch HIPAA mode off (--standard)."
        )


def waiver_note(settings: Settings) -> str:
    """What people must know of a job whose lock was loosened by a signature, or "" where none was."""
    if not settings.hipaa or not (looser := looser_values(settings)):
        return ""
    values = (f"{name} {word(value)} instead of {lock_words(name)}" for name, value in looser.items())
    return f"HIPAA mode was loosened by the signature in the configuration file: {', '.join(values)}."


def word(value: Any) -> str:
    """A value as people write it: a choice by its name, a number without idle digits, true and false."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
