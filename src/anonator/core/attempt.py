"""One attempt at a result: what is open for it, and what was counted on the way."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from anonator.core.checks.second_look import Uncovered
from anonator.core.control import Control
from anonator.core.detection.detector_protocol import Detector
from anonator.core.frames import Frame, Look, Masks, Preview, Progress, TrackSummary
from anonator.core.job import Job
from anonator.core.pictures.shape import Canvas
from anonator.core.reading.reader import VideoReader
from anonator.core.stage_times import StageTimes
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.mask_record import MaskRecord
from anonator.core.writing.writer import VideoWriter


class Outgrown(Exception):
    """The pictures are larger than the result, and for long enough to start again."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__("pictures larger than the result")
        self.canvas = canvas


@dataclass(slots=True)
class Run:
    """What all attempts at a job share."""

    job: Job
    control: Control
    on_progress: Callable[[Progress], None] | None = None
    on_preview: Callable[[Preview], None] | None = None
    times: StageTimes = field(default_factory=StageTimes)
    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    seconds: float = 0.0
    """Time worked so far, without pauses."""
    canvas: Canvas | None = None
    """Size of the result's pictures; None means that of the first."""
    may_grow: int = 4
    """How often the job may start again for larger pictures; after that, they are scaled down."""
    record: MaskRecord = field(default_factory=MaskRecord)
    tracks: list[TrackSummary] = field(default_factory=list)
    repairs: list[Uncovered] = field(default_factory=list)
    """Faces that could be seen in the attempts before."""

    def tell(self, progress: Progress | None) -> None:
        """Report progress, if there is any and someone is listening."""
        if progress is not None and self.on_progress is not None:
            self.on_progress(progress)

    def tracked(self, looks: Iterable[Look]) -> Iterator[tuple[Frame, Masks]]:
        """Frames with what must be covered in them, recorded for the second look."""
        tracker = Tracker(self.job.settings)
        self.tracks = tracker.summaries
        for frame, masks in tracker.run(self.record.noted(looks)):
            if self.job.settings.hipaa:
                self.record.add(frame, masks)
            yield frame, masks

    def start_again(self, canvas: Canvas) -> None:
        """Forget what was seen in pictures of another size."""
        self.canvas, self.may_grow = canvas, self.may_grow - 1
        self.record = MaskRecord()


@dataclass(slots=True)
class Attempt:
    """One file in the making, and what was counted on its frames."""

    reader: VideoReader
    writer: VideoWriter
    detector: Detector
    decoded: int = 0
    masked: int = 0
    """Frames that went through the anonymizer, with or without a face."""
    with_masks: int = 0

    def frames(self, run: Run) -> Iterator[Frame]:
        """The frames, counted; a cancelled job ends here with an exception, never just early."""
        for frame in self.reader:
            run.control.stop_if_cancelled()
            larger = self.reader.outgrown_by
            if larger is not None and run.may_grow:
                raise Outgrown(larger)
            self.decoded += 1
            yield frame

    def count(self, masks: Masks) -> None:
        """Record a frame that went through the anonymizer."""
        self.masked += 1
        self.with_masks += len(masks) > 0
