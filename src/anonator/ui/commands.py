"""What people ask of videos: add them, order them, try again, open what came out."""

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
    """Carries out what buttons, keys and drops ask for; without a number, it concerns the chosen row."""

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
        """Wait for orders.

        Args:
            store: holds the state.
            queue: the jobs.
            worker: looks into files.
            desk: shows first frames.
            questions: asks which files to add.
            events: is told what was added.
            refresh: puts what the queue is at into the state.
            thumbnail_size: of the list's small pictures, width and height in pixels.
        """
        self._store, self._queue, self._worker = store, queue, worker
        self._desk, self._questions, self._events = desk, questions, events
        self._refresh, self._thumbnail_size = refresh, thumbnail_size

    # --- from a dropped path to a row of the queue

    def add_files(self) -> None:
        """Choose videos in the system's dialog."""
        self.add(self._questions.videos())

    def add_folder(self) -> None:
        """Choose a folder in the system's dialog."""
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
        """Append the videos to the queue, say what was left out, and let a worker look into each."""
        numbers = self._queue.add(came.videos)
        doubles = len(came.videos) - len(numbers)
        said = f"{text.count(doubles, 'video')} in the queue already." if doubles else ""
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
        """Show what the look into a video found."""
        if self._queue.get(number) is not None:
            self._desk.first_look(number, media.Still(0.0, glimpse.first))
            self._queue.set_info(number, glimpse.info, glimpse.thumbnail)
            self._refresh()

    def _fail_row(self, number: int, error: Exception) -> None:
        """Show why a video cannot be read."""
        self._queue.set_unreadable(number, text.error_sentence(error))
        self._refresh()

    def _say_error(self, error: Exception) -> None:
        self._store.say(text.error_sentence(error))

    # --- rows

    def choose(self, number: int | None) -> None:
        """Choose a row."""
        if self._store.state.job(number) is not None:
            self._store.change(chosen=number)

    def remove(self) -> None:
        """Take the row out of the queue; a running job is cancelled."""
        self._change_row(self._queue.remove)

    def move(self, steps: int) -> None:
        """Move the row up (negative) or down."""
        self._change_row(lambda number: self._queue.move(number, steps))

    def retry(self) -> None:
        """Let the video wait again."""
        self._change_row(self._queue.retry)

    def clear_finished(self) -> None:
        """Take everything out that is done, failed, cancelled or skipped."""
        self._queue.clear_finished()
        self._refresh()

    def _change_row(self, change: Callable[[int], None]) -> None:
        number = self._store.state.chosen
        if number is not None:
            change(number)
            self._refresh()

    # --- what came out

    def open_row(self, number: int | None = None) -> None:
        """Open the finished video of a row; where there is none, the folder of its source."""
        job = self._job if number is None else self._store.state.job(number)
        if job is not None:
            self._open(job.target if job.state is JobState.DONE and job.target else _folder_of(job))

    def open_result(self) -> None:
        """Open the finished video in the system's player."""
        if self._job is not None and self._job.target is not None:
            self._open(self._job.target)

    def open_report(self) -> None:
        """Open the audit report of the finished video in the system's viewer."""
        result = self._job.result if self._job is not None else None
        if result is not None and result.report is not None:
            self._open(result.report)

    def open_folder(self) -> None:
        """Open the folder of the finished video, or of its source."""
        if self._job is not None:
            self._open(_folder_of(self._job))

    @property
    def _job(self) -> JobView | None:
        return self._store.state.job(self._store.state.chosen)

    def _open(self, path: Path) -> None:
        if not path.exists():
            self._store.say("It is not there any more: it was moved or deleted after the job.")
            return
        try:
            open_with_system(path)
        except OSError as error:
            logger.warning("opening failed: %s", type(error).__name__)
            self._store.say(
                "This computer has no program set up to open it. Open it from the file manager instead."
            )


def _folder_of(job: JobView) -> Path:
    return (job.target or job.source).parent


def open_with_system(path: Path) -> None:
    """Open a file or folder with the program that the system has for it.

    Raises:
        OSError: there is none.
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
