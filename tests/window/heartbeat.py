"""A process that shows the window, loads the engine and runs a job, and tells how late its event loop was.

Arguments: video, seconds of the job that are measured. Prints one JSON object: for each phase the lateness
of a 10 ms tick in milliseconds, as it was and without the time that the thread waited for a free processor,
which other work on the machine may hold.
"""

from __future__ import annotations

import _tkinter
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from anonator.core import process_setup
from anonator.ui.main_window import MainWindow

PERIOD_MS = 10


class Heart:
    """Ticks on the main thread."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self.phase = window, "load"
        self.late: dict[str, list[tuple[float, float]]] = {}
        self._waits = open("/proc/thread-self/schedstat", "rb", buffering=0)  # noqa: SIM115  (open to the end)
        self._last, self._waited = time.perf_counter(), self._wait_ms()
        self._tick()

    def _wait_ms(self) -> float:
        self._waits.seek(0)
        return int(self._waits.read().split()[1]) / 1e6

    def _tick(self) -> None:
        now, waited = time.perf_counter(), self._wait_ms()
        late = (now - self._last) * 1000 - PERIOD_MS
        self.late.setdefault(self.phase, []).append((late, late - (waited - self._waited)))
        self._last, self._waited = now, waited
        if not self._window.closed:
            self._window.root.after(PERIOD_MS, self._tick)


def main() -> None:
    """Run it."""
    source, seconds = Path(sys.argv[1]), float(sys.argv[2])
    process_setup.prepare_window()
    window = MainWindow(preferences_file=source.with_name("window.json"))
    window.root.geometry("1280x800+0+0")

    def until(condition: Callable[[], bool], patience: float = 200) -> None:
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("it did not get there in time")
            if window.closed or not window.root.tk.dooneevent(_tkinter.DONT_WAIT):
                time.sleep(0.001)

    window.show([source])
    heart = Heart(window)
    until(lambda: window.state.loaded)
    heart.phase = "test"
    until(lambda: window.viewer.caption.cget("text") == "Test of this frame")
    heart.phase = "job"
    window.run.start()
    until(lambda: window.controller.current is not None and window.controller.current.progress is not None)
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end or window.controller.current is None)
    heart.phase = "end"
    window.run.end_at_once()
    until(lambda: window.closed)
    sys.stdout.write(json.dumps(heart.late))


if __name__ == "__main__":
    main()
