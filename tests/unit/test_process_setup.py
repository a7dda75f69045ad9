"""What a job needs of its process: nothing happens on import, and FFmpeg never speaks."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from anonator.core.clock_text import clock_text

SOURCE = Path(__file__).parents[2] / "src" / "anonator"
EFFECTS = ("setswitchinterval(", "mallopt", "logging.set_level(", "._missing_ = ", "OMP_WAIT_POLICY")


def printed(code: str, *arguments: str) -> str:
    """What a new Python says, on both of its outputs."""
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return run.stdout.strip()


@pytest.mark.slow
def test_importing_changes_nothing_in_the_process() -> None:
    code = (
        "import sys, av; av.logging.set_level(av.logging.ERROR); before = sys.getswitchinterval()\n"
        "import anonator.core.reading.reader, anonator.core.detection.detector\n"
        "print(av.logging.get_level() == av.logging.ERROR, sys.getswitchinterval() == before)"
    )
    assert printed(code) == "True True"


@pytest.mark.parametrize("prepare", ["prepare", "prepare_window"])
def test_waiting_threads_sleep_where_a_cluster_limits_them(
    monkeypatch: pytest.MonkeyPatch, prepare: str
) -> None:
    """Their pool is made where PyTorch is loaded, so it must not be loaded before."""
    code = (
        "import os, sys; from anonator.core import process_setup\n"
        f"process_setup.{prepare}(); print('torch' in sys.modules, os.environ.get('OMP_WAIT_POLICY'))"
    )
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert printed(code) == "False None"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert printed(code) == "False passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert printed(code) == "False active", "somebody chose otherwise"


def test_only_one_module_changes_the_process() -> None:
    found = {
        path.name
        for path in SOURCE.rglob("*.py")
        if any(effect in path.read_text(encoding="utf-8") for effect in EFFECTS)
    }
    assert found == {"process_setup.py"}


@pytest.mark.parametrize("prepared", [False, True])
def test_ffmpeg_names_no_file_in_a_log(tmp_path: Path, prepared: bool) -> None:
    """Even where somebody has switched FFmpeg's messages on; without prepare they do name it."""
    path = tmp_path / "Mueller_Anna.mp4"
    path.write_bytes(b"\0\0\0\x14ftypisom\0\0\0\0isom" + bytes(64))
    code = (
        "import logging, sys, av; logging.basicConfig(level=1); logging.getLogger('libav').setLevel(1)\n"
        "av.logging.set_level(av.logging.DEBUG)\n"
        "from anonator.core import process_setup\n"
        f"{prepared} and (process_setup.prepare(), process_setup.prepare())\n"
        "try: av.open(sys.argv[1])\n"
        "except av.FFmpegError: print('refused')"
    )
    said = printed(code, str(path))
    assert "refused" in said
    assert ("Mueller" in said) is not prepared


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs Linux with glibc")
def test_what_was_kept_is_given_back_when_asked() -> None:
    code = (
        "from anonator.core import process_setup as setup\n"
        "def pages(): return int(open('/proc/self/statm').read().split()[1])\n"
        "setup.keep_freed_memory()\n"
        "taken = [bytearray(b'x') * 1_000_000 for _ in range(100)]; most = pages()\n"
        "taken.clear(); kept = pages()\n"
        "setup.give_back_freed_memory()\n"
        "print(kept > 0.9 * most, pages() < 0.5 * most)"
    )
    assert printed(code) == "True True"


def test_the_window_is_prepared_without_ffmpeg() -> None:
    code = (
        "import sys; from anonator.core import process_setup; process_setup.prepare_window()\n"
        "print('av' in sys.modules, sys.getswitchinterval())"
    )
    assert printed(code) == "False 0.001"


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [(0, 0, "0:00"), (59.6, 0, "1:00"), (3723, 0, "1:02:03"), (62.46, 1, "1:02.5"), (5.12, 2, "0:05.12"),
     (3723.4, 2, "1:02:03.40"), (-3, 1, "0:00.0"), (3599.96, 1, "1:00:00.0")],
)  # fmt: skip
def test_clock_texts(seconds: float, decimals: int, text: str) -> None:
    assert clock_text(seconds, decimals) == text
