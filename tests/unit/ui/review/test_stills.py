"""Single pictures of the review: exactly the frames asked for, and never one covered for the sheet."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unit.reading.test_frame_access import joined, plain
from unit.ui.review.test_film import SIDE, read
from video_helpers import GOP

from anonator.core.pictures.rgb import to_rgb_within
from anonator.ui.review.stills import Stills

CLIPS = {
    "b frames": plain("a.mp4", *GOP),
    "b frames in avi": plain("a.avi", "-c:v", "mpeg4", "-bf", "2", "-g", "12"),
    "joined recordings": joined,
}


@pytest.mark.parametrize("make", CLIPS.values(), ids=CLIPS)
def test_every_frame_in_any_order_is_the_one_asked_for(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    analysis, expected = read(path)
    order = list(range(len(analysis.pts)))
    stills = Stills(path, analysis)
    random.Random(1).shuffle(order)
    for index in order[:20]:
        frame = stills.frame(index)
        assert frame.pts == analysis.pts[index]
        np.testing.assert_array_equal(to_rgb_within(frame, SIDE), expected[index])
    stills.close()


def test_a_covered_picture_is_not_taken_for_the_original(tmp_path: Path) -> None:
    path = plain("a.mp4", *GOP)(tmp_path)
    analysis, _ = read(path)
    stills = Stills(path, analysis)
    before = stills.frame(5).planes()[0].copy()
    finished = stills.finished(5, [(10, 10, 50, 50)], analysis.settings, 96)
    assert finished[12:48, 12:48].max() < 20
    np.testing.assert_array_equal(stills.frame(5).planes()[0], before)
    stills.close()
