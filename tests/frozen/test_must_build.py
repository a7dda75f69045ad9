"""When the Windows program is built and tested before a change lands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "wine" / "must_build"
NOW = 1_800_000_000
"""Seconds since 1970."""
HOUR = 3600
PROJECT = '[project]\nversion = "{}"\ndependencies = [{}]\n'

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("git"), reason="the script is for the shell, and needs git"
)


class Checkout:
    """A repository with this script in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = folder / "tools" / "wine" / "must_build"
        script.parent.mkdir(parents=True)
        shutil.copy(SCRIPT, script)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("pyproject.toml", PROJECT.format("0.1.0", ""))
        self.write("build.py", "one\n")
        self.commit(NOW - 30 * HOUR)

    def git(self, *command: str, at: int = NOW) -> None:
        identity = {
            f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        dates = {f"GIT_{who}_DATE": f"{at} +0000" for who in ("AUTHOR", "COMMITTER")}
        environment = {**os.environ, **identity, **dates, "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", *command], cwd=self.folder, env=environment, check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def commit(self, at: int) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x", at=at)

    def asked(self, *arguments: str) -> tuple[int, str]:
        """Exit status and what it says."""
        done = subprocess.run(
            ["bash", self.folder / "tools" / "wine" / "must_build", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "main")


@pytest.mark.parametrize(
    "name",
    [
        "build.py", "anonator.spec", "pyinstaller_hooks/hook-anonator.py", "requirements/build.txt",
        "installer/anonator.iss", "tools/wine/setup", "tools/windows_package.py",
    ],
)  # fmt: skip
def test_what_it_is_made_of_counts_for_some_hours_on_main(checkout: Checkout, name: str) -> None:
    checkout.write(name, "two\n")
    checkout.commit(NOW - 2 * HOUR)
    checkout.write("README.md", "the last commit of the change\n")
    checkout.commit(NOW)
    status, said = checkout.asked()
    assert status == 0 and name in said
    checkout.write("README.md", "the next day\n")
    checkout.commit(NOW + 20 * HOUR)
    assert checkout.asked() == (1, "")


def test_the_program_alone_is_not_built_again(checkout: Checkout) -> None:
    checkout.write("src/anonator/main.py", "print()\n")
    checkout.write("pyproject.toml", PROJECT.format("0.1.0", '"numpy"'))
    checkout.commit(NOW)
    assert checkout.asked() == (1, "")


def test_a_release_is_built(checkout: Checkout) -> None:
    checkout.write("pyproject.toml", PROJECT.format("0.2.0", ""))
    checkout.commit(NOW)
    assert checkout.asked() == (0, "the version was raised, so a release comes\n")


def test_many_changes_are_no_more_than_a_line(checkout: Checkout) -> None:
    """The list is longer than a pipe takes, so a reader that leaves early would end it by a signal."""
    for number in range(2000):
        checkout.write(f"requirements/{number:04d}{'x' * 60}.txt", "")
    checkout.commit(NOW)
    status, said = checkout.asked()
    assert status == 0 and said.count("\n") == 1 and said.count("requirements/") == 3


def test_a_branch_is_compared_with_main(checkout: Checkout) -> None:
    checkout.git("remote", "add", "origin", str(checkout.folder))
    checkout.git("fetch", "--quiet", "origin")
    checkout.git("checkout", "--quiet", "-b", "work")
    checkout.write("build.py", "two\n")
    checkout.commit(NOW - 20 * HOUR)
    checkout.write("README.md", "much later\n")
    checkout.commit(NOW)
    assert checkout.asked()[0] == 0
    assert checkout.asked("HEAD") == (1, "")


def test_where_the_history_cannot_tell_it_is_built(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("README.md", "the only commit that a shallow clone has\n")
    checkout.commit(NOW)
    shallow = tmp_path / "shallow"
    checkout.git("clone", "--quiet", "--depth=1", checkout.folder.as_uri(), str(shallow))
    checkout.folder = shallow
    assert checkout.asked() == (0, "the history here does not reach back 4 hours\n")
    shutil.rmtree(shallow / ".git")
    assert checkout.asked() == (0, "there is no history to compare with\n")
