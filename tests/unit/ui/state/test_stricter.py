"""A video is never done again more loosely than its run."""

from __future__ import annotations

import pytest

from anonator.core.config import Settings
from anonator.core.hipaa_lock import require_lock_holds
from anonator.ui.state.stricter import Stricter, ranges


@pytest.mark.parametrize(
    ("run", "stricter", "used"),
    [
        (Settings(), Stricter(0.3, 2.0), (0.3, 2.0)),
        (Settings(threshold=0.25, mask_scale=2.5), Stricter(0.3, 2.0), (0.25, 2.5)),
        (Settings.standard(threshold=0.8), Stricter(0.3, 2.0), (0.5, 2.0)),
    ],
    ids=["as chosen", "the run is stricter", "the lock was opened meanwhile"],
)
def test_the_stricter_of_both_counts(run: Settings, stricter: Stricter, used: tuple[float, float]) -> None:
    settings = stricter.of(run)
    assert (settings.threshold, settings.mask_scale) == used
    require_lock_holds(settings)


def test_a_step_is_suggested_and_ends_at_the_strictest() -> None:
    assert Stricter.suggested(Settings()) == Stricter(0.4, 1.75)
    strictest = Settings(threshold=0.2, mask_scale=3.0)
    assert Stricter.suggested(strictest) == Stricter(0.2, 3.0)
    assert ranges(strictest) == ((0.2, 0.2), (3.0, 3.0))
