"""The end of a job: its report, and the names of all files."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from anonator.core import kept_report
from anonator.core.attempt import Attempt, Run
from anonator.core.checks import old_report, report, report_page
from anonator.core.checks.file_checks import Check
from anonator.core.checks.second_ffmpeg import second_ffmpeg_version
from anonator.core.checks.second_look import Uncovered
from anonator.core.clock_text import clock_text
from anonator.core.detection.given import GivenDetector
from anonator.core.detection.spare import SpareDetector
from anonator.core.hipaa_lock import waiver_note
from anonator.core.job import Job, JobResult, page_target, report_target
from anonator.core.keeping import covered_more, keep
from anonator.core.privacy import without_path
from anonator.core.windows_files import reachable
from anonator.core.wording import NO_FACE
from anonator.core.writing.partial_file import TemporaryFile, output_error
from anonator.errors import OutputError

log = logging.getLogger(__name__)

NO_TRACKS = (
    "The tracks could not be saved where you wanted them. The finished video is complete and was checked. "
    "Run the job again if you need the tracks."
)
NO_REPORT = (
    "The report could not be saved completely. The finished video is complete and was checked. Run the job "
    "again if you need the report."
)


def publish(run: Run, attempt: Attempt, checks: Sequence[Check]) -> JobResult:
    """Write the report, its page and the tracks file, as wanted, and give the files their names.

    Raises:
        OutputError: a name cannot be given; nothing is left behind.
    """
    job, reader, writer = run.job, attempt.reader, attempt.writer
    notes = [*reader.notes, *attempt.detector.notes, *_repair_notes(run)]
    notes += filter(None, [waiver_note(job.settings)])
    notes += [] if attempt.with_masks else [NO_FACE]
    if run.rendering:
        notes += run.rendering.notes
        looked = isinstance(attempt.detector, SpareDetector) and attempt.detector.loaded
        log.info("made from kept tracks; %s", "the second look ran" if looked else "no detector was loaded")
    named: set[Path | None] = set()
    replaced = _replaced(job)
    with ExitStack() as files:
        try:
            # all are complete on the disk before one of them gets its name
            papers = list(_papers(run, attempt, checks, notes, files))
            writer.publish()
        except OSError as exc:
            raise output_error(exc) from without_path(exc)
        for paper in papers:
            if _publish(paper, job.overwrite):
                named.add(paper.target)
            elif paper.missing not in notes:
                notes.append(paper.missing)
    if job.overwrite:
        notes += [] if old_report.remove(replaced - named) else [old_report.KEPT]
    log.info("job done: %d frames, %d with masks, %.1f s", attempt.masked, attempt.with_masks, run.seconds)
    return JobResult(
        target=job.target,
        frames=attempt.masked,
        masked_frames=attempt.with_masks,
        tracks=len(run.tracks),
        seconds=run.seconds,
        device=attempt.detector.device_line,
        audio=writer.audio_outcome,
        checks=tuple(check.sentence for check in checks if check.was_needed),
        report=job.report_target if job.report_target in named else None,
        report_page=job.page_target if job.page_target in named else None,
        tracks_file=job.save_tracks if job.save_tracks in named else None,
        reviewed_by=run.rendering.state.signed if run.rendering else "",
        replaced_frames=reader.replaced_frames,
        notes=(*notes, *(check.sentence for check in checks if not check.was_needed)),
        gaps_bridged=sum(track.gaps_bridged for track in run.tracks),
        near_misses=run.near_misses,
        covered_more=covered_more(run),
        stage_seconds=run.times.seconds(),
    )


def _replaced(job: Job) -> set[Path]:
    """The report and the page of the result that the job replaces: next to it, or where reports go now."""
    places = {report_target(job.target), page_target(job.target)}
    try:
        size = reachable(job.target).stat().st_size
    except OSError:
        return places
    if kept_report.read(job.report_target, size):  # in one folder for all, it may be that of another result
        places |= {job.report_target, job.page_target}
    return places


@dataclasses.dataclass(frozen=True, slots=True)
class _Paper:
    """A file that goes with the result, still without its name."""

    file: TemporaryFile
    target: Path
    missing: str
    """What to say if the name cannot be given."""


def _papers(
    run: Run, attempt: Attempt, checks: Sequence[Check], notes: Sequence[str], files: ExitStack
) -> Iterator[_Paper]:
    """The files that go with the result, complete; files removes those that get no name."""
    job = run.job
    if job.settings.report:
        facts = report.facts_of(_audit(run, attempt, checks, notes))
        for target, suffix, content in (
            (job.report_target, ".partial.json", report.to_json(facts)),
            (job.page_target, ".partial.html", report_page.to_html(facts).encode()),
        ):
            paper = TemporaryFile(target.parent, suffix)
            files.callback(paper.remove)
            paper.write(content)
            paper.close()
            yield _Paper(paper, target, NO_REPORT)
    tracks = keep(run, attempt)
    if tracks is not None and job.save_tracks is not None:
        files.callback(tracks.remove)
        yield _Paper(tracks, job.save_tracks, NO_TRACKS)


def _publish(paper: _Paper, overwrite: bool) -> bool:
    """Give a file its name; the verified video already has its own and is kept."""
    try:
        paper.file.publish(paper.target, overwrite)
    except (OSError, OutputError) as exc:
        log.warning("a file that goes with the result could not get its name (%s)", type(exc).__name__)
        return False
    return True


def _audit(run: Run, attempt: Attempt, checks: Sequence[Check], notes: Sequence[str]) -> report.Audit:
    reader, writer, tick = attempt.reader, attempt.writer, run.control.checkpoint
    settings = run.job.settings
    return report.Audit(
        settings=settings,
        info=reader.info,
        model=attempt.detector.name,
        own_detector=isinstance(attempt.detector, GivenDetector)
        or (isinstance(attempt.detector, SpareDetector) and attempt.detector.by_script),
        weights=attempt.detector.weights,
        device=attempt.detector.device_line,
        second_ffmpeg=second_ffmpeg_version(),
        started=run.started,
        finished=datetime.datetime.now(datetime.timezone.utc),
        decoded=attempt.decoded,
        masked=attempt.masked,
        encoded=writer.frames_written,
        verified=attempt.masked,
        with_masks=attempt.with_masks,
        replaced=reader.replaced_frames,
        tracks=run.tracks,
        cuts_seconds=run.record.cut_seconds,
        audio=writer.audio_outcome,
        checks=checks,
        repaired=run.covered_more,
        near_misses=run.near_misses,
        warnings=notes,
        output_sha256=report.sha256_of(writer.temporary_path, tick),
        output_bytes=writer.bytes_written,
        input_sha256=report.sha256_of(run.job.source, tick) if settings.hash_input else None,
        review=run.rendering.summary() if run.rendering else None,
    )


def _repair_notes(run: Run) -> Iterator[str]:
    if run.covered_in_passing:
        yield (
            f"Only the second detector found a face at {_moments(run.covered_in_passing)}; it was covered "
            "there. Look there first."
        )
    if run.repairs:
        yield (
            f"The check of the finished file found a face at {_moments(run.repairs)}; the file was made "
            "again with wider masks there, and then passed. Look there first."
        )


def _moments(faces: Sequence[Uncovered]) -> str:
    """When the first few of them were seen."""
    times = dict.fromkeys(clock_text(face.seconds, 1) for face in faces[:5])
    return ", ".join(times) + (" and elsewhere" if len(faces) > 5 else "")
