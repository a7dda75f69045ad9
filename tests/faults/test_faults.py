"""Faults: kill -9 at any moment, a disk that fills or fails, memory that runs out; only the input is left."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FaceClip, decode_rgb
from detector_helpers import FaultyNetwork, make_detector
from test_gpu import Greedy
from video_helpers import clip, drawn_frames, frame_times, info_for

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.writing import disk_space, leftovers
from anonator.core.writing import partial_file as output_file
from anonator.core.writing.leftovers import PREFIX, marker_folder, sweep
from anonator.core.writing.writer import VideoWriter
from anonator.errors import AnonatorError, OutputError

FRAMES = 12
KILLS = int(os.environ.get("ANONATOR_KILLS", "10"))
"""Random moments at which a job is killed; the whole programme is 200 (ten moments, twenty times)."""
REAL_KILLS = int(os.environ.get("ANONATOR_REAL_KILLS", "1"))
"""The same with a start of the whole program each time, which takes seconds."""
OWN = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}\.partial\.(mp4|json)")

linux = pytest.mark.skipif(sys.platform != "linux", reason="forks processes, which is safe on Linux only")


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Markers of this test's own."""
    if os.name != "posix":
        folder = tmp_path_factory.mktemp("state")
        monkeypatch.setattr(leftovers, "marker_folder", lambda: folder)
        return folder
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    return marker_folder()


