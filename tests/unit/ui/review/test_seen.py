"""Seen: only what was really shown, slowly enough, counts, and it's saved."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unit.review.review_helpers import FRAMES, STEP
from unit.ui.review.test_session import opened

from anonator.core.review.tracks_file import TracksFile
from anonator.errors import ReviewError
from anonator.ui.review.seen import SAVE_SECONDS, Seen
from anonator.ui.review.session import ReviewSession


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def begun(session: ReviewSession, clock: Callable[[], float] = time.monotonic) -> Seen:
    return Seen(session, clock, failed=fails)


def fails(error: ReviewError) -> None:
    raise error


def test_what_is_played_slowly_or_stopped_on_counts(tmp_path: Path) -> None:
    seen = begun(opened(tmp_path))
    seen.shown(0, 9, 1.0)
    seen.shown(20, 29, 8.0)
    seen.shown(30, 39, 4.0)
    seen.shown(50, 50, 0.0)
    assert np.flatnonzero(seen.frames()).tolist() == [*range(10), *range(30, 40), 50]
    assert seen.share == 21 / FRAMES


def test_it_is_saved_as_stretches_every_few_seconds_and_at_the_end(tmp_path: Path) -> None:
    session, clock = opened(tmp_path), Clock()
    seen = begun(session, clock)
    for first in (0, 5, 10):
        seen.shown(first, first + 4, 2.0)
    assert not session.state.seen
    clock.now = SAVE_SECONDS
    seen.shown(15, 19, 2.0)
    assert session.state.seen == {(0, 19 * STEP)}
    seen.shown(0, 30, 1.0)
    seen.close()
    session.close()
    again = opened(tmp_path)
    assert {edit.reason for edit in again.edits} == {"1x", "2x"}
    assert begun(again).share == 31 / FRAMES


def test_the_next_unseen_frame_is_found_all_round(tmp_path: Path) -> None:
    seen = begun(opened(tmp_path))
    seen.shown(10, FRAMES - 1, 1.0)
    assert seen.next_unseen(3 * STEP) == 4 * STEP
    assert seen.next_unseen(30 * STEP) == 0
    seen.shown(0, 9, 1.0)
    assert seen.next_unseen(0) is None
    ((first, *_, last),) = seen.pages()
    assert first < 13 and last > FRAMES - 14, "once all was seen, the sheet shows all of it again"


def test_the_sheet_stands_for_all_that_was_not_seen(tmp_path: Path) -> None:
    session = opened(tmp_path)
    seen = begun(session)
    seen.shown(0, 9, 1.0)
    pages = seen.pages()
    assert len(pages) == 1 and all(index >= 10 for index in pages[0])
    # half a second is 12.5 frames of these
    assert len(pages[0]) == -(-(FRAMES - 10) // 12) or len(pages[0]) == -(-(FRAMES - 10) // 13)
    seen.on_sheet(pages[0])
    assert seen.frames().all() and seen.next_unseen(0) is None
    # only the pictures themselves were on the screen
    assert seen.share == (10 + len(pages[0])) / FRAMES and seen.share + seen.share_on_sheet == 1.0
    seen.shown(10, 39, 1.0)
    assert seen.frames()[10:40].all() and seen.share > 0.4, "what is played afterwards was really shown"
    share, sheet = seen.share, seen.share_on_sheet
    seen.close()
    session.close()
    again = begun(opened(tmp_path))
    assert (again.share, again.share_on_sheet) == (share, sheet)


def test_what_a_full_disk_refused_is_saved_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was lost, and the error ended playing."""
    session, clock, told = opened(tmp_path), Clock(), list[str]()
    seen = Seen(session, clock, failed=lambda error: told.append(str(error)))

    def full(*_: object) -> None:
        raise ReviewError("The edit could not be saved. Is the disk full?")

    with monkeypatch.context() as disk:
        disk.setattr(TracksFile, "append", full)
        clock.now = SAVE_SECONDS
        seen.shown(0, 4, 1.0)
        seen.shown(10, 14, 1.0)
        assert len(told) == 1 and not session.state.seen
    seen.shown(20, 20, 0.0)
    assert not session.state.seen, "not tried at every frame"
    seen.close()
    assert session.state.seen == {(0, 4 * STEP), (10 * STEP, 14 * STEP), (20 * STEP, 20 * STEP)}
    before = len(session.edits)
    seen.close()
    assert len(session.edits) == before and len(told) == 1
    session.close()
