"""Draws the state: every part of the window shows it, and nothing is read back."""

from __future__ import annotations

from anonator.core.hipaa_lock import waiver_note
from anonator.ui.layout import Layout
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState
from anonator.ui.state.job import RunState
from anonator.ui.state.view import View

START_DISABLED = "Start is disabled until you fix the configuration file"


class Presenter:
    """Gives each part of the window what it shows."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._drawn: AppState | None = None
        self._viewed: tuple[View, bool, bool] | None = None

    def draw(self, state: AppState) -> None:
        """Show the state; parts that haven't changed since the last call aren't redrawn."""
        layout, drawn = self._layout, self._drawn
        layout.held.show(state.held)
        layout.notice.show(state.message)
        layout.show_videos(bool(state.jobs), state.large)
        if drawn is None or (state.jobs, state.chosen) != (drawn.jobs, drawn.chosen):
            layout.queue_view.draw(state.jobs, state.chosen)
        view, playing = state.shown, state.playing is not None
        if (view, playing, state.large) != self._viewed:
            self._viewed = view, playing, state.large
            layout.viewer.draw(view, playing=playing, large=state.large)
        if drawn is None or _settings_of(state) != _settings_of(drawn):
            layout.show_lock(_lock_words(state))
            layout.panel.draw(state)
        self._draw_foot(state)
        layout.keep_focus()
        self._drawn = state

    def _draw_foot(self, state: AppState) -> None:
        layout, foot = self._layout, self._layout.foot
        layout.device.configure(text=_device_words(state))
        foot.show_run(
            RunState.RUNNING if state.starting else state.run, 0 if state.held else len(state.waiting)
        )
        foot.show_review(len(state.to_review))
        foot.show_status(_status(state), _stage(state))
        current, last = state.job(state.current), state.job(state.last_run)
        if current is not None:
            running = state.run is RunState.RUNNING
            foot.show_progress(current.progress, state.queue_remaining, starting=running)
        elif state.starting:
            foot.show_progress(None, None, starting=True)
        elif last is not None and last.result is not None and not state.waiting:
            foot.show_progress(text.whole_job(last.result), 0.0, ended=True)
        else:
            foot.show_progress(None, None)


def _settings_of(state: AppState) -> tuple[object, ...]:
    """What the settings panel shows."""
    return state.settings, state.floor, state.folder, state.models, state.idle, state.held


def _lock_words(state: AppState) -> str:
    """A warning about HIPAA mode; "" if it is fully on."""
    if not state.settings.hipaa:
        return "HIPAA mode is off"
    return "HIPAA mode is loosened" if waiver_note(state.settings) else ""


def _device_words(state: AppState) -> str:
    if state.device is not None:
        return state.device
    return "The engine isn't loaded" if state.engine_failed else text.LOADING_ENGINE


def _stage(state: AppState) -> str:
    """What is being done besides working through the frames."""
    current = state.job(state.current)
    if state.starting:
        return text.READYING if state.loaded else text.LOADING_ENGINE
    if state.run is RunState.RUNNING and current is not None:
        return text.stage(current.progress)
    return ""


def _status(state: AppState) -> str:
    """What is going on, in one line."""
    jobs, waiting, current = state.jobs, state.waiting, state.job(state.current)
    if state.closing:
        return "Closing…"
    if state.starting:
        return "Starting…"
    if current is not None:
        word = {RunState.PAUSED: "Paused: video", RunState.CANCELLING: "Cancelling: video"}
        place, of = state.place
        return f"{word.get(state.run, 'Video')} {place} of {of}, {current.source.name}"
    if waiting and state.to_review:
        return f"{text.count(len(state.to_review), 'result')} to review"
    if waiting and state.held:
        return START_DISABLED
    if waiting:
        infos = [job.info for job in waiting if job.info is not None]
        known = [info.seconds for info in infos if info.seconds is not None]
        length = f", {text.duration(sum(known))} in total" if len(known) == len(waiting) else ""
        return f"Ready: {text.count(len(waiting), 'video')}{length}"
    if not jobs:
        return "Drop videos to begin"
    done = [job for job in jobs if job.is_done]
    reviewed = all(job.review is not None and job.review.signed for job in done)
    return text.queue_summary([job.state.value for job in jobs], reviewed=reviewed)