@pytest.fixture(scope="module")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that goes through all stages of a job within a second."""
    return clip(tmp_path_factory.mktemp("input") / "in.mp4", size="160x120", seconds=FRAMES / 25)


@pytest.fixture(scope="module")
def detectors() -> Iterator[DetectorCache]:
    cache = DetectorCache()
    yield cache
    cache.close()


def files_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []


# -- kill -9 -----------------------------------------------------------------------------------------


class ForkServer:
    """The program with its engine loaded, ready to be forked and killed."""

    def __init__(self) -> None:
        # numpy's own threads would make a fork unsafe
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "fork_server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __call__(self, run: list[str] | str, **how: object) -> dict[str, Any]:
        """Fork, run, perhaps kill; what fork_server.py answers."""
        assert self._process.stdin is not None and self._process.stdout is not None
        env = {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
        self._process.stdin.write(json.dumps({"run": run, "env": env, **how}) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def forked() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


@linux
@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "replacing"])
def test_killed_before_each_of_its_file_operations_it_leaves_nothing_or_the_whole_result(
    tmp_path: Path, state: Path, forked: ForkServer, overwrite: bool
) -> None:
    """A failure names a step at which half a result, or a file that nobody removes, can be left."""
    folders = [str(tmp_path), str(state)]
    old = {"a.mp4": b"the old video", "a.json": b"{}"} if overwrite else {}

    def run(step: int | None) -> dict[str, Any]:
        for name in files_in(tmp_path):
            (tmp_path / name).unlink()
        for name, content in old.items():
            (tmp_path / name).write_bytes(content)
        return forked("mini", folder=str(tmp_path), overwrite=overwrite, folders=folders, step=step)

    run(None)  # the first start makes folders, too
    whole = run(None)
    assert whole["status"] == 0 and whole["steps"] >= 15
    assert files_in(tmp_path) == ["a.json", "a.mp4"] and files_in(state) == []
    video, report = ((tmp_path / name).read_bytes() for name in ("a.mp4", "a.json"))
    seen = set()
    for step in range(whole["steps"]):
        assert os.WTERMSIG(run(step)["status"]) == signal.SIGKILL
        strange = [n for n in files_in(tmp_path) if not OWN.fullmatch(n) and n not in ("a.mp4", "a.json")]
        assert strange == [], f"step {step}"
        sweep()
        assert files_in(state) == [], f"step {step}"
        left = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
        assert left in (old, {**old, "a.mp4": video}, {"a.mp4": video, "a.json": report}), f"step {step}"
        seen.add(len(left) if not overwrite else left["a.mp4"] == video)
    assert len(seen) > 1, "the steps after the first name was given were not reached"


@dataclass
class Killed:
    """What was seen after kills."""

    before: int = 0
    """Nothing but the input was there."""
    unfinished: int = 0
    """Own unfinished files were there until the next start."""
    finished: int = 0
    """The whole result was there."""

    def check(self, folder: Path, result: Path, next_start: Callable[[], object]) -> None:
        """Look at the folder after a kill, and again after the next start, even one without a video."""
        left = files_in(folder)
        names = {result.name, result.stem + "_report.json"}
        unfinished = [name for name in left if OWN.fullmatch(name)]
        assert set(left) <= {"in.mp4", *names, *unfinished}, "neither the input nor an own file"
        finished = result.name in left
        next_start()
        left = files_in(folder)
        assert [name for name in left if name not in ("in.mp4", *names)] == [], "left after the next start"
        assert finished == (result.name in left)
        if finished:
            assert len(frame_times(result)) == FRAMES
        report = folder / (result.stem + "_report.json")
        if report.exists():
            digest = hashlib.sha256(result.read_bytes()).hexdigest()
            assert digest in report.read_text("utf-8"), "a report without its video"
        self.finished += finished
        self.unfinished += bool(unfinished)
        self.before += not finished and not unfinished
        for name in names:
            (folder / name).unlink(missing_ok=True)


@linux
def test_killed_at_random_moments_a_job_leaves_nothing_but_its_input(
    tmp_path: Path, state: Path, small_clip: Path, forked: ForkServer
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    result = tmp_path / "in_anonymized.mp4"
    job = ["--headless", "--performance", "balanced", str(source)]
    draw, seen, parts, seconds = random.Random(6), Killed(), min(10, KILLS), 0.0
    for number in range(KILLS):
        if number % parts == 0:
            # how long it takes undisturbed, anew for each ten, because other programs come and go
            whole = forked(job)
            assert whole["status"] == 0 and result.exists()
            seconds = whole["seconds"]
            for name in {*files_in(tmp_path)} - {"in.mp4"}:
                (tmp_path / name).unlink()
        # one moment in every part of that time
        forked(job, after=(number % parts + draw.random()) / parts * seconds)
        seen.check(tmp_path, result, lambda: forked(["--headless"]))
        assert files_in(state) == []
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest
    assert seen.unfinished, "no kill came while a file was being made"
    sys.stderr.write(f"\n{KILLS} kills of a job of {seconds:.2f} s: {seen}\n")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_the_real_program_killed_while_it_works_is_cleaned_up_by_its_next_start(
    tmp_path: Path, state: Path, small_clip: Path
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    program = [sys.executable, "-m", "anonator.main", "--headless", "--json"]
    draw, seen = random.Random(60), Killed()
    for number in range(REAL_KILLS):
        job = subprocess.Popen(
            [*program, "--performance", "balanced", source],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if number % 10 < 7:
            deadline = time.monotonic() + 120
            while len(files_in(tmp_path)) < 2 and job.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(draw.random() * (1.5 if number else 0.1))
        else:
            time.sleep(draw.random() * 2)  # while it is still loading
        job.kill()
        job.wait(20)
        seen.check(
            tmp_path,
            tmp_path / "in_anonymized.mp4",
            lambda: subprocess.run(program, capture_output=True, timeout=120),
        )
        assert files_in(state) == []
    assert seen.unfinished, "no kill came while a file was being made"


# -- a disk that fills or fails ----------------------------------------------------------------------

SENTENCES = {
    errno.ENOSPC: "The disk is full. Make room, or choose an output folder on another disk, and try again.",
    errno.EIO: "The result could not be written. Check the disk or network drive, and try again.",
    errno.EACCES: "The output folder cannot be written to. Choose another one.",
    errno.EDQUOT: "Your share of the disk is full. Make room, or choose another output folder.",
    errno.ESTALE: "The result could not be written. Check the disk or network drive, and try again.",
}
RawFile = io.FileIO
IN_THE_FILE = ("write", "seek", "read", "truncate", "close")


@contextlib.contextmanager
def fault(place: str, number: int, after: int = 0) -> Iterator[list[str]]:
    """Let one operation on unfinished files fail from its n-th call on; yields the calls that failed."""
    failed: list[str] = []
    left = after

    def fail() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            failed.append(place)
            raise OSError(number, os.strerror(number), "/ward/Miller.mp4")

    class Faulty(RawFile):
        """A file on a failing disk."""

    def faulty(self: io.FileIO, *args: Any) -> Any:
        fail()
        return getattr(RawFile, place)(self, *args)

    def closing(self: io.FileIO) -> None:
        if not self.closed:
            RawFile.close(self)
            fail()

    if place in IN_THE_FILE:
        setattr(Faulty, place, closing if place == "close" else faulty)

    original = getattr(os, place, None)

    def failing(*args: Any, **options: Any) -> Any:
        if place == "fsync" and args[0] in marker_descriptors():
            return original(*args)  # type: ignore[misc]
        fail()
        return original(*args, **options)  # type: ignore[misc]

    with pytest.MonkeyPatch.context() as patch:
        if place in IN_THE_FILE:
            patch.setattr(output_file.io, "FileIO", Faulty)
        else:
            patch.setattr(os, place, failing)
            if place == "replace":
                # a drive that knows no second name for a file
                patch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
        yield failed


def marker_descriptors() -> set[int]:
    """The open files that are not results."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if str(marker_folder()) in os.readlink(f"/proc/self/fd/{name}"):
                found.add(int(name))
    return found


