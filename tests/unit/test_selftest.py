"""The self-test: it passes here, each check fails when what it checks is broken, and nothing can hang it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import ui_helpers
from face_clips import FaceClip
from patience import PATIENCE, Stopwatch
from PIL import Image

from anonator import models, self_check_clip, self_checks, selftest
from anonator.main import main
from anonator.self_checks import Check, Skipped
from anonator.selftest import Outcome

display = ui_helpers.display
SOURCE = Path(selftest.__file__).parent
DETECTORS = ("detector", "second detector")


def outcome(check: str) -> Outcome:
    """One of the real checks, run as the program runs it."""
    (told,) = selftest.run([c for c in selftest.CHECKS if c.name == check])
    return told


def bare(home: Path) -> dict[str, str]:
    """Next to no environment: no display, and a home of its own."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
    return {**kept, **dict.fromkeys(("HOME", "USERPROFILE", "LOCALAPPDATA", "TEMP", "TMP"), str(home))}


def skips() -> str:
    raise Skipped("no display")


def fails() -> str:
    raise ImportError("no module named torch")


# --- the frame around the checks


def test_every_check_has_its_say() -> None:
    checks = [
        Check("good", 5, lambda: "fine"),
        Check("bad", 5, fails),
        Check("skipped", 5, skips),
        Check("last", 5, lambda: "fine"),
    ]
    told = list(selftest.run(checks))
    assert [(o.name, o.status, o.detail) for o in told] == [
        ("good", "passed", "fine"),
        ("bad", "failed", "ImportError: no module named torch"),
        ("skipped", "skipped", "no display"),
        ("last", "passed", "fine"),
    ]


def test_a_check_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def hang() -> str:
        release.wait(PATIENCE)
        return "too late"

    watch = Stopwatch()
    told = list(selftest.run([Check("hangs", 0.2, hang), Check("next", 5, lambda: "fine")]))
    assert watch.seconds < 5
    release.set()
    assert [o.status for o in told] == ["timed out", "passed"]
    assert "0.2 s" in told[0].detail


