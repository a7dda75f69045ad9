"""Keeping: what a job finds is taken down for a review, if that was asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from anonator.core.attempt import Attempt, Run
from anonator.core.checks.second_look import Uncovered, patches_for
from anonator.core.job import NearMiss
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import SECOND_LOOK, Edit, Operation, Span
from anonator.core.review.kept_sightings import Box, Sightings
from anonator.core.review.tracks_file import encoded
from anonator.core.writing.partial_file import TemporaryFile


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
    analysis = dataclasses.replace(analysis, second_opinions=opinions(run.near_misses))
    file = TemporaryFile(target.parent, ".partial.tracks", private=True)
    try:
        for line in encoded(analysis, repairs(run.covered_more, analysis)):
            file.write(line)
        file.close()
    except BaseException:
        file.remove()
        raise
    return file


def covered_more(run: Run) -> tuple[tuple[Span, Box], ...]:
    """What the second look of a result made from kept tracks covered besides them."""
    if run.rendering is None:
        return ()
    made = repairs(run.covered_more, run.rendering.analysis)
    return tuple((edit.span, edit.boxes[0][1]) for edit in made if edit.span is not None)


def opinions(near_misses: Iterable[NearMiss]) -> Sightings:
    """What only the second detector saw, in order, as a review keeps it."""
    seen = sorted(near_misses, key=lambda miss: miss.frame)
    return Sightings([(miss.frame, miss.box, miss.score, False, False, False) for miss in seen])


def repairs(uncovered: Sequence[Uncovered], analysis: Analysis) -> Iterator[Edit]:
    """What the second look covered, as edits of the program's own, on exactly the same frames."""
    patches, number = patches_for(uncovered), 0
    numerator, denominator = analysis.key.time_base
    seconds = np.array(analysis.pts, np.int64) * numerator / denominator
    for moment, place in zip(patches.seconds, patches.places, strict=True):
        within = np.flatnonzero(np.abs(moment - seconds) <= patches.reach)
        if len(within):
            number += 1
            span = analysis.pts[within[0]], analysis.pts[within[-1]]
            yield Edit(number, Operation.ADD, None, span, ((span[0], place),), SECOND_LOOK, by_program=True)
