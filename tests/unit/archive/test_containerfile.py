"""The container's recipe names what is there; no engine builds it here, so its steps are only read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Containerfile").read_text("utf-8")
STEPS = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", TEXT)).split("\n")


def steps(kind: str) -> list[str]:
    return [step.partition(" ")[2] for step in STEPS if step.startswith(f"{kind} ")]


def test_everything_that_is_copied_is_there() -> None:
    copied = [source for step in steps("COPY") for source in step.split()[:-1]]
    assert {"src", "pyproject.toml", "LICENSE"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_it_does_not_run_as_root_and_tries_itself() -> None:
    last = [step for step in STEPS if step][-5:]
    assert steps("USER") == ["anonator"] and "RUN anonator --self-test" in last
    assert steps("ENTRYPOINT") == ['["anonator"]']


def test_a_slim_image_gets_what_its_python_lacks_for_the_self_test() -> None:
    """Slim images leave out Tk's library, without which the self-test fails and no image comes of it."""
    (system,) = [step for step in steps("RUN") if "apt-get install" in step]
    assert "libtk8.6" in system and STEPS.index(f"RUN {system}") < STEPS.index("RUN anonator --self-test")


@pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")
@pytest.mark.parametrize(
    ("flavour", "asked", "code"),
    [
        ("cpu", "--torch-backend=cpu /src[cluster]", 0),
        ("cuda", "--compile-bytecode /src[cluster]", 0),
        ("abacus", "", 2),
    ],
)
def test_each_flavour_installs_its_own_pytorch(flavour: str, asked: str, code: int) -> None:
    """The commands of the step, with pip and uv replaced by programs that say what they were given."""
    (install,) = [step for step in steps("RUN") if "uv pip install" in step]
    said = 'pip() { echo "pip $*"; }; uv() { echo "uv $*"; }; rm() { :; }; '
    done = subprocess.run(
        ["sh", "-c", f"FLAVOUR={flavour}; {said}{install}"], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == code, done.stderr
    assert asked in done.stdout
