"""The public interface: whole jobs through anonymize, what it refuses, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from face_clips import decode_rgb, moving_face
from video_helpers import FAST_X264, clip, ffmpeg, picture_source, tone
from wine import skip_under_wine

import anonator
from anonator import Detections, errors
from anonator.core.frames import UInt8Array

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
FACE = (40.0, 32.0, 72.0, 64.0)
"""Where OneFace sees its face, xyxy."""
MASK = (32, 24, 80, 72)
"""The same, 1.5 times as large."""


class OneFace:
    """A detector that sees a face at one place in every picture."""

    name = "OneFace"
    batch_size = 4
    max_resolution = 640
    device_line = "nowhere"
    notes = ("Tried nothing else.",)
    weights = None

    def __init__(self) -> None:
        self.pictures = 0
        self.closed = False

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        self.pictures += len(pictures)
        return [Detections.upright([FACE], [0.9]) for _ in pictures]

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def visit_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """12 frames of 160x96, bright and grainy everywhere, with sound."""
    path = tmp_path_factory.mktemp("visit") / "visit.mp4"
    grain = ("-vf", "lutyuv=y=128+val/3,noise=c0s=40:c0_seed=3")
    ffmpeg(*picture_source("160x96", 0.48), *tone(0.48), *grain, *FAST_X264, "-crf", 12, "-c:a", "aac", path)
    return path.read_bytes()


@pytest.fixture
def visit(tmp_path: Path, visit_content: bytes) -> Path:
    """That video in this test's own folder."""
    path = tmp_path / "visit.mp4"
    path.write_bytes(visit_content)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def streams_in(path: Path) -> list[str]:
    with av.open(path) as container:
        return [stream.type for stream in container.streams]


def is_black(pictures: Sequence[np.ndarray], box: tuple[int, int, int, int]) -> list[bool]:
    x1, y1, x2, y2 = box
    return [bool(picture[y1:y2, x1:x2].max() < 40) for picture in pictures]


# --- whole jobs


def test_hipaa_mode_is_what_nobody_asks_for(visit: Path) -> None:
    """A failure means that a script's result shows the face that its detector found."""
    detector = OneFace()
    result = anonator.anonymize(visit, detector=detector)
    target = visit.with_name("visit_anonymized.mp4")
    assert isinstance(result, anonator.JobResult)
    assert (result.target, result.frames, result.masked_frames) == (target, 12, 12)
    assert result.report == visit.with_name("visit_anonymized_report.json")
    assert files_in(visit.parent) == sorted(
        [visit.name, target.name, result.report.name, result.report.with_suffix(".html").name]
    )
    before, after = decode_rgb(visit), decode_rgb(target)
    assert len(after) == 12
    assert is_black(after, MASK) == [True] * 12
    for old, new in zip(before, after, strict=True):
        outside = np.ones(old.shape[:2], bool)
        outside[MASK[1] - 8 : MASK[3] + 8, MASK[0] - 8 : MASK[2] + 8] = False
        assert new[outside].max(-1).min() > 60, "nothing but the face is covered"
        assert np.abs(old[outside].astype(int) - new[outside]).mean() < 6
    assert (streams_in(visit), streams_in(target)) == (["video", "audio"], ["video"])
    assert detector.pictures >= 12
    assert result.device == "nowhere"


def test_the_report_says_whose_detector_it_was(visit: Path) -> None:
    result = anonator.anonymize(visit, detector=OneFace())
    assert result.report is not None
    report = json.loads(result.report.read_text(encoding="utf-8"))
    warnings = report["warnings"]
    assert (report["model"]["name"], report["model"]["weights_sha256"]) == ("OneFace", None)
    assert report["model"]["given_by_a_script"] and report["settings"]["model"] is None
    assert result.report_page is not None and "OneFace" in result.report_page.read_text("utf-8")
    assert any("(OneFace), not by the model" in sentence for sentence in warnings)
    assert "Tried nothing else." in warnings
    assert tuple(warnings) == result.notes


def test_the_program_s_own_detector_covers_a_face(tmp_path: Path, astronaut: np.ndarray) -> None:
    source = moving_face(tmp_path / "walk.mp4", astronaut, frames=6)
    result = anonator.anonymize(source.path, settings=anonator.Settings(performance="balanced"))
    assert (result.frames, result.masked_frames) == (6, 6)
    for box, picture in zip(source.boxes, decode_rgb(result.target), strict=True):
        x1, y1, x2, y2 = box
        quarter = (x2 - x1) // 4, (y2 - y1) // 4
        assert is_black([picture], (x1 + quarter[0], y1 + quarter[1], x2 - quarter[0], y2 - quarter[1])) == [
            True
        ]


