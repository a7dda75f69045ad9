"""The output file: private until published, never over another one, nothing left when it fails."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hostile_helpers import can_link
from video_helpers import (
    FAST_X264,
    clip,
    copy,
    drawn_frames,
    ffmpeg,
    frame_times,
    info_for,
    picture_source,
    tone,
    write,
)

from anonator.core.reading.reader import probe
from anonator.core.writing import mp4_finish as mp4_file
from anonator.core.writing.writer import VideoWriter
from anonator.errors import OutputError, OutputExistsError


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_the_file_is_private_until_it_is_published(tmp_path: Path) -> None:
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        for frame in drawn_frames(info, [0, 1, 2]):
            writer.write(frame)
        (partial,) = tmp_path.iterdir()
        assert partial == writer.temporary_path
        assert partial.name.startswith(".anonator-")
        assert partial.name.endswith(".partial.mp4")
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
        writer.close()
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
        old = os.umask(0o027)
        try:
            assert writer.publish() == tmp_path / "a.mp4"
        finally:
            os.umask(old)
    assert os.listdir(tmp_path) == ["a.mp4"]
    assert stat.S_IMODE((tmp_path / "a.mp4").stat().st_mode) == 0o640


@pytest.mark.parametrize("stage", ["at once", "after a frame", "after close"])
@pytest.mark.parametrize("how", ["leaves", "raises"])
def test_left_without_publishing_it_leaves_nothing(tmp_path: Path, stage: str, how: str) -> None:
    info = info_for()

    def job() -> None:
        with VideoWriter(tmp_path / "a.mp4", info) as writer:
            if stage != "at once":
                for frame in drawn_frames(info, [0, 1, 2]):
                    writer.write(frame)
            if stage == "after close":
                writer.close()
            if how == "raises":
                raise KeyboardInterrupt

    if how == "raises":
        with pytest.raises(KeyboardInterrupt):
            job()
    else:
        job()
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_text("mine")
    with pytest.raises(OutputExistsError, match="already"):
        VideoWriter(target, info_for())
    assert os.listdir(tmp_path) == ["a.mp4"]
    write(target, info_for(), [0, 1], overwrite=True)
    assert len(frame_times(target)) == 2


def test_what_appears_meanwhile_is_not_overwritten_either(tmp_path: Path) -> None:
    info, target = info_for(), tmp_path / "a.mp4"
    with VideoWriter(target, info) as writer:
        for frame in drawn_frames(info, [0, 1]):
            writer.write(frame)
        writer.close()
        target.write_text("mine")
        with pytest.raises(OutputExistsError):
            writer.publish()
    assert target.read_text() == "mine"
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("way", ["same name", "symlink", "hard link", "dotted"])
def test_the_input_is_never_the_output(tmp_path: Path, way: str) -> None:
    source = clip(tmp_path / "a.mp4")
    before = source.read_bytes()
    target = {"same name": source, "dotted": tmp_path / "." / "x" / ".." / "a.mp4"}.get(
        way, tmp_path / "b.mp4"
    )
    (tmp_path / "x").mkdir()
    if way == "symlink" and not can_link(target, source):
        pytest.skip("symbolic links need rights on Windows")
    if way == "hard link":
        os.link(source, target)
    with pytest.raises(OutputError, match="input itself"):
        VideoWriter(target, probe(source), overwrite=True)
    assert source.read_bytes() == before


def test_each_unusable_target_has_its_own_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    before = sorted(os.listdir(tmp_path))
    targets = {
        tmp_path / "missing" / "a.mp4": "does not exist",
        tmp_path / "folder.mp4": "folder with the output's name",
        tmp_path / "file" / "a.mp4": "not a folder",
        tmp_path / ("x" * 300 + ".mp4"): "too long",
    }
    for target, words in targets.items():
        with pytest.raises(OutputError, match=words) as caught:
            VideoWriter(target, info_for(), overwrite=True)
        assert str(tmp_path) not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write to")
def test_a_folder_that_cannot_be_written_to_is_said() -> None:
    with pytest.raises(OutputError, match=r"Choose another one|does not exist"):
        VideoWriter(Path("/proc/self/a.mp4"), info_for())


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written to"):
        VideoWriter(tmp_path / "a.mp4", info_for())


FULL_DISK = """
    import sys, pathlib, os
    {limit}
    sys.path[:0] = {paths!r}
    from video_helpers import drawn_frames, info_for
    from anonator.core.writing.writer import VideoWriter
    from anonator.errors import OutputError
    import numpy as np
    folder, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    info = info_for((320, 240))
    noise = np.random.default_rng(0)
    stage = "open"
    try:
        with VideoWriter(folder / "a.mp4", info, preset="ultrafast", crf=5, audio_from=source) as writer:
            for frame in drawn_frames(info, range({frames})):
                stage = "write"
                frame.planes()[0][:] = noise.integers(0, 255, (240, 320))
                writer.write(frame)
            stage = "close"
            writer.close()
            stage = "publish"
            writer.publish()
        stage = "done"
    except OutputError as exc:
        print(stage, exc, sep="|")
    else:
        print(stage)
    print(*os.listdir(folder))
