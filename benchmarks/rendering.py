"""Measures how fast a file is made again from kept tracks, against a plain transcode with the same masks.

    uv run python benchmarks/rendering.py ../shared/clips/night_crowd.mp4 --rounds 3

The plain transcode decodes, covers known masks and encodes with the same settings; it checks nothing and has
no report. CPU time is that of all threads; ratios are made within a round, and the medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from common import table, where_and_when

import anonator
from anonator.core.anonymizer import anonymize
from anonator.core.frames import Masks
from anonator.core.reading.reader import VideoReader
from anonator.core.review.tracks_file import read
from anonator.core.run_ahead import ahead
from anonator.core.writing.writer import VideoWriter


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--tracks", type=Path, help="kept by an earlier run; otherwise one is made first")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place, tracks = Path(folder), args.tracks
        first = None
        if tracks is None:
            tracks = place / "kept"
            work = partial(anonator.anonymize, args.video, place / "first.mp4", save_tracks=tracks)
            first = timed(work)
        masks = list(read(tracks).analysis.masks())
        rounds = []
        for number in range(args.rounds):
            result = place / f"{number}.mp4"
            plain = timed(partial(transcode, args.video, place / f"plain{number}.mp4", tracks, masks))
            again = timed(partial(anonator.anonymize, args.video, result, tracks=tracks))
            rounds.append((plain, again))
        print(where_and_when())
        rows = [
            [what, *(f"{statistics.median(r[0][i] / r[1][i] for r in rounds):.2f}" for i in (0, 1))]
            for what in ("rendering to plain transcode",)
        ]
        if first is not None:
            ratio = [first[i] / statistics.median(r[1][i] for r in rounds) for i in (0, 1)]
            rows.append(["rendering to first run", *(f"{each:.1f}" for each in ratio)])
        print(table(["speed", "by the clock", "by CPU time"], rows))
    return 0


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def transcode(video: Path, target: Path, tracks: Path, masks: list[Masks]) -> None:
    """Decode, cover and encode, and nothing else."""
    settings = read(tracks).analysis.settings
    with (
        VideoReader(video) as reader,
        VideoWriter(
            target,
            reader.info,
            encoder=settings.encoder,
            preset=settings.preset.encoder_preset,
            crf=settings.crf,
        ) as writer,
        ExitStack() as stages,
    ):
        for frame, each in zip(ahead(reader, lambda f: f.nbytes, "decode", stages), masks, strict=True):
            anonymize(frame, each, settings)
            writer.write(frame)
        writer.close()


if __name__ == "__main__":
    raise SystemExit(main())
