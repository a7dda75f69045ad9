"""A private display, the window in this process with a fake engine, the program driven from outside."""

from __future__ import annotations

import _tkinter
import contextlib
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from patience import PATIENCE, Stopwatch

from anonator.core.config import Device, Encoder, Model, Settings
from anonator.core.job import Job, JobResult, Preview, Progress, Stage
from anonator.errors import JobCancelled
from anonator.ui.look.dialogs import Dialog
from anonator.ui.main_window import MainWindow
from anonator.ui.state.app_state import ModelsFound
from anonator.ui.work.engine import EngineReady

HERE = Path(__file__).parent


# --- the display


PLAIN = 96, "1280x800"


def start_display(dpi: int, size: str = PLAIN[1]) -> Iterator[str]:
    """A private X server; -displayfd lets it choose a free number, so parallel runs do not clash."""
    if sys.platform == "win32":
        if (dpi, size) != PLAIN:
            pytest.skip("Windows has the screen that it has")
        yield ""
        return
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}")
    read, write = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb",
            "-displayfd",
            str(write),
            "-screen",
            "0",
            f"{size}x24",
            "-nolisten",
            "tcp",
            "-noreset",
            "-dpi",
            str(dpi),
        ],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    yield from start_display(*PLAIN)


@pytest.fixture(scope="session")
def fine_display() -> Iterator[str]:
    """A screen at 200 % scaling."""
    yield from start_display(192, "2600x1600")


@pytest.fixture(scope="session")
def laptop_display() -> Iterator[str]:
    """A small screen at 150 % scaling."""
    yield from start_display(144, "1366x768")


@pytest.fixture(scope="session")
def large_display() -> Iterator[str]:
    """A 4K screen at 100 %."""
    yield from start_display(96, "3840x2160")


@pytest.fixture(scope="session")
def plain_laptop_display() -> Iterator[str]:
    """The same screen at 100 %."""
    yield from start_display(96, "1366x768")


# --- videos


