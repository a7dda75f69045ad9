"""What the frozen program is made of: the spec on both systems, the pins, the notices, the workflow."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from anonator.self_checks import CPP_RUNTIME

if sys.version_info < (3, 11):
    pytest.skip("build.py needs Python 3.11", allow_module_level=True)
import tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDED = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
PINS = (ROOT / "requirements" / "build.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """build.py, which is no module of a package."""
    sys.path.insert(0, str(ROOT))
    spec = importlib.util.spec_from_file_location("anonator_build", ROOT / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT))
    return module


# --- the spec


class Analysis:
    """Stands in for PyInstaller's: remembers how it was called, and has found a few files."""

    pure, scripts = "pure", "scripts"

    def __init__(self, *args: Any, **options: Any) -> None:
        self.args, self.options = args, options
        places = [
            "torch/lib/libtorch_cpu.so",
            "torch/bin/protoc",
            "torch/bin/test_jit",
            "nvidia/cu13/lib/libcusolverMg.so.12",
        ]
        self.binaries = [(place, f"/somewhere/{place}", "BINARY") for place in places]
        self.datas = [("_tcl_data/tzdata/Europe/Paris", "/tcl/Paris", "DATA"), ("a.txt", "/a.txt", "DATA")]


class Library(PurePosixPath):
    """A file of an installed package."""

    def locate(self) -> str:
        return f"/packages/{self}"


RUNTIME = SimpleNamespace(
    files=[
        Library("Scripts", f"{name}140{ending}.dll")
        for name in ("vcruntime", "msvcp", "vcamp")
        for ending in ("", "_1", "_threads", "_atomic_wait")
    ]
)
"""Stands in for the package msvc-runtime."""


