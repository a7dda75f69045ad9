"""Plants leaks in kept tracks, and lets a scripted reviewer look for them with the session of the window.

    uv run python benchmarks/review_leaks.py                    20 leaks over ../shared/clips
    uv run python benchmarks/review_leaks.py --kept FOLDER      keeps what was found there, for the next time

Each clip is looked at once, in HIPAA Quality. A leak takes sightings of a real track away, in the middle,
from its beginning or to its end, so many that the face is bare on at least one frame: less than half of its
middle (0.7 of its sides) is covered. The reviewer knows N, Enter, a drag, and U or the sheet. They see a face
of which a quarter of the middle shows, on a frame that stands still, or for 0.2 s while they play at 1x, and
nothing else. They draw a box 1.2 times as large as the face, which is followed. On the sheet, each page stays
for 3 s. A leak is covered in passing if a cover that was drawn for another one covers it. In the end it is
bare if it is on any frame, and covered if 90 % of the middle is on all frames, or as much as before the leak.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from common import CLIPS, table, where_and_when
from review import analyse

from anonator.core import boxes as box_ops
from anonator.core import process_setup
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector
from anonator.core.review.analysis import Analysis
from anonator.core.review.follow import LOWEST_SCORE, follow
from anonator.core.review.kept_sightings import Box, Sightings
from anonator.core.review.tracks_file import create, read
from anonator.errors import ReviewError
from anonator.ui.review.assessment import CardStop, DoubtCard
from anonator.ui.review.seen import Seen
from anonator.ui.review.session import ReviewSession

CENTRE, BARE, NOTICED, COVERED = 0.7, 0.5, 0.75, 0.9
SMALLEST, LONGEST, LEFT = 16, 30, 3
"""Pixels of a face's width; sightings taken away at first; sightings that stay on either side."""
NOTICED_SECONDS, BEFORE_SECONDS, PAGE_SECONDS = 0.2, 1.0, 3.0
DRAWN = 1.2


@dataclass
class Leak:
    """A face that lost sightings."""

    track: int
    places: dict[int, Box]
    """By frame from the first sighting that it lost to the last one: where it was."""
    covered: dict[int, float]
    """By frame: how much of its middle was covered before."""
    bare: int
    """Frames on which less than half of it is covered now."""
    found_by: str = ""