def write_clip(path: Path, frames: int = 30, size: tuple[int, int] = (320, 180), rate: int = 25) -> Path:
    """A small H.264 clip of a moving grey bar, made by PyAV."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, rate)
        for index in range(frames):
            picture = np.full((size[1], size[0], 3), 40, np.uint8)
            picture[:, (index * 8) % size[0] :][:, :20] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


# --- the window in this process


class FakeJob:
    """A processor that counts frames in its own thread, as the real one does, until told otherwise."""

    def __init__(
        self,
        job: Job,
        on_progress: Callable[[Progress], None],
        on_preview: Callable[[Preview], None],
        engine: FakeEngine,
    ) -> None:
        self.job, self._on_progress, self._on_preview = job, on_progress, on_preview
        self._frames, self._stages, self._facts = engine.frames, engine.stages, engine.facts
        self._may_end = engine.may_end
        self._go, self._stop, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._go.set()
        self.holds = False
        self._error: Exception | None = None
        self.told: list[Progress] = []
        self._thread = threading.Thread(target=self._work, name="fake-job")

    @property
    def done(self) -> bool:
        return self._ended.is_set()

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        self._stop.set()
        self._go.set()

    def pause(self) -> None:
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def wait(self, timeout: float | None = None) -> JobResult:
        self._thread.join(timeout)
        if self._error is not None:
            raise self._error
        return JobResult(
            **{
                "target": self.job.target,
                "frames": self._frames,
                "masked_frames": self._frames - 3,
                "tracks": 2,
                "seconds": 1.5,
                "device": "CPU, float32",
                "audio": "removed",
                "report": self.job.report_target if self.job.settings.report else None,
                "report_page": self.job.page_target if self.job.settings.report else None,
                **self._facts,
            }
        )

    def _work(self) -> None:
        picture = np.zeros((90, 160, 3), np.uint8)
        for stage in self._stages:
            for frame in range(1, self._frames + 1):
                if not self._go.wait(0):
                    self.holds = True
                    self._go.wait()
                    self.holds = False
                if self._stop.is_set():
                    self._error = JobCancelled("The job was cancelled.")
                    self._ended.set()
                    return
                done = (self._stages.index(stage) + frame / self._frames) / len(self._stages)
                remaining = (self._frames - frame) / 40
                told = Progress(frame, self._frames, frame / 40, 40.0, remaining, stage, done)
                self.told.append(told)
                self._on_progress(told)
                self._on_preview(Preview(picture + 90, picture, frame / 25, 1))
                time.sleep(0.01)
            while not (self._may_end(stage) or self._stop.is_set()):
                time.sleep(0.01)
        shutil.copyfile(self.job.source, self.job.target)
        if self.job.settings.report:
            self.job.report_target.write_text("{}")
            self.job.page_target.write_text("<!DOCTYPE html>")
        self._ended.set()


class FakeEngine:
    """Stands in for torch at the edge: everything that the window asks of ui.engine.Engine."""

    def __init__(
        self, frames: int = 30, *, stages: tuple[Stage, ...] = (Stage.WORKING,), **facts: Any
    ) -> None:
        """Jobs that go through these stages, and whose JobResult holds these facts."""
        self.frames, self.stages, self.facts = frames, stages, facts
        self.loads: list[Settings] = []
        self.may_end: Callable[[Stage], bool] = lambda _: True
        """Whether a stage may end; a test may want to have seen it."""
        self.may_load = threading.Event()
        self.may_load.set()
        self._device_line: str | None = None
        self.encoders: tuple[Encoder, ...] = (Encoder.X264, Encoder.NVENC)
        self.openvino: tuple[Device, ...] = ()
        self.jobs: list[FakeJob] = []
        self.tested: list[tuple[float, Settings]] = []
        self.missing: set[Model] = {Model.RESNET50}
        self.downloads: list[Model] = []
        self.hold_download = threading.Event()

    def load(self, settings: Settings) -> EngineReady:
        self.loads.append(settings)
        self.may_load.wait(PATIENCE)
        self._device_line = "CPU, float32; no CUDA because this is a test"
        return EngineReady(self._device_line)

    def device_line(self) -> str | None:
        return self._device_line

    def test_frame(
        self, source: Path, seconds: float, settings: Settings, on_first: Any, stop_if_cancelled: Any
    ) -> Preview:
        self.tested.append((seconds, settings))
        picture = np.zeros((90, 160, 3), np.uint8)
        return Preview(picture + 90, picture, seconds, 3)

    def make_processor(self, job: Job, on_progress: Any, on_preview: Any) -> FakeJob:
        self.jobs.append(FakeJob(job, on_progress, on_preview, self))
        return self.jobs[-1]

    def following_detector(self) -> None:
        """Covers that are drawn are followed by what moves in them."""
        return None

    def keep_awake(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()

    def find_models(self) -> ModelsFound:
        return ModelsFound(
            {model: model not in self.missing for model in Model},
            dict.fromkeys(Model, "109 MB"),
            self.encoders,
            self.openvino,
        )

    def download(self, model: Model, progress: Any, cancelled: Callable[[], bool]) -> None:
        self.downloads.append(model)
        progress(50, 100)
        while not self.hold_download.is_set():
            if cancelled():
                raise JobCancelled("The download was cancelled.")
            time.sleep(0.01)
        self.missing.discard(model)

    def adopt(self, model: Model, file: Path) -> None:
        self.missing.discard(model)

    def close(self) -> None:
        pass


class GuardedTk:
    """Stands before Tk's interpreter and refuses calls from other threads."""

    def __init__(self, interpreter: Any, broken: list[str]) -> None:
        self._interpreter, self._broken, self._thread = interpreter, broken, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        if threading.get_ident() != self._thread:
            self._broken.append(f"tk.{name} was called in thread {threading.current_thread().name}")
            raise RuntimeError(self._broken[-1])
        return getattr(self._interpreter, name)


