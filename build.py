"""Builds the program that needs no Python, dist/Anonator, and tests it; on Windows it packs it too."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

from tools import pins, sbom, windows_package
from tools.pins import BuildError

ROOT = Path(__file__).resolve().parent
BUILD, DIST = ROOT / "build", ROOT / "dist"
PROGRAM = DIST / "Anonator"
MODELS = ROOT / "src" / "anonator" / "models"
WINDOWS = sys.platform == "win32"
SELF_TEST_SECONDS = 900
BEAR_STRIPPING = ("torch/lib/*.so*", "libpython*.so*", "av/**/*.so")
"""Libraries on Linux that still work without their symbols; NumPy's do not."""


def main(argv: Sequence[str] | None = None) -> int:
    """Build, test and pack; the exit status."""
    args = arguments().parse_args(argv)
    try:
        build(args)
    except BuildError as exc:
        sys.stderr.write(f"build.py: {exc}\n")
        return 1
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__, allow_abbrev=False)
    flavour = parser.add_mutually_exclusive_group()
    flavour.add_argument(
        "--cpu",
        dest="wanted",
        action="store_const",
        const="cpu",
        help="fail where the result would have CUDA",
    )
    flavour.add_argument(
        "--cuda", dest="wanted", action="store_const", const="cuda", help="fail where it would have none"
    )
    parser.add_argument(
        "--torch-backend",
        metavar="NAME",
        help="let uv exchange PyTorch in this environment first: auto, cpu, cu126, ...",
    )
    parser.add_argument(
        "--allow-other-versions",
        action="store_true",
        help="go on where what is installed differs from requirements/build.txt",
    )
    return parser


def build(args: argparse.Namespace) -> None:
    """All steps in their order.

    Raises:
        BuildError: one of them failed.
    """
    pinned = pins.read(pins.FILE.read_text(encoding="utf-8"))
    if args.torch_backend:
        pins.exchange_torch(args.torch_backend, pinned)
    flavour = pins.flavour_of(pins.torch_cuda(), args.wanted)
    for sentence in pins.compare(pinned, go_on=args.allow_other_versions):
        say(f"Note: {sentence}.")
    version = project_version()
    say(f"Anonator {version} with {'CUDA' if flavour == 'cuda' else 'PyTorch for CPUs only'}")
    freeze(version)
    if sys.platform == "linux":
        strip_libraries()
    add_documents(pinned)
    prove(version)
    say(f"{PROGRAM.relative_to(ROOT)} is ready: {size_of(PROGRAM) / 1e6:,.0f} MB.")
    if WINDOWS:
        say("Packing")
        contents = sbom.bill_of_materials(version, pinned, BUILD / "anonator", PROGRAM)
        for name in windows_package.pack(PROGRAM, version, flavour, contents):
            say(f"  dist/{name}")


def project_version() -> str:
    """The version in pyproject.toml, which must be the installed one: the program shows that.

    Raises:
        BuildError: another one is installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version, installed = str(project["version"]), pins.installed_version("anonator")
    if installed != version:
        raise BuildError(
            f"pyproject.toml says {version}, but installed is {installed or 'nothing'}. "
            "Run: uv pip install --no-deps --editable ."
        )
    return version


# --- the program


def freeze(version: str) -> None:
    """Run PyInstaller; all that it writes stays in build/ and dist/.

    Raises:
        BuildError: it failed.
    """
    BUILD.mkdir(exist_ok=True)
    resource = windows_package.version_resource(version)
    (BUILD / "version_resource.txt").write_text(resource, encoding="utf-8")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    folders = ["--distpath", str(DIST), "--workpath", str(BUILD)]
    environment = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(BUILD / "pyinstaller")}
    say("PyInstaller collects the program; this takes some minutes, and its warnings are no errors.")
    done = subprocess.run([*command, *folders, "anonator.spec"], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise BuildError("PyInstaller failed; its message is above.")


def strip_libraries() -> None:
    """Take the symbols out of PyTorch's, Python's and PyAV's libraries, about 130 MB."""
    strip = shutil.which("strip")
    if strip is None:
        say("Note: there is no strip here, so the program is a little larger.")
        return
    inside = PROGRAM / "_internal"
    for library in sorted({path for pattern in BEAR_STRIPPING for path in inside.glob(pattern)}):
        if not library.is_symlink():
            subprocess.run([strip, "--strip-unneeded", str(library)], check=True)


