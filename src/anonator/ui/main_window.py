"""The window: builds its parts, connects them, and polls the workers.

It alone names every part, and what each one needs of the others; that makes it long.
"""

from __future__ import annotations

import _thread
import logging
import signal
import tkinter as tk
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from anonator.core.session_end import ending_in_order
from anonator.errors import AnonatorError, DisplayError
from anonator.ui.archive_reviews import ArchiveReviews
from anonator.ui.choosing import Choosing
from anonator.ui.commands import Commands
from anonator.ui.connections import Handlers, bind, make_layout
from anonator.ui.earlier_reviews import EarlierReviews
from anonator.ui.key_question import key_rows
from anonator.ui.loading import Loading
from anonator.ui.look import icons
from anonator.ui.look import theme as look
from anonator.ui.panels import drop_area, shortcuts
from anonator.ui.playback import Playback
from anonator.ui.presenter import Presenter
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.questions import Questions
from anonator.ui.review_files import new_tracks
from anonator.ui.reviewing import Reviewing
from anonator.ui.running import Run, with_report_folder
from anonator.ui.state import preferences, text
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.config_guard import ConfigGuard
from anonator.ui.state.job_queue import JobController
from anonator.ui.taskbar import TaskbarProgress
from anonator.ui.work.engine import Engine
from anonator.ui.work.event_log import EventLog
from anonator.ui.work.live_previews import LivePreviews
from anonator.ui.work.worker import Answers, Worker

logger = logging.getLogger(__name__)

POLL_MS = 40
STOP_SECONDS = 10.0
"""How long to wait for a worker when the program closes; the window is already gone by then."""