"""


def run_on_a_full_disk(folder: Path, source: Path, frames: int, limit: str = "") -> tuple[str, str]:
    """Write frames of noise in a process of its own; (what it said, what it left)."""
    code = textwrap.dedent(FULL_DISK).format(paths=sys.path, frames=frames, limit=limit)
    done = subprocess.run(
        [sys.executable, "-c", code, folder, source],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    said, left = done.stdout.split("\n")[:2]
    return said, left


@pytest.fixture(scope="module")
def sounding_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of picture with ten seconds of sound, so that much is left to write at the end."""
    path = tmp_path_factory.mktemp("source") / "s.mkv"
    ffmpeg(*picture_source(), *tone(10), *FAST_X264, "-c:a", "flac", path)
    return path


@pytest.mark.parametrize(("frames", "stage"), [(80, "write"), (14, "close"), (3, "done")])
def test_a_disk_that_fills_is_said_and_nothing_is_left(
    small_disk: Path, sounding_clip: Path, frames: int, stage: str
) -> None:
    said, left = run_on_a_full_disk(small_disk, sounding_clip, frames)
    assert said.startswith(stage), said
    assert ("disk is full" in said) == (stage != "done")
    assert left == ("a.mp4" if stage == "done" else "")


@pytest.mark.quick_cases(3)
@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("kilobytes", [0, 20, 300, 900, 1100, 1300, 1400])
def test_a_file_that_may_not_grow_is_said_and_nothing_is_left(
    tmp_path: Path, sounding_clip: Path, kilobytes: int
) -> None:
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1024}, {kilobytes * 1024}))"
    )
    said, left = run_on_a_full_disk(tmp_path, sounding_clip, 20, limit)
    assert "a file this large" in said, said
    assert left == ""


def test_a_full_disk_while_the_header_moves_to_the_front_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        for frame in drawn_frames(info, range(5)):
            writer.write(frame)
        monkeypatch.setattr(mp4_file, "_shift_data", no_room)
        with pytest.raises(OutputError, match="disk is full"):
            writer.close()
        assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_file_stays_open(tmp_path: Path) -> None:
    source = tmp_path / "s.mp4"
    ffmpeg(*picture_source(), *tone(), *FAST_X264, "-c:a", "aac", source)
    copy(source, tmp_path / "0.mp4")
    before = len(os.listdir("/proc/self/fd"))
    info = probe(source)
    for n in range(1, 8):
        copy(source, tmp_path / f"{n}.mp4")
        with VideoWriter(tmp_path / "x.mp4", info, audio_from=source) as writer:
            writer.write(next(drawn_frames(info, [0])))
        with pytest.raises(OutputError):
            VideoWriter(tmp_path / "none" / "x.mp4", info, audio_from=source)
    assert len(os.listdir("/proc/self/fd")) <= before
