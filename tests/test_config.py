"""Settings: legal values, what the lock allows, and what strings become."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from anonator.core.config import (
    PRESETS,
    Mode,
    Performance,
    Settings,
    TrackingSettings,
    parse_enum,
    require_lock_holds,
)
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
        {"mask_scale": 2.0},
        {"keep_audio": True},
        {"orientations": False},
        {"performance": Performance.MAXIMUM},
        {"tracking": TrackingSettings(bridge_seconds=0.0)},
    ],
    ids=str,
)
def test_the_lock_refuses_every_other_value(change: dict[str, Any]) -> None:
    with pytest.raises(HipaaLockError, match="--standard"):
        require_lock_holds(Settings(**change))
    require_lock_holds(Settings.standard(**change))


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
        ("mode", "solid"),
        ("hipaa", 1),
        ("multi_pass", None),
    ],
)
def test_wrong_values_are_named_with_their_range(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.standard(**{name: value})


@pytest.mark.parametrize("kind", [Settings, TrackingSettings])
def test_every_default_lies_within_its_own_range(kind: type) -> None:
    for field in dataclasses.fields(kind):
        low, high = field.metadata.get("low"), field.metadata.get("high")
        if low is not None:
            assert low <= field.default <= high, field.name


def test_presets_are_the_design_s_table() -> None:
    table = {mode.value: (p.batch_size, p.detect_every, p.max_resolution) for mode, p in PRESETS.items()}
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


def test_settings_are_frozen_and_comparable() -> None:
    assert Settings() == Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().hipaa = False  # type: ignore[misc]
