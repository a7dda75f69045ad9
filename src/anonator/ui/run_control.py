"""Starting, pausing, cancelling and closing, as people ask for it and as soon as the engine is free."""

from __future__ import annotations

from anonator.ui.commands import Commands
from anonator.ui.panels.settings_panel import SettingsPanel
from anonator.ui.presenter import Presenter
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.state.job import Existing, RunState
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.engine import Engine
from anonator.ui.work.worker import Worker


class RunControl:
    """Knows what was asked for and has not happened yet: a start, or the end of the program."""

    def __init__(
        self,
        controller: JobController,
        commands: Commands,
        presenter: Presenter,
        desk: PreviewDesk,
        panel: SettingsPanel,
        engine: Engine,
        engine_worker: Worker,
    ) -> None:
        self._controller, self._commands, self._presenter = controller, commands, presenter
        self._desk, self._panel = desk, panel
        self._engine, self._engine_worker = engine, engine_worker
        self.starting: Existing | None = None
        """A start that waits for the engine, with what is to happen to results that are there."""
        self._asked: frozenset[int] = frozenset()
        """The jobs that waited when the user said so."""
        self.closing = False
        """The program ends as soon as nothing runs any more."""

    @property
    def may_end(self) -> bool:
        """Whether the program is to end and nothing runs any more."""
        return self.closing and self._controller.state is RunState.IDLE

    def show(self) -> None:
        """Render what the run is at."""
        self._presenter.show_run(starting=self.starting is not None, closing=self.closing)

    def start(self) -> None:
        """Run the waiting jobs, once the engine is loaded and done with a frame that is being tested."""
        idle = self._controller.state is RunState.IDLE and self.starting is None and not self.closing
        if not idle or self._presenter.held or not self._controller.waiting():
            return
        self._asked = frozenset(job.number for job in self._controller.waiting())
        self.starting = self._commands.may_start()
        if self.starting:
            # loaded here and not in the job, because a start that waits is cancelled at once; where it
            # fails, the job does too, and its row says why
            settings = self._panel.settings()
            self._engine_worker.submit(("start",), lambda: self._engine.load(settings))
        self.show()

    def engine_is_free(self) -> None:
        """Start what was asked for."""
        existing, self.starting = self.starting, None
        if existing and not self.closing:
            self._desk.engine_changed(loaded=self._presenter.loaded, free=False)
            self._controller.start(self._panel.settings(), self._panel.output_folder, existing, self._asked)
        self.show()

    def pause_or_resume(self) -> None:
        """Hold the running job, or let it go on."""
        if self._controller.state is RunState.PAUSED:
            self._controller.resume()
        else:
            self._controller.pause()
        self.show()

    def cancel(self) -> None:
        """Cancel the running job, or a start that waits, and leave the others waiting."""
        self.starting = None
        self._controller.cancel()
        self.show()

    def close(self) -> None:
        """End the program; while a job runs, ask, cancel and wait."""
        if self.closing:
            return
        if self._controller.state is not RunState.IDLE and not self._commands.may_close():
            return
        self.end_at_once()

    def end_at_once(self) -> None:
        """End the program without asking, as the system does when the user logs out."""
        self.closing = True
        self.cancel()
