"""What the window does with what its workers bring: videos, first looks, pictures, the engine, models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from anonator.ui.look import theme as look
from anonator.ui.state import text
from anonator.ui.state.dropped_paths import Incoming
from anonator.ui.state.job import RunState
from anonator.ui.work import thumbnails as media
from anonator.ui.work.engine import EngineReady, ModelsFound
from anonator.ui.work.worker import Outcome

if TYPE_CHECKING:
    from anonator.ui.main_window import MainWindow


class Arrivals:
    """Takes outcomes by the first part of their key."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def take(self, outcome: Outcome) -> None:
        """Give an outcome to whom it belongs."""
        kind = outcome.key[0]  # type: ignore[index]
        handlers: dict[str, Callable[[Outcome], None]] = {
            "incoming": self._came_in,
            "glimpse": self._looked_at,
            "picture": self._window.desk.take,
            "test": self._window.desk.take,
            "engine": self._engine_stands,
            "models": self._models_found,
            "model": self._model_arrived,
            "start": lambda _outcome: self._window.control.engine_is_free(),
            "preferences": self._remembered,
        }
        handlers[kind](outcome)

    def _came_in(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._window.say(text.error_sentence(outcome.error))
            return
        came: Incoming = outcome.value
        numbers = self._window.controller.add(came.videos)
        doubles = len(came.videos) - len(numbers)
        said = f"{text.count(doubles, 'video')} in the queue already." if doubles else ""
        self._window.say(" ".join(part for part in (came.message(), said) if part))
        size = (self._window.theme.px(look.THUMBNAIL[0]), self._window.theme.px(look.THUMBNAIL[1]))
        for number in numbers:
            job = self._window.controller.get(number)
            assert job is not None, "it was added just now"
            self._window.worker.submit(("glimpse", number), partial(media.glimpse, job.source, size))
        self._window.events.write(
            "added", numbers=list(numbers), left_out=len(came.not_videos) + came.own_outputs
        )
        if numbers and self._window.controller.state is RunState.IDLE:
            self._window.presenter.show_queue()
            self._window.queue_view.select(numbers[0])

    def _looked_at(self, outcome: Outcome) -> None:
        number = outcome.key[1]  # type: ignore[index]
        if outcome.error is not None:
            self._window.controller.set_unreadable(number, text.error_sentence(outcome.error))
            return
        glimpse: media.Glimpse = outcome.value
        self._window.controller.set_info(number, glimpse.info)
        self._window.queue_view.set_thumbnail(number, glimpse.thumbnail)
        self._window.desk.first_look(number, glimpse)

    def _engine_stands(self, outcome: Outcome) -> None:
        line = outcome.value.device_line if isinstance(outcome.value, EngineReady) else None
        self._window.presenter.engine_loaded(line)
        if line is not None:
            self._window.desk.test()
        else:
            self._window.say(text.error_sentence(outcome.error or RuntimeError()))
        self._window.events.write("engine", device=line)
        self._window.control.show()

    def _models_found(self, outcome: Outcome) -> None:
        if outcome.error is None:
            found: ModelsFound = outcome.value
            self._window.say(self._window.panel.set_available(found.available, found.sizes, found.encoders))

    def _model_arrived(self, outcome: Outcome) -> None:
        self._window.commands.model_arrived(outcome)
        self._window.load_engine()
        self._window.engine_worker.submit(("models",), self._window.engine.find_models)

    def _remembered(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._window.say(
                "The settings could not be remembered for the next start. Check that the disk has room."
            )
