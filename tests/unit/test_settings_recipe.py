"""CONTRIBUTING's recipe for a new setting, followed in a copy of the program: one declaration does it all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECLARED = """
    wobble: float = setting(
        1.0,
        "How much a face may wobble.",
        low=0.5,
        high=2.0,
        hipaa=Hipaa.LOWER,
        topic=Topic.FINDING,
        window=True,
    )
    tracking: TrackingSettings"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program and its document with one setting more."""
    root = tmp_path_factory.mktemp("recipe")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    shutil.copytree(ROOT / "tests", root / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "CONFIG_EXAMPLE.md", root)
    config = root / "src" / "anonator" / "core" / "config.py"
    text = config.read_text("utf-8")
    assert text.count("\n    tracking: TrackingSettings") == 1
    config.write_text(text.replace("\n    tracking: TrackingSettings", DECLARED), "utf-8")
    return root


def python(copy: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(copy / "src")}
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=env,
        cwd=copy,
        check=False,
    )


def terminal(copy: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return python(copy, "-m", "anonator.main", *args)


def test_help_has_its_option_with_sentence_range_and_rule(copy: Path) -> None:
    told = " ".join(terminal(copy, "--help").stdout.split())
    assert "--wobble F how much a face may wobble (0.5 to 2, in HIPAA mode 0.5 to 1; default 1)" in told, told


def test_the_lock_holds_it_on_the_command_line(copy: Path) -> None:
    refused = terminal(copy, "--headless", "x.mp4", "--wobble", "1.5")
    assert refused.returncode == 2
    assert "HIPAA mode does not allow --wobble 1.5. It takes 0.5 to 1." in refused.stderr
    code = (
        "import sys; from anonator.command_line import build_parser, settings_from;"
        "print(settings_from(build_parser().parse_args(sys.argv[1:])).wobble)"
    )
    assert python(copy, "-c", code, "--wobble", "0.7").stdout.strip() == "0.7"
    assert python(copy, "-c", code, "--standard", "--wobble", "1.5").stdout.strip() == "1.5"
    wrong = terminal(copy, "--headless", "x.mp4", "--standard", "--wobble", "3")
    assert wrong.returncode == 2 and "wobble must be a number from 0.5 to 2.0, not 3.0" in wrong.stderr


def test_the_configuration_file_takes_it_and_the_lock_holds_it_there(copy: Path) -> None:
    file = copy / "some.toml"
    file.write_text("[hipaa]\nwobble = 1.5\n", "utf-8")
    refused = terminal(copy, "--headless", "x.mp4", "--config", str(file))
    assert (
        refused.returncode == 2
        and "[hipaa] wobble must be a number from 0.5 to 1, not 1.5." in refused.stderr
    )
    file.write_text("[hipaa]\nwobble = 0.8\n[standard]\nwobble = 2\n", "utf-8")
    code = (
        "from pathlib import Path; from anonator.core.config_file import load;"
        "c = load(Path('some.toml')); print(c.hipaa.wobble, c.standard.wobble)"
    )
    assert python(copy, "-c", code).stdout.split() == ["0.8", "2"]


def test_the_window_remembers_it_for_each_mode_and_lets_it_be_stricter_under_the_lock(copy: Path) -> None:
    for names in ("IN_EACH_MODE", "STRICTER"):
        code = f"from anonator.ui.state.chosen_settings import {names}; print({names})"
        assert "wobble" in python(copy, "-c", code).stdout


def test_the_document_is_called_incomplete(copy: Path) -> None:
    """The only other step of the recipe is one that a test asks for."""
    found = next((copy / "tests").rglob("test_config_file.py"))
    checks = python(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(found), "-k", "document or example"
    )
    assert checks.returncode == 1
    assert "test_the_document_describes_every_setting_and_no_other" in checks.stdout
    assert "wobble" in checks.stdout