def run_spec(monkeypatch: pytest.MonkeyPatch, platform: str) -> dict[str, Any]:
    """Everything that the spec defines, and what it gave PyInstaller."""
    made: dict[str, Any] = {"programs": []}

    def program(*args: Any, **options: Any) -> str:
        made["programs"].append(options)
        return str(options["name"])

    def collect(*args: Any, **options: Any) -> None:
        made["collected"], made["folder"] = args, options

    names = {
        "SPECPATH": str(ROOT),
        "Analysis": Analysis,
        "PYZ": lambda pure: pure,
        "EXE": program,
        "COLLECT": collect,
    }
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: RUNTIME)
    source = (ROOT / "anonator.spec").read_text(encoding="utf-8")
    exec(compile(source, "anonator.spec", "exec"), names)
    return {**names, **made}


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_the_spec_makes_a_windowed_program_and_its_console_twin(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    spec = run_spec(monkeypatch, platform)
    assert [(p["name"], p["console"]) for p in spec["programs"]] == [
        ("Anonator", False),
        ("anonator-cli", True),
    ]
    for program in spec["programs"]:
        assert program["exclude_binaries"] and not program["upx"]
        if platform == "win32":
            assert Path(program["icon"]).is_file() and program["version"].endswith("version_resource.txt")
        else:
            assert program["icon"] is program["version"] is None
    assert spec["collected"][:2] == ("Anonator", "anonator-cli"), "both in one folder"
    files = [entry[0] for table in spec["collected"][2:] for entry in table]
    assert files == ["torch/lib/libtorch_cpu.so", "a.txt"]
    analysis = spec["analysis"]
    for path in (*analysis.args[0], *analysis.options["hookspath"], *analysis.options["runtime_hooks"]):
        assert Path(path).exists()
    assert analysis.options["excludes"] == list(spec["EXCLUDED_MODULES"])


def test_microsofts_runtime_comes_with_the_windows_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch asks for libraries that neither its wheel nor a new Windows brings."""
    given = run_spec(monkeypatch, "win32")["analysis"].options["binaries"]
    assert ("/packages/Scripts/vcruntime140_threads.dll", ".") in given
    assert ("/packages/Scripts/msvcp140_atomic_wait.dll", ".") in given
    assert sorted(Path(source).name for source, _ in given) == sorted(CPP_RUNTIME)
    assert run_spec(monkeypatch, "linux")["analysis"].options["binaries"] == []
    monkeypatch.setattr(RUNTIME, "files", RUNTIME.files[:2])
    with pytest.raises(SystemExit, match=r"msvcp140\.dll, msvcp140_atomic_wait\.dll"):
        run_spec(monkeypatch, "win32")


def test_everything_left_out_has_its_size_and_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = run_spec(monkeypatch, "linux")
    for name, (megabytes, reason) in {**spec["EXCLUDED_MODULES"], **spec["DROPPED_FILES"]}.items():
        assert isinstance(megabytes, int) and megabytes >= 0, name
        assert len(reason) > 8, name


@pytest.mark.parametrize(
    "place",
    [
        "torch/bin/torch_shm_manager",
        "torch/lib/libtorch_cuda.so",
        "torch/lib/torch_cuda.dll",
        "torch/_inductor/config.py",
        "torch/fx/experimental/_config.py",
        "torch/nn/functional.py",
        "torchvision/_C_stable.so",
        "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9",
        "nvidia/cu13/lib/libnvrtc-builtins.so.13.2",
        "nvidia/cu13/lib/libcusparse.so.12",
        "nvidia/nvshmem/lib/libnvshmem_host.so.3",
        "anonator/models/retinaface_mobilenet025.safetensors",
        "anonator/models/face_detection_yunet_2023mar.onnx",
        "anonator-0.1.0.dist-info/METADATA",
        "tkinterdnd2/tkdnd/win-x64/libtkdnd2.9.4.dll",
        "imageio_ffmpeg/binaries/ffmpeg-win-x86_64-v7.1.exe",
        "_tcl_data/encoding/cp1252.enc",
        "_tk_data/ttk/ttk.tcl",
    ],
)
def test_what_the_program_needs_is_not_left_out(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    spec = run_spec(monkeypatch, "linux")
    assert not spec["is_dropped"](place)
    module = place.split("/")[0]
    assert module not in spec["EXCLUDED_MODULES"]


def test_windows_separators_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sep", "\\")
    spec = run_spec(monkeypatch, "win32")
    assert spec["is_dropped"](r"torch\include\ATen\ATen.h")
    assert not spec["is_dropped"](r"torch\lib\torch_cpu.dll")


@pytest.mark.slow
def test_the_engine_works_without_the_excluded_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure means that the frozen program would fail where this does."""
    excluded = list(run_spec(monkeypatch, "linux")["EXCLUDED_MODULES"])
    code = f"""
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if any(name == e or name.startswith(e + ".") for e in {excluded!r}):
            return None
        return PathFinder.find_spec(name, path, target)
sys.meta_path = [Without if finder is PathFinder else finder for finder in sys.meta_path]
from anonator import self_check_clip, self_checks
import anonator.core.tracking.linking, anonator.headless, wakepy
print(self_checks.detector(), self_check_clip.decoded(), self_check_clip.played())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


# --- the pins


def test_every_pin_has_one_version_and_hashes_and_no_address() -> None:
    assert not re.search(
        r"://|file:|index|/(home|root|work|opt|tmp)/|[A-Z]:\\", PINS.replace("--no-emit-index-url", "")
    )
    blocks = re.split(r"\n(?=\S)", "\n".join(line for line in PINS.splitlines() if not line.startswith("#")))
    assert len(blocks) > 30
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==[\w.+]+ ", block), block[:60]
        hashes = re.findall(r"--hash=sha256:([0-9a-f]+)", block)
        assert hashes and all(len(h) == 2 * hashlib.sha256().digest_size for h in hashes), block[:60]


def test_the_pins_meet_what_the_project_asks_for(build: ModuleType) -> None:
    pins = {canonicalize_name(pin.name): build.pins.pinned_version(pin) for pin in build.pins.read(PINS)}
    dev = [Requirement(text) for text in PROJECT["dependency-groups"]["dev"]]
    pyinstaller = next(r for r in dev if r.name == "pyinstaller")
    for needed in (*NEEDED, pyinstaller):
        if needed.marker is None or needed.marker.evaluate():
            assert needed.specifier.contains(pins[canonicalize_name(needed.name)]), needed
    asked = (ROOT / "requirements" / "build.in").read_text(encoding="utf-8").splitlines()
    mine = {r.name: r for r in (Requirement(line) for line in asked if not line.startswith("#"))}
    assert set(mine) == {"pyinstaller", "msvc-runtime"} and mine["pyinstaller"] == pyinstaller
    assert mine["msvc-runtime"].specifier.contains(re.search(r"^msvc-runtime==(\S+) ", PINS, re.M)[1])  # type: ignore[index]


def test_differences_are_named(build: ModuleType) -> None:
    text = (
        "numpy==2.4.6 \\\n    --hash=sha256:aa\n    # via scipy\ntorch==2.15.0 ; python_version > '3.0' \\\n"
        "    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
        "nvidia-cublas==13.4\nwin==1 ; sys_platform == 'amiga'\n"
    )
    pins = build.pins.read(text)
    assert [pin.name for pin in pins] == ["numpy", "torch", "nvidia-cublas"]
    right = {"numpy": "2.4.6", "torch": "2.15.0", "nvidia-cublas": "13.4"}
    assert build.pins.differences(pins, right.get) == []
    wrong = {"numpy": "2.4.5", "torch": "2.15.0"}
    assert build.pins.differences(pins, wrong.get) == [
        "numpy is 2.4.5 instead of 2.4.6",
        "nvidia-cublas 13.4 is missing",
    ]
    foreign = {"numpy": "2.4.6", "torch": "2.15.0+cu126", "nvidia-cublas": "12.6"}
    assert build.pins.differences(pins, foreign.get) == []
    assert build.pins.differences(pins, {**foreign, "torch": "2.14.0+cpu"}.get) == [
        "torch is 2.14.0+cpu instead of 2.15.0"
    ]


def test_other_versions_stop_the_build_unless_allowed(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = build.pins.read("numpy==1.0\n")
    with pytest.raises(build.BuildError, match=r"instead of 1\.0.*--allow-other-versions"):
        build.pins.compare(pins, go_on=False)
    assert len(build.pins.compare(pins, go_on=True)) == 1
    monkeypatch.setattr(build.pins, "installed_version", lambda name: "2.15.0+cu126")
    assert "hash" in build.pins.compare([], go_on=False)[0]


def test_the_flavour_is_that_of_the_installed_torch(build: ModuleType) -> None:
    flavour_of = build.pins.flavour_of
    assert [flavour_of("13.2", None), flavour_of("", None)] == ["cuda", "cpu"]
    assert [flavour_of("13.2", "cuda"), flavour_of("", "cpu")] == ["cuda", "cpu"]
    with pytest.raises(build.BuildError, match="uv pip install torch torchvision --torch-backend=auto"):
        flavour_of("", "cuda")
    with pytest.raises(build.BuildError, match="uv pip install torch torchvision --torch-backend=cpu"):
        flavour_of("13.2", "cpu")


# --- what build.py writes


def test_the_version_is_the_projects(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert build.project_version() == PROJECT["project"]["version"]
    monkeypatch.setattr(build.pins, "installed_version", lambda name: "0.0.1")
    with pytest.raises(build.BuildError, match="--editable"):
        build.project_version()


@pytest.mark.parametrize(("version", "numbers"), [("0.1.0", (0, 1, 0, 0)), ("12.3.4rc1", (12, 3, 4, 1))])
def test_the_version_resource_is_what_pyinstaller_reads(
    build: ModuleType, version: str, numbers: tuple[int, ...]
) -> None:
    def record(name: str) -> Any:
        return lambda *args, **options: (name, args, options)

    kinds = "VSVersionInfo FixedFileInfo StringFileInfo StringTable StringStruct VarFileInfo VarStruct"
    text = build.windows_package.version_resource(version)
    _, _, whole = eval(text, {kind: record(kind) for kind in kinds.split()})
    assert whole["ffi"][2]["filevers"] == whole["ffi"][2]["prodvers"] == numbers
    table = whole["kids"][0][1][0][0][1][1]
    assert dict(struct[1] for struct in table)["ProductVersion"] == version
    ast.parse(text)


def test_the_installer_script_names_this_version(build: ModuleType) -> None:
    script = build.windows_package.installer_script("1.2.3", "Anonator-1.2.3-windows-cuda", large=True)
    assert "AppVersion=1.2.3\n" in script and "OutputBaseFilename=Anonator-1.2.3-windows-cuda\n" in script
    assert "$" not in script and "DiskSpanning=yes\n" in script
    for section in ("Setup", "Files", "Icons"):
        assert f"\n[{section}]\n" in script
    for own in re.findall(r"(?:LicenseFile|SetupIconFile)=(.+)", script):
        path = own.replace("\\", "/").removeprefix("Anonator/").removeprefix("../")
        assert (ROOT / path).is_file(), own


def test_the_self_test_sees_nothing_of_the_builder(build: ModuleType, tmp_path: Path) -> None:
    environment = build.bare_environment(str(tmp_path))
    assert not {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV"} & set(environment)
    if sys.platform != "win32":
        assert environment["HOME"] == str(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize(
    ("answer", "status", "complaint"),
    [
        ('{"passed": true, "frozen": true, "version": "1.0", "checks": []}', 0, None),
        ('{"passed": false, "frozen": true, "version": "1.0", "checks": []}', 1, "does not work"),
        ('{"passed": true, "frozen": true, "version": "0.9", "checks": []}', 0, "does not work"),
        ('{"passed": true, "frozen": false, "version": "1.0", "checks": []}', 0, "does not work"),
        ("", 127, "ended with 127: no libpython"),
    ],
)
def test_a_program_that_fails_its_self_test_fails_the_build(
    build: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    answer: str,
    status: int,
    complaint: str | None,
) -> None:
    monkeypatch.setattr(build, "PROGRAM", tmp_path)
    for name in ("anonator-cli", "Anonator"):
        script = (
            f"#!/bin/sh\n[ -z \"$VIRTUAL_ENV\" ] && echo '{answer}'\necho no libpython >&2\nexit {status}\n"
        )
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    if complaint is None:
        build.prove("1.0")
        return
    with pytest.raises(build.BuildError, match=complaint):
        build.prove("1.0")


def test_licence_texts_are_found(build: ModuleType) -> None:
    assert "LICENSE.txt" in build.licence_files("numpy")
    beside_the_metadata = build.licence_files("opencv-python-headless")
    assert "LICENSE.txt" in beside_the_metadata, "also where there is no folder of licences"
    without = {pin.name for pin in build.pins.read(PINS) if not build.licence_files(pin.name)}
    # said so in the notices, or without a text of their own
    assert without <= {"face-detection", "cuda-toolkit", "nvidia-cusparselt-cu13"}


# --- documents


def test_the_notices_name_everything_that_the_program_needs() -> None:
    text = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    rows = {canonicalize_name(name) for name in re.findall(r"^\| ([\w-]+)", text, re.MULTILINE)}
    missing = {canonicalize_name(r.name) for r in NEEDED} - rows
    assert not missing
    pinned = set(re.findall(r"^([a-z0-9-]+)==", PINS, re.MULTILINE))
    only_building = {
        "altgraph",
        "colorama",
        "macholib",
        "pefile",
        "pyinstaller-hooks-contrib",
        "pywin32-ctypes",
    }
    nvidia = {name for name in pinned if name.startswith(("nvidia-", "cuda-toolkit"))}
    words = {canonicalize_name(word) for word in re.findall(r"[\w-]+", text)}
    assert not pinned - only_building - nvidia - words


def test_the_workflow_uses_pinned_actions_and_no_secrets() -> None:
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        uses = re.findall(r"uses: (\S+)", text)
        assert uses and all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in uses)
        assert "secrets." not in text and "permissions:\n  contents: read\n" in text
        for system in ("ubuntu", "windows", "macos"):
            assert system in text
        assert "--require-hashes" in text


def test_the_workflow_is_yaml() -> None:
    yaml = pytest.importorskip("yaml", reason="needs a YAML parser")
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
        assert all("steps" in job and "timeout-minutes" in job for job in jobs.values())
