"""What people do with videos: add them, reorder them, try again, open the results."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.questions import Questions
from anonator.ui.state import text
from anonator.ui.state.app_state import Store
from anonator.ui.state.dropped_paths import Incoming, sort_out
from anonator.ui.state.job import JobState, JobView, RunState
from anonator.ui.state.job_queue import JobController
from anonator.ui.work import thumbnails as media
from anonator.ui.work.event_log import EventLog
from anonator.ui.work.worker import Worker

logger = logging.getLogger(__name__)


class Commands:
    """Carries out what buttons, keys and drops ask for; without a number, for the selected row."""

    def __init__(
        self,
        store: Store,
        queue: JobController,
        worker: Worker,
        desk: PreviewDesk,
        questions: Questions,
        events: EventLog,
        *,
        refresh: Callable[[], None],
        thumbnail_size: tuple[int, int],
    ) -> None:
        """Set up the commands.

        Args:
            store: holds the state.
            queue: the jobs.
            worker: reads files.
            desk: shows first frames.
            questions: asks which files to add.
            events: records what was added.
            refresh: copies the queue into the state.
            thumbnail_size: width and height of the list's thumbnails, in pixels.
        """
        self._store, self._queue, self._worker = store, queue, worker
        self._desk, self._questions, self._events = desk, questions, events
        self._refresh, self._thumbnail_size = refresh, thumbnail_size

    # --- from a dropped path to a row of the queue

    def add_files(self) -> None:
        """Add videos chosen in the system's dialog."""
        self.add(self._questions.videos())

    def add_folder(self) -> None:
        """Add a folder chosen in the system's dialog."""
        if folder := self._questions.folder_of_videos():
            self.add([folder])

    def drop(self, items: list[str]) -> None:
        """Add what was dropped on the window."""
        self._events.write("drop", files=items)
        self.add(items)

    def add(self, items: Sequence[str | Path]) -> None:
        """Add files, folders and addresses: a worker sorts out which of them are videos."""
        if items:
            work = partial(sort_out, tuple(items), is_video=media.is_video)
            self._worker.submit(work, self._add_rows, self._say_error, first=True)

    def _add_rows(self, came: Incoming) -> None:
        """Append the videos to the queue, say what was skipped, and let a worker read each one."""
        numbers = self._queue.add(came.videos)
        doubles = len(came.videos) - len(numbers)
        said = f"{text.count(doubles, 'video is', 'videos are')} already in the queue." if doubles else ""
        self._store.say(" ".join(part for part in (came.message(), said) if part))
        for number in numbers:
            if job := self._queue.get(number):
                work = partial(media.glimpse, job.source, self._thumbnail_size)
                self._worker.submit(work, partial(self._fill_row, number), partial(self._fail_row, number))
        self._refresh()
        if numbers and self._store.state.run is RunState.IDLE:
            self.choose(numbers[0])
        self._events.write("added", numbers=list(numbers), left_out=len(came.not_videos) + came.own_outputs)

    def _fill_row(self, number: int, glimpse: media.Glimpse) -> None:
        """Show what is known about a video."""
        if self._queue.get(number) is not None:
            self._desk.first_look(number, media.Still(0.0, glimpse.first))
            self._queue.set_info(number, glimpse.info, glimpse.thumbnail)
            self._refresh()

    def _fail_row(self, number: int, error: Exception) -> None:
        """Show why a video can't be read."""
        self._queue.set_unreadable(number, text.error_sentence(error))
        self._refresh()

    def _say_error(self, error: Exception) -> None:
        self._store.say(text.error_sentence(error))

    # --- rows

    def choose(self, number: int | None) -> None:
        """Select a row."""
        if self._store.state.job(number) is not None:
            self._store.change(chosen=number)

    def remove(self) -> None:
        """Remove the row from the queue; a running job is cancelled."""
        self._change_row(self._queue.remove)

    def move(self, steps: int) -> None:
        """Move the row up (negative) or down."""
        self._change_row(lambda number: self._queue.move(number, steps))

    def retry(self) -> None:
        """Put the video back in the queue."""
        self._change_row(self._queue.retry)

    def clear_finished(self) -> None:
        """Remove every job that is done, failed, cancelled or skipped."""
        self._queue.clear_finished()
        self._refresh()

    def _change_row(self, change: Callable[[int], None]) -> None:
        number = self._store.state.chosen
        if number is not None:
            change(number)
            self._refresh()

    # --- results

    def open_row(self, number: int | None = None) -> None:
        """Open the finished video of a row, or the folder of its source if there is none."""
        job = self._job if number is None else self._store.state.job(number)
        if job is not None:
            self._open(job.target if job.state is JobState.DONE and job.target else _folder_of(job))

    def open_result(self) -> None:
        """Open the finished video in the system's player."""
        if self._job is not None and self._job.target is not None:
            self._open(self._job.target)

    def open_report(self) -> None:
        """Open the page of the audit report of the finished video, or its data if there is no page."""
        result = self._job.result if self._job is not None else None
        report = (result.report_page or result.report) if result is not None else None
        if report is not None:
            self._open(report)

    def open_folder(self) -> None:
        """Open the folder of the finished video, or of its source."""
        if self._job is not None:
            self._open(_folder_of(self._job))

    @property
    def _job(self) -> JobView | None:
        return self._store.state.job(self._store.state.chosen)

    def _open(self, path: Path) -> None:
        if not path.exists():
            self._store.say("It isn't there any more. It was moved or deleted after the job.")
            return
        try:
            open_with_system(path)
        except OSError as error:
            logger.warning("opening failed: %s", type(error).__name__)
            self._store.say("No program is set up to open it. Try opening it from your file manager.")


def _folder_of(job: JobView) -> Path:
    return (job.target or job.source).parent


def open_with_system(path: Path) -> None:
    """Open a file or folder with the system's program for it.

    Raises:
        OSError: there is no such program.
    """
    if sys.platform == "win32":
        import os

        os.startfile(path)
    else:
        opener = "open" if sys.platform == "darwin" else "xdg-open"
        subprocess.Popen(
            [opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