@dataclass
class Tally:
    """What a review took."""

    presses: int = 0
    drags: int = 0
    seconds: float = 0.0
    """Of playing, and of looking at pages."""
    doubts: int = 0
    stops: int = 0
    """In them."""
    leaks: list[Leak] = field(default_factory=list)
    covered: int = 0
    """Leaks that are covered in the end."""
    bare: int = 0
    """Leaks that are still bare somewhere in the end."""


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("videos", type=Path, nargs="*")
    parser.add_argument("--leaks", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--kept", type=Path, help="folder for what was found")
    args = parser.parse_args()
    process_setup.prepare()
    videos: list[Path] = args.videos or sorted([*CLIPS.glob("*.mp4"), *CLIPS.glob("*.mkv")])
    with contextlib.closing(DetectorCache()) as detectors, tempfile.TemporaryDirectory() as place:
        found = dict(analyses(videos, args.kept or Path(place), detectors))
        tracking = dataclasses.replace(Settings().tracking, continue_threshold=LOWEST_SCORE)
        detector = detectors.get(dataclasses.replace(Settings(), tracking=tracking))
        print(where_and_when())
        for seed in range(args.seeds):
            for rest in ("the sheet", "U and playing"):
                print(f"\nseed {seed}, doubts first, then {rest}\n")
                print(reviewed(found, args.leaks, seed, rest, detector, Path(place)))
    return 0


def analyses(videos: Sequence[Path], kept: Path, detectors: DetectorCache) -> Iterator[tuple[Path, Analysis]]:
    """What a job finds in each video, from a file if it was kept there."""
    kept.mkdir(parents=True, exist_ok=True)
    for video in videos:
        path = kept / f"{video.stem}.tracks"
        if not path.exists():
            create(analyse(video, Settings(), detectors.get(Settings())), path)
        yield video, read(path).analysis


def reviewed(
    found: dict[Path, Analysis], count: int, seed: int, rest: str, detector: Detector, place: Path
) -> str:
    """Review all clips, and tell of it in a table."""
    rng = np.random.default_rng(seed)
    spoilt = {video: analysis for video, analysis in found.items() if candidates(analysis)}
    rows, every = [], Tally()
    for number, (video, leaks) in enumerate(planted(spoilt, count, rng).items()):
        path = create(spoilt[video], place / f"{seed}-{number}-{rest[0]}.tracks")
        reviewer = Reviewer(ReviewSession(video, path), leaks, detector)
        tally = reviewer.review(rest)
        rows.append(row(video.stem, tally))
        for name in ("presses", "drags", "seconds", "doubts", "stops", "covered", "bare"):
            setattr(every, name, getattr(every, name) + getattr(tally, name))
        every.leaks += leaks
    head = ["clip", "leaks", "bare frames", "found by doubts", "covered in passing", "found by the rest"]
    head += ["still bare", "covered", "doubts looked at", "stops", "key presses", "drags", "seconds"]
    return table(head, [*rows, row("all", every)])


def row(name: str, tally: Tally) -> list[str]:
    """One line of the table."""
    by = [leak.found_by for leak in tally.leaks]
    numbers = [len(by), sum(leak.bare for leak in tally.leaks)]
    numbers += [by.count(way) for way in ("doubts", "in passing", "rest")]
    return [
        name,
        *map(
            str, [*numbers, tally.bare, tally.covered, tally.doubts, tally.stops, tally.presses, tally.drags]
        ),
        f"{tally.seconds:.0f}",
    ]


def candidates(analysis: Analysis) -> list[int]:
    """Tracks that are large and long enough to lose some sightings."""
    widths = {
        t.id: np.median(t.sightings.rows["box"][:, 2] - t.sightings.rows["box"][:, 0])
        for t in analysis.tracks
    }
    return [t.id for t in analysis.tracks if len(t.sightings) > 2 * LEFT + 10 and widths[t.id] >= SMALLEST]


def planted(found: dict[Path, Analysis], count: int, rng: np.random.Generator) -> dict[Path, list[Leak]]:
    """Leaks in turn in each clip, each of another track; found then holds what is left."""
    free = {video: candidates(analysis) for video, analysis in found.items()}
    leaks: dict[Path, list[Leak]] = {video: [] for video in found}
    while any(free.values()) and sum(map(len, leaks.values())) < count:
        for video in found:
            while free[video] and sum(map(len, leaks.values())) < count:
                id = free[video].pop(int(rng.integers(len(free[video]))))
                made = next(leak_in(found[video], id, rng), None)
                if made is not None:
                    found[video], leak = made
                    leaks[video].append(leak)
                    break
    return leaks


def leak_in(analysis: Analysis, id: int, rng: np.random.Generator) -> Iterator[tuple[Analysis, Leak]]:
    """What is left of an analysis with a leak in this track."""
    for spoilt, taken in shortened(analysis, id, rng):
        before, now = (share_covered(each, taken) for each in (analysis, spoilt))
        if bare := sum(share < BARE for share in now.values()):
            yield spoilt, Leak(id, taken, before, bare)


def shortened(
    analysis: Analysis, id: int, rng: np.random.Generator
) -> Iterator[tuple[Analysis, dict[int, Box]]]:
    """A track without more and more of its sightings, and those that it lost."""
    track = next(t for t in analysis.tracks if t.id == id)
    rows, length = track.sightings.rows, int(rng.integers(1, LONGEST + 1))
    where, at = rng.choice(["middle", "beginning", "end"]), int(rng.integers(LEFT, len(rows) - LEFT))
    while length < len(rows) - LEFT:
        first = {"beginning": 0, "end": len(rows) - length}.get(
            str(where), min(at, len(rows) - LEFT - length)
        )
        if first < 0 or (where == "middle" and first < LEFT):
            return
        gone = np.zeros(len(rows), bool)
        gone[first : first + length] = True
        kept = dataclasses.replace(track, sightings=Sightings(rows[~gone]))
        tracks = tuple(kept if t is track else t for t in analysis.tracks)
        taken = dict(between(rows[gone]))
        yield dataclasses.replace(analysis, tracks=tracks), taken
        length = length * 3 // 2 + 1


def between(rows: np.ndarray) -> Iterator[tuple[int, Box]]:
    """Frame and place of a face, from its first to its last sighting."""
    for frame in range(int(rows["frame"][0]), int(rows["frame"][-1]) + 1):
        x1, y1, x2, y2 = (float(np.interp(frame, rows["frame"], side)) for side in rows["box"].T)
        yield frame, (x1, y1, x2, y2)


def share_covered(analysis: Analysis, places: dict[int, Box]) -> dict[int, float]:
    """How much of a face is covered without any edit, by frame."""
    masks, scale = list(analysis.masks()), analysis.settings.mask_scale
    return {f: inside(box, box_ops.expand(masks[f].boxes, scale)) for f, box in places.items()}


def inside(box: Box, masks: np.ndarray) -> float:
    """How much of the middle of a face is covered, by the mask that covers it best."""
    middle = box_ops.expand(np.array([box], np.float32), CENTRE)
    return float(box_ops.inside(middle, masks).max()) if len(masks) else 0.0


def fails(error: ReviewError) -> None:
    """What can't be saved would make the figures wrong."""
    raise error


class Reviewer:
    """Goes through the doubts, and then through what was not seen."""

    def __init__(self, session: ReviewSession, leaks: list[Leak], detector: Detector) -> None:
        self.session, self.leaks, self.detector = session, leaks, detector
        session.prepared(session.prepare()())
        self.seen, self.tally = Seen(session, failed=fails), Tally(leaks=leaks)

    def review(self, rest: str) -> Tally:
        """Look for leaks, and cover them."""
        self._assess()
        self.tally.doubts = len(self.session.doubts())
        while (next_stop := self._next_stop()) is not None:
            card, stop = next_stop
            self.tally.presses += 1  # N, or the Enter that went on from the one before
            self.tally.stops += 1
            self._play(self._before(stop.index), stop.index, "doubts")
            # what is covered by now is no doubt any more; all else that is marked there is right
            self.session.right(card, stop)
        for leak in self.leaks:
            if not leak.found_by and not any(self._is_bare(leak, index) for index in leak.places):
                leak.found_by = "in passing"
        if rest == "the sheet":
            self._look_at_pages()
        else:
            self._play_the_rest()
        self.tally.covered = sum(
            all(self._inside(leak, f) >= min(COVERED, leak.covered[f]) - 0.01 for f in leak.places)
            for leak in self.leaks
        )
        self.tally.bare = sum(
            any(self._inside(leak, f) < min(BARE, leak.covered[f]) for f in leak.places)
            for leak in self.leaks
        )
        self.seen.close()
        self.session.close()
        return self.tally

    def _assess(self) -> None:
        if not self.session.is_assessed:
            self.session.assessed(self.session.assessor()())

    def _next_stop(self) -> tuple[DoubtCard, CardStop] | None:
        """The first stop that is left, as N finds it."""
        self._assess()
        cards = self.session.doubts()
        return next(((card, stop) for card in cards for stop in card.stops if not stop.is_done), None)

    def _look_at_pages(self) -> None:
        while not self.seen.frames().all():
            pages = self.seen.pages()
            self.tally.presses += 1
            self.tally.seconds += PAGE_SECONDS
            self.seen.on_sheet(pages[0])
            for index in pages[0]:
                self._cover([(leak, index) for leak in self.leaks if self._is_bare(leak, index)], "rest")

    def _play_the_rest(self) -> None:
        pts = self.session.analysis.pts
        while (at := self.seen.next_unseen(pts[-1])) is not None:
            self.tally.presses += 2  # U, and play
            first = last = self.session.index_at(at)
            while last + 1 < len(pts) and not self.seen.frames()[last + 1]:
                last += 1
            self._play(first, last, "rest")

    def _play(self, first: int, last: int, by: str) -> bool:
        """Play at 1x and stop on the last frame; whether a bare face was noticed and covered."""
        self.seen.shown(first, last, 1.0)
        self.tally.seconds += self.session.seconds_at(last) - self.session.seconds_at(first)
        noticed = []
        for leak in self.leaks:
            bare = [index for index in range(first, last + 1) if self._is_bare(leak, index)]
            times = [self.session.seconds_at(index) for index in bare]
            if bare and (bare[-1] == last or times[-1] - times[0] >= NOTICED_SECONDS):
                noticed.append((leak, bare[-1]))
        self._cover(noticed, by)
        return bool(noticed)

    def _before(self, index: int) -> int:
        """The frame a second earlier."""
        numerator, denominator = self.session.analysis.key.time_base
        second = round(BEFORE_SECONDS * denominator / numerator)
        return self.session.index_at(self.session.analysis.pts[index] - second)

    def _is_bare(self, leak: Leak, index: int) -> bool:
        return index in leak.places and self._inside(leak, index) < NOTICED

    def _inside(self, leak: Leak, index: int) -> float:
        return inside(leak.places[index], self.session.masks(index).boxes)

    def _cover(self, noticed: Sequence[tuple[Leak, int]], by: str) -> None:
        """Draw a box on each bare face, and let it be followed."""
        for leak, index in noticed:
            leak.found_by = leak.found_by or by
            if not self._is_bare(leak, index):
                continue  # the one before covers this one, too
            self.tally.drags += 1
            pts, analysis = self.session.analysis.pts[index], self.session.analysis
            box = box_ops.expand(np.array([leak.places[index]], np.float32), DRAWN)[0].tolist()
            id = self.session.draw(pts, (box[0], box[1], box[2], box[3]))
            way = follow(self.session.video, analysis, self.session.placed(id), self.detector)
            self.session.took(id, way)


if __name__ == "__main__":
    raise SystemExit(main())
