"""Settings: legal values, what the lock allows, and what strings become."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

import pytest

from anonator.core.catalogue import SETTINGS, legal_range
from anonator.core.config import (
    HIPAA_WAIVER,
    Device,
    Encoder,
    Mode,
    Model,
    Performance,
    Precision,
    SecondDetector,
    Settings,
)
from anonator.core.hipaa_lock import (
    HIPAA_FIXED,
    HIPAA_STRICTER,
    looser_values,
    require_lock_holds,
    waiver_note,
)
from anonator.core.performance import PerformancePreset, Presets
from anonator.core.setting import Hipaa, declaration, parse_enum
from anonator.core.tracking_settings import TrackingSettings
from anonator.errors import HipaaLockError, SettingsError


def test_hipaa_is_the_default_and_holds() -> None:
    settings = Settings()
    require_lock_holds(settings)
    assert settings.hipaa
    assert (settings.threshold, settings.multi_pass, settings.mask_scale) == (0.5, True, 1.5)
    assert (settings.mode, settings.keep_audio) == (Mode.SOLID, False)
    assert settings.lowest_threshold == pytest.approx(0.35)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 0.6},
        {"multi_pass": False},
        {"mode": Mode.BLUR},
        {"mode": Mode.MOSAIC},
        {"mask_scale": 1.2},
        {"keep_audio": True},
        {"orientations": False},
        {"performance": Performance.MAXIMUM},
        {"second_detector": SecondDetector.OFF},
        {"pass_factors": (1.0, 0.75)},
        {"nms_threshold": 0.2},
        {"nms_threshold": 0.4},
        {"presets": Presets(balanced=PerformancePreset(8, 4, 1280))},
        {"presets": Presets(balanced=PerformancePreset(8, 3, 1200))},
        {"presets": Presets(quality=PerformancePreset(8, 2, 1920))},
        {"presets": Presets(original=PerformancePreset(8, 1, 1900))},
        {"tracking": TrackingSettings(bridge_seconds=0.9)},
        {"tracking": TrackingSettings(extend_seconds=0.2)},
        {"tracking": TrackingSettings(continue_threshold=0.15)},
        {"tracking": TrackingSettings(link_iou=0.1)},
        {"tracking": TrackingSettings(link_iou=0.3)},
        {"tracking": TrackingSettings(link_distance=2.5)},
        {"tracking": TrackingSettings(cut_correlation=0.2)},
    ],
    ids=str,
)
def test_the_lock_refuses_every_looser_value(change: dict[str, Any]) -> None:
    with pytest.raises(HipaaLockError, match=r"switch HIPAA mode off\.$"):
        require_lock_holds(Settings(**change))
    require_lock_holds(Settings.standard(**change))


def test_the_report_is_held_even_against_a_signature() -> None:
    """A failure means that a HIPAA job can run of which nobody can tell afterwards what it did."""
    with pytest.raises(HipaaLockError, match="report true"):
        require_lock_holds(Settings(report=False, hipaa_waiver=HIPAA_WAIVER))


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 0.2},
        {"threshold": 0.3},
        {"mask_scale": 1.6},
        {"mask_scale": 3.0},
        {"pass_factors": (1.0, 0.5)},
        {"pass_factors": (0.6,)},
        {"presets": Presets(balanced=PerformancePreset(1, 1, 4096))},
        {"presets": Presets(maximum=PerformancePreset(1, 30, 320))},  # which the lock does not offer
        {"precision": Precision.FLOAT32},
        {"second_detector": "look"},
        {"precision": "bfloat16"},
        {"blur_strength": 2.0, "mosaic_blocks": 1},
        {"areas": ("10,20,300,40",)},
        {"tracking": TrackingSettings(continue_threshold=0.05)},
        {"tracking": TrackingSettings(bridge_seconds=5.0)},
        {"tracking": TrackingSettings(extend_seconds=0.5)},
    ],
    ids=str,
)
def test_the_lock_takes_stricter_values(change: dict[str, Any]) -> None:
    require_lock_holds(Settings(**change))
    assert looser_values(Settings(**change)) == {}


def test_what_the_lock_does_with_each_setting() -> None:
    """A failure means that somebody has changed a rule or a default of HIPAA mode: was that meant?"""
    meant = "if this rule of HIPAA mode is what you mean, write it into this test, too"
    free = {name for name, each in SETTINGS.items() if each.hipaa is Hipaa.FREE and "." not in name}
    assert free == {
        "model", "performance", "blur_strength", "mosaic_blocks", "device", "precision", "encoder", "crf",
        "areas", "second_detector", "neutral_name", "hash_input", "damaged_frames_limit",
    }, meant  # fmt: skip
    lower, higher = (
        {name: SETTINGS[name].default for name, rule in HIPAA_STRICTER.items() if rule is wanted}
        for wanted in (Hipaa.LOWER, Hipaa.HIGHER)
    )
    assert lower == {
        "threshold": 0.5,
        "pass_factors": (1.0, 1.5, 0.7),
        "tracking.continue_threshold": 0.1,
        "performance.original.detect_every": 1,
        "performance.quality.detect_every": 1,
        "performance.balanced.detect_every": 3,
        "performance.original.full_size_every": 1,
        "performance.quality.full_size_every": 2,
        "performance.balanced.full_size_every": 1,
    }, meant
    assert higher == {
        "mask_scale": 1.5,
        "tracking.bridge_seconds": 1.0,
        "tracking.extend_seconds": 0.25,
        "performance.original.max_resolution": 1920,
        "performance.quality.max_resolution": 1920,
        "performance.balanced.max_resolution": 1280,
    }, meant
    fixed = {name: value for name, value in HIPAA_FIXED.items() if name not in HIPAA_STRICTER}
    assert fixed == {
        "multi_pass": True,
        "nms_threshold": 0.3,
        "orientations": True,
        "mode": Mode.SOLID,
        "keep_audio": False,
        "report": True,
        "tracking.link_iou": 0.2,
        "tracking.link_distance": 2.0,
        "tracking.cut_correlation": 0.3,
    }, meant


def test_choices_may_be_given_as_words_and_numbers_as_a_list() -> None:
    settings = Settings.standard(mode="Mosaic", device="cpu", pass_factors=[1.0, 0.8])
    assert (settings.mode, settings.device) == (Mode.MOSAIC, Device.CPU)
    assert settings.pass_factors == (1.0, 0.8)
    with pytest.raises(
        SettingsError, match=r'mode: "pixel" is not a mode; choose one of: solid, blur, mosaic'
    ):
        Settings.standard(mode="pixel")


def test_hipaa_s_defaults_are_the_lock_s_own_values() -> None:
    """A failure means that a default moved and the lock with it, or without it."""
    assert {name: SETTINGS[name].of(Settings()) for name in HIPAA_FIXED} == HIPAA_FIXED
    assert set(HIPAA_STRICTER) <= set(HIPAA_FIXED)
    tracked = {name.removeprefix("tracking.") for name in HIPAA_FIXED if name.startswith("tracking.")}
    assert tracked == {field.name for field in dataclasses.fields(TrackingSettings)}


def test_the_lock_names_setting_legal_values_and_way_out() -> None:
    with pytest.raises(HipaaLockError) as refused:
        require_lock_holds(Settings(threshold=0.6))
    assert str(refused.value) == (
        "HIPAA mode takes threshold 0.2 to 0.5, but the job asks for 0.6. "
        "Leave it out, or switch HIPAA mode off."
    )
    with pytest.raises(
        HipaaLockError, match=r"takes tracking\.bridge_seconds 1 to 5, but the job asks for 0\.5"
    ):
        require_lock_holds(Settings(tracking=TrackingSettings(bridge_seconds=0.5)))
    with pytest.raises(HipaaLockError, match="takes keep_audio false, but the job asks for true"):
        require_lock_holds(Settings(keep_audio=True))


def test_the_signed_sentence_and_no_other_loosens_the_lock() -> None:
    loose: dict[str, Any] = {"threshold": 0.6, "mode": Mode.BLUR}
    signed = Settings(**loose, hipaa_waiver=HIPAA_WAIVER)
    require_lock_holds(signed)
    assert looser_values(signed) == loose
    assert waiver_note(signed) == (
        "HIPAA mode was loosened by the signature in the configuration file: "
        "threshold 0.6 instead of 0.2 to 0.5, mode blur instead of solid."
    )
    for words in ("yes", HIPAA_WAIVER.lower(), HIPAA_WAIVER + " "):
        with pytest.raises(SettingsError, match="exactly"):
            Settings(**loose, hipaa_waiver=words)
    with pytest.raises(HipaaLockError, match="Maximum"):
        require_lock_holds(Settings(performance=Performance.MAXIMUM, hipaa_waiver=HIPAA_WAIVER))
    with pytest.raises(HipaaLockError, match="keep_audio"):
        require_lock_holds(Settings(keep_audio=True, hipaa_waiver=HIPAA_WAIVER))


def test_no_note_where_nothing_was_loosened() -> None:
    for settings in (
        Settings(),
        Settings(threshold=0.3, hipaa_waiver=HIPAA_WAIVER),
        Settings.standard(threshold=0.6),
    ):
        assert waiver_note(settings) == ""


@pytest.mark.parametrize("performance", [Performance.ORIGINAL, Performance.QUALITY, Performance.BALANCED])
def test_the_lock_leaves_the_safe_modes_free(performance: Performance) -> None:
    require_lock_holds(Settings(performance=performance))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.49),
        ("threshold", 0.91),
        ("threshold", float("nan")),
        ("threshold", "0.5"),
        ("threshold", True),
        ("mask_scale", 0.9),
        ("mask_scale", float("inf")),
        ("crf", 41),
        ("crf", 20.5),
        ("crf", 17.0),
        ("crf", 10**400),
        ("hipaa_waiver", 1),
        ("mode", "pixelate"),
        ("mode", 3),
        ("mode", None),
        ("mode", Model.DSFD),
        ("mode", "pixel"),
        ("mode", 1),
        ("areas", "10,20,300,40"),
        ("areas", ("10,20,300",)),
        ("pass_factors", ()),
        ("pass_factors", (1.0, 0.1)),
        ("pass_factors", (1.0, float("nan"), 0.7)),
        ("pass_factors", 0.7),
        ("pass_factors", (True,)),
        ("nms_threshold", 0.71),
        ("precision", "float64"),
        ("hipaa", 1),
        ("multi_pass", None),
    ],
)
def test_wrong_values_are_named_with_their_range(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.standard(**{name: value})


@pytest.mark.parametrize("kind", [Settings, TrackingSettings, PerformancePreset])
def test_every_default_lies_within_its_own_range(kind: type) -> None:
    for field in dataclasses.fields(kind):
        declared = declaration(field)
        if declared is not None and declared.low is not None:
            low, high = declared.range()
            values = field.default if isinstance(field.default, tuple) else (field.default,)
            assert low <= min(values) and max(values) <= high, field.name


@pytest.mark.parametrize(("value", "fits"), [(0.19, False), (0.2, True), (0.9, True), (0.91, False)])
def test_under_the_lock_the_threshold_s_range_begins_lower(value: float, fits: bool) -> None:
    if fits:
        assert Settings(threshold=value).threshold == value
    else:
        with pytest.raises(SettingsError, match=r"threshold must be a number from 0\.2 to 0\.9"):
            Settings(threshold=value)
    assert legal_range("threshold") == (0.5, 0.9)
    assert legal_range("threshold", hipaa=True) == (0.2, 0.9)
    assert legal_range("tracking.extend_seconds") == (0.0, 5.0)


def test_opening_the_lock_brings_back_standard_mode_s_range() -> None:
    with pytest.raises(SettingsError, match=r"threshold must be a number from 0\.5 to 0\.9, not 0\.3"):
        dataclasses.replace(Settings(threshold=0.3), hipaa=False)


def test_a_track_starts_at_no_lower_score_than_it_goes_on() -> None:
    """The detector drops everything under continue_threshold: faces between the two would be lost."""
    tracking = TrackingSettings(continue_threshold=0.36)
    with pytest.raises(SettingsError, match=r"continue_threshold must not be higher than 0\.35.* 0\.36"):
        Settings.standard(tracking=tracking)
    assert Settings.standard(tracking=tracking, multi_pass=False).tracking is tracking
    Settings.standard(tracking=TrackingSettings(continue_threshold=0.35))


def test_presets_are_the_design_s_table() -> None:
    presets = {mode.value: Presets().of(mode.value) for mode in Performance}
    table = {mode: (p.batch_size, p.detect_every, p.max_resolution) for mode, p in presets.items()}
    assert table == {
        "original": (1, 1, 1920),
        "quality": (8, 1, 1920),
        "balanced": (8, 3, 1280),
        "maximum": (16, 5, 960),
    }


def test_choices_are_parsed_whatever_their_case_and_listed_when_wrong() -> None:
    assert parse_enum(Mode, " Blur") is Mode.BLUR
    with pytest.raises(SettingsError, match="solid, blur, mosaic"):
        parse_enum(Mode, "pixelate")


@pytest.mark.parametrize("kind", [Mode, Model, Performance, Device, Encoder])
def test_a_choice_can_be_given_as_its_text_whatever_its_case(kind: type[Enum]) -> None:
    name = kind.__name__.lower()
    for choice in kind:
        for text in (choice.value, choice.value.upper(), f" {choice.value} "):
            settings = Settings.standard(**{name: text})
            assert getattr(settings, name) is choice
            assert settings == Settings.standard(**{name: choice})
            assert getattr(dataclasses.replace(Settings.standard(), **{name: text}), name) is choice


def test_a_wrong_choice_is_answered_with_the_valid_ones() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.standard(mode="pixelate")
    assert str(refused.value) == 'mode: "pixelate" is not a mode; choose one of: solid, blur, mosaic.'
    with pytest.raises(SettingsError) as refused:
        Settings.standard(mode=3)
    assert str(refused.value) == "mode must be one of solid, blur, mosaic, not 3."


def test_a_choice_given_as_text_is_held_by_the_lock() -> None:
    """A failure means that HIPAA mode blurs where somebody wrote the mode as a string."""
    require_lock_holds(Settings(mode="solid", performance="balanced"))
    with pytest.raises(HipaaLockError, match="takes mode solid"):
        require_lock_holds(Settings(mode="blur"))
    with pytest.raises(HipaaLockError, match="Maximum"):
        require_lock_holds(Settings(performance="maximum"))


def test_settings_are_frozen_and_comparable() -> None:
    assert Settings() == Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().hipaa = False  # type: ignore[misc]
