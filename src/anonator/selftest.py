"""--self-test: runs named checks with time limits, and tells whether this copy of the program works."""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from anonator import terminal

if TYPE_CHECKING:
    pass

from anonator.self_checks import CHECKS, Check, Skipped

PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a check."""

    name: str
    status: str
    """"passed", "failed", "timed out" or "skipped"."""
    seconds: float
    detail: str


def main(*, as_json: bool) -> int:
    """Run all checks and print their outcomes; returns the exit status, 0 or 1.

    A check that hangs ends the process here, because its thread cannot be ended.
    """
    told: list[Outcome] = []
    for outcome in run(CHECKS):
        told.append(outcome)
        if not as_json:
            _tell(f"{outcome.name:15} {outcome.status:9} {outcome.seconds:5.1f} s  {outcome.detail}")
    good = all(outcome.status in ("passed", "skipped") for outcome in told)
    if as_json:
        facts = {**about(), "passed": good, "checks": [asdict(outcome) for outcome in told]}
        _tell(json.dumps(facts))
    else:
        _tell(_summary(told, good=good))
    status = PASSED if good else FAILED
    if any(outcome.status == "timed out" for outcome in told):
        os._exit(status)
    return status


def _summary(told: Sequence[Outcome], *, good: bool) -> str:
    """The last line, which says that everything works only if everything was checked."""
    skipped = ", ".join(f"{each.name} ({each.detail})" for each in told if each.status == "skipped")
    if not good:
        return "Something doesn't work; see the lines above."
    return f"No problems found. Not checked: {skipped}." if skipped else "Everything works."


def about() -> dict[str, object]:
    """Which copy of the program this is, and where it runs."""
    return {
        "version": importlib.metadata.version("anonator"),
        "frozen": bool(getattr(sys, "frozen", False)),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def run(checks: Sequence[Check]) -> Iterator[Outcome]:
    """Run checks one after the other, each in its own thread, which is abandoned if it hangs."""
    for check in checks:
        found: list[tuple[str, str]] = []
        thread = threading.Thread(
            target=_attempt, args=(check, found), name=f"anonator-selftest {check.name}", daemon=True
        )
        begin = time.perf_counter()
        thread.start()
        thread.join(check.seconds_allowed)
        seconds = round(time.perf_counter() - begin, 2)
        status, detail = found[0] if found else ("timed out", f"no answer in {check.seconds_allowed:g} s")
        yield Outcome(check.name, status, seconds, detail)


def _attempt(check: Check, found: list[tuple[str, str]]) -> None:
    try:
        found.append(("passed", check.call()))
    except Skipped as exc:
        found.append(("skipped", str(exc)))
    except BaseException as exc:  # a failed import may raise anything, and the other checks still count
        found.append(("failed", f"{type(exc).__name__}: {exc}"))
    # Tcl's interpreters may be deleted only by the thread that made them, so only texts leave it
    gc.collect(1)  # the young objects: PyTorch's many old ones would take a while


def _tell(line: str) -> None:
    terminal.OUT.write(line + "\n")
