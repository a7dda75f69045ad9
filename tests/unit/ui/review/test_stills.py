"""Single pictures of the review: exactly the frames asked for, and never one covered for the sheet."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from unit.reading.test_frame_access import joined, plain
from unit.ui.review.test_film import SIDE, read
from video_helpers import GOP

from anonator.core.pictures.rgb import to_rgb_within
from anonator.core.reading.frame_access import FrameAccess
from anonator.errors import JobCancelled
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


def test_stop_ends_what_another_thread_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving a review closed the file in which a thread was still decoding, far from any key frame."""
    path = plain("a.mp4", *GOP)(tmp_path)
    analysis, _ = read(path)
    stills, begun = Stills(path, analysis), threading.Event()
    ended: list[BaseException] = []

    def endless(_access: FrameAccess, _first: int, _before: int = 0) -> Iterator[None]:
        while True:
            begun.set()
            yield None

    def work() -> None:
        try:
            stills.frame(5)
        except JobCancelled as error:
            ended.append(error)

    monkeypatch.setattr(FrameAccess, "frames_on", endless)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert begun.wait(60)
    stills.stop()
    thread.join(60)
    assert ended and not thread.is_alive()
    with pytest.raises(JobCancelled):
        stills.frame(0)
    stills.close()
