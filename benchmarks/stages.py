"""Where the time of a job goes: clocks around the stages of the pipeline, put there from outside."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from unittest import mock

STAGES = ("decode", "scene", "pictures", "detect", "track", "mask", "encode", "finish")
"""In the order of the pipeline; pictures are made for the detector, finish is the end and its checks."""


class StageClocks:
    """Adds up the time that each stage takes in its own thread, waiting for other stages not counted.

    Stages run at the same time, so their sum is longer than the job. A stage is slower than alone where
    it shares the processor; encoders and decoders work on in threads of their own while a stage rests.
    """

    def __init__(self) -> None:
        """All clocks at zero."""
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    def add(self, stage: str, seconds: float) -> None:
        """Put time on a stage's clock."""
        with self._lock:
            self.seconds[stage] += seconds

    def timed(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function with a clock around it."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            begin = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.add(stage, time.perf_counter() - begin)

        return wrapper

    def timed_items(self, stage: str, items: Iterable[Any], sign: float = 1.0) -> Iterator[Any]:
        """The same items, with the time that each takes to come added to a stage, or subtracted from it."""
        iterator = iter(items)
        while True:
            begin = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.add(stage, sign * (time.perf_counter() - begin))
            yield item

    @contextlib.contextmanager
    def installed(self) -> Iterator[StageClocks]:
        """Clocks around every stage of the jobs that run inside the with block."""
        from anonator.core import anonymizer
        from anonator.core.checks import file_checks as verification
        from anonator.core.detection.detector import FaceDetector
        from anonator.core.reading.reader import VideoReader
        from anonator.core.tracking import schedule as sampling
        from anonator.core.tracking.cuts import CutDetector
        from anonator.core.tracking.linking import Tracker
        from anonator.core.writing.writer import VideoWriter

        read, track = VideoReader.__iter__, Tracker.run

        def frames(reader: VideoReader) -> Iterator[Any]:
            return self.timed_items("decode", read(reader))

        def masks(tracker: Tracker, looks: Iterable[Any]) -> Iterator[Any]:
            # what the tracker waits for is not its own time
            return self.timed_items("track", track(tracker, self.timed_items("track", looks, sign=-1)))

        places: list[tuple[Any, str, Any]] = [
            (VideoReader, "__iter__", frames),
            (Tracker, "run", masks),
            (CutDetector, "is_cut", self.timed("scene", CutDetector.is_cut)),
            (sampling, "picture_within", self.timed("pictures", vars(sampling)["picture_within"])),
            (FaceDetector, "detect", self.timed("detect", FaceDetector.detect)),
            (anonymizer, "anonymize", self.timed("mask", anonymizer.anonymize)),
            (VideoWriter, "write", self.timed("encode", VideoWriter.write)),
            (VideoWriter, "close", self.timed("finish", VideoWriter.close)),
            *(
                (verification, name, self.timed("finish", getattr(verification, name)))
                for name in dir(verification)
                if name.startswith("verify")
            ),
        ]
        with contextlib.ExitStack() as stack:
            for owner, name, replacement in places:
                stack.enter_context(mock.patch.object(owner, name, replacement))
            yield self
