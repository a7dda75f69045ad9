"""Privacy: however a job ends, no file that the program wrote holds the name of its video or folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import ui_helpers
from face_clips import decode_rgb, moving_face
from own_folders import folders_under
from video_helpers import clip

from anonator.core.detection.cpu_fusion import has_bfloat16_instructions
from anonator.core.writing.leftovers import PREFIX

display, drive = ui_helpers.display, ui_helpers.drive

FOLDER, NAME = "Ward-7 Frau Müller", "Miller_Jane-1971-03-02.mp4"
NUL = r"\\.\nul"
"""What os.path.abspath makes of os.devnull on Windows."""
TELLING = ("Miller", "Müller", "Ward-7", "1971-03", "Jane")
"""Words of the folder and the name; none of them may be found anywhere."""

RUNNER = """
import json, os, signal, sys, threading, time
from pathlib import Path

sink = open(sys.argv[1], "a", buffering=1)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
           "socket.gethostbyname", "socket.__new__", "urllib.Request", "http.client.connect")

def note(kind, **facts):
    sink.write(json.dumps({"kind": kind, **facts}) + "\\n")

def hook(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and (args[2] or 0) & WRITING:
        note("write", path=os.path.abspath(os.fsdecode(args[0])))
    elif event in NETWORK:
        note("network", event=event)
        raise OSError(101, "Network is unreachable")
    elif event == "os.chmod" and not isinstance(args[0], int):
        path = os.fsdecode(args[0])
        if os.path.isfile(path):
            note("private until", path=path, mode=os.stat(path).st_mode & 0o777)
    elif event in ("os.mkdir", "os.symlink"):
        note("write", path=os.path.abspath(os.fsdecode(args[0 if event == "os.mkdir" else 1])))
    elif event in ("os.rename", "os.link"):
        source, target = (os.path.abspath(os.fsdecode(path)) for path in args[:2])
        note("named", source=source, target=target)
    elif event == "subprocess.Popen":
        note("process", command=[os.fsdecode(part) for part in args[1]])

sys.addaudithook(hook)
from anonator.core import processor
from anonator.core.detection import detector  # what torch itself sets up when it is loaded is not of a job
from anonator.main import main

def interrupt_when_writing(folder):
    while not any(name.startswith(".anonator-") for name in os.listdir(folder)):
        time.sleep(0.01)
    time.sleep(0.3)
    signal.raise_signal(signal.SIGINT)

original = processor.anonymize
for task in json.loads(sys.argv[2]):
    if task.get("cancel"):
        threading.Thread(target=interrupt_when_writing, args=[task["cancel"]], daemon=True).start()
    if task.get("break"):
        def broken(frame, *args, error=task["break"]):
            if frame.index == 5:
                raise FileNotFoundError(2, error, error) if os.sep in error else RuntimeError(error)
            original(frame, *args)
        processor.anonymize = broken
    note("begin")
    note("end", status=main(task["args"]))
    processor.anonymize = original
"""
"""Runs jobs one after the other, with the network blocked, and writes down what they touch."""


def planted(word: str) -> set[bytes]:
    """A word in the forms in which it may stand in a file."""
    forms = {word, quote(word), json.dumps(word)[1:-1]}
    coded = {form.encode(name) for form in forms for name in ("utf-8", "utf-16-le", "utf-16-be", "latin-1")}
    return {form.lower() for form in coded}


def telling(*places: Path) -> list[str]:
    """The files under these places whose names or bytes hold a telling word, with the word."""
    found = []
    for place in places:
        for path in [place, *place.rglob("*")] if place.is_dir() else [place]:
            content = path.read_bytes().lower() if path.is_file() else b""
            name = path.relative_to(place).as_posix().lower() if path != place else ""
            found += [
                f"{path.name}: {word}"
                for word in TELLING
                if word.lower() in name or any(form in content for form in planted(word))
            ]
    return found


def test_the_search_finds_what_it_must_find(tmp_path: Path) -> None:
    for number, word in enumerate(
        ("MILLER", "m\\u00fcller", "M%C3%BCller", "Frau Müller".encode("utf-16-le"))
    ):
        content = word if isinstance(word, bytes) else word.encode()
        (tmp_path / f"{number}.bin").write_bytes(b"\x00\x01" + content + b"\xff")
    (tmp_path / "1971-03.log").touch()
    assert len({entry.split(":")[0] for entry in telling(tmp_path)}) == 5


class Home:
    """A user's folders that are all empty, and where the program may write only into the right ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos = folder / "videos" / FOLDER
        self.videos.mkdir(parents=True)
        self.facts = folder / "facts.jsonl"
        names = ("config", "data", "state", "cache", "local", "roaming", "tmp", "cwd")
        places = {name: folder / "home" / name for name in names}
        for place in places.values():
            place.mkdir(parents=True)
        self.places = places
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ANONATOR_"))},
            **folders_under(folder / "home"),
            **dict.fromkeys(("HOME", "USERPROFILE"), str(folder / "home")),
            **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(places["tmp"])),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, command: list[object], timeout: float = 250) -> subprocess.CompletedProcess[str]:
        """Run a program in this home."""
        return subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.env,
            cwd=self.places["cwd"],
            timeout=timeout,
            check=False,
        )

    def jobs(self, tasks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """Run jobs in one process; what each of them touched, ended by its status."""
        done = self.run([*no_network(), sys.executable, "-c", RUNNER, self.facts, json.dumps(tasks)])
        lines = [json.loads(line) for line in self.facts.read_text().splitlines()]
        jobs: list[list[dict[str, Any]]] = []
        for line in lines:
            if line["kind"] == "begin":
                jobs.append([])
            elif jobs:
                jobs[-1].append(line)
        assert len(jobs) == len(tasks) and jobs[-1][-1]["kind"] == "end", done.stderr
        return jobs

    @property
    def own(self) -> Path:
        """Where the program keeps its markers and logs."""
        return self.places["local" if os.name == "nt" else "state"] / "Anonator"

    @property
    def written(self) -> Path:
        """Everything of the user's but the videos."""
        return self.folder / "home"


def no_network() -> list[str]:
    """A prefix that takes the network away from a process altogether, where the system can do that."""
    prefix = ["unshare", "--net"]
    if shutil.which("unshare") and not subprocess.run([*prefix, "true"], capture_output=True).returncode:
        return prefix
    return []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With a video of telling name in a folder of telling name."""
    return Home(tmp_path)


ENDS = ("done", "damaged", "not a video", "cancelled", "broken", "broken with a path")


@pytest.fixture(scope="module")
def after_jobs(
    tmp_path_factory: pytest.TempPathFactory, astronaut: Any
) -> Iterator[tuple[Home, dict[str, list[dict[str, Any]]]]]:
    """A home in which jobs on telling names have ended in every way, and what each of them touched."""
    home = Home(tmp_path_factory.mktemp("jobs"))
    paths = {end: home.videos / f"{number} {NAME}" for number, end in enumerate(ENDS)}
    moving_face(paths["done"], astronaut, frames=8, size=(320, 320), speed=2)
    content = clip(home.folder / "plain.mp4").read_bytes()
    for end in ("broken", "broken with a path"):
        paths[end].write_bytes(content)
    # damaged in its middle, behind the table of contents' promises
    start = len(content) // 3
    paths["damaged"].write_bytes(content[:start] + bytes(4000) + content[start + 4000 :])
    paths["not a video"].write_text(f"about {NAME}")
    clip(paths["cancelled"], size="320x240", seconds=6)
    options = ["--headless", "--performance", "balanced"]
    tasks: list[dict[str, Any]] = [{"args": [*options, str(paths[end])]} for end in ENDS]
    for end in ENDS:  # where the user asked for it, what was found is kept, too
        tasks[ENDS.index(end)]["args"] += ["--tracks", str(home.videos / f"{ENDS.index(end)}.tracks")]
    tasks[ENDS.index("cancelled")]["cancel"] = str(home.videos)
    tasks[ENDS.index("broken")]["break"] = f"cannot work on {NAME}"
    tasks[ENDS.index("broken with a path")]["break"] = str(paths["broken with a path"])
    jobs = dict(zip(ENDS, home.jobs(tasks), strict=True))
    yield home, jobs


@pytest.mark.slow
def test_however_a_job_ends_no_file_tells_its_name(after_jobs: tuple[Home, dict[str, Any]]) -> None:
    home, jobs = after_jobs
    statuses = {end: facts[-1]["status"] for end, facts in jobs.items()}
    assert statuses == {
        "done": 0, "damaged": 1, "not a video": 1, "cancelled": 130, "broken": 1, "broken with a path": 1,
    }  # fmt: skip
    (log,) = home.written.rglob("anonator.log")
    text = log.read_text("utf-8")
    for word in ("job done", "JobCancelled", "RuntimeError", "FileNotFoundError", "InputError"):
        assert word in text, "the log should have something to tell"
    (tracks,) = home.videos.glob("*.tracks")
    assert telling(tracks) == []
    assert b'"kind":"track"' in tracks.read_bytes()
    if os.name == "posix":
        assert stat.S_IMODE(tracks.stat().st_mode) == 0o600
    assert telling(home.written) == []
    results = [path for path in home.videos.iterdir() if "anonymized" in path.name]
    assert {path.suffix for path in results} == {".mp4", ".json", ".html"}
    for path in results:
        assert telling(path) == []
    assert len(decode_rgb(next(path for path in results if path.suffix == ".mp4"))) == 8
    assert not any(path.name.startswith(PREFIX) for path in home.videos.iterdir())


@pytest.mark.slow
def test_what_the_program_keeps_is_known(after_jobs: tuple[Home, dict[str, Any]]) -> None:
    """A new file in the user's folders must be thought about here first."""
    home, _ = after_jobs
    kept = sorted(
        path.relative_to(home.written).as_posix() for path in home.written.rglob("*") if path.is_file()
    )
    logs = home.own / ("Logs" if os.name == "nt" else "log")
    names = ("anonator.lock", "anonator.log", "crash.log")
    known = [(logs / name).relative_to(home.written).as_posix() for name in names]
    formats = home.own / "number-formats.json"
    if has_bfloat16_instructions():  # which number format is faster on this processor
        known.append(formats.relative_to(home.written).as_posix())
        assert set(json.loads(formats.read_bytes()).values()) <= {"float32", "bfloat16"}
    assert kept == sorted(known)
    markers = home.own / "unfinished"
    if os.name == "posix":
        assert stat.S_IMODE(markers.stat().st_mode) == 0o700
    assert list(markers.iterdir()) == []


@pytest.mark.slow
def test_a_job_writes_beside_its_result_and_nowhere_else(after_jobs: tuple[Home, dict[str, Any]]) -> None:
    home, jobs = after_jobs
    allowed = [home.videos, home.own]
    unfinished = set()
    for facts in jobs.values():
        for fact in facts:
            if fact["kind"] == "write" and fact["path"].lower() not in (os.devnull, NUL):
                path = Path(fact["path"])
                assert any(path.is_relative_to(place) for place in allowed), path
                if path.parent == home.videos:
                    assert path.name.startswith(PREFIX), "not under an own temporary name"
                    unfinished.add(path.suffix)
            elif fact["kind"] == "private until":
                assert fact["mode"] == 0o600 or os.name == "nt"  # whose files have their folder's rights
            elif fact["kind"] == "named":
                source, target = Path(fact["source"]), Path(fact["target"])
                if target == home.own / "number-formats.json":
                    continue  # not of the job
                assert source.parent == target.parent and source.name.startswith(PREFIX)
    assert unfinished == {".mp4", ".json", ".html", ".tracks"}
    named = [
        fact
        for facts in jobs.values()
        for fact in facts
        if fact["kind"] == "named" and Path(fact["target"]).parent == home.videos
    ]
    assert len(named) == 4, "only the finished job's video, report, page and tracks get names"
    private = [fact for fact in jobs["done"] if fact["kind"] == "private until"]
    assert len(private) == 3


@pytest.mark.slow
def test_a_job_needs_no_network(after_jobs: tuple[Home, dict[str, Any]]) -> None:
    """It ran with every socket refused, and on Linux, for root, without any network interface."""
    _, jobs = after_jobs
    assert [fact for facts in jobs.values() for fact in facts if fact["kind"] == "network"] == []
    assert jobs["done"][-1]["status"] == 0


@pytest.mark.slow
def test_no_other_program_is_told_a_name(after_jobs: tuple[Home, dict[str, Any]]) -> None:
    """A command line can be read by every user of the computer."""
    _, jobs = after_jobs
    commands = [fact["command"] for facts in jobs.values() for fact in facts if fact["kind"] == "process"]
    assert commands, "the second FFmpeg should have played the file"
    for command in commands:
        assert not any(word in part for word in TELLING for part in command)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_the_system_saw_no_other_file_and_no_network(home: Home) -> None:
    """FFmpeg and PyTorch open files without Python's knowledge; the system's own record has those, too."""
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        pytest.skip("tracing is not permitted here")
    source = clip(home.videos / NAME, seconds=0.2)
    record = home.folder / "record"
    calls = "open,openat,creat,mkdir,mkdirat,/^(rename|link|symlink),truncate,socket"
    program = [sys.executable, "-m", "anonator.main", "--headless", "--performance", "balanced", source]
    done = home.run(["strace", "-f", "-qq", "-s", "500", "-e", f"trace={calls}", "-o", record, *program])
    assert done.returncode == 0, done.stderr
    lines = record.read_text("utf-8", "replace").splitlines()
    changes = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|(creat|mkdir|rename|link|truncate)\w*\(")
    changing = [line for line in lines if " = -1 " not in line and changes.search(line)]
    assert any("O_CREAT" in line and PREFIX in line for line in changing)
    # strace writes what is not ASCII as octal numbers
    videos = "".join(chr(b) if b < 128 else f"\\{b:o}" for b in os.fsencode(home.videos))
    known = [re.escape(place) for place in (videos, str(home.own))] + [
        r'"/dev/null"',
        r"/dev/shm/sem\.",  # the progress bar's lock
        r'/home/tmp/torchinductor_\w+", 0777\)',  # made by PyTorch's import, and empty
        r'/home/tmp/[a-z0-9_]{8}", O_RDWR',  # Python tries out, with a word of its own, where it can write
    ]
    strange = [line for line in changing if not re.search("|".join(known), line)]
    assert strange == [], "\n".join(strange)
    assert not [path for path in home.places["tmp"].rglob("*") if path.is_file()]
    assert [line for line in lines if "socket(" in line and "AF_INET" in line] == []


CRASH = """
import faulthandler, resource, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from anonator import logs
from anonator.core.writing.writer import VideoWriter
from video_helpers import drawn_frames, info_for
logs.set_up()
print(resource.getrlimit(resource.RLIMIT_CORE)[0], flush=True)
target = Path(sys.argv[1])
with VideoWriter(target, info_for()) as writer:
    for frame in drawn_frames(info_for(), range(3)):
        writer.write(frame)
    faulthandler._sigsegv()
"""


@pytest.mark.skipif(os.name != "posix", reason="limits dumps by a shell, and reads the limit")
def test_a_crash_of_native_code_leaves_its_place_and_no_memory(home: Home) -> None:
    """A dump of the memory would hold faces; the marker holds the folder until the next start."""
    code = textwrap.dedent(CRASH).format(paths=sys.path)
    # as a system that keeps dumps has it
    raised = 'ulimit -S -c $(ulimit -H -c); exec "$0" "$@"'
    done = home.run(["bash", "-c", raised, sys.executable, "-c", code, home.videos / NAME])
    assert done.returncode < 0, done.stderr
    assert done.stdout == "0\n", "the system may write a dump"
    (crash_log,) = home.written.rglob("crash.log")
    assert "Segmentation fault" in crash_log.read_text() and '"<string>", line ' in crash_log.read_text()
    assert list(home.places["cwd"].iterdir()) == []
    (left,) = home.videos.iterdir()
    assert left.name.startswith(PREFIX) and stat.S_IMODE(left.stat().st_mode) == 0o600
    (marker,) = (home.own / "unfinished").iterdir()
    others = [path for path in home.written.rglob("*") if path.is_file() and path != marker]
    assert telling(*others) == []
    home.run([sys.executable, "-m", "anonator.main", "--headless"])  # any start will do
    assert list(home.videos.iterdir()) == []
    assert telling(home.written) == []


def test_the_window_remembers_no_video(
    drive: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """What it was shown, where that lay, and where the result went by default are forgotten."""
    folder = tmp_path / "videos" / FOLDER
    folder.mkdir(parents=True)
    driver = drive()
    driver.show(clip(folder / NAME))
    driver.close()
    assert (tmp_path / "config" / "window.json").exists()
    assert telling(tmp_path / "config") == []
