"""Scales the running job's pictures to the size shown, in the job's own thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from anonator.core.job import Job, Preview, Progress
from anonator.ui.look.pictures import as_array, resized
from anonator.ui.state.job import Processor
from anonator.ui.state.job_queue import ProcessorFactory

SHARE = 0.04
"""The share of one processor's time for scaling pictures; larger pictures come less often."""


class LivePreviews:
    """Keeps the size for pictures: the window's thread sets it, the job's thread reads it."""

    def __init__(self) -> None:
        self._room = (640, 360)

    def resize(self, room: tuple[int, int]) -> None:
        """Fit pictures into this width and height, in pixels, from now on."""
        self._room = room

    def fitted_to(self, make: ProcessorFactory) -> ProcessorFactory:
        """A factory for jobs whose pictures are scaled to this size."""

        def made(
            job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
        ) -> Processor:
            return make(job, on_progress, self._fitting(on_preview))

        return made

    def _fitting(self, take: Callable[[Preview], None]) -> Callable[[Preview], None]:
        """A callback that scales pictures and passes them on, as often as SHARE allows."""
        next_time = 0.0

        def passed_on(preview: Preview) -> None:
            nonlocal next_time
            now, begin = time.monotonic(), time.thread_time()
            if now < next_time:
                return
            before, after = (
                as_array(resized(side, self._room)) for side in (preview.original, preview.anonymized)
            )
            next_time = now + (time.thread_time() - begin) / SHARE
            take(replace(preview, original=before, anonymized=after))

        return passed_on