class Driver:
    """The real window in this process, its event loop turned by the test."""

    def __init__(
        self, preferences: Path, engine: Any = None, size: str = "1000x700", config: Path | None = None
    ) -> None:
        self.engine = engine or FakeEngine()
        self.errors: list[str] = []
        original = tk.Tk.__init__

        def guarded(root: tk.Tk, *args: Any, **options: Any) -> None:
            original(root, *args, **options)
            root.tk = GuardedTk(root.tk, self.errors)

        tk.Tk.__init__ = guarded  # type: ignore[method-assign]
        try:
            self.window = MainWindow(engine=self.engine, preferences_file=preferences, config_file=config)  # type: ignore[arg-type]
        finally:
            tk.Tk.__init__ = original  # type: ignore[method-assign]
        reported = self.window._report

        def note(kind: Any, error: Any, tb: Any) -> None:
            self.errors.append(f"{kind.__name__}: {error}")
            reported(kind, error, tb)

        self.root = self.window.root
        self.root.report_callback_exception = note  # type: ignore[method-assign]
        self.root.geometry(f"{size}+0+0")

    def show(self, *files: Path) -> None:
        self.window.show(files)
        self.until(lambda: self.window.state.loaded)
        if files:
            jobs = self.window.controller
            self.until(lambda: jobs.jobs and all(job.info or job.message for job in jobs.jobs))

    def turn(self, seconds: float) -> None:
        """Let the event loop run for a while, and until it has answered what the display tells it by then."""
        watch = Stopwatch(own_thread=True)
        self.until(lambda: watch.seconds > seconds)
        end = time.monotonic()
        for _ in range(3):
            if self.window.closed:
                break
            self.root.winfo_pointerxy()  # the display answers only after all that was asked of it before
            # a window that plays never rests
            while time.monotonic() < end + 2 and not self.window.closed:
                if not self.root.tk.dooneevent(_tkinter.DONT_WAIT):
                    break

    def until(self, condition: Callable[[], Any], timeout: float = PATIENCE) -> None:
        """Let the event loop run until something holds."""
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "the window did not get there in time"
            if self.window.closed or not self.root.tk.dooneevent(_tkinter.DONT_WAIT):
                time.sleep(0.002)

    def dialogs(self) -> list[Dialog]:
        """The questions that are open."""
        return [child for child in self.root.winfo_children() if isinstance(child, Dialog)]

    def meeting(self, act: Callable[[Dialog], object]) -> None:
        """Do something with the next question as soon as it is there; whoever asks waits meanwhile."""

        def look() -> None:
            # with the grab, present() has ended: one that is closed before is an error of Tk's
            shown = [dialog for dialog in self.dialogs() if dialog.winfo_viewable() and dialog.grab_status()]
            if not shown:
                self.root.after(20, look)
                return
            try:
                act(shown[0])
            except BaseException:
                shown[0].close("")  # or the test would wait for ever
                raise

        self.root.after(20, look)

    def answering(self, label: str, seen: list[str] | None = None) -> None:
        """Press a button of the next question as soon as it is there."""

        def press(dialog: Dialog) -> None:
            if seen is not None:
                seen.append(str(dialog.message.cget("text")))
            labels = {str(button.cget("text")): button for button in dialog.buttons.winfo_children()}
            labels[label].invoke()  # type: ignore[attr-defined]

        self.meeting(press)

    def field(self, name: str) -> str:
        """What a number of the progress panel reads."""
        return str(self.window.foot.fields[name].cget("text"))

    def close(self) -> None:
        if self.window.closed:
            return
        if not self.window.state.idle:
            self.answering("Cancel the job and close")
        elif self.window.state.waiting:
            self.answering("Close")
        self.window.run.close()
        self.until(lambda: self.window.closed)


@pytest.fixture
def drive(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Driver]]:
    """Make windows; any Tk callback error and any Tk call from another thread fails the test."""
    monkeypatch.setenv("DISPLAY", display)
    made: list[Driver] = []

    def make(**options: Any) -> Driver:
        made.append(Driver(tmp_path / "config" / "window.json", **options))
        return made[-1]

    yield make
    for driver in made:
        driver.close()
        assert driver.errors == []
        del driver
    made.clear()
    # what is left of a window must not be collected in a thread of the next one
    gc.collect()


