"""What lies beside the program for Windows: zip, bill of materials, installer script, and their hashes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from anonator.core.detection.known_weights import SPECS
from anonator.core.reading.containers import READ_SUFFIXES

if sys.version_info < (3, 11):
    pytest.skip("build.py needs Python 3.11", allow_module_level=True)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tools() -> ModuleType:
    """The folder, from which build.py imports."""
    sys.path.insert(0, str(ROOT))
    import tools
    import tools.pins
    import tools.sbom
    import tools.windows_package

    sys.path.remove(str(ROOT))
    return tools


@pytest.fixture
def bill(tools: ModuleType, tmp_path: Path) -> dict[str, Any]:
    """Of a program in which there is NumPy, no tqdm, and an FFmpeg."""
    numpy = importlib.metadata.distribution("numpy").locate_file("numpy/__init__.py")
    tqdm = importlib.metadata.distribution("tqdm")
    (metadata,) = (f for f in tqdm.files or [] if f.match("*.dist-info/METADATA"))
    (tmp_path / "PYZ-00.toc").write_text(repr(("x.pyz", [("numpy", str(numpy), "PYMODULE")])), "utf-8")
    collected = (True, [("tqdm", str(metadata.locate()), "DATA")], None)
    (tmp_path / "COLLECT-00.toc").write_text(repr(collected), "utf-8")
    program = tmp_path / "Anonator"
    name = "ffmpeg-win-x86_64-v7.1.exe" if sys.platform == "win32" else "ffmpeg-linux-x86_64-v7.1"
    ffmpeg = program / "_internal" / "imageio_ffmpeg" / "binaries" / name
    ffmpeg.parent.mkdir(parents=True)
    ffmpeg.write_bytes(b"FFmpeg")
    pinned = tools.pins.read((ROOT / "requirements" / "build.txt").read_text(encoding="utf-8"))
    told = json.loads(tools.sbom.bill_of_materials("1.2.3", pinned, tmp_path, program))
    assert isinstance(told, dict)
    return told


def test_the_bill_names_what_is_in_the_program_and_nothing_else(bill: dict[str, Any]) -> None:
    names = {part["name"]: part for part in bill["components"]}
    bundled = {model.value for model, spec in SPECS.items() if spec.sha256 and not spec.url}
    assert set(names) == {"numpy", "pyinstaller", "Python", "FFmpeg"} | bundled and bundled
    numpy = names["numpy"]
    assert numpy["version"] == importlib.metadata.version("numpy")
    assert numpy["purl"] == f"pkg:pypi/numpy@{numpy['version']}"
    assert "BSD" in numpy["licenses"][0]["license"]["name"]
    assert names["FFmpeg"]["version"] == "7.1"
    assert names["FFmpeg"]["hashes"][0]["content"] == hashlib.sha256(b"FFmpeg").hexdigest()


def test_the_bill_has_the_form_of_cyclonedx(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    references = [part["bom-ref"] for part in bill["components"]]
    assert len(set(references)) == len(references)
    assert bill["dependencies"] == [{"ref": "anonator", "dependsOn": references}]
    kinds = {"application", "framework", "library", "machine-learning-model"}
    for part in bill["components"]:
        assert part["type"] in kinds and part["name"] and part["version"]
        assert 0 < len(part["licenses"][0]["license"]["name"]) < 400, part["name"]


def test_hashes_of_everything_lie_beside_it(
    tools: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.windows_package, "inno_setup", lambda: None)
    program = tmp_path / "Anonator"
    program.mkdir()
    (program / "Anonator.exe").write_bytes(b"program")
    made = tools.windows_package.pack(program, "1.2.3", "cpu", "{}\n")
    assert made == [f"Anonator-1.2.3-windows-cpu.{ending}" for ending in ("zip", "cdx.json", "iss", "sha256")]
    lines = (tmp_path / made[-1]).read_bytes().decode("ascii").splitlines()
    assert len(lines) == 3 and not (tmp_path / made[-1]).read_bytes().count(b"\r")
    for line, name in zip(lines, made, strict=False):
        content = (tmp_path / name).read_bytes()
        assert line == f"{hashlib.sha256(content).hexdigest()} *{name}"
    with zipfile.ZipFile(tmp_path / made[0]) as archive:
        assert archive.read("Anonator/Anonator.exe") == b"program"


def test_the_installer_offers_the_program_for_every_video_it_reads(tools: ModuleType) -> None:
    script = tools.windows_package.installer_script("1.2.3", "name", large=False)
    offered = re.findall(r'Software\\Classes\\(\.\w+)\\OpenWithProgids"', script)
    assert sorted(offered) == sorted(READ_SUFFIXES)
    assert r'{usersendto}\Anonator"; Filename: "{app}\Anonator.exe"; Tasks: sendto' in script
    assert "PrivilegesRequired=lowest" in script and "DiskSpanning=no\n" in script
    tasks = set(re.findall(r"; Tasks: (\w+)", script))
    assert tasks == set(re.findall(r'^Name: "(\w+)"; Description', script, re.MULTILINE))
