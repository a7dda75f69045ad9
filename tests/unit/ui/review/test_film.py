"""The film: the frame that was asked for and no other, pixel for pixel, whatever was asked for before."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from patience import PATIENCE, Stopwatch
from video_helpers import GOP, clip, ffmpeg

from anonator.core.config import Settings
from anonator.core.frames import UInt8Array
from anonator.core.pictures.rgb import to_rgb_within
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Analysis, Collector
from anonator.errors import AnonatorError
from anonator.ui.review.film import Film, Shown
from anonator.ui.review.proxies import Proxies
from anonator.ui.review.reel import Kept

DROPS = "select='not(mod(n,3))+lt(n,10)'"
LONG = ("-c:v", "libx264", "-preset", "fast", "-bf", "3", "-g", "250", "-pix_fmt", "yuv420p")
SIDE = 4096


def read(path: Path, settings: Settings | None = None) -> tuple[Analysis, list[UInt8Array]]:
    """What a job would know of a video, and its pictures as people see them."""
    taken, pictures = Collector(), []
    with VideoReader(path) as reader:
        for frame in reader:
            taken.see(frame)
            pictures.append(np.asarray(to_rgb_within(frame, SIDE), np.uint8))
        return taken.finished(settings or Settings(), "", reader.file_bytes), pictures


def known(path: Path) -> Analysis:
    """What a job would know of a video."""
    taken = Collector()
    with VideoReader(path) as reader:
        for frame in reader:
            taken.see(frame)
        return taken.finished(Settings(), "", reader.file_bytes)


@contextmanager
def shown(path: Path, analysis: Analysis, cache_bytes: int = 1 << 26) -> Iterator[Film]:
    film = Film(path, analysis, cache_bytes)
    try:
        yield film
    finally:
        film.close()
        assert not any(thread.name == "anonator-film" for thread in threading.enumerate())


def taken(film: Film, patience: float = PATIENCE, *, proxies: bool = False) -> Shown:
    """The next picture, of the frame itself unless small copies will do."""
    end = time.monotonic() + patience
    while (news := film.take()) is None or (news.is_proxy and not proxies):
        assert time.monotonic() < end, "no picture came"
        time.sleep(0.002)
    return news


def played(film: Film, patience: float = PATIENCE) -> list[Shown]:
    """Everything until it ends."""
    found, end = [], time.monotonic() + patience
    while film.is_busy:
        assert time.monotonic() < end, "playing does not end"
        if (news := film.take()) is not None:
            found.append(news)
        time.sleep(0.002)
    return found


def difference(one: UInt8Array, other: UInt8Array) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())


def gone_through(film: Film, patience: float = 2 * PATIENCE) -> None:
    """Wait until there are copies of all frames."""
    end = time.monotonic() + patience
    while film.copied < 1:
        assert time.monotonic() < end, "not all frames were copied"
        time.sleep(0.02)


def moving(folder: Path) -> Path:
    return clip(folder / "a.mp4", *GOP, seconds=3)


def turned(folder: Path) -> Path:
    ffmpeg(
        "-display_rotation",
        270,
        "-i",
        clip(folder / "a.mp4", *LONG, seconds=2),
        "-c",
        "copy",
        folder / "b.mp4",
    )
    return folder / "b.mp4"


CLIPS = {
    "b frames": moving,
    "long gop": lambda folder: clip(folder / "a.mp4", *LONG, seconds=3),
    "vfr": lambda folder: clip(folder / "a.mp4", "-vf", DROPS, "-fps_mode", "vfr", *GOP, seconds=4),
    "open gop": lambda folder: clip(
        folder / "a.ts", "-c:v", "libx264", "-x264-params", "open-gop=1:keyint=12:bframes=3", seconds=2
    ),
    "turned": turned,
    "odd": lambda folder: clip(folder / "a.mkv", "-vf", "scale=95:61", "-c:v", "ffv1", seconds=1),
    "mpeg4": lambda folder: clip(folder / "a.avi", "-c:v", "mpeg4", "-bf", "2", seconds=2),
    "interlaced": lambda folder: clip(
        folder / "a.mp4", "-vf", "interlace,setfield=tff", "-flags", "+ilme+ildct", *GOP, rate=50, seconds=2
    ),
    "hdr": lambda folder: clip(
        folder / "a.mp4", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params",
        "log-level=none:colorprim=9:transfer=16:colormatrix=9", seconds=1,
    ),
}  # fmt: skip


@pytest.mark.quick_cases(6)
@pytest.mark.parametrize("make", CLIPS.values(), ids=CLIPS)
@pytest.mark.parametrize("frames", [6, 1000], ids=["small cache", "large cache"])
def test_the_frame_shown_is_the_one_asked_for(
    tmp_path: Path, make: Callable[[Path], Path], frames: int
) -> None:
    path = make(tmp_path)
    analysis, pictures = read(path)
    order = list(range(len(pictures)))
    random.Random(2).shuffle(order)
    back = range(len(pictures) - 1, -1, -1)
    with shown(path, analysis, frames * 96 * 64 * 3 // 2) as film:
        for index in (*order[:40], *back, *range(len(pictures))):
            film.want(index, SIDE)
            news = taken(film)
            assert news.index == index and news.speed == 0
            assert np.array_equal(news.picture, pictures[index])


def test_once_it_was_gone_through_a_copy_of_the_very_frame_comes_first(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", *LONG, seconds=5, size="320x180")
    analysis, pictures = read(path)
    with shown(path, analysis, 6 * 320 * 180 * 3 // 2) as film:
        film.want(0, 320)
        taken(film)
        gone_through(film)
        for index in (97, 20, 111, 60):
            film.want(index, 320)
            first, then = taken(film, proxies=True), taken(film)
            assert first.is_proxy and not then.is_proxy and first.index == then.index == index
            assert first.picture.shape == pictures[index].shape
            assert np.array_equal(then.picture, pictures[index])
            likest = min(range(len(pictures)), key=lambda each: difference(first.picture, pictures[each]))
            assert likest == index
        film.want(98, 160)
        assert taken(film).picture.shape[1] == 160


def test_copies_stay_within_their_bytes_and_lie_all_over_the_video() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    proxies = Proxies(200, 100_000)
    for index in range(200):
        if proxies.wants(index):
            proxies.add(index, noise, (320, 180))
    held = [index for index in range(200) if proxies.picture(index, 320) is not None]
    assert len(held) * 2 > 100_000 / 16_000 and held[0] == 0 and held[-1] > 180
    assert max(np.diff(held)) <= proxies.stride
    assert sum(len(copy) for _, copy in proxies._held[1].values()) <= 100_000
    picture = proxies.picture(held[3], 4096)
    assert picture is not None and picture.shape == (180, 320, 3)
    assert proxies.near(held[3] - 2, held[3] + 2) == held[3]
    assert proxies.near(held[3] + 1, held[4] - 1) is None
    assert proxies.share == 1


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("speed", [8.0, -8.0])
def test_fast_playing_goes_from_copy_to_copy_and_ends_on_the_frame_itself(
    tmp_path: Path, speed: float
) -> None:
    path = clip(tmp_path / "a.mp4", *LONG, seconds=10, size="320x180")
    analysis, pictures = read(path)
    with shown(path, analysis, 6 * 320 * 180 * 3 // 2) as film:
        film.want(0, 320)
        taken(film)
        gone_through(film)
        film.play(0 if speed > 0 else len(pictures) - 1, speed, 320)
        begin, watch, news = time.monotonic(), Stopwatch(), played(film)
        took, own = time.monotonic() - begin, watch.seconds
    indexes = [each.index for each in news]
    assert indexes == sorted(set(indexes), reverse=speed < 0) and len(indexes) > 10
    end = len(pictures) - 1 if speed > 0 else 0
    assert indexes[-1] == end and np.array_equal(news[-1].picture, pictures[end])
    assert took > 1.0 and own < 4, "ten seconds at 8x"
    for each, after in itertools.pairwise(news):
        assert after.before == each.index
        assert difference(each.picture, pictures[each.index]) < 8


def test_the_newest_wish_is_the_one_that_counts(tmp_path: Path) -> None:
    path = moving(tmp_path)
    analysis, pictures = read(path)
    with shown(path, analysis) as film:
        for index in range(0, 70, 3):
            film.want(index, SIDE)
        last = played(film)[-1]
        assert last.index == 69 and np.array_equal(last.picture, pictures[69])


def test_pictures_are_no_larger_than_asked_for(tmp_path: Path) -> None:
    path = moving(tmp_path)
    analysis, _ = read(path)
    with shown(path, analysis) as film:
        for side, size in ((48, (32, 48)), (4000, (64, 96))):
            film.want(3, side)
            assert taken(film).picture.shape[:2] == size


@pytest.mark.slow
@pytest.mark.parametrize("speed", [1.0, 2.0, 8.0, -1.0, -2.0, -8.0])
def test_playing_shows_whole_frames_in_order_and_in_time(tmp_path: Path, speed: float) -> None:
    path = clip(tmp_path / "a.mp4", *GOP, seconds=4 if abs(speed) > 1 else 2)
    analysis, pictures = read(path)
    last = len(pictures) - 1
    begin, end = (0, last) if speed > 0 else (last, 0)
    with shown(path, analysis) as film:
        film.want(begin, SIDE)
        taken(film)
        started = time.monotonic()
        film.play(begin, speed, SIDE)
        found = played(film)
        took = time.monotonic() - started
    indexes = [each.index for each in found]
    assert indexes == sorted(set(indexes), reverse=speed < 0)
    assert indexes[0] == begin and indexes[-1] == end
    assert all(np.array_equal(each.picture, pictures[each.index]) for each in found)
    assert all(each.speed == speed for each in found)
    assert [each.before for each in found] == [-1, *indexes[:-1]]
    length = last / 25 / abs(speed)
    assert length * 0.8 <= took, "faster than asked for"
    assert len(found) >= min(len(pictures) / abs(speed), 8 * took) * 0.5


def test_playing_ends_where_another_frame_is_asked_for(tmp_path: Path) -> None:
    path = moving(tmp_path)
    analysis, pictures = read(path)
    with shown(path, analysis) as film:
        film.play(10, 1.0, SIDE)
        taken(film)
        film.want(2, SIDE)
        time.sleep(0.3)
        news = taken(film)
        assert news.index == 2 and np.array_equal(news.picture, pictures[2])
        assert not played(film)


@pytest.mark.slow
def test_a_frame_that_is_expected_is_there_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "a.mp4", *LONG, "-preset", "veryfast", seconds=8, size="1280x720")
    analysis = known(path)
    decoded = set[int]()
    kept = Kept.add
    monkeypatch.setattr(Kept, "add", lambda own, frame: (kept(own, frame), decoded.add(frame.index))[0])
    with shown(path, analysis, 1 << 27) as film:
        film.want(0, 320)
        taken(film)
        film.expect([180, 120])
        end = time.monotonic() + PATIENCE
        while not {180, 120} <= decoded:
            assert time.monotonic() < end, "it decodes nothing ahead"
            time.sleep(0.02)
        for index in (180, 120):
            watch = Stopwatch()
            film.want(index, 320)
            assert taken(film).index == index
            assert watch.seconds < 0.1


def test_a_video_that_changed_is_told_and_asked_for_again(tmp_path: Path) -> None:
    path = moving(tmp_path)
    analysis, _ = read(path)
    other = clip(tmp_path / "b.mp4", *GOP, size="128x64")
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    with shown(path, analysis) as film:
        film.want(0, SIDE)
        with pytest.raises(AnonatorError, match="isn't the video"):
            taken(film)
        assert film.take() is None
        path.write_bytes(content)
        film.want(0, SIDE)
        assert taken(film).index == 0


def test_a_place_that_cannot_be_read_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", *GOP, seconds=3)
    analysis, pictures = read(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with shown(path, analysis) as film:
        try:
            film.want(len(pictures) - 1, SIDE)
            with pytest.raises(AnonatorError):
                taken(film)
        finally:
            path.write_bytes(data)


def test_the_cache_stays_within_its_bytes_and_keeps_what_is_near(tmp_path: Path) -> None:
    kept = Kept(6 * 96 * 64 * 3 // 2)
    kept.centre, kept.pinned = 40, (3,)
    with VideoReader(clip(tmp_path / "a.mp4", *GOP, seconds=3)) as reader:
        frames = list(reader)
    for frame in frames:
        kept.add(frame)
    held = {frame.index for frame in frames if frame.index in kept}
    assert len(held) == 6 and held - {3} <= set(range(37, 44)) and 3 in held
