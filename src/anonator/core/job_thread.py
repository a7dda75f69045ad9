"""VideoProcessor: one job from the input file to the finished output, in the background, with progress."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from anonator.core.control import Control
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detectors
from anonator.core.hipaa_lock import require_lock_holds
from anonator.core.job import Job, JobResult, Preview, Progress
from anonator.errors import AnonatorError

log = logging.getLogger(__name__)


class VideoProcessor:
    """Runs one job; start it in the background, or run it in the calling thread."""

    def __init__(
        self,
        job: Job,
        *,
        detectors: Detectors | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_preview: Callable[[Preview], None] | None = None,
    ) -> None:
        """Check the job's settings; nothing is opened yet.

        Args:
            job: what to do.
            detectors: shared with other jobs, so that the model is loaded once.
            on_progress: called about ten times a second, in the job's thread.
            on_preview: called about four times a second, in the job's thread.

        Raises:
            HipaaLockError: the settings say HIPAA but have values it does not allow.
        """
        require_lock_holds(job.settings)
        self.job = job
        self._own_detectors = detectors is None
        self._detectors: Detectors = detectors or DetectorCache()
        self._on_progress, self._on_preview = on_progress, on_preview
        self._control = Control()
        self._done = threading.Event()
        self._result: JobResult | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run the job in its own thread."""
        self._thread = threading.Thread(target=self._run_and_keep, name="anonator-job", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the job to stop; wait() then raises JobCancelled, and nothing is left on disk."""
        self._control.cancel()

    def pause(self) -> None:
        """Pause the job until resume or cancel."""
        self._control.pause()

    def resume(self) -> None:
        """Continue a paused job."""
        self._control.resume()

    @property
    def done(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self._done.is_set()

    def wait(self, timeout: float | None = None) -> JobResult:
        """Wait for the end of a started job.

        Raises:
            TimeoutError: it did not end within that many seconds.
            AnonatorError: the job's own error; JobCancelled after cancel.
        """
        if not self._done.wait(timeout):
            raise TimeoutError("the job is still running")
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def run(self) -> JobResult:
        """Run the job in this thread; the same as start and wait."""
        self._run_and_keep()
        return self.wait()

    def _run_and_keep(self) -> None:
        try:
            self._result = self._work()
        except AnonatorError as exc:
            log.info("job ended: %s", type(exc).__name__)
            self._error = exc
        except MemoryError as exc:
            self._error = AnonatorError(
                "This computer ran out of memory. Close other programs, or choose a faster performance mode."
            )
            self._error.__cause__ = exc
        except BaseException as exc:
            log.exception("job ended by an unexpected error")
            self._error = AnonatorError(
                "Something unexpected went wrong, so the job was stopped and nothing was written. "
                "Please report it; the log file says where it happened."
            )
            self._error.__cause__ = exc
        finally:
            if self._own_detectors:
                self._detectors.close()
            self._done.set()

    def _work(self) -> JobResult:
        from anonator.core.processor import (
            Processor,  # this loads the engine, which must not happen when the window starts
        )

        made = Processor(self.job, self._detectors, self._control, self._on_progress, self._on_preview)
        with contextlib.closing(made) as processor:
            return processor.run()
