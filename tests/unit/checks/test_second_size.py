"""The second detector sees pictures smaller than the first one does."""

from __future__ import annotations

import numpy as np
import pytest

from anonator.core.checks.second_size import long_side
from anonator.core.config import Performance, Settings


@pytest.mark.parametrize(
    ("settings", "size", "side"),
    [
        (Settings(), (1080, 1920), 1280),
        (Settings(), (2160, 3840), 1280),
        (Settings(), (480, 640), 853),  # the first detector sees it at 1280
        (Settings(performance=Performance.BALANCED), (1080, 1920), 853),
        (Settings.standard(), (1080, 1920), 960),
        (Settings.standard(performance=Performance.MAXIMUM), (1080, 1920), 480),
    ],
)
def test_it_sees_less_detail_than_the_first(settings: Settings, size: tuple[int, int], side: int) -> None:
    assert long_side(np.zeros((*size, 3), np.uint8), settings) == side
