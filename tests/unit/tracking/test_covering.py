"""Covering over a whole analysis gives exactly the masks of the streaming run."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from unit.tracking.test_linking import random_scene
from unit.tracking.tracker_helpers import looks, tiny_frame

from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.frames import Look, Masks
from anonator.core.reading.reader import VideoReader
from anonator.core.tracking import linking
from anonator.core.tracking.covering import cover
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import look
from anonator.core.tracking.sightings import Moment

FOLDER = Path(__file__).parents[4] / "shared" / "clips"
CLIPS = sorted((*FOLDER.glob("*.mp4"), *FOLDER.glob("*.mkv")))


def both(given: Iterable[Look], settings: Settings) -> tuple[list[Masks], list[Masks]]:
    """The masks of the streaming run, and those of covering over all that it heard."""
    heard: list[Moment] = []
    streamed = [masks for _, masks in Tracker(settings).run(given, heard.append)]
    return streamed, list(cover(heard, settings))


def assert_same(streamed: list[Masks], later: list[Masks]) -> None:
    assert len(streamed) == len(later)
    for index, (one, other) in enumerate(zip(streamed, later, strict=True)):
        assert np.array_equal(one.boxes, other.boxes), index
        assert np.array_equal(one.track_ids, other.track_ids), index


@pytest.mark.parametrize("seed", range(30))
def test_random_scenes(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(1, 60))
    if seed % 2:
        limit = int(rng.integers(1, 12)) * tiny_frame(0).nbytes
        monkeypatch.setattr(linking, "LOOKAHEAD_BYTES", limit)
    if seed % 3:
        monkeypatch.setattr(linking, "LARGE", 20)  # some of the boxes
    times = [Fraction(int(t), 100) for t in np.cumsum(rng.choice([1, 4, 4, 40, 300], frames))]
    cuts = sorted({0, *rng.integers(0, frames, 2).tolist()})
    every = int(rng.choice([1, 2, 3, 5]))
    found = random_scene(rng, frames, 64)
    stream = looks(found, frames=frames, every=every, cuts=cuts, turned_every=2, times=times)
    assert_same(*both(stream, Settings()))


@pytest.mark.slow
@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.stem)
def test_real_clips(clip: Path, detectors: DetectorCache) -> None:
    settings = Settings()
    with VideoReader(clip) as reader:
        stream = look(islice(reader, 24), detectors.get(settings), settings)
        streamed, later = both(stream, settings)
    assert clip.stem == "no_face" or any(len(masks) for masks in streamed)
    assert_same(streamed, later)


def test_near_misses_are_heard_and_cover_nothing() -> None:
    heard: list[Moment] = []
    box = (100.0, 100.0, 140.0, 140.0)
    stream = looks({3: [(box, 0.2, 0)], 5: [(box, 0.12, 0)]}, frames=8)
    masks = [masks for _, masks in Tracker(Settings()).run(stream, heard.append)]
    assert [moment.index for moment in heard if moment.missed] == [3]
    assert not any(len(each) for each in masks)
