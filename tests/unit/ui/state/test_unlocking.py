"""The question before HIPAA mode is switched off tells everything that this changes."""

from __future__ import annotations

from dataclasses import replace

from anonator.core.config import Mode, Performance, Settings
from anonator.core.hipaa_lock import HIPAA_FIXED
from anonator.core.tracking_settings import TrackingSettings
from anonator.ui.state.unlocking import ALWAYS, DAMAGED, LAST_TIME, NUMBERS, SAID, changes, question


def test_it_tells_what_standard_mode_does_otherwise() -> None:
    told = "\n".join(changes(Settings(), Settings.standard()))
    for words in (
        "no audit report is saved",
        "sideways or upside down",
        "stays covered for 0.5 s, not 1 s",
        "last 0.12 s before and after a face, not 0.25 s",
        "250 damaged frames",
        ALWAYS,
    ):
        assert words in told
    assert "blur" not in told and "sound" not in told and LAST_TIME not in told


def test_it_tells_what_was_chosen_last_time() -> None:
    chosen = {"mode": Mode.BLUR, "keep_audio": True, "performance": Performance.MAXIMUM, "mask_scale": 1.2}
    told = list(changes(Settings(), Settings.standard(**chosen), chosen))
    assert [line for line in told if line.endswith(LAST_TIME)] == [
        "faces are blurred, not covered with black boxes" + LAST_TIME,
        "the sound is kept, and voices can identify people" + LAST_TIME,
        "Maximum Speed searches only a few frames" + LAST_TIME,
        "masks are 1.2 times the size of the face, not 1.5" + LAST_TIME,
    ]


def test_a_value_of_the_configuration_file_is_told_by_its_name() -> None:
    tracking = replace(TrackingSettings(), link_iou=0.4)
    told = list(changes(Settings(), Settings(hipaa=False, tracking=tracking)))
    assert told == ["tracking.link_iou is 0.4, not 0.2", DAMAGED.format(250), ALWAYS]


def test_every_locked_switch_has_a_sentence() -> None:
    switches = {name for name, value in HIPAA_FIXED.items() if isinstance(value, bool)}
    assert switches <= set(SAID) and not set(SAID) & set(NUMBERS)


def test_the_question_says_how_to_get_it_all_back() -> None:
    asked = question(Settings(), Settings.standard(), ())
    assert "brings all of its values back" in asked and asked.count("•") == 7
