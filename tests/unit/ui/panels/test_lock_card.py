"""What the lock says that it does is what the engine would do."""

from __future__ import annotations

from dataclasses import replace

from anonator.core.config import HIPAA_WAIVER, Mode, Settings
from anonator.ui.panels.lock_card import LINES, enforced


def test_hipaas_own_values() -> None:
    words = enforced(Settings())
    assert words[:3] == (
        "Solid black boxes; blur and mosaic aren't available",
        "Boxes 50 % larger than the face",
        "Searches three times, also for uncertain faces (0.5, 0.75, 0.35)",
    )
    assert "Sound removed" in words[4] and len(words) == 6


def test_stricter_values_are_shown_and_named() -> None:
    ground = Settings()
    tracking = replace(ground.tracking, bridge_seconds=2.0)
    words = enforced(replace(ground, threshold=0.3, mask_scale=2.0, tracking=tracking))
    assert words[1] == "Boxes 100 % larger than the face"
    assert words[2] == "Searches three times, also for uncertain faces (0.3, 0.45, 0.21)"
    assert words[-1] == ("Stricter than HIPAA mode asks for: threshold 0.3, mask scale 2, bridge seconds 2")
    assert len(words) == LINES


def test_what_was_signed_away_is_not_claimed() -> None:
    words = enforced(
        Settings(
            mode=Mode.BLUR,
            mask_scale=1.0,
            multi_pass=False,
            orientations=False,
            hipaa_waiver=HIPAA_WAIVER,
        )
    )
    assert words == (
        "Blur instead of black boxes",
        "Boxes the size of the face",
        "Searches once, for faces from the score 0.5",
        "Looks for faces in the upright picture only",
        "Sound removed, because voices identify people",
        "Maximum Speed, which skips most frames, isn't available",
    )
