"""Damaged videos never kill or hang the process, and end in frames or in an error of ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hostile import fuzz_target
from hostile.fuzz_mutations import mutated, seed_files

from anonator.core.reading.containers import READ, READ_SUFFIXES

SECONDS = float(os.environ.get("ANONATOR_FUZZ_SECONDS") or (60 if os.environ.get("CI") == "true" else 10))


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 240)
def test_mutated_videos_do_no_harm(tmp_path: Path) -> None:
    """A failure leaves the file and its seed in the test's folder; fuzz_target --replay reads it again."""
    report = fuzz_target.run(SECONDS, tmp_path / "findings")
    assert not report.findings, report.findings
    assert report.executions > 3 * SECONDS, report.words()
    # the mutations reach the decoder, and leave some files healthy
    assert report.outcomes["InputError"] and report.outcomes["DecodeError"] and report.outcomes["read"]


def test_a_seed_makes_the_same_file_again() -> None:
    originals = {"a.mp4": bytes(range(256)) * 40, "b.mkv": b"\x1a\x45\xdf\xa3" * 500}
    first = [mutated(originals, seed) for seed in range(200)]
    assert first == [mutated(originals, seed) for seed in range(200)]
    assert sum(content != originals[name] for name, content in first) > 150


def test_every_container_is_among_the_originals() -> None:
    originals = seed_files()
    suffixes = {Path(name).suffix for name in originals}
    assert all(suffixes & set(kind.suffixes) for kind in READ)
    assert suffixes <= READ_SUFFIXES
    one_picture_of_dv = 144_000
    assert all(len(content) < 50_000 or name == "tape.dv" for name, content in originals.items())
    assert len(originals["tape.dv"]) == 2 * one_picture_of_dv


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("code", "outcome", "patience"),
    [
        ("import os; os.abort()", "crash", 60),
        ("import time; time.sleep(60)", "hang", 3),
        ("raise KeyError('x')", "foreign exception", 60),
    ],
)
def test_the_fuzzer_sees_a_crash_a_hang_and_a_foreign_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, outcome: str, patience: float
) -> None:
    script = tmp_path / "target.py"
    script.write_text(
        f"from hostile import fuzz_target\ndef read(kind, path):\n    {code}\n"
        "fuzz_target._read = read\nfuzz_target.worker()\n"
    )
    monkeypatch.setattr(fuzz_target, "__file__", str(script))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr(fuzz_target, "FIRST_PATIENCE", patience)
    report = fuzz_target.run(60, tmp_path / "findings", cases=1)
    assert report.outcomes == {outcome: 1}
    assert {f.suffix for f in (tmp_path / "findings").iterdir()} > {".json"}
