"""The window: puts its parts in their places, wires them to each other, and polls what the workers report."""

from __future__ import annotations

import gc
import logging
import queue
import signal
import tkinter as tk
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from anonator.core.frames import Preview, Progress
from anonator.core.processor import Job
from anonator.errors import DisplayError
from anonator.ui import drop_target, icons, preferences, text
from anonator.ui import theme as look
from anonator.ui.arrivals import Arrivals
from anonator.ui.background import Outcome, Worker
from anonator.ui.commands import Commands
from anonator.ui.engine import Engine
from anonator.ui.event_log import EventLog
from anonator.ui.frame_viewer import resized
from anonator.ui.job_controller import JobController
from anonator.ui.jobs import Processor, RunState
from anonator.ui.layout import Layout, ViewerActions
from anonator.ui.presenter import Presenter
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.queue_view import QueueActions
from anonator.ui.settings_panel import PanelActions

logger = logging.getLogger(__name__)

POLL_MS = 40
SETTLE_MS = 350
"""Settings that rest this long are remembered and tested."""
STOP_SECONDS = 10.0
"""Longest wait for a worker when the program closes; the window is gone by then."""


class MainWindow:
    """Layout and wiring only: states live in the controller, decisions in its rooms."""

    def __init__(self, *, engine: Engine | None = None, preferences_file: Path | None = None) -> None:
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
        self._room = (640, 360)
        self.controller = JobController(self._make_processor, self.engine.keep_awake)
        self.commands = Commands(
            self.root, self.theme, self.controller, self.engine, self.worker, self.engine_worker, self.say
        )
        self._start_choice: Any = None
        self._closing = False
        self.closed = False
        self._timers: dict[str, str] = {}
        self.layout = layout = self._make_layout(remembered)
        self.panel, self.viewer, self.foot = layout.panel, layout.viewer, layout.foot
        self.queue_view, self.notice = layout.queue_view, layout.notice
        self.commands.panel = self.panel
        self.desk = PreviewDesk(
            self.viewer, self.engine, self.worker, self.engine_worker, self.panel.settings
        )
        self.presenter = Presenter(layout, self.controller, self.desk, self.engine, self.events)
        self.arrivals = Arrivals(self, free_to_start=self._engine_free_to_start)
        self._bind_keys()
        self.say(damage)
        self.presenter.show_queue()
        self.show_run()
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self._poll()

    def _make_layout(self, remembered: preferences.Preferences) -> Layout:
        commands, controller = self.commands, self.controller
        return Layout(
            self.root,
            self.theme,
            remembered,
            queue=QueueActions(
                add_files=commands.add_files,
                add_folder=commands.add_folder,
                remove=controller.remove,
                move=controller.move,
                retry=controller.retry,
                clear_finished=controller.clear_finished,
                open_result=commands.open_result,
                open_folder=commands.open_folder,
                selected=lambda number: self.desk.choose(controller.job(number or 0)),
            ),
            panel=PanelActions(
                turn_lock=commands.turn_lock,
                changed=self._settings_changed,
                choose_folder=commands.choose_folder,
                download=commands.download,
                use_file=commands.use_file,
            ),
            viewer=ViewerActions(
                moved=lambda moment: self.desk.moved(moment),
                test=lambda: self.desk.test(),
                start=self.start,
                pause=self.pause_or_resume,
                cancel=self.cancel,
            ),
            can_drop=self.can_drop,
        )

    def _bind_keys(self) -> None:
        for key, command in (
            ("<Control-o>", self.commands.add_files),
            ("<Control-Return>", self.start),
            ("<Control-l>", lambda: self.panel.lock.switch.invoke()),
            ("<Control-q>", self.close),
        ):
            self.root.bind(key, _call(command))
        self.viewer.original.bind("<Configure>", self._note_room, add=True)
        if self.can_drop:
            drop_target.accept_drops(self.root, self._dropped, self.layout.drop_area.hover)

    # --- what people ask for

    def add(self, items: Sequence[str | Path]) -> None:
        """Add files and folders, as if they had been dropped."""
        self.commands.add(items)

    def start(self) -> None:
        """Run the waiting jobs, once a frame that is being tested is done with the engine."""
        if self.controller.state is not RunState.IDLE or self._start_choice or not self.controller.waiting():
            return
        self._start_choice = self.commands.may_start()
        if self._start_choice:
            self.engine_worker.submit(("start",), lambda: None)
            self.show_run()

    def pause_or_resume(self) -> None:
        """Hold the running job, or let it go on."""
        if self.controller.state is RunState.PAUSED:
            self.controller.resume()
        else:
            self.controller.pause()
        self.show_run()

    def cancel(self) -> None:
        """Cancel the running job and leave the others waiting."""
        self._start_choice = None
        self.controller.cancel()
        self.show_run()

    def close(self) -> None:
        """End the program; while a job runs, ask, cancel and wait."""
        if self._closing:
            return
        if self.controller.state is not RunState.IDLE and not self.commands.may_close():
            return
        self._closing = True
        self.cancel()

    def end_at_once(self) -> None:
        """End the program without asking, as the system does when the user logs out."""
        self._closing = True
        self.cancel()

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
            self.show_run()
        self.commands.poll()
        if self._closing and self.controller.state is RunState.IDLE:
            self._shut_down()

    def _engine_free_to_start(self, _outcome: Outcome) -> None:
        choice, self._start_choice = self._start_choice, None
        if choice and not self._closing:
            self.desk.engine_changed(loaded=self.presenter.loaded, free=False)
            self.controller.start(self.panel.settings(), self.panel.output_folder, choice)

    def show_run(self) -> None:
        """Render what the run is at."""
        self.presenter.show_run(starting=self._start_choice is not None, closing=self._closing)

    # --- the rest

    def _settings_changed(self) -> None:
        self.layout.show_lock(self.panel.locked)
        self._after("settings", SETTLE_MS, self._settings_rest)

    def _settings_rest(self) -> None:
        file, wanted = self._preferences_file, self.panel.preferences()
        self.worker.submit(("preferences",), lambda: preferences.save(file, wanted))
        self.desk.settings_changed()

    def load_engine(self) -> None:
        """Load torch and the model behind the window."""
        settings = self.panel.settings()
        self.engine_worker.submit(("engine",), lambda: self.engine.load(settings))

    def _dropped(self, items: list[str]) -> None:
        self.events.write("drop", files=items)
        self.add(items)

    def _note_room(self, _event: object) -> None:
        self._room = self.viewer.room

    def _make_processor(
        self, job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> Processor:
        def smaller(preview: Preview) -> None:
            """In the job's thread: resize where the window need not wait for it."""
            room = self._room
            before, after = (
                icons.as_array(resized(side, room)) for side in (preview.original, preview.anonymized)
            )
            on_preview(Preview(before, after, preview.seconds, preview.faces))

        return self.engine.make_processor(job, on_progress, smaller)

    def _after(self, name: str, delay_ms: int, call: Callable[[], None]) -> None:
        if name in self._timers:
            self.root.after_cancel(self._timers[name])
        self._timers[name] = self.root.after(delay_ms, call)

    def _report(self, kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        """What Tk calls when a callback raised: log where, say one sentence, go on."""
        if issubclass(kind, KeyboardInterrupt):
            self._closing = True
            self.cancel()
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
        self.worker.submit(("models",), self.engine.find_models)
        self.load_engine()

    def _shut_down(self) -> None:
        for timer in self._timers.values():
            self.root.after_cancel(timer)
        self._timers.clear()
        self.root.withdraw()
        self.root.update()
        try:
            preferences.save(self._preferences_file, self.panel.preferences())
        except OSError as error:
            logger.warning("the settings could not be remembered: %s", type(error).__name__)
        self.events.write("closed")
        self.worker.stop(STOP_SECONDS)
        self.engine_worker.stop(STOP_SECONDS)
        self.engine.close()
        gc.unfreeze()
        self.closed = True
        self.root.destroy()


def _call(command: Callable[[], None]) -> Callable[[object], None]:
    """A command as what Tk calls with an event."""
    return lambda _event: command()


def run(files: Sequence[Path]) -> int:
    """Show the window, with these files and folders in its queue, until it is closed; the exit status.

    Raises:
        DisplayError: there is nowhere to show it.
    """
    try:
        window = MainWindow()
    except tk.TclError as error:
        raise DisplayError(
            "There is no screen to show the window on. Start Anonator on a desktop, or use --headless."
        ) from error
    # Tk's loop runs Python often enough for the handler, because the window polls
    signal.signal(signal.SIGTERM, lambda *_: window.end_at_once())
    window.show(files)
    window.root.mainloop()
    return 0