def test_a_hanging_check_ends_the_process_with_1() -> None:
    code = (
        "import threading; from anonator import selftest\n"
        "def hang(): threading.Event().wait(); return ''\n"
        "selftest.CHECKS = (selftest.Check('hangs', 0.2, hang), selftest.Check('next', 5, lambda: 'fine'))\n"
        "selftest.main(as_json=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert [c["status"] for c in json.loads(done.stdout)["checks"]] == ["timed out", "passed"]


@pytest.mark.parametrize(("call", "status"), [(lambda: "fine", 0), (skips, 0), (fails, 1)])
def test_the_exit_status_and_the_json_say_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: object, status: int
) -> None:
    monkeypatch.setattr(selftest, "CHECKS", (Check("only", 5, call),))  # type: ignore[arg-type]
    assert main(["--self-test", "--json"]) == status
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is (status == 0) and told["frozen"] is False and told["version"]
    assert set(told["checks"][0]) == {"name", "status", "seconds", "detail"}
    assert main(["--self-test"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("only") and len(lines) == 2
    outcome = told["checks"][0]["status"]
    assert ("Everything works." in lines[1]) is (outcome == "passed")
    assert ("No problems found. Not checked: only (" in lines[1]) is (outcome == "skipped")


def test_it_takes_no_videos(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--self-test", "a.mp4"])
    assert end.value.code == 2 and "no videos" in capsys.readouterr().err


def test_a_console_of_another_alphabet_is_no_failure(tmp_path: Path) -> None:
    code = (
        "from anonator import selftest\n"
        "selftest.CHECKS = (selftest.Check('only', 5, lambda: 'Größe 日本語'),)\n"
        "raise SystemExit(selftest.main(as_json=False))"
    )
    environment = {**bare(tmp_path), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode == 0 and rb"Gr\xf6\xdfe \u65e5" in done.stdout


@pytest.mark.slow
def test_this_copy_of_the_program_works(tmp_path: Path) -> None:
    """All checks with their own limits, as a user runs them; without a display, drag and drop is skipped."""
    command = [sys.executable, "-m", "anonator.main", "--self-test", "--json"]
    done = subprocess.run(
        command,
        env=bare(tmp_path),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["passed"], told
    assert [c["name"] for c in told["checks"]] == [check.name for check in selftest.CHECKS]
    if sys.platform == "linux":
        assert [c["name"] for c in told["checks"] if c["status"] == "skipped"] == ["window", "drag and drop"]


def test_only_the_entry_point_knows_it() -> None:
    users = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
            if "selftest" in names or "selftest" in (getattr(node, "module", "") or ""):
                users.append(path.name)
    assert users == ["main.py"]


# --- what each check is worth


def test_a_missing_library_fails_the_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_checks, "FOREIGN", ("numpy", "no_such_library"))
    told = outcome("imports")
    assert told.status == "failed" and "no_such_library" in told.detail


def test_a_library_that_only_clusters_need_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    for module in self_checks.OPTIONAL:
        monkeypatch.delitem(sys.modules, module, raising=False)
    whole = self_checks.OPTIONAL
    assert outcome("imports").status == "passed"
    monkeypatch.setattr(self_checks, "OPTIONAL", {})
    told = outcome("imports")
    assert whole and told.status == "failed" and "dask" in told.detail


@pytest.fixture
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the folder of weights, which may be damaged."""
    folder = tmp_path / "models"
    shutil.copytree(Path(models.__file__).parent, folder)
    monkeypatch.setattr(models, "__file__", str(folder / "__init__.py"))
    return folder


def test_damaged_weights_are_found(own_models: Path) -> None:
    assert outcome("weights").status == "passed"
    weights = own_models / "retinaface_mobilenet025.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert outcome("weights").status == outcome("detector").status == "failed"
    network = own_models / "face_detection_yunet_2023mar.onnx"
    assert outcome("second detector").status == "passed"
    network.write_bytes(network.read_bytes()[:-1])
    assert outcome("second detector").status == "failed"


def test_the_detector_must_find_the_face_where_it_is(own_models: Path) -> None:
    for check in DETECTORS:
        told = outcome(check)
        assert told.status == "passed" and "one face" in told.detail, told
    picture = own_models / self_checks.PICTURE
    with Image.open(picture) as file:
        pixels = np.array(file)
    # no face at all, and one where none should be: the picture upside down has its face elsewhere
    for changed in (np.full_like(pixels, 128), np.roll(pixels, 90, axis=1)):
        Image.fromarray(changed).save(picture, quality=95)
        assert [outcome(check).status for check in DETECTORS] == ["failed", "failed"]


def test_a_detector_that_sees_faces_everywhere_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_checks, "COVERED", (0, 0, 1, 1))
    for check in DETECTORS:
        told = outcome(check)
        assert told.status == "failed" and "there is none" in told.detail


def test_the_video_must_come_back_as_it_went_in(monkeypatch: pytest.MonkeyPatch, face_clip: FaceClip) -> None:
    told = outcome("video")
    assert told.status == "passed" and told.detail.startswith("25 frames")
    assert outcome("second FFmpeg").status == "passed"
    with monkeypatch.context() as patch:
        # another clip than the expected one, with five frames more
        patch.setattr(self_check_clip, "_write_clip", lambda folder: face_clip.path)
        assert "30 frames" in outcome("video").detail
        assert outcome("second FFmpeg").status == "failed"
    slope = self_check_clip._brightness
    with monkeypatch.context() as patch:
        # a frame late: each shows what the one before should
        written = iter([slope(max(0, index - 1)) for index in range(self_check_clip.FRAMES)])
        patch.setattr(self_check_clip, "_brightness", lambda index: next(written, slope(index)))
        told = outcome("video")
        assert told.status == "failed" and "brightness" in told.detail


def test_a_missing_second_ffmpeg_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    assert outcome("second FFmpeg").status == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.parametrize(("check", "detail"), [("window", "Tk 8"), ("drag and drop", "tkdnd 2")])
def test_windows_need_a_display(
    display: str, monkeypatch: pytest.MonkeyPatch, check: str, detail: str
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    told = outcome(check)
    assert (told.status, told.detail) == ("skipped", "no display")
    monkeypatch.setenv("DISPLAY", display)
    told = outcome(check)
    assert told.status == "passed" and told.detail.startswith(detail), told


def test_pictures_that_tk_does_not_show_are_found(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frozen program once lacked the module that Pillow imports for this, and only the window knew."""
    import tkinter

    from PIL import ImageTk

    def broken(*_args: object) -> None:
        raise tkinter.TclError('invalid command name "PyImagingPhoto"')

    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr(ImageTk, "_pyimagingtkcall", broken)
    told = outcome("window")
    assert told.status == "failed" and "PyImagingPhoto" in told.detail


def test_a_tkdnd_that_does_not_load_is_found(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tkinterdnd2 import TkinterDnD

    def broken(_root: object) -> None:
        raise RuntimeError("Unable to load tkdnd library.")

    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr(TkinterDnD, "require", broken)
    told = outcome("drag and drop")
    assert told.status == "failed" and "tkdnd" in told.detail


def test_the_device_line_names_torch() -> None:
    import torch

    told = outcome("device")
    assert told.status == "passed" and torch.__version__ in told.detail


def test_missing_libraries_of_microsoft_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows itself says "The specified module could not be found" and not which."""
    asked = []

    def load(name: str) -> None:
        asked.append(name)
        if "threads" in name:
            raise OSError("[WinError 126] The specified module could not be found")

    monkeypatch.setattr("ctypes.CDLL", load)
    with pytest.raises(OSError, match=r"^missing: vcruntime140_threads\.dll\. Install Microsoft"):
        self_checks.cpp_runtime()
    assert asked == list(self_checks.CPP_RUNTIME), "all that are missing are named at once"