class MainWindow:
    """Commands carry out what people do, they change the state, and the presenter draws it."""

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        preferences_file: Path | None = None,
        config_file: Path | None = None,
    ) -> None:
        """Create the window without showing it.

        Args:
            engine: replaces the real one in tests.
            preferences_file: where preferences are kept; None means the usual place.
            config_file: the configuration the user named; None means the usual place.
        """
        look.make_dpi_aware()
        self.root, self.can_drop = drop_area.make_root()
        self.root.withdraw()
        self.root.title("Anonator")
        self.root.report_callback_exception = self._report
        self.theme = look.apply(self.root)
        icons.set_window_icon(self.root, self.theme.images)
        self.closed = False
        self._timer = ""

        # the state, and the workers in the background
        self.store = Store(AppState())
        self.events = EventLog.from_environment()
        self.engine = engine or Engine()
        live = LivePreviews()
        self.controller = JobController(
            live.fitted_to(self.engine.make_processor), self.engine.keep_awake, new_tracks
        )
        self._answers = Answers()
        self.worker = Worker("anonator-media", self._answers)
        self.engine_worker = Worker("anonator-engine", self._answers)
        self.player = Worker("anonator-player", self._answers)

        # what carries out people's commands
        questions = Questions(self.root, self.theme)
        desk = PreviewDesk(self.store, self.engine, self.worker, self.engine_worker)
        self.playback = Playback(self.store, desk, self.player, self.worker, lambda: self.viewer.side)
        file = preferences_file or preferences.default_file()
        remembered, damage = preferences.load(file)
        self.choosing = Choosing(
            self.store,
            ConfigGuard(config_file),
            remembered,
            file,
            self.worker,
            ask_unlock=questions.unlock,
            ask_folder=questions.folder_for_results,
            settled=desk.settings_changed,
        )
        self.loading = Loading(
            self.store,
            self.engine,
            self.engine_worker,
            questions,
            self.events,
            take_models=self.choosing.take_models,
            loaded=desk.engine_loaded,
        )
        self.run = Run(
            self.store,
            self.controller,
            self.engine_worker,
            load=self.engine.load,
            device_line=self.engine.device_line,
            ask_existing=questions.existing,
            ask_closing=questions.close,
            show_live=desk.live,
            keys=key_rows(self.root, self.theme),
        )
        self.reviewing = Reviewing(
            self.root,
            self.theme,
            self.store,
            self.controller,
            self.worker,
            self._answers,
            self.events,
            layout=lambda: self.layout,
            refresh=self.run.refresh,
            read_hint=self.choosing.read_hint,
            stop_playing=self.playback.stop,
            make_processor=with_report_folder(self.store, self.engine.make_processor),
            detector=self.engine.following_detector,
        )
        self.earlier_reviews = EarlierReviews(
            self.store,
            self.controller,
            self.worker,
            questions,
            refresh=self.run.refresh,
            told=self._found_review,
        )
        self.archives = ArchiveReviews(
            self.store,
            self.controller,
            self.worker,
            questions,
            read_rows=lambda numbers: self.commands.read_rows(numbers),
            refresh=self.run.refresh,
        )
        self.commands = Commands(
            self.store,
            self.controller,
            self.worker,
            desk,
            questions,
            self.events,
            refresh=self.run.refresh,
            review=self.reviewing.open,
            open_archive=self.archives.open,
            thumbnail_size=(self.theme.px(look.THUMBNAIL[0]), self.theme.px(look.THUMBNAIL[1])),
        )

        # what people see
        handlers = Handlers(
            store=self.store,
            desk=desk,
            playback=self.playback,
            choosing=self.choosing,
            loading=self.loading,
            run=self.run,
            reviewing=self.reviewing,
            earlier_reviews=self.earlier_reviews,
            archives=self.archives,
            commands=self.commands,
            read_config=self.read_config,
            show_keys=self.show_keys,
        )
        self.layout = make_layout(self.root, self.theme, handlers, can_drop=self.can_drop)
        self.panel, self.viewer, self.foot = self.layout.panel, self.layout.viewer, self.layout.foot
        self.queue_view, self.notice = self.layout.queue_view, self.layout.notice
        self.viewer.original.bind("<Configure>", lambda _event: live.resize(self.viewer.room), add=True)
        bind(self.root, self.layout, handlers, can_drop=self.can_drop)
        for follower in (
            desk.follow,
            self.playback.follow,
            self.commands.finished.follow,
            self.earlier_reviews.follow,
            self.archives.follow,
            self.events.follow,
            Presenter(self.layout).draw,
            TaskbarProgress(self.root).draw,
        ):
            self.store.follow(follower)
        self.say(damage)
        self._poll()

    @property
    def state(self) -> AppState:
        """The current state of the window."""
        return self.store.state

    # --- what people ask for

    def add(self, items: Sequence[str | Path]) -> None:
        """Add files and folders, as if they had been dropped."""
        self.commands.add(items)

    def read_config(self) -> None:
        """Read the configuration file again."""
        if self.choosing.read_config():
            self.loading.load()

    def show_keys(self) -> None:
        """Show the list of keyboard shortcuts."""
        shortcuts.show_list(self.root, self.theme)

    def say(self, message: str) -> None:
        """Show a sentence at the top of the window."""
        self.store.say(message)

    # --- life

    def show(self, files: Sequence[Path] = ()) -> None:
        """Show the window, and load the engine in the background."""
        self.root.deiconify()
        look.darken_title_bar(self.root)
        self.root.update()
        self.root.focus_force()
        self.events.write("ready", **self.layout.areas())
        self.add(list(files))
        self.loading.load()
        self.loading.find_models()

    def _poll(self) -> None:
        self._timer = self.root.after(POLL_MS, self._poll)
        self._answers.deliver()
        self.run.poll()
        self.loading.poll()
        self.choosing.poll()
        self.reviewing.signing.poll()
        if self.state.may_end:
            self._shut_down()
        else:  # last, because it may ask something, and the program may be closed meanwhile
            self.commands.poll()

    def _shut_down(self) -> None:
        self.root.after_cancel(self._timer)
        self.root.withdraw()
        try:
            self.reviewing.close()
        except (AnonatorError, OSError) as error:  # or the program would never end
            logger.warning("the review couldn't be closed: %s", type(error).__name__)
        self.root.update()
        for worker in (self.player, self.worker):
            worker.stop(STOP_SECONDS)
        try:
            self.choosing.remember_now()  # not beside a worker that is saving them
        except OSError as error:
            logger.warning("the settings couldn't be saved: %s", type(error).__name__)
        self.events.write("closed")
        self.engine_worker.stop(STOP_SECONDS)
        self.engine.close()
        self.closed = True
        self.root.destroy()

    # --- the rest

    def _found_review(self, number: int) -> None:
        self.root.update_idletasks()
        self.events.write("kept", number=number, row=self.queue_view.box_of(number))

    def _report(self, kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        """Handle an error in a Tk callback: log where, say one sentence, carry on."""
        if issubclass(kind, KeyboardInterrupt):
            self.run.end_at_once()
            return
        # the error's text may contain a file name, so only its type and place are logged
        logger.error(
            "the window failed in a callback: %s\n%s", kind.__name__, "".join(traceback.format_tb(tb))
        )
        self.say(text.error_sentence(error))


def run(files: Sequence[Path], config_file: Path | None = None) -> int:
    """Show the window until it is closed, and return the exit status.

    Args:
        files: files and folders to add at the start.
        config_file: the configuration the user named; None means the usual place.

    Raises:
        DisplayError: there is no screen to show it on.
    """
    try:
        window = MainWindow(config_file=config_file)
    except tk.TclError as error:
        raise DisplayError(
            "There is no screen to show the window on. Start Anonator on a desktop, or use --headless."
        ) from error
    # the handler runs soon enough, because the window polls
    signal.signal(signal.SIGTERM, lambda *_: window.run.end_at_once())
    with ending_in_order(partial(_thread.interrupt_main, signal.SIGTERM)):
        window.show(files)
        window.root.mainloop()
    return 0
