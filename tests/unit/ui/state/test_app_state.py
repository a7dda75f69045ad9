"""The state that the window draws, and who is told of its changes; without a display."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonator.core.config import Model
from anonator.ui.state.app_state import AppState, ModelsFound, Store
from anonator.ui.state.job import JobState, JobView, RunState
from anonator.ui.state.view import View

WAITING = JobView(1, Path("a.mp4"))
READY = AppState(jobs=(WAITING,))


@pytest.mark.parametrize(
    ("values", "may_start"),
    [
        ({}, True),
        ({"jobs": ()}, False),
        ({"jobs": (replace(WAITING, state=JobState.DONE),)}, False),
        ({"held": "The file cannot be used."}, False),
        ({"closing": True}, False),
        ({"starting": True}, False),
        ({"run": RunState.RUNNING}, False),
        ({"run": RunState.PAUSED}, False),
        ({"run": RunState.CANCELLING}, False),
        ({"device": None, "engine_failed": True}, True),
    ],
)
def test_start_does_something_only_where_nothing_speaks_against_it(
    values: dict[str, Any], may_start: bool
) -> None:
    """Without an engine a start loads it, and where that fails, the row says why."""
    assert replace(READY, **values).may_start is may_start


def test_the_program_ends_only_once_nothing_runs() -> None:
    closing = replace(READY, closing=True)
    assert closing.may_end and not READY.may_end
    assert not replace(closing, run=RunState.CANCELLING).may_end


def test_followers_are_told_the_newest_state_and_only_changes() -> None:
    store = Store(READY)
    told: list[tuple[int | None, View]] = []
    view = View(original="Opening…")

    def shows_the_chosen_row(state: AppState) -> None:
        if state.chosen == 1:
            store.change(view=view)

    store.follow(shows_the_chosen_row)
    store.follow(lambda state: told.append((state.chosen, state.view)))
    first = store.state.view
    store.change(chosen=None)
    assert told == [(None, first)], "the state at once, and nothing that changes nothing"
    store.change(chosen=1)
    assert told[1:] == [(1, view)] * 2, "never a state that is out of date"


def test_nothing_said_leaves_what_was_said() -> None:
    store = Store(READY)
    store.say("One video was left out.")
    store.say("")
    assert store.state.message == "One video was left out."


def test_a_model_is_missing_only_where_somebody_looked() -> None:
    found = ModelsFound({Model.MOBILENET: True, Model.RESNET50: False}, {Model.RESNET50: "109 MB"}, ())
    assert found.missing_size(Model.MOBILENET) is None
    assert found.missing_size(Model.RESNET50) == "109 MB"
    assert found.missing_size(Model.DSFD) is None