def add_documents(pinned: Iterable[Requirement]) -> None:
    """Put the licences next to the program: its own, the notices, and those of all that is in it."""
    for name in ("LICENSE", "THIRD_PARTY_NOTICES.md"):
        shutil.copy2(ROOT / name, PROGRAM / name)
    texts = {
        f"{pin.name}-{pins.installed_version(pin.name)}": licence_files(pin.name)
        for pin in pinned
        if pins.installed_version(pin.name)
    }
    texts["weights"] = {path.name: path for path in (MODELS / "README.md", *MODELS.glob("*.LICENSE.txt"))}
    python = (Path(sys.base_prefix) / "LICENSE.txt", Path(sysconfig.get_path("stdlib")) / "LICENSE.txt")
    texts["Python"] = {path.name: path for path in python if path.is_file()}
    folder = PROGRAM / "licences"
    shutil.rmtree(folder, ignore_errors=True)
    for package, files in texts.items():
        for place, file in files.items():
            target = folder / package / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def licence_files(package: str) -> dict[str, Path]:
    """The licence texts that an installed package brings: place in its metadata, and file."""
    found = {}
    for file in importlib.metadata.distribution(package).files or []:
        # numpy-2.4.6.dist-info/licenses/LICENSE.txt, or without the folder in the middle
        folder, _, place = file.as_posix().partition(".dist-info/")
        if "/" not in folder and re.match(r"(?i)(licenses/|licen[cs]e|copying|notice|authors)", place):
            path = Path(str(file.locate()))
            if path.is_file():
                found[place.removeprefix("licenses/")] = path
    return found


# --- the proof


def prove(version: str) -> None:
    """Run --self-test of both programs without anything of this environment.

    Raises:
        BuildError: it failed. That PyInstaller ended well proves nothing.
    """
    for name in ("anonator-cli", "Anonator"):
        with tempfile.TemporaryDirectory() as home:
            try:
                done = subprocess.run(
                    [str(PROGRAM / f"{name}{'.exe' if WINDOWS else ''}"), "--self-test", "--json"],
                    cwd=home,
                    env=bare_environment(home),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=SELF_TEST_SECONDS,
                    check=False,
                )
                told = json.loads(done.stdout)
            except subprocess.TimeoutExpired as exc:
                raise BuildError(f"{name} --self-test did not end in {SELF_TEST_SECONDS} s.") from exc
            except ValueError as exc:
                end = done.stderr.decode("utf-8", "replace")[-2000:]
                raise BuildError(f"{name} --self-test ended with {done.returncode}: {end}") from exc
        say(f"{name} --self-test:")
        for check in told["checks"]:
            say(f"  {check['name']:14} {check['status']:9} {check['seconds']:5.1f} s  {check['detail']}")
        if done.returncode or not told["passed"] or not told["frozen"] or told["version"] != version:
            raise BuildError(f"{name} was built but does not work; see the lines above.")


def bare_environment(home: str) -> dict[str, str]:
    """As little as a program can be started with: no PATH, and a home of its own."""
    # where there is a display, drag and drop is tested too
    names, folders = ["DISPLAY", "XAUTHORITY"], dict.fromkeys(("HOME", "TMPDIR"), home)
    if WINDOWS:
        names = ["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS"]
        folders = dict.fromkeys(("USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"), home)
    return {**{name: os.environ[name] for name in names if name in os.environ}, **folders}


def size_of(folder: Path) -> int:
    """Bytes of all files, links not counted."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def say(line: str) -> None:
    """Tell how far the build is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