def write_three_frames(target: Path) -> None:
    info = info_for()
    with VideoWriter(target, info) as writer:
        for frame in drawn_frames(info, range(3)):
            writer.write(frame)
        writer.close()
        writer.publish()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", SENTENCES, ids=lambda n: errno.errorcode[n])
@pytest.mark.parametrize("place", [*IN_THE_FILE, "fsync", "replace"])
def test_whatever_fails_on_the_disk_is_said_once_and_nothing_is_left(
    tmp_path: Path, state: Path, place: str, number: int
) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with fault(place, number) as failed, pytest.raises(OutputError) as caught:
        write_three_frames(tmp_path / "a.mp4")
    assert failed and str(caught.value) == SENTENCES[number]
    chain, error = [], caught.value.__cause__
    while error is not None:
        chain.append(str(error))
        error = error.__cause__ or error.__context__
    assert not any("Miller" in text for text in chain), "a path in what a log would show"
    assert files_in(tmp_path) == [] and files_in(state) == []
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(os.name != "posix", reason="Windows needs no second name")
def test_a_drive_that_knows_no_second_names_takes_the_result(tmp_path: Path, state: Path) -> None:
    with fault("link", errno.EIO) as failed:
        write_three_frames(tmp_path / "a.mp4")
    assert failed and len(frame_times(tmp_path / "a.mp4")) == 3
    assert files_in(tmp_path) == ["a.mp4"] and files_in(state) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_disk_that_fails_at_the_nth_write_leaves_nothing(tmp_path: Path, after: int) -> None:
    info = info_for((320, 240))
    with (
        fault("write", errno.EIO, after) as failed,
        pytest.raises(OutputError, match="network drive"),
        VideoWriter(tmp_path / "a.mp4", info, crf=0) as writer,
    ):
        noise = np.random.default_rng(after)
        for frame in drawn_frames(info, range(60)):
            frame.planes()[0][:] = noise.integers(0, 255, (240, 320))
            writer.write(frame)
        writer.close()
    assert failed and files_in(tmp_path) == []


def test_a_result_on_a_drive_without_links_replaces_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        if os.path.lexists(tmp_path / "a.mp4"):
            return
        (tmp_path / "a.mp4").write_bytes(b"came meanwhile")
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "rename", no_links)
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        with pytest.raises(OutputError, match="already"):
            writer.publish()
    assert (tmp_path / "a.mp4").read_bytes() == b"came meanwhile"
    assert files_in(tmp_path) == ["a.mp4"]