# --- the program from outside


class Program:
    """A process that writes JSON lines of events."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        self.process = subprocess.Popen(command, env={**os.environ, **environment})

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """What was written so far."""
        text = self.log.read_text("utf-8") if self.log.exists() else ""
        lines = [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]
        return [line for line in lines if name is None or line["ev"] == name]

    def wait(self, name: str, timeout: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """The first event of that name and with those fields."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for event in self.events(name):
                if all(event.get(key) == value for key, value in fields.items()):
                    return event
            if self.process.poll() is not None and not self.events(name):
                raise AssertionError(f"it ended with {self.process.returncode} before {name!r}")
            time.sleep(0.02)
        raise AssertionError(
            f"no {name!r} {fields} in {timeout} s; saw {[e['ev'] for e in self.events()][-12:]}"
        )

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)


class Outside:
    """Mouse, keyboard and processes on the private display."""

    def __init__(self, display: str, folder: Path) -> None:
        self._environment, self._folder = {"DISPLAY": display}, folder
        self.running: list[Program] = []

    def program(self, *files: Path) -> Program:
        """The real program, with its settings in the test's own folder."""
        log = self._folder / "events.jsonl"
        code = "import sys; from pathlib import Path; from anonator.ui.main_window import run; " + (
            "from anonator.core import process_setup; process_setup.prepare_window(); "
            "sys.exit(run([Path(name) for name in sys.argv[1:]]))"
        )
        self.running.append(
            Program(
                [sys.executable, "-c", code, *map(str, files)],
                log,
                {
                    **self._environment,
                    "ANONATOR_UI_EVENTS": str(log),
                    "XDG_CONFIG_HOME": str(self._folder / "config"),
                },
            )
        )
        return self.running[-1]

    def xdo(self, *arguments: object) -> None:
        subprocess.run(
            ["xdotool", *map(str, arguments)],
            check=True,
            env={**os.environ, **self._environment},
            timeout=PATIENCE,
        )

    def click(self, area: list[int]) -> None:
        """Press the middle of [x, y, width, height]."""
        self.xdo("mousemove", area[0] + area[2] // 2, area[1] + area[3] // 2, "sleep", 0.05, "click", 1)

    def drag(self, files: list[Path], area: list[int]) -> str:
        """Drag files by the mouse from a second process onto an area; the action that came back."""
        log = self._folder / f"source{len(self.running)}.jsonl"
        source = Program(
            [
                sys.executable,
                str(HERE / "xdnd_source.py"),
                str(log),
                json.dumps([str(file) for file in files]),
                "160x60+1100+720",
            ],
            log,
            self._environment,
        )
        self.running.append(source)
        x, y, width, height = source.wait("ready")["lab"]
        x0, y0, x1, y1 = x + width // 2, y + height // 2, area[0] + area[2] // 2, area[1] + area[3] // 2
        self.xdo(
            "mousemove", x0, y0, "sleep", 0.1, "mousedown", 1, "sleep", 0.1, "mousemove", x0 - 15, y0 - 10
        )
        source.wait("init")
        for step in (1, 2, 3, 4):
            self.xdo("mousemove", x0 + (x1 - x0) * step // 4, y0 + (y1 - y0) * step // 4, "sleep", 0.05)
        source.wait("accept")
        self.xdo("mousemove_relative", 2, 2, "sleep", 0.05, "mouseup", 1)
        action = str(source.wait("end")["action"])
        source.stop()
        return action


@pytest.fixture
def outside(display: str, tmp_path: Path) -> Iterator[Outside]:
    if sys.platform == "win32":
        pytest.skip("xdotool moves the mouse, on X servers only")
    hands = Outside(display, tmp_path)
    yield hands
    for program in hands.running:
        program.stop()
