"""What people do with videos: add them, reorder them, try again, open the results."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from anonator.core.windows_files import reachable
from anonator.ui.finished import Finished
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.questions import Questions
from anonator.ui.state import text
from anonator.ui.state.app_state import Store
from anonator.ui.state.dropped_paths import Incoming, sort_out
from anonator.ui.state.job import ACTIVE, FINISHED, WITH_RESULT, Clear, JobView, ResultFile, RunState
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
        review: Callable[[int], object],
        open_archive: Callable[[Path], object],
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
            review: opens the review of a row.
            open_archive: lists an archive's videos that wait for a reviewer.
            thumbnail_size: width and height of the list's thumbnails, in pixels.
        """
        self._store, self._queue, self._worker = store, queue, worker
        self._desk, self._questions, self._events = desk, questions, events
        self._refresh, self._review, self._thumbnail_size = refresh, review, thumbnail_size
        self._open_archive = open_archive
        self.finished = Finished(store, queue, worker, questions, add=self._add_videos, refresh=refresh)
        self._openers: list[tuple[subprocess.Popen[bytes], Path]] = []

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
        self._store.say(came.message())
        for archive in came.archives:
            self._open_archive(archive)
        if came.videos:
            self._questions.begin_in(came.videos[-1].parent)
        numbers = self._add_videos(came.videos)
        known = (*came.videos, *(job.source for job in self._queue.jobs))
        self.finished.take(came.results, came.results_in_folders, known)
        self._events.write("added", numbers=list(numbers), left_out=len(came.not_videos))

    def _add_videos(self, videos: Sequence[Path], result: ResultFile | None = None) -> tuple[int, ...]:
        """Append videos to the queue, with a result as one that is done, and let a worker read each one."""
        if result is None:
            numbers = self._queue.add(videos)
        else:
            numbers = tuple(self._queue.add_done(video, result) for video in videos)
        if doubles := len(videos) - len(numbers):
            before = self._store.state.message if doubles < len(videos) else ""
            said = f"{text.count(doubles, 'video is', 'videos are')} already in the queue."
            self._store.say(f"{before} {said}".strip())
        self.read_rows(numbers)
        return numbers

    def read_rows(self, numbers: Sequence[int]) -> None:
        """Show rows that have just been appended, and let a worker read each one's file."""
        for number in numbers:
            if job := self._queue.get(number):
                work = partial(media.glimpse, job.source, self._thumbnail_size)
                self._worker.submit(work, partial(self._fill_row, number), partial(self._fail_row, number))
        self._refresh()
        if numbers and self._store.state.run is RunState.IDLE:
            self.choose(numbers[0])

    def _fill_row(self, number: int, glimpse: media.Glimpse) -> None:
        """Show what is known about a video."""
        if (job := self._queue.get(number)) is not None:
            self._queue.set_info(number, glimpse.info, glimpse.thumbnail)
            self._desk.first_look(job.key, media.Still(0.0, glimpse.first, whole=False))
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
        """Remove the row from the queue; a running job is cancelled after a question."""
        job = self._job
        if job is not None and (job.state not in ACTIVE or self._questions.cancel_running(job.source.name)):
            self._queue.remove(job.number)
            self._refresh()

    def move(self, steps: int) -> None:
        """Move the row up (negative) or down."""
        self._change_row(lambda number: self._queue.move(number, steps))

    def retry(self) -> None:
        """Put the video back in the queue."""
        self._change_row(self._queue.retry)

    def run_again(self) -> None:
        """Put a video that has a result back in the queue, to be done more strictly."""
        job = self._job
        if job is None or job.result_file is None:
            self.retry()
        elif answer := self._questions.run_again(job.source.name, self._store.state.settings):
            self._queue.run_again(job.number, *answer)
            self._refresh()

    def clear_finished(self) -> None:
        """Remove the videos that have results; those that failed or were cancelled only after a question."""
        states = [job.state for job in self._store.state.jobs if job.state in FINISHED]
        failed = sum(state not in WITH_RESULT for state in states)
        what = self._questions.clear(len(states) - failed, failed) if failed else Clear.FINISHED
        if what is not None:
            self._queue.clear(what)
            self._refresh()

    def _change_row(self, change: Callable[[int], None]) -> None:
        number = self._store.state.chosen
        if number is not None:
            change(number)
            self._refresh()

    # --- results

    def open_row(self, number: int | None = None) -> None:
        """Review a row's result; where there's none, look at the row in large."""
        job = self._job if number is None else self._store.state.job(number)
        if job is not None and (job.may_review or job.may_review_again):
            self._store.change(chosen=job.number)
            self._review(job.number)
        elif job is not None:
            self._store.change(chosen=job.number, large=True)

    def review(self) -> None:
        """Review the result of the selected row."""
        if self._job is not None:
            self._review(self._job.number)

    def turn_large(self) -> None:
        """Let the pictures take the whole window, or give it back."""
        state = self._store.state
        self._store.change(large=not state.large and bool(state.jobs))

    def leave_large(self) -> None:
        """Give the window back."""
        self._store.change(large=False)

    def open_result(self) -> None:
        """Open the finished video in the system's player."""
        if self._job is not None and self._job.result_file is not None:
            self._open(self._job.result_file.path)

    def open_report(self) -> None:
        """Open the audit report of the finished video in the system's viewer."""
        result = self._job.result_file if self._job is not None else None
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
        if not reachable(path).exists():
            self._store.say("It isn't there any more. It was moved or deleted after the job.")
            return
        try:
            process = open_with_system(path)
        except OSError as error:
            logger.warning("opening failed: %s", type(error).__name__)
            self._show_path(path)
        else:
            if process is not None:
                self._openers.append((process, path))

    def poll(self) -> None:
        """Look whether a program that was asked to open something could."""
        for process, path in tuple(self._openers):
            status = process.poll()
            if status is None:
                continue
            self._openers.remove((process, path))
            if status:
                logger.warning("opening failed: status %d", status)
                self._show_path(path)

    def _show_path(self, path: Path) -> None:
        what = "folder" if path.is_dir() else "file"
        self._questions.show_path(
            f"This {what} couldn't be opened",
            f"This computer has no program set up to open it. Here is where the {what} is, so that you can "
            "open it yourself.",
            path,
        )


def _folder_of(job: JobView) -> Path:
    return (job.result_file.path if job.result_file else job.source).parent


def open_with_system(path: Path) -> subprocess.Popen[bytes] | None:
    """Open a file or folder with the system's program for it.

    Returns:
        The process that opens it, whose exit status says whether it could; None where that is known already.

    Raises:
        OSError: there is no such program.
    """
    if sys.platform == "win32":
        import os

        os.startfile(path)
        return None
    else:
        opener = "open" if sys.platform == "darwin" else "xdg-open"
        return subprocess.Popen(
            [opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
