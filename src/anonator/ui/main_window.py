"""The window: puts its parts in their places, wires them to each other, and polls what the workers report."""

from __future__ import annotations

import logging
import queue
import signal
import sys
import tkinter as tk
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from anonator.core.frames import Preview, Progress
from anonator.core.hipaa_lock import waiver_note
from anonator.core.job_thread import Job
from anonator.errors import DisplayError
from anonator.ui import wiring
from anonator.ui.arrivals import Arrivals
from anonator.ui.commands import Commands
from anonator.ui.look import icons
from anonator.ui.look import theme as look
from anonator.ui.panels import drop_area as drop_target
from anonator.ui.panels import shortcuts
from anonator.ui.presenter import Presenter
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.run_control import RunControl
from anonator.ui.state import preferences, text
from anonator.ui.state.config_guard import ConfigGuard
from anonator.ui.state.job import Processor
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.engine import Engine
from anonator.ui.work.event_log import EventLog
from anonator.ui.work.live_previews import LivePreviews
from anonator.ui.work.worker import SWITCH_SECONDS, Outcome, Worker

logger = logging.getLogger(__name__)

POLL_MS = 40
SETTLE_MS = 350
"""Settings that rest this long are remembered and tested."""
STOP_SECONDS = 10.0
"""Longest wait for a worker when the program closes; the window is gone by then."""


