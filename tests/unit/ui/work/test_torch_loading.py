"""Loading the engine holds up no other thread for long, and leaves Python's collector as it was."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from anonator.ui.work import torch_loading as loading

TICKER = """
import gc, json, threading, time
from anonator.ui.work import torch_loading as loading

gaps, ended = [], threading.Event()

def tick():
    waits = open("/proc/thread-self/schedstat", "rb", buffering=0)
    def waited():  # for a free processor, which other work on this machine may hold
        waits.seek(0)
        return int(waits.read().split()[1]) / 1e9
    last, before = time.perf_counter(), waited()
    while not ended.is_set():
        time.sleep(0.01)
        now, total = time.perf_counter(), waited()
        gaps.append(now - last - 0.01 - (total - before))
        last, before = now, total

ticker = threading.Thread(target=tick)
ticker.start()
with loading.smoothly():
    inside = gc.isenabled()
    import torch, torchvision
ended.set()
ticker.join()
print(json.dumps([max(gaps), inside, gc.isenabled(), gc.get_freeze_count()]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the scheduler's own figures")
def test_importing_torch_lets_other_threads_go_on() -> None:
    """Measured: 0.04 s; with a plain import 0.4 s, as the collector and the system's loader hold Python.

    The limit is that of a window whose engine loads. The best of three, as other work only makes it worse.
    """
    longest = []
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-c", TICKER], check=True, capture_output=True, text=True, encoding="utf-8"
        )
        gap, inside, after, frozen = json.loads(run.stdout)
        assert (inside, after) == (False, True) and frozen > 100_000
        longest.append(gap)
        if longest[-1] < 0.2:
            break
    assert min(longest) < 0.2, longest


def test_what_is_loaded_already_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)
    frozen = gc.get_freeze_count()
    with loading.smoothly():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen


def test_the_collector_is_back_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(loading, "map_torch", lambda: None)
    with pytest.raises(ImportError), loading.smoothly():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
