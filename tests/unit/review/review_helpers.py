"""A small analysis with two faces, a near-miss and a cut."""

from __future__ import annotations

from unit.tracking.tracker_helpers import SURE, Found, looks

from anonator.core.config import Settings
from anonator.core.review.analysis import Analysis, Collector
from anonator.core.tracking.linking import Tracker

FRAMES = 60
STEP = 3600
"""PTS of one frame."""


def found() -> dict[int, list[Found]]:
    scene: dict[int, list[Found]] = {
        i: [((100 + 2 * i, 100, 140 + 2 * i, 140), SURE, 0), ((500, 40, 530, 80), 0.8, 0)]
        for i in range(5, 50)
    }
    scene[54] = [((900, 200, 930, 240), 0.2, 0)]
    return scene


def analysis(settings: Settings | None = None) -> Analysis:
    settings = settings or Settings()
    taken = Collector()
    stream = looks(found(), frames=FRAMES, every=3, cuts=(0, 30))
    for frame, _ in Tracker(settings).run(stream, taken.hear):
        taken.see(frame)
    return taken.finished(settings, "ab" * 32, 1234)
