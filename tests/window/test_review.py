"""A review in the real window: opened from a finished row, used with keys and mouse, and left again."""

from __future__ import annotations

from pathlib import Path

import pytest
from window.review_bench import SpotEngine, finished, opened, press
from window.window_helpers import Drive


@pytest.mark.slow
def test_a_finished_row_opens_its_review_and_the_queue_comes_back(drive: Drive, tmp_path: Path) -> None:
    driver = drive(engine=SpotEngine())
    finished(driver, tmp_path)
    window = driver.window
    job = window.controller.jobs[0]
    assert job.state_text == "done, not reviewed" and job.may_review
    driver.until(window.foot.review.winfo_viewable)
    assert window.foot.review.cget("text") == "Review 1 video"
    window.queue_view.tree.focus_force()
    driver.turn(0.2)
    press(driver, "Return")
    review = opened(driver)
    assert review.screen.winfo_viewable() and not window.queue_view.winfo_viewable()
    press(driver, "Right", "Right", "Right")
    driver.until(lambda: review.store.state.index == 3)
    press(driver, "Escape")
    driver.until(lambda: window.queue_view.winfo_viewable())
    assert window.reviewing.review is None
    assert window.controller.jobs[0].state_text.startswith("in review, ")