def test_an_open_lock_and_choices_as_text(visit: Path) -> None:
    target = visit.with_name("out.mp4")
    told: list[anonator.Progress] = []
    result = anonator.anonymize(
        str(visit),
        str(target),
        settings=anonator.Settings(hipaa=False, mode="mosaic"),
        detector=OneFace(),
        on_progress=told.append,
    )
    assert (result.target, result.masked_frames) == (target, 12)
    before, after = decode_rgb(visit), decode_rgb(target)
    assert is_black(after, MASK) == [False] * 12
    x1, y1, x2, y2 = (round(v) for v in FACE)
    for old, new in zip(before, after, strict=True):
        grain = [
            np.abs(np.diff(p.astype(int), axis=1)).mean() for p in (old[y1:y2, x1:x2], new[y1:y2, x1:x2])
        ]
        assert grain[1] < grain[0] / 2, "blocks have no grain"
    assert told


def test_settings_without_the_lock_keep_hipaa_s_other_values() -> None:
    opened, standard = anonator.Settings(hipaa=False), anonator.Settings.standard()
    assert (opened.orientations, opened.report, opened.tracking) == (True, True, anonator.TrackingSettings())
    assert (standard.orientations, standard.report) == (False, False)
    assert not opened.hipaa and not standard.hipaa


def test_a_random_name_where_the_settings_ask_for_one(visit: Path) -> None:
    result = anonator.anonymize(
        visit, settings=anonator.Settings.standard(neutral_name=True), detector=OneFace()
    )
    assert "visit" not in result.target.name
    assert files_in(visit.parent) == sorted([visit.name, result.target.name])


