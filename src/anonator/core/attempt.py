"""One attempt at a result: what is open for it, and what was counted on the way."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from anonator.core.checks.in_passing import InPassing
from anonator.core.checks.remembered import Memory
from anonator.core.checks.second_look import Uncovered
from anonator.core.control import Control
from anonator.core.course import Course
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Frame, Look, Masks, TrackSummary
from anonator.core.job import Job, NearMiss, Preview, Progress
from anonator.core.pictures.shape import Canvas
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Collector
from anonator.core.review.rendering import Rendering
from anonator.core.stage_times import StageTimes
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.mask_record import MaskRecord
from anonator.core.writing.writer import VideoWriter

T = TypeVar("T", Frame, Look)


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
    rendering: Rendering | None = None
    """Of a job that is made from kept tracks."""
    collector: Collector | None = None
    """Of a job whose tracks are to be kept."""
    tracks: list[TrackSummary] = field(default_factory=list)
    covered_in_passing: list[Uncovered] = field(default_factory=list)
    """Faces that only the second detector saw, before the first file was written."""
    repairs: list[Uncovered] = field(default_factory=list)
    """Faces that could be seen in the files of the attempts before."""
    second_looks: tuple[int, float] = (0, 0.0)
    """For so many frames, what a second look costs in what the first one cost."""
    checking: float | None = None
    """Seconds that the last second look took."""
    rewriting: float | None = None
    """Seconds that the last repair took to write the file again."""
    second: YuNet | None = None
    """The second detector, if it looks at every frame."""
    second_seconds: float = 0.0
    """What it takes for a frame of the finished file, where it hasn't looked before."""
    memory: Memory | None = None
    """Of what it saw in the last attempt's file, or before that was written."""
    near_misses: tuple[NearMiss, ...] = ()
    """What it saw in the last attempt's file that may be a face."""
    course: Course = field(default_factory=Course)
    """Of all attempts and their checks."""

    def tell(self, progress: Progress | None, share: float) -> None:
        """Report progress, if there is any and someone is listening.

        Args:
            progress: of a stage.
            share: how much of that stage is done, 0..1.
        """
        if progress is not None and self.on_progress is not None:
            self.on_progress(replace(self.course.place(progress, share), at_least=self.may_repair))

    def add(self, seconds: float) -> None:
        """Take down how long a pass over the video took, without its pauses."""
        self.seconds += seconds
        self.rewriting = seconds if self.repairs else None

    @property
    def may_repair(self) -> bool:
        """Whether faces are looked for in the finished file, so that it may have to be made again."""
        return self.job.settings.hipaa or self.second is not None

    @property
    def covered_more(self) -> list[Uncovered]:
        """All faces that the checks made the masks cover."""
        return [*self.covered_in_passing, *self.repairs]

    @property
    def watches_in_passing(self) -> bool:
        """Whether the second detector looks before a frame is written; where tracks are given, it may not
        be needed."""
        return self.second is not None and self.rendering is None

    def watch(self, second: YuNet, first: Detector) -> InPassing:
        """Let the second detector look before a frame is written, and remember what it sees."""
        memory = Memory(self.job.target.parent)
        self.remember(memory)
        stop = self.control.stop_if_cancelled
        return InPassing(second, first, self.job.settings, memory, self.covered_in_passing, stop)

    def writer(self, reader: VideoReader) -> VideoWriter:
        """What writes the result, as the job's settings want it."""
        job, settings = self.job, self.job.settings
        return VideoWriter(
            job.target,
            reader.info,
            encoder=settings.encoder,
            preset=settings.preset.encoder_preset,
            crf=settings.crf,
            audio_from=job.source if settings.keep_audio else None,
            overwrite=job.overwrite,
        )

    def tracked(self, looks: Iterable[Look]) -> Iterator[tuple[Frame, Masks]]:
        """Frames with what must be covered in them, recorded for the second look."""
        tracker = Tracker(self.job.settings)
        self.tracks = tracker.summaries
        if self.job.save_tracks is not None:
            self.collector = Collector()
        heard = self.collector.hear if self.collector else None
        for frame, masks in tracker.run(self.record.noted(looks), heard):
            if self.collector:
                self.collector.see(frame)
            if self.may_repair:
                self.record.add(frame, masks)
            yield frame, masks

    def rendered(
        self, rendering: Rendering, frames: Iterable[Frame], file_bytes: int
    ) -> Iterator[tuple[Frame, Masks]]:
        """Frames with what must be covered in them by kept tracks, recorded for the second look."""
        self.tracks = rendering.summaries()
        self.record.cuts = [cut for cut in rendering.analysis.cuts if cut]
        cuts = frozenset(self.record.cuts)
        for frame, masks in rendering.frames(frames, file_bytes):
            if frame.index in cuts:
                self.record.cut_seconds.append(float(frame.seconds))
            if self.may_repair:
                self.record.add(frame, masks)
            yield frame, masks

    def start_again(self, canvas: Canvas) -> None:
        """Forget what was seen in pictures of another size."""
        self.canvas, self.may_grow = canvas, self.may_grow - 1
        self.record, self.covered_in_passing = MaskRecord(), []
        self.remember(None)

    def remember(self, memory: Memory | None) -> None:
        """Keep what the second detector saw for the next attempt, instead of what was kept before."""
        if self.memory is not None:
            self.memory.close()
        self.memory = memory


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
    through: int = 0
    """Frames that are through with the slowest stage."""
    through_seconds: float = 0.0
    """Presentation time of the last of them."""

    @property
    def share(self) -> float:
        """How much of the video is through, 0..1: by its frames, its length, or the bytes of its file."""
        info = self.reader.info
        if info.header_frames:
            share = self.through / info.header_frames
        elif info.duration_seconds:
            share = self.through_seconds / float(info.duration_seconds)
        else:  # reading is ahead by the frames that wait
            read = self.reader.bytes_read / max(1, self.reader.file_bytes)
            share = read * self.through / max(1, self.decoded)
        return min(1.0, share)

    def noted(self, stage: Iterable[T], heard: Callable[[], None] | None = None) -> Iterator[T]:
        """What comes out of the slowest stage, keeping in mind how far it is.

        Args:
            stage: the frames or looks.
            heard: called for each; the first ones are written much later.
        """
        for item in stage:
            frame = item.frame if isinstance(item, Look) else item
            self.through, self.through_seconds = frame.index + 1, float(frame.seconds)
            if heard is not None:
                heard()
            yield item

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
