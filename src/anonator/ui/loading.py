"""Loads the engine in the background, and fetches its models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from anonator.errors import JobCancelled
from anonator.ui.look.dialogs import WaitDialog
from anonator.ui.questions import Questions
from anonator.ui.state import text
from anonator.ui.state.app_state import ModelsFound, Store
from anonator.ui.work.engine import Engine, EngineReady
from anonator.ui.work.event_log import EventLog
from anonator.ui.work.worker import Worker


class Loading:
    """Asks the engine's worker, and puts its answers into the state."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        worker: Worker,
        questions: Questions,
        events: EventLog,
        *,
        take_models: Callable[[ModelsFound], None],
        loaded: Callable[[], None],
    ) -> None:
        """Set it up; nothing is loaded yet.

        Args:
            store: holds the state.
            engine: the engine to load.
            worker: the engine's worker.
            questions: asks before a download.
            events: records what the engine runs on.
            take_models: called with the models that were found.
            loaded: called when the engine is ready.
        """
        self._store, self._engine, self._worker = store, engine, worker
        self._questions, self._events = questions, events
        self._take_models, self._loaded = take_models, loaded
        self._wait: WaitDialog | None = None
        self._progress: tuple[int, int | None] = (0, None)
        self._cancelled = threading.Event()

    # --- the engine

    def load(self) -> None:
        """Load torch and the model in the settings."""
        settings = self._store.state.settings
        self._worker.submit(partial(self._engine.load, settings), self._ready, self._not_ready)

    def _ready(self, ready: EngineReady) -> None:
        self._store.change(device=ready.device_line, engine_failed=False)
        self._loaded()
        self._events.write("engine", device=ready.device_line)

    def _not_ready(self, error: Exception) -> None:
        self._store.change(device=None, engine_failed=True)
        self._say_error(error)
        self._events.write("engine", device=None)

    def find_models(self) -> None:
        """Find out which models are installed, and which encoders work."""
        self._worker.submit(self._engine.find_models, self._take_models, _leave_as_it_is)

    # --- the models

    def download(self) -> None:
        """Download the chosen model if the user agrees."""
        model, models = self._store.state.settings.model, self._store.state.models
        if not self._questions.download(model, models.sizes.get(model, "size unknown")):
            return
        self._cancelled.clear()
        self._progress = (0, None)
        fetch = partial(self._engine.download, model, self._note, self._cancelled.is_set)
        self._wait = self._questions.wait_for_download(self._cancelled.set)
        self._worker.submit(fetch, self._arrived, self._not_arrived)

    def use_file(self) -> None:
        """Use a weights file the user already has for the chosen model."""
        model = self._store.state.settings.model
        file = self._questions.weights_of(model)
        if file is not None:
            self._worker.submit(partial(self._engine.adopt, model, file), self._arrived, self._not_arrived)

    def poll(self) -> None:
        """Show the progress of a download."""
        if self._wait is not None and not self._cancelled.is_set():
            done, total = self._progress
            if done:
                words = f"{text.size(done)} of {text.size(total)}" if total else text.size(done)
                self._wait.show_progress(done / total if total else None, words)

    def _note(self, done: int, total: int | None) -> None:
        self._progress = (done, total)

    def _arrived(self, _nothing: object) -> None:
        self._close_wait()
        self._store.say("The model is now on this computer.")
        self._look_again()

    def _not_arrived(self, error: Exception) -> None:
        self._close_wait()
        if not isinstance(error, JobCancelled):
            self._say_error(error)
        self._look_again()

    def _close_wait(self) -> None:
        if self._wait is not None:
            self._wait.close("")
            self._wait = None

    def _look_again(self) -> None:
        self.load()
        self.find_models()

    def _say_error(self, error: Exception) -> None:
        self._store.say(text.error_sentence(error))


def _leave_as_it_is(_error: Exception) -> None:
    """Keep what is known about the models."""
