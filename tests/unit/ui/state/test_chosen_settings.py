"""What people chose on the ground of the configuration: what counts where, is remembered, is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anonator.core.config import (
    HIPAA_WAIVER,
    Encoder,
    Mode,
    Model,
    Performance,
    Settings,
)
from anonator.core.config_file import UserConfig
from anonator.core.hipaa_lock import require_lock_holds
from anonator.core.tracking_settings import STANDARD_TRACKING
from anonator.errors import SettingsError
from anonator.ui.state.chosen_settings import CHANGED_ENCODER, CHANGED_PERFORMANCE, Choices, ChosenSettings

STRICT = UserConfig(
    hipaa=Settings(threshold=0.3, mask_scale=2.0, performance=Performance.ORIGINAL, hash_input=True),
    standard=Settings.standard(mode=Mode.MOSAIC, crf=20),
)


def chosen(config: UserConfig | None = None, choices: Choices | None = None) -> ChosenSettings:
    return ChosenSettings(config or UserConfig(), choices or Choices())


def test_the_start_is_the_closed_lock_and_the_configuration() -> None:
    assert chosen().settings() == Settings()
    start = chosen(STRICT)
    assert start.settings() == STRICT.hipaa
    start.turn_lock(False)
    assert start.settings() == STRICT.standard


def test_free_choices_count_in_both_modes_and_the_report_s_in_one() -> None:
    settings = chosen(STRICT)
    settings.choose("model", Model.RESNET50)
    settings.choose("neutral_name", True)
    assert settings.settings() == replace(STRICT.hipaa, model=Model.RESNET50, neutral_name=True)
    require_lock_holds(settings.settings())
    settings.turn_lock(False)
    assert settings.settings() == replace(STRICT.standard, model=Model.RESNET50, neutral_name=True)
    settings.choose("report", True)
    settings.choose("threshold", 0.8)
    settings.turn_lock(True)
    assert settings.settings().threshold == 0.3
    settings.turn_lock(False)
    settings.choose("report", False)
    settings.turn_lock(True)
    assert settings.settings().report


def test_the_lock_takes_no_maximum_speed() -> None:
    settings = chosen()
    settings.turn_lock(False)
    settings.choose("performance", Performance.MAXIMUM)
    assert settings.hipaa.performance is Performance.QUALITY
    assert settings.turn_lock(True) == CHANGED_PERFORMANCE.format("Quality")
    assert settings.settings() == Settings(), "switching HIPAA mode on again restores all of it"


def test_only_what_differs_from_the_configuration_is_remembered() -> None:
    """A failure means that a file changed by an administrator has no effect on a computer in use."""
    settings = chosen()
    settings.turn_lock(False)
    settings.choose("mode", Mode.BLUR)
    settings.choose("threshold", 0.7)
    settings.choose("threshold", 0.5)
    settings.choose("model", Model.DSFD)
    settings.choose("model", Model.MOBILENET)
    assert settings.choices() == Choices(standard={"mode": Mode.BLUR})
    settings.choose("mask_scale", 1.5)
    assert settings.on(STRICT).standard.mask_scale == 1.5
    again = chosen(STRICT, settings.choices())
    assert again.hipaa == STRICT.hipaa
    assert again.standard == replace(STRICT.standard, mode=Mode.BLUR)


def test_restoring_forgets_every_choice_but_not_the_configuration() -> None:
    settings = chosen(STRICT, Choices(hipaa={"neutral_name": True}, standard={"mask_scale": 1.0}))
    settings.restore_defaults()
    assert (settings.hipaa, settings.standard) == (STRICT.hipaa, STRICT.standard)
    assert settings.choices() == Choices()


def test_an_encoder_that_does_not_work_here_is_left_and_told() -> None:
    settings = chosen(
        UserConfig(hipaa=Settings(encoder=Encoder.NVENC)), Choices(standard={"encoder": Encoder.QSV})
    )
    assert settings.leave_encoder((Encoder.X264, Encoder.NVENC)) == CHANGED_ENCODER
    assert (settings.hipaa.encoder, settings.standard.encoder) == (Encoder.NVENC, Encoder.X264)
    assert settings.leave_encoder((Encoder.X264,)) == CHANGED_ENCODER
    assert settings.hipaa.encoder is Encoder.X264
    assert settings.leave_encoder((Encoder.X264,)) == ""


def test_a_choice_that_does_not_go_with_the_others_changes_nothing() -> None:
    tracking = replace(STANDARD_TRACKING, continue_threshold=0.6)
    ground = Settings.standard(threshold=0.9, tracking=tracking)
    settings = chosen(UserConfig(standard=ground))
    settings.turn_lock(False)
    with pytest.raises(SettingsError, match="continue_threshold"):
        settings.choose("threshold", 0.5)
    assert settings.settings() == ground and settings.choices() == Choices()


def test_what_was_signed_for_stays_signed_for() -> None:
    loose = Settings(mask_scale=1.2, hipaa_waiver=HIPAA_WAIVER)
    settings = chosen(UserConfig(hipaa=loose))
    settings.choose("performance", Performance.BALANCED)
    require_lock_holds(settings.settings())
    assert settings.settings() == replace(loose, performance=Performance.BALANCED)


def test_stricter_is_never_locked_and_looser_always_is() -> None:
    settings = chosen()
    settings.choose("threshold", 0.3)
    settings.choose("mask_scale", 2.0)
    for name, value in (("threshold", 0.6), ("mask_scale", 1.2), ("threshold", 0.1)):
        with pytest.raises(SettingsError):
            settings.choose(name, value)
    assert settings.settings() == Settings(threshold=0.3, mask_scale=2.0)
    assert settings.choices() == Choices(hipaa={"threshold": 0.3, "mask_scale": 2.0})
    assert settings.standard == Settings.standard(), "chosen for each mode by itself"
    settings.choose("threshold", 0.5)
    assert settings.settings() == Settings(mask_scale=2.0)


def test_a_configuration_that_became_stricter_than_a_choice_wins() -> None:
    settings = chosen(STRICT, Choices(hipaa={"threshold": 0.45, "mask_scale": 2.5}))
    assert settings.settings() == replace(STRICT.hipaa, mask_scale=2.5)
    with pytest.raises(SettingsError, match=r"0\.2 to 0\.3"):
        settings.choose("threshold", 0.4)
    assert settings.choices() == Choices(hipaa={"mask_scale": 2.5})


def test_a_choice_that_needs_the_signature_is_not_remembered_without_it() -> None:
    settings = chosen(UserConfig(hipaa=Settings(mask_scale=1.2, hipaa_waiver=HIPAA_WAIVER)))
    settings.choose("mask_scale", 1.3)
    assert settings.settings().mask_scale == 1.3
    assert settings.choices() == Choices() and settings.on(UserConfig()).settings() == Settings()


@pytest.mark.parametrize(
    ("hipaa", "standard"),
    [
        ({"mask_scale": 1.0}, {}),
        ({"keep_audio": True}, {}),
        ({"report": False}, {}),
        ({"performance": Performance.MAXIMUM}, {}),
        ({}, {"threshold": 5}),
        ({}, {"hipaa": True}),
        ({}, {"report": 1}),
    ],
)
def test_choices_that_the_window_never_offers_are_refused(
    hipaa: dict[str, object], standard: dict[str, object]
) -> None:
    with pytest.raises(SettingsError):
        Choices(hipaa, standard)