def test_a_name_taken_in_the_last_moment_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check of the name and the giving of it another program makes a file."""
    monkeypatch.setattr(
        "anonator.core.writing.writer.check_target",
        lambda target, *_: target.write_bytes(b"came meanwhile") if (tmp_path / "go").exists() else None,
    )
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        (tmp_path / "go").touch()
        with pytest.raises(OutputError, match="already"):
            writer.publish()
    assert (tmp_path / "a.mp4").read_bytes() == b"came meanwhile"
    assert files_in(tmp_path) == ["a.mp4", "go"]


def test_a_drive_without_permissions_of_its_own_takes_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        monkeypatch.setattr(os, "chmod", refuse)
        writer.publish()
    assert files_in(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(39, "disk is full"), (112, "disk is full"), (1295, "share"), (32, "open in another")],
)
def test_what_windows_says_is_understood(number: int, words: str) -> None:
    error = OSError(errno.ENOSPC if number == 112 else errno.EINVAL, "said by Windows")
    error.winerror = number  # type: ignore[attr-defined]
    assert words in str(output_file.output_error(error))


@pytest.mark.parametrize("place", ["write", "close", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=lambda n: errno.errorcode[n])
def test_a_job_on_a_failing_disk_ends_with_one_sentence_and_leaves_nothing(
    tmp_path: Path, state: Path, small_clip: Path, detectors: DetectorCache, place: str, number: int
) -> None:
    job = Job(small_clip, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED))
    with fault(place, number) as failed, pytest.raises(OutputError) as caught:
        VideoProcessor(job, detectors=detectors).run()
    assert failed and str(caught.value) == SENTENCES[number]
    assert files_in(tmp_path) == [] and files_in(state) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not permitted here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_job_on_a_real_full_disk_leaves_the_disk_as_it_was(
    small_disk: Path, small_clip: Path, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(small_clip, small_disk / "out.mp4", Settings(performance=Performance.BALANCED))

    def run() -> None:
        VideoProcessor(job, detectors=detectors).run()

    run()
    assert files_in(small_disk) == ["out.mp4", "out_report.json"]
    size = sum(-(-(small_disk / name).stat().st_size // 4096) * 4096 for name in files_in(small_disk))
    for name in files_in(small_disk):
        (small_disk / name).unlink()
    others = small_disk / "others.bin"
    for room, sentence in (
        (16384, "nearly full|not enough room"),
        (4096, "The disk is full"),
        (size - 4096, "The disk is full"),
    ):
        others.write_bytes(bytes(1024 * 1024 - room))
        with pytest.raises(OutputError, match=sentence):
            run()
        assert files_in(small_disk) == ["others.bin"]
        # from here on a drive that does not say how full it is
        monkeypatch.setattr(disk_space, "_free_and_reserve", lambda _: None)


@pytest.mark.skipif(os.name != "posix", reason="Windows lets no folder go in which a file is open")
def test_a_folder_that_goes_away_is_said(tmp_path: Path, state: Path) -> None:
    info, folder = info_for(), tmp_path / "drive"
    folder.mkdir()
    with VideoWriter(folder / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        away = folder.rename(tmp_path / "unplugged")
        with pytest.raises(OutputError, match=r"does not exist|Check the disk"):
            writer.close()
            writer.publish()
    assert len(files_in(away)) == 1
    away.rename(folder)
    sweep()
    assert files_in(folder) == files_in(state) == []


# -- memory that runs out ----------------------------------------------------------------------------


class Starved(DetectorCache):
    """Has a detector whose memory runs out for the first calls."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.detector = make_detector(FaultyNetwork(Greedy(times)), batch_size=4)

    def get(self, settings: Settings) -> Any:
        return self.detector


def test_a_job_whose_memory_runs_out_for_a_while_misses_no_frame(tmp_path: Path, face_clip: FaceClip) -> None:
    """The batch is halved, and halved again; a failure means an uncovered face in a frame of that batch."""
    cache = Starved(3)
    settings = Settings.standard(performance=Performance.QUALITY)
    result = VideoProcessor(Job(face_clip.path, tmp_path / "out.mp4", settings), detectors=cache).run()
    cache.detector.close()
    assert cache.detector.batch_size < 4
    assert any("ran out of memory" in note for note in result.notes)
    pictures = decode_rgb(tmp_path / "out.mp4")
    assert len(pictures) == result.frames == result.masked_frames == len(face_clip.boxes)
    for (x1, y1, x2, y2), picture in zip(face_clip.boxes, pictures, strict=True):
        assert picture[y1 + 8 : y2 - 8, max(0, x1 + 6) : x2 - 6].max() < 40


def test_a_job_whose_memory_never_comes_back_leaves_nothing(tmp_path: Path, face_clip: FaceClip) -> None:
    cache = Starved(100_000)
    with pytest.raises(AnonatorError, match="ran out of memory"):
        VideoProcessor(Job(face_clip.path, tmp_path / "out.mp4", Settings()), detectors=cache).run()
    cache.detector.close()
    assert files_in(tmp_path) == []