def test_relative_paths(visit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(visit.parent)
    result = anonator.anonymize("visit.mp4", settings=anonator.Settings.standard(), detector=OneFace())
    assert os.fspath(result.target) == "visit_anonymized.mp4"
    assert files_in(visit.parent) == ["visit.mp4", "visit_anonymized.mp4"]


def test_one_detector_serves_many_videos_and_stays_its_owner_s(visit: Path) -> None:
    detector, settings = OneFace(), anonator.Settings.standard()
    for name in ("one.mp4", "two.mp4"):
        result = anonator.anonymize(visit, visit.with_name(name), settings=settings, detector=detector)
        assert result.masked_frames == 12
    assert not detector.closed


def test_an_existing_result_is_replaced_only_on_demand(visit: Path) -> None:
    target = visit.with_name("visit_anonymized.mp4")
    target.write_bytes(b"mine")
    settings = anonator.Settings.standard()
    with pytest.raises(errors.OutputExistsError):
        anonator.anonymize(visit, settings=settings, detector=OneFace())
    assert target.read_bytes() == b"mine"
    anonator.anonymize(visit, settings=settings, detector=OneFace(), overwrite=True)
    assert len(decode_rgb(target)) == 12


# --- what is refused


REFUSED: dict[str, tuple[dict[str, Any], type[errors.AnonatorError]]] = {
    "no source": ({"source": "Smith.mov"}, errors.InputError),
    "no video": ({"source": "notes.txt"}, errors.InputError),
    "no folder": ({"target": "nowhere/Smith.mp4"}, errors.OutputError),
    "no MP4": ({"target": "Smith.mkv"}, errors.OutputError),
    "a folder": ({"target": "."}, errors.OutputError),
    "its own source": ({"target": "visit.mp4", "overwrite": True}, errors.OutputError),
    "looser than the lock": ({"settings": anonator.Settings(mode="blur")}, errors.HipaaLockError),
    "a dict": ({"settings": {"mode": "blur"}}, errors.SettingsError),
    "no weights": ({"weights": "Smith.pth", "detector": None}, errors.WeightsMissingError),
    "two detectors": ({"weights": "Smith.pth"}, errors.SettingsError),
}


@pytest.mark.parametrize(("change", "kind"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    visit: Path, change: dict[str, Any], kind: type[errors.AnonatorError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(visit.parent)
    Path("notes.txt").write_text("no video")
    before = visit.read_bytes()
    arguments = {"source": "visit.mp4", "target": "out.mp4", "detector": OneFace(), **change}
    with pytest.raises(kind) as refused:
        anonator.anonymize(arguments.pop("source"), arguments.pop("target"), **arguments)
    assert type(refused.value) is kind
    assert "Smith" not in str(refused.value)
    assert files_in(visit.parent) == ["notes.txt", "visit.mp4"]
    assert visit.read_bytes() == before


def test_a_wrong_choice_lists_the_right_ones() -> None:
    with pytest.raises(errors.SettingsError, match="choose one of: original, quality, balanced, maximum"):
        anonator.Settings(performance="fastest")


# --- detectors that go wrong


WRONG_ANSWERS: dict[str, Callable[[Sequence[UInt8Array]], object]] = {
    "one short": lambda pictures: [Detections.empty() for _ in pictures[1:]],
    "no list": lambda pictures: None,
    "none for a face": lambda pictures: [None for _ in pictures],
    "not a number": lambda pictures: [Detections.upright([[0, 0, np.nan, 9]], [0.9]) for _ in pictures],
    "no area": lambda pictures: [Detections.upright([[9, 9, 9, 40]], [0.9]) for _ in pictures],
    "another scale": lambda pictures: [Detections.upright([[900, 900, 990, 990]], [0.9]) for _ in pictures],
    "percent": lambda pictures: [Detections.upright([FACE], [90]) for _ in pictures],
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_wrong_answer_ends_the_job(visit: Path, answer: Callable[[Sequence[UInt8Array]], object]) -> None:
    """A failure means that a face stays in the open because its box was no box."""

    class Wrong(OneFace):
        def detect(self, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> Any:
            return answer(pictures)

    with pytest.raises(errors.DetectionError, match="nothing was written"):
        anonator.anonymize(visit, detector=Wrong())
    assert files_in(visit.parent) == [visit.name]


def test_a_box_that_reaches_over_the_edge_is_cut_there(visit: Path) -> None:
    class Wide(OneFace):
        def detect(self, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> Any:
            return [Detections.upright([[-4, 20, 50, 60]], [0.9]) for _ in pictures]

    result = anonator.anonymize(visit, settings=anonator.Settings(hipaa=False), detector=Wide())
    assert is_black(decode_rgb(result.target), (0, 20, 50, 60)) == [True] * 12


def test_a_detector_that_fails_ends_the_job_with_its_cause(visit: Path) -> None:
    class Broken(OneFace):
        def detect(self, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> Any:
            raise RuntimeError("no power")

    with pytest.raises(errors.DetectionError, match=r"failed \(RuntimeError\)") as failed:
        anonator.anonymize(visit, detector=Broken())
    assert str(failed.value.__cause__) == "no power"
    assert files_in(visit.parent) == [visit.name]


# --- callbacks and cancel


def test_callbacks_run_in_the_calling_thread_and_tell_the_truth(visit: Path) -> None:
    threads: set[int] = set()
    told: list[anonator.Progress] = []
    shown: list[anonator.Preview] = []

    def show(kept: list[Any], item: object) -> None:
        threads.add(threading.get_ident())
        kept.append(item)

    anonator.anonymize(
        visit,
        detector=OneFace(),
        on_progress=lambda progress: show(told, progress),
        on_preview=lambda preview: show(shown, preview),
        cancelled=lambda: threads.add(threading.get_ident()) or False,  # type: ignore[func-returns-value]
    )
    assert threads == {threading.get_ident()}
    assert {type(progress) for progress in told} == {anonator.Progress}
    for stage in (anonator.Stage.WORKING, anonator.Stage.CHECKING):
        last = [progress for progress in told if progress.stage is stage][-1]
        assert (last.frame, last.total) == (12, 12)
    assert shown and shown[0].original.shape == (96, 160, 3) and shown[0].faces == 1


def test_a_slow_callback_misses_nothing(visit: Path) -> None:
    told: list[anonator.Progress] = []

    def slow(progress: anonator.Progress) -> None:
        time.sleep(0.05)
        told.append(progress)

    anonator.anonymize(visit, settings=anonator.Settings.standard(), detector=OneFace(), on_progress=slow)
    assert (told[-1].stage, told[-1].frame) == (anonator.Stage.CHECKING, 12)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute and more of 160x96: longer than any test waits for it."""
    folder = tmp_path_factory.mktemp("long")
    once = clip(folder / "once.mp4", size="160x96", seconds=4, rate=50)
    ffmpeg("-stream_loop", 29, "-i", once, "-c", "copy", folder / "long.mp4")
    return folder / "long.mp4"


def test_cancelled_ends_the_job_and_leaves_nothing(long_clip: Path, tmp_path: Path) -> None:
    told: list[anonator.Progress] = []
    with pytest.raises(errors.JobCancelled):
        anonator.anonymize(
            long_clip,
            tmp_path / "out.mp4",
            detector=OneFace(),
            on_progress=told.append,
            cancelled=lambda: len(told) > 1,
        )
    assert told[-1].frame < 6000
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("callback", ["on_progress", "on_preview", "cancelled"])
def test_what_a_callback_raises_reaches_the_caller(
    long_clip: Path, tmp_path: Path, callback: str, kind: type[BaseException]
) -> None:
    """A failure means that a script's own mistake looks like Anonator's, or that the job goes on."""

    def broken(*_: object) -> bool:
        raise kind("mine")

    before = set(threading.enumerate())
    with pytest.raises(kind, match="mine"):
        anonator.anonymize(
            long_clip,
            tmp_path / "out.mp4",
            detector=OneFace(),
            **{callback: broken},  # type: ignore[arg-type]
        )
    assert files_in(tmp_path) == []
    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("anonator")]


# --- the package


def in_a_new_python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    return run.stdout.strip()


def test_importing_loads_no_heavy_library() -> None:
    """A failure means that every script that mentions anonator starts late."""
    code = (
        "import sys, anonator; "
        "print([m for m in ('torch', 'cv2', 'av', 'scipy', 'numpy', 'tkinter') if m in sys.modules])"
    )
    assert in_a_new_python(code) == "[]"


@skip_under_wine("it takes three times as long to open the standard library's files")
def test_importing_costs_nothing() -> None:
    """A failure means that every script that mentions anonator starts late."""
    code = "import time; begin = time.process_time(); import anonator; print(time.process_time() - begin)"
    assert min(float(in_a_new_python(code)) for _ in range(5)) < 0.05


def test_describing_a_job_does_not_load_the_engine() -> None:
    code = (
        "import sys, anonator; anonator.anonymize, anonator.Detector, anonator.errors, anonator.Progress; "
        "anonator.Settings(mode='solid'); "
        "print([m for m in ('torch', 'cv2', 'av', 'scipy') if m in sys.modules])"
    )
    assert in_a_new_python(code) == "[]"


def test_a_job_with_a_detector_of_one_s_own_needs_no_torch(visit: Path) -> None:
    code = (
        "import sys, anonator, test_api\n"
        f"anonator.anonymize({str(visit)!r}, detector=test_api.OneFace())\n"
        "print('torch' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
            ),
        },
    )
    assert run.stdout.strip() == "False"


def test_every_public_name_is_there() -> None:
    assert set(anonator.__all__) <= set(dir(anonator))
    for name in anonator.__all__:
        value = getattr(anonator, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__name__ == name and value.__doc__
    with pytest.raises(AttributeError, match="'anonator' has no attribute 'anonymise'"):
        anonator.anonymise  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_are_told_of_every_public_name() -> None:
    """A failure means that an editor does not know a name, or another place for it."""
    tree = ast.parse((ROOT / "src" / "anonator" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {*told, "__version__"} == set(anonator.__all__)
    for name, module in told.items():
        if name != "errors":
            assert getattr(importlib.import_module(str(module)), name) is getattr(anonator, name)
            assert anonator._MODULES[name] == module  # type: ignore[attr-defined]


def test_the_version_is_the_package_s() -> None:
    assert anonator.__version__ == importlib.metadata.version("anonator")


def test_the_package_runs_as_a_program() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "anonator", "--version"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert run.stdout.strip() == f"Anonator {anonator.__version__}"
    wrong = subprocess.run([sys.executable, "-m", "anonator", "--headless"], capture_output=True, check=False)
    assert wrong.returncode == 2, "the exit status is the program's"


def test_what_the_package_installs_as_commands_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["scripts"]) == {"anonator"} and set(project["gui-scripts"]) == {"anonator-gui"}
    for place in (*project["scripts"].values(), *project["gui-scripts"].values()):
        module, _, name = place.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.slow
def test_a_type_checker_reads_the_interface_as_it_is(tmp_path: Path) -> None:
    """A failure means that a right script is marked as wrong, or a wrong one is not."""
    script = tmp_path / "script.py"
    script.write_text(
        "import anonator\n"
        "from test_api import OneFace\n"
        "settings = anonator.Settings(hipaa=False, mode='mosaic', device=anonator.Device.CPU)\n"
        "def show(progress: anonator.Progress) -> None: ...\n"
        "result = anonator.anonymize('a.mp4', settings=settings, detector=OneFace(), on_progress=show)\n"
        "reveal_type(settings.mode)\n"
        "reveal_type(result)\n"
        "reveal_type(anonator.__version__)\n"
        "anonator.anonymise('a.mp4')\n"
        "anonator.Settings(mode=3)\n"
        "anonator.anonymize('a.mp4', detector=object())\n"
    )
    tests = str(Path(__file__).parent)
    run = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "mypy",
                "--strict",
                "--config-file",
                os.devnull,
                "--follow-imports=silent",
            ),
            *("--ignore-missing-imports", "--no-error-summary", str(script)),
            # other options than the project's own: they would throw each other's cache away
            *("--cache-dir", str(ROOT / ".mypy_cache" / "interface")),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(ROOT / "src"), tests])},
    )
    lines = [line.split(": ", 1)[1] for line in run.stdout.splitlines() if "script.py" in line]
    assert [line.split(" [")[0] for line in lines[:3]] == [
        'note: Revealed type is "anonator.core.config.Mode"',
        'note: Revealed type is "anonator.core.job.JobResult"',
        'note: Revealed type is "str"',
    ], run.stdout + run.stderr
    told = [line for line in lines[3:] if line.startswith("error")]
    assert len(told) == 3, run.stdout
    assert "anonymise" in told[0] and '"mode"' in told[1] and '"detector"' in told[2]