class MainWindow:
    """Layout and wiring only: states live in the controller, decisions in its rooms."""

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        preferences_file: Path | None = None,
        config_file: Path | None = None,
    ) -> None:
        """Make it, not yet on the screen.

        Args:
            engine: stands in for the real one in tests.
            preferences_file: where the window remembers; None is this system's place.
            config_file: the configuration that the user named; None is this system's place.
        """
        sys.setswitchinterval(SWITCH_SECONDS)
        look.make_dpi_aware()
        self.root, self.can_drop = drop_target.make_root()
        self.root.withdraw()
        self.root.title("Anonator")
        self.root.report_callback_exception = self._report
        self.theme = look.apply(self.root)
        icons.set_window_icon(self.root)
        self.events = EventLog.from_environment()
        self.engine = engine or Engine()
        self._preferences_file = preferences_file or preferences.default_file()
        remembered, damage = preferences.load(self._preferences_file)
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.worker = Worker("anonator-media", self._outcomes)
        self.engine_worker = Worker("anonator-engine", self._outcomes)
        self._live = LivePreviews()
        self.controller = JobController(self._make_processor, self.engine.keep_awake)
        self.commands = Commands(
            self.root, self.theme, self.controller, self.engine, self.worker, self.engine_worker, self.say
        )
        self.closed = False
        self._timers: dict[str, str] = {}
        self.guard = ConfigGuard(config_file)
        self.layout = layout = wiring.make_layout(self, remembered)
        self.panel, self.viewer, self.foot = layout.panel, layout.viewer, layout.foot
        self.queue_view, self.notice = layout.queue_view, layout.notice
        self.commands.panel = self.panel
        self.desk = PreviewDesk(
            self.viewer, self.engine, self.worker, self.engine_worker, self.panel.settings
        )
        self.presenter = Presenter(layout, self.controller, self.desk, self.engine, self.events)
        self.control = RunControl(
            self.controller,
            self.commands,
            self.presenter,
            self.desk,
            self.panel,
            self.engine,
            self.engine_worker,
        )
        self.arrivals = Arrivals(self)
        self.viewer.original.bind("<Configure>", self._note_room, add=True)
        wiring.bind(self)
        self.say(damage)
        self.presenter.show_queue()
        self._show_lock()
        self._show_guard()
        self._poll()

    # --- what people ask for

    def add(self, items: Sequence[str | Path]) -> None:
        """Add files and folders, as if they had been dropped."""
        self.commands.add(items)

    def read_config(self) -> None:
        """Read the configuration file again, after somebody mended it."""
        self.guard.read()
        if not self.guard.problem:
            self.panel.take_config(self.guard.config)
            self.load_engine()
        self._show_guard()

    def say(self, message: str) -> None:
        """Show a sentence at the head of the window."""
        self.notice.show(message)

    # --- what the workers report

    def _poll(self) -> None:
        self._timers["poll"] = self.root.after(POLL_MS, self._poll)
        try:
            while True:
                self.arrivals.take(self._outcomes.get_nowait())
        except queue.Empty:
            pass
        changes = self.controller.poll()
        self.presenter.show(changes)
        if changes.jobs or changes.order or changes.run_ended:
            self.control.show()
        self.commands.poll()
        if self.control.may_end:
            self._shut_down()

    # --- the rest

    def _show_guard(self) -> None:
        self.presenter.held = bool(self.guard.problem)
        if self.guard.problem:
            self.layout.held.show(self.guard.problem)
        else:
            self.layout.held.hide()
        self.control.show()

    def settings_changed(self) -> None:
        """Show what the lock is at now, and take the settings in once they rest."""
        self._show_lock()
        self._after("settings", SETTLE_MS, self._settings_rest)

    def _show_lock(self) -> None:
        loosened = "HIPAA mode is loosened" if waiver_note(self.panel.settings()) else ""
        self.layout.show_lock(loosened if self.panel.locked else "HIPAA mode is off")

    def show_keys(self) -> None:
        """Show all keys in a list."""
        shortcuts.show_list(self.root, self.theme)

    def _settings_rest(self) -> None:
        file, wanted = self._preferences_file, self.panel.preferences()
        if not self.guard.problem:  # choices are remembered as differences from the configuration
            self.worker.submit(("preferences",), lambda: preferences.save(file, wanted))
        self.desk.settings_changed()

    def load_engine(self) -> None:
        """Load torch and the model behind the window."""
        settings = self.panel.settings()
        self.engine_worker.submit(("engine",), lambda: self.engine.load(settings))

    def dropped(self, items: list[str]) -> None:
        """Add what was dropped on the window."""
        self.events.write("drop", files=items)
        self.add(items)

    def _note_room(self, _event: object) -> None:
        self._live.room = self.viewer.room

    def _make_processor(
        self, job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> Processor:
        return self.engine.make_processor(job, on_progress, self._live.fitting(on_preview))

    def _after(self, name: str, delay_ms: int, call: Callable[[], None]) -> None:
        if name in self._timers:
            self.root.after_cancel(self._timers[name])
        self._timers[name] = self.root.after(delay_ms, call)

    def _report(self, kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        """What Tk calls when a callback raised: log where, say one sentence, go on."""
        if issubclass(kind, KeyboardInterrupt):
            self.control.end_at_once()
            return
        # the text of the error may hold a file's name, so only its type and place are logged
        logger.error(
            "the window failed in a callback: %s\n%s", kind.__name__, "".join(traceback.format_tb(tb))
        )
        self.say(text.error_sentence(error))

    # --- life

    def show(self, files: Sequence[Path] = ()) -> None:
        """Put the window on the screen and load the engine behind it."""
        self.root.deiconify()
        look.darken_title_bar(self.root)
        self.root.update()
        self.root.focus_force()
        self.events.write("ready", **self.layout.areas())
        self.add(list(files))
        self.load_engine()
        self.engine_worker.submit(("models",), self.engine.find_models)

    def _shut_down(self) -> None:
        for timer in self._timers.values():
            self.root.after_cancel(timer)
        self._timers.clear()
        self.root.withdraw()
        self.root.update()
        try:
            if not self.guard.problem:
                preferences.save(self._preferences_file, self.panel.preferences())
        except OSError as error:
            logger.warning("the settings could not be remembered: %s", type(error).__name__)
        self.events.write("closed")
        self.worker.stop(STOP_SECONDS)
        self.engine_worker.stop(STOP_SECONDS)
        self.engine.close()
        self.closed = True
        self.root.destroy()


def run(files: Sequence[Path], config_file: Path | None = None) -> int:
    """Show the window until it is closed; the exit status.

    Args:
        files: files and folders to begin with.
        config_file: the configuration that the user named; None is this system's place.

    Raises:
        DisplayError: there is nowhere to show it.
    """
    try:
        window = MainWindow(config_file=config_file)
    except tk.TclError as error:
        raise DisplayError(
            "There is no screen to show the window on. Start Anonator on a desktop, or use --headless."
        ) from error
    # Tk's loop runs Python often enough for the handler, because the window polls
    signal.signal(signal.SIGTERM, lambda *_: window.control.end_at_once())
    window.show(files)
    window.root.mainloop()
    return 0
