"""Keeping: what a job finds is taken down for a review, if that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anonator.core.attempt import Attempt, Run
from anonator.core.checks.second_look import Uncovered, patches_for
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.tracks_file import encoded
from anonator.core.writing.partial_file import TemporaryFile

SECOND_LOOK = "second look"
"""Why the program itself covered more."""


def keep(run: Run, attempt: Attempt) -> TemporaryFile | None:
    """Write the tracks file of a job that asked for one; it still needs its name.

    Raises:
        OSError, OutputError: it cannot be written.
    """
    target = run.job.save_tracks
    if target is None or run.collector is None:
        return None
    weights = attempt.detector.weights
    analysis = run.collector.finished(
        run.job.settings, weights.sha256 if weights else "", attempt.reader.file_bytes
    )
    file = TemporaryFile(target.parent, ".partial.tracks", private=True)
    try:
        for line in encoded(analysis, repairs(run.repairs, analysis)):
            file.write(line)
        file.close()
    except BaseException:
        file.remove()
        raise
    return file


def repairs(uncovered: Sequence[Uncovered], analysis: Analysis) -> Iterator[Edit]:
    """What the second look covered, as edits of the program's own, on exactly the same frames."""
    patches, number = patches_for(uncovered), 0
    numerator, denominator = analysis.key.time_base
    for moment, place in zip(patches.seconds, patches.places, strict=True):
        within = [pts for pts in analysis.pts if abs(moment - pts * numerator / denominator) <= patches.reach]
        if within:
            number += 1
            span = within[0], within[-1]
            yield Edit(number, Operation.ADD, None, span, ((span[0], place),), SECOND_LOOK, by_program=True)
