"""Measures the review: the film alone, then picture, slider and playing in a real window.

    uv run python benchmarks/review_window.py                          # 1080p with a key frame every 10 s
    uv run python benchmarks/review_window.py --clip long.mp4 --film   # without a window

The window needs a display; `xvfb-run -a -s "-screen 0 1920x1080x24"` gives it one. Waiting times are those of
somebody who presses a key: from asking until the exact frame is there, or drawn. The event loop is judged by
how late a tick is that should come every 10 ms, and how late without the time that the thread waited for a
free processor.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import subprocess
import tempfile
import threading
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from common import CLIPS, table, where_and_when

from anonator.core.config import Settings
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Analysis, Collector
from anonator.core.review.follow import follow
from anonator.errors import JobCancelled
from anonator.ui.look import theme as look
from anonator.ui.review.dragging import PictureActions
from anonator.ui.review.film import Film, Shown
from anonator.ui.review.lanes import LaneActions, Lanes
from anonator.ui.review.marks import Mark
from anonator.ui.review.picture import Picture
from anonator.ui.review.playing import Playing, PlayingActions
from anonator.ui.work.engine import Engine
from anonator.ui.work.worker import step_back

SPEEDS = (1.0, 2.0, 4.0, 8.0, -1.0, -2.0)
KEY_REPEAT_SECONDS = 0.1
"""Between two presses of an arrow key by somebody who looks."""
TICK_MS = 10
WAITS = Path("/proc/thread-self/schedstat")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clip", type=Path, help="instead of night_crowd.mp4 at 1080p")
    parser.add_argument("--film", action="store_true", help="only the film, without a window")
    parser.add_argument("--side", type=int, default=1200, help="long side of the pictures, without a window")
    parser.add_argument("--seconds", type=float, default=6.0, help="to play at each speed")
    parser.add_argument(
        "--follow", action="store_true", help="follow a drawn box in the background meanwhile"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = args.clip or make_clip(CLIPS / "night_crowd.mp4", Path(folder) / "clip.mp4")
        analysis = known(clip)
        print(where_and_when())
        key = analysis.key
        print(f"\n{key.width} x {key.height}, {key.frames} frames\n")
        print(table(HEAD, film_rows(clip, analysis, args.side, args.seconds)))
        if args.film:
            return
        busy = following(clip, analysis) if args.follow else contextlib.nullcontext()
        with busy:
            rows = window_rows(clip, analysis, args.seconds)
        print(f"\nIn the window{' while a box is followed' * args.follow}\n\n{table(HEAD, rows)}")


HEAD = ("what", "median", "90 %", "worst", "shown per second")


def make_clip(source: Path, target: Path) -> Path:
    """A minute of 1080p with a key frame every 10 s and three B-frames."""
    subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", "-1", "-i", str(source)),
            *("-t", "60", "-an", "-vf", "scale=1920:1080", "-r", "25", "-c:v", "libx264", "-preset", "fast"),
            *("-g", "250", "-keyint_min", "250", "-sc_threshold", "0", "-pix_fmt", "yuv420p", str(target)),
        ],
        check=True,
    )
    return target


def known(clip: Path) -> Analysis:
    """What a job that found nothing would know of a video."""
    taken = Collector()
    with VideoReader(clip) as reader:
        for frame in reader:
            taken.see(frame)
        return taken.finished(Settings(), "", reader.file_bytes)


def waits(name: str, seconds: list[float], more: str = "") -> tuple[str, ...]:
    """A row of the table."""
    ms = np.array(seconds) * 1000
    middle, most = np.percentile(ms, (50, 90))
    return name, f"{middle:.0f} ms", f"{most:.0f} ms", f"{ms.max():.0f} ms", more


# --- without a window


def film_rows(clip: Path, analysis: Analysis, side: int, seconds: float) -> list[tuple[str, ...]]:
    """What the film alone does."""
    last = len(analysis.pts) - 1
    film = Film(clip, analysis)

    def asked(index: int, *, itself: bool = True) -> float:
        """How long until the frame is there; or a copy of it."""
        begin = time.perf_counter()
        film.want(index, side)
        while (shown := film.take()) is None or shown.index != index or (itself and shown.is_proxy):
            time.sleep(0.0005)
        return time.perf_counter() - begin

    rows = [waits("opening", [asked(0)])]
    asked(last // 2)
    for name, way in (("steps on", 1), ("steps back", -1)):
        found = []
        for step in range(1, 61):
            time.sleep(KEY_REPEAT_SECONDS)
            found.append(asked(last // 2 + way * step))
        rows.append(waits(name, found))
        asked(last // 2)
    places = random.Random(1).sample(range(last), 40)
    begin = time.process_time()
    found = [asked(place) for place in places]
    cpu = (time.process_time() - begin) / len(places)
    rows.append(waits("jumps anywhere", found, f"(processor: {cpu * 1000:.0f} ms each)"))
    rows.append(waits("jumps to key frames", [asked(at) for at in range(0, last, 250)]))
    film.expect(places[:8])
    time.sleep(8)
    rows.append(waits("jumps that were expected", [asked(place) for place in places[:6]]))
    film.expect(())
    begin = time.perf_counter()
    while (copied := film.copied) < 1:
        time.sleep(0.1)
    rows.append(waits(f"copying the video, {copied:.0%}", [time.perf_counter() - begin]))
    rows.append(waits("jumps anywhere, to a copy", [asked(place, itself=False) for place in places]))
    for speed in SPEEDS:
        film.play(0 if speed > 0 else last, speed, side)
        shown: list[tuple[float, int]] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and film.is_busy:
            if (news := film.take()) is not None and news.speed == speed:
                shown.append((time.perf_counter(), news.index))
            time.sleep(0.001)
        rows.append(rate(speed, shown, analysis))
    film.close()
    return rows


def rate(speed: float, shown: list[tuple[float, int]], analysis: Analysis) -> tuple[str, ...]:
    """A row about playing: the gaps between pictures, how many a second, and how fast it really was."""
    base = analysis.key.time_base[0] / analysis.key.time_base[1]
    took = shown[-1][0] - shown[0][0]
    played = abs(analysis.pts[shown[-1][1]] - analysis.pts[shown[0][1]]) * base
    gaps = np.diff([at for at, _ in shown]).tolist()
    return waits(
        f"playing at {speed:g}x", gaps, f"{(len(shown) - 1) / took:.1f} (in truth {played / took:.1f}x)"
    )


# --- in a window


def window_rows(clip: Path, analysis: Analysis, seconds: float) -> list[tuple[str, ...]]:
    """What somebody sees who reviews."""
    root = tk.Tk()
    root.geometry("1600x900+0+0")
    theme = look.apply(root)
    size = analysis.key.width, analysis.key.height
    picture = Picture(root, theme, PictureActions(*[lambda *_: None] * 4))
    lanes = Lanes(root, theme, LaneActions(lambda *_: None, lambda _n: None))
    picture.place(x=0, y=0, width=1200, height=700)
    lanes.place(x=0, y=720, width=1200)
    base = analysis.key.time_base[0] / analysis.key.time_base[1]
    times = [pts * base for pts in analysis.pts]
    lanes.show_video(np.array(times))
    root.update()
    shown: list[tuple[float, int]] = []

    def show(news: Shown) -> None:
        x = news.index % 1000
        marks = [Mark(n, (x + 60.0 * n, 200.0, x + 60.0 * n + 50, 260.0), n == 3, n == 5) for n in range(12)]
        picture.show(news.picture, size, marks)
        root.update_idletasks()
        shown.append((time.perf_counter(), news.index))

    film = Film(clip, analysis)
    playing = Playing(
        root,
        film,
        times,
        lambda: picture.side,
        PlayingActions(show, lambda index, _speed: lanes.show_position(index), lambda *_: None, print),
    )
    late: list[tuple[float, float]] = []
    beat(root, late)

    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            root.update()
            time.sleep(0.001)

    def asked(index: int) -> float:
        begin = time.perf_counter()
        playing.go(index)
        until(lambda: bool(shown) and shown[-1][1] == index)
        return time.perf_counter() - begin

    def rest(pause: float) -> None:
        end = time.perf_counter() + pause
        until(lambda: time.perf_counter() > end)

    last = len(times) - 1
    rows = []
    asked(last // 2)
    until(lambda: film.copied == 1)
    for name, way in (("steps on", 1), ("steps back", -1)):
        found = []
        for step in range(1, 61):
            rest(KEY_REPEAT_SECONDS)
            found.append(asked(last // 2 + way * step))
        rows.append(waits(name, found))
        asked(last // 2)
    rows.append(waits("jumps anywhere", [asked(place) for place in random.Random(1).sample(range(last), 40)]))
    for speed in SPEEDS:
        asked(0 if speed > 0 else last)
        shown.clear()
        late.clear()
        for _ in range(int(abs(speed)).bit_length()):
            (playing.forward if speed > 0 else playing.back)()
        end = time.perf_counter() + seconds
        until(lambda end=end: time.perf_counter() > end or not playing.speed)  # type: ignore[misc]
        rows.append(rate(speed, shown, analysis))
        most, own = np.percentile(np.array(late), 99, axis=0)
        rows.append((f"event loop at {speed:g}x", "", "", f"99 %: {most:.0f} ms", f"(its own: {own:.0f} ms)"))
    playing.close()
    root.destroy()
    return rows


@contextlib.contextmanager
def following(clip: Path, analysis: Analysis) -> Iterator[None]:
    """Follow boxes in a thread of low priority, as the review does, over and over."""
    engine, over, ready = Engine(), threading.Event(), threading.Event()

    def stop() -> None:
        if over.is_set():
            raise JobCancelled

    def work() -> None:
        step_back()
        detector = engine.following_detector()
        ready.set()
        for n in itertools.count():
            place = (analysis.pts[n * 37 % len(analysis.pts)], (600.0, 500.0, 680.0, 600.0))
            try:
                follow(clip, analysis, [place], detector, stop)
            except JobCancelled:
                return

    thread = threading.Thread(target=work, name="following")
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()
        engine.close()


def waited_ms() -> float:
    """How long this thread has waited for a processor that others held; 0 where that isn't told."""
    if not WAITS.exists():
        return 0.0
    return int(WAITS.read_bytes().split()[1]) / 1e6


def beat(root: tk.Tk, late: list[tuple[float, float]]) -> None:
    """Take down how late a tick is, in milliseconds: as it is, and without waiting for a free processor."""
    last, waits_before = time.perf_counter(), waited_ms()

    def tick() -> None:
        nonlocal last, waits_before
        now, waits = time.perf_counter(), waited_ms()
        behind = (now - last) * 1000 - TICK_MS
        late.append((behind, behind - (waits - waits_before)))
        last, waits_before = now, waits
        root.after(TICK_MS, tick)

    root.after(TICK_MS, tick)


if __name__ == "__main__":
    main()
