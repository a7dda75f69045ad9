"""Measures what helps reviewers: doubts, planted leaks among them, and the following of drawn boxes.

    uv run python benchmarks/review.py                  # all of ../shared/clips
    uv run python benchmarks/review.py ../shared/clips/two_faces_tilted.mp4

Each clip is looked at once, in HIPAA Quality. A planted leak takes the sightings of a real track away
for 1 to 30 frames. It counts as found if a place in a doubt is about that track at that time. A box 1.2
times as large as the face, drawn in the middle of a track, is followed both ways; a sighting counts as
covered if 90 % of the face's central part (0.7 of its sides) is in the box, and as gone over to another face
if that covers the other one's instead. Tracks of at least 20
sightings and 12 pixels, six a clip.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import CLIPS, table, where_and_when

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Analysis, Collector, FoundTrack
from anonator.core.review.doubts import doubts
from anonator.core.review.follow import LOWEST_SCORE, follow
from anonator.core.review.kept_sightings import Sightings
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import look

PLANTED, LONGEST = 20, 30
DRAWN, CENTRE, COVERED = 1.2, 0.7, 0.9


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("videos", type=Path, nargs="*")
    args = parser.parse_args()
    settings, detectors = Settings(), DetectorCache()
    videos: list[Path] = args.videos or sorted([*CLIPS.glob("*.mp4"), *CLIPS.glob("*.mkv")])
    found = {video: analyse(video, settings, detectors.get(settings)) for video in videos}
    low = dataclasses.replace(settings.tracking, continue_threshold=LOWEST_SCORE)
    detector = detectors.get(dataclasses.replace(settings, tracking=low))
    rows = []
    for video, analysis in found.items():
        seconds = (analysis.pts[-1] - analysis.pts[0]) * analysis.key.time_base[0] / analysis.key.time_base[1]
        made = doubts(analysis)
        count, halts = len(made), sum(len(each.stops) for each in made)
        told = followed(video, analysis, detector)
        rows.append(
            [
                video.stem,
                f"{seconds:.1f}",
                str(count),
                f"{count / seconds * 60:.0f}",
                str(halts),
                str(sum(len(each.places) for each in made)),
                f"{told.covered} of {told.seen}" if told.seen else "-",
                str(told.drifted) if told.seen else "-",
                f"{told.steps / told.wall:.0f}, {told.steps / told.cpu:.0f}" if told.seen else "-",
            ]
        )
    print(where_and_when())
    head = [
        "clip",
        "seconds",
        "doubts",
        "a minute",
        "stops",
        "places",
        "sightings covered",
        "on another face",
        "frames a second, a CPU second",
    ]
    print(table(head, rows))
    for seed in range(3):
        print(
            f"planted leaks among the doubts, seed {seed}: {planted(list(found.values()), seed)} of {PLANTED}"
        )
    detectors.close()
    return 0


def analyse(video: Path, settings: Settings, detector: Detector) -> Analysis:
    """What a job finds."""
    taken = Collector()
    with VideoReader(video) as reader:
        for frame, _ in Tracker(settings).run(look(reader, detector, settings), taken.hear):
            taken.see(frame)
        return taken.finished(settings, "", reader.file_bytes)


def planted(analyses: Sequence[Analysis], seed: int) -> int:
    """How many planted leaks are among the doubts."""
    rng = np.random.default_rng(seed)
    long = [each for each in analyses if any(len(t.sightings) > LONGEST + 11 for t in each.tracks)]
    return sum(_is_found(long[number % len(long)], rng) for number in range(PLANTED)) if long else 0


def _is_found(analysis: Analysis, rng: np.random.Generator) -> bool:
    length = int(rng.integers(1, LONGEST + 1))
    tracks = [t for t in analysis.tracks if len(t.sightings) > length + 10]
    track = tracks[rng.integers(len(tracks))]
    frames = track.sightings.rows["frame"]
    first = int(rng.choice(frames[5 : len(frames) - length - 4]))
    leak = _blanked(analysis, track, first, first + length - 1)
    span = analysis.pts[first], analysis.pts[min(first + length, len(analysis.pts)) - 1]
    return any(
        place.track == track.id and place.span[0] <= span[1] and place.span[1] >= span[0]
        for each in doubts(leak)
        for place in each.places
    )


def _blanked(analysis: Analysis, track: FoundTrack, first: int, last: int) -> Analysis:
    rows = track.sightings.rows
    kept = Sightings(rows[(rows["frame"] < first) | (rows["frame"] > last)])
    tracks = tuple(dataclasses.replace(t, sightings=kept) if t is track else t for t in analysis.tracks)
    return dataclasses.replace(analysis, tracks=tracks)


@dataclasses.dataclass(slots=True)
class Followed:
    """How well drawn boxes were followed through a clip."""

    seen: int = 0
    """Sightings of the faces that they were drawn around."""
    covered: int = 0
    """Of these, those that the box covered."""
    drifted: int = 0
    """Of these, those that it didn't cover, while it covered the face of another track."""
    steps: int = 0
    """Frames that boxes were followed through."""
    wall: float = 0.0
    """Seconds by the clock."""
    cpu: float = 0.0
    """Seconds of the processors."""


def followed(video: Path, analysis: Analysis, detector: Detector) -> Followed:
    """Follow a box around the face of each of the longest tracks."""
    told = Followed()
    wall, cpu = time.perf_counter(), time.process_time()
    faces = _faces(analysis.tracks)
    for track in sorted(analysis.tracks, key=lambda each: -len(each.sightings))[:6]:
        widths = track.sightings.rows["box"][:, 2] - track.sightings.rows["box"][:, 0]
        if len(track.sightings) < 20 or np.median(widths) < 12:
            continue
        middle = track.sightings[len(track.sightings) // 2]
        x1, y1, x2, y2 = box_ops.expand(np.array([middle.box], np.float32), DRAWN)[0].tolist()
        way = follow(video, analysis, [(analysis.pts[middle.frame], (x1, y1, x2, y2))], detector)
        at = {step.pts: step.box for step in way.steps}
        told.steps += len(way.steps)
        for each in track.sightings:
            told.seen += 1
            box = np.array([at.get(analysis.pts[each.frame], (0, 0, 0, 0))], np.float32)
            if _covers(box, [each.box]):
                told.covered += 1
            else:
                others = [other for of, other in faces[each.frame] if of != track.id]
                told.drifted += _covers(box, others)
    told.wall, told.cpu = time.perf_counter() - wall, time.process_time() - cpu
    return told


def _faces(tracks: Sequence[FoundTrack]) -> dict[int, list[tuple[int, Sequence[float]]]]:
    """By frame, the number of each track that has a sighting there, and its box."""
    faces: dict[int, list[tuple[int, Sequence[float]]]] = collections.defaultdict(list)
    for track in tracks:
        for each in track.sightings:
            faces[each.frame].append((track.id, each.box))
    return faces


def _covers(box: np.ndarray, faces: Sequence[Sequence[float]]) -> bool:
    """Whether a box covers the central part of any of the faces."""
    if not faces:
        return False
    centres = box_ops.expand(np.array(faces, np.float32), CENTRE)
    return bool((box_ops.inside(centres, box) >= COVERED).any())


if __name__ == "__main__":
    raise SystemExit(main())
