"""Signing: the file is made again from the reviewed tracks, and only then is the review signed.

The finished, checked file takes the place of the result in one step. If making it fails or is cancelled, the
result and the review stay as they were.
"""

from __future__ import annotations

import contextlib
import datetime
import queue
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anonator.core import durable_files
from anonator.core.job import Job, JobResult, Preview, Progress
from anonator.core.privacy import without_path
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.reviewed import apply
from anonator.core.review.tracks_file import SUFFIX, encoded, state_folder
from anonator.errors import JobCancelled, ReviewError
from anonator.ui.review.session import ReviewSession
from anonator.ui.state.job import Processor

MakeProcessor = Callable[[Job, Callable[[Progress], None], Callable[[Preview], None]], Processor]
PART = ".anonator-signing-"
"""How the names of copies begin that a job reads while it makes the file again."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What came of signing."""

    result: JobResult | None
    """The new result; None if there is none."""
    cancelled: bool = False
    error: Exception | None = None
    """Why there is no new result, or why the review could not note its signature."""


class Signing:
    """One signature on its way; poll it from the window's clock until it gives what came of it."""

    def __init__(
        self, session: ReviewSession, target: Path, initials: str, make_processor: MakeProcessor
    ) -> None:
        """Begin to make the file.

        Args:
            session: open, and with everything seen saved.
            target: the result that is replaced.
            initials: of the reviewer.
            make_processor: makes what runs a job.

        Raises:
            ReviewError: there are no initials, or the tracks can't be copied.
        """
        self._session = session
        self._inbox: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        self.progress: Progress | None = None
        """The latest."""
        number = session.edits[-1].number + 1 if session.edits else 1
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        self._sign = Edit(number, Operation.SIGN, reason=initials.strip(), at=now)
        edits = [*session.edits, self._sign]
        apply(edits, session.analysis)
        self._copy = _copied(session, edits)
        settings = session.analysis.settings
        try:
            job = Job(session.video, target, settings, overwrite=True, tracks=self._copy)
            self._processor = make_processor(job, self._inbox.put, lambda _preview: None)
            self._processor.start()
        except BaseException:
            self._remove_copy()
            raise

    def cancel(self) -> None:
        """Stop; the result and the review stay as they were."""
        self._processor.cancel()

    def poll(self) -> Signed | None:
        """What came of it, once it has ended; the session is signed then if there's a result."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.progress = self._inbox.get_nowait()
        if not self._processor.done:
            return None
        try:
            result = self._processor.wait(0)
        except JobCancelled:
            return Signed(None, cancelled=True)
        except Exception as error:  # shown to the person; the review stays open
            return Signed(None, error=error)
        else:
            return Signed(result, error=self._note(result))
        finally:
            self._remove_copy()

    def _note(self, result: JobResult) -> ReviewError | None:
        """Sign the review, or say why that isn't possible."""
        try:
            self._session.repaired(result.covered_more)
            self._session.sign(self._sign)
        except ReviewError as error:
            return error
        return None

    def _remove_copy(self) -> None:
        with contextlib.suppress(OSError):
            self._copy.unlink(missing_ok=True)


def _copied(session: ReviewSession, edits: list[Edit]) -> Path:
    """The tracks with the signature, in a file of its own, since the review's own is locked."""
    folder = state_folder()
    path = folder / f"{PART}{secrets.token_hex(8)}{SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob(f"{PART}*"):  # by a program that was killed
            with contextlib.suppress(OSError):
                left.unlink()
        durable_files.write(path, encoded(session.analysis, edits), private=True)
    except OSError as exc:
        raise ReviewError("The review couldn't be saved. Is the disk full?") from without_path(exc)
    return path
