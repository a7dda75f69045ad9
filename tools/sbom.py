"""Lists what the built program consists of, as CycloneDX 1.6: a flat list, which needs no library."""

from __future__ import annotations

import ast
import csv
import importlib.metadata
import json
import os
import platform
import sys
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from anonator.core.detection.known_weights import SPECS
from tools.windows_package import sha256

TABLES = ("PYZ-00.toc", "COLLECT-00.toc")
"""PyInstaller writes into its build folder what went into the program: entries of name, source and kind."""
IN_EVERY_PROGRAM = {"pyinstaller"}
"""Packages without a file in those tables, part of which is in the program all the same: its first code."""
SHORT = 160
"""Characters of a licence's name at most; some packages write the whole text into that field."""


def bill_of_materials(version: str, pinned: Iterable[Requirement], build: Path, program: Path) -> str:
    """The document as JSON.

    Args:
        version: of the program.
        pinned: the packages that it may consist of.
        build: PyInstaller's build folder.
        program: the folder of the program.
    """
    parts = [*_packages(pinned, sources(build)), *_weights(), _python(), *_other_programs(program)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "bom-ref": "anonator",
                "name": "Anonator",
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": parts,
        "dependencies": [{"ref": "anonator", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    return json.dumps(document, indent=2) + "\n"


def sources(build: Path) -> frozenset[str]:
    """Every file that PyInstaller put into the program, where it came from."""
    found: set[str] = set()
    for name in TABLES:
        # the whole is a tuple with lists of entries somewhere in it
        waiting = list(ast.literal_eval((build / name).read_text(encoding="utf-8")))
        while waiting:
            each = waiting.pop()
            if isinstance(each, tuple) and len(each) == 3 and all(isinstance(part, str) for part in each):
                found.add(os.path.normcase(each[1]))
            elif isinstance(each, list | tuple):
                waiting.extend(each)
    return frozenset(found)


def _packages(pinned: Iterable[Requirement], used: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Those that have a file in the program."""
    for pin in pinned:
        try:
            package = importlib.metadata.distribution(pin.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if pin.name in IN_EVERY_PROGRAM or not used.isdisjoint(_files(package)):
            address = f"pkg:pypi/{pin.name}@{package.version}"
            yield _part("library", pin.name, package.version, address, licence(package))


def _files(package: importlib.metadata.Distribution) -> Iterator[str]:
    """Its files but those about itself; Distribution.files would look for each of them on the disk."""
    folder = os.path.join(str(package.locate_file("")), "")
    for row in csv.reader((package.read_text("RECORD") or "").splitlines()):
        if ".dist-info/" not in row[0]:
            yield os.path.normcase(folder + row[0])


def licence(package: importlib.metadata.Distribution) -> str:
    """Its name, as the package itself says it."""
    about = package.metadata
    text = about.get("License-Expression") or about.get("License") or ""
    if 0 < len(text) <= SHORT or "License-Expression" in about:
        return text
    classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    return ", ".join(classes) or "see its licence text"


def _weights() -> Iterator[dict[str, Any]]:
    """The bundled ones."""
    for model, spec in SPECS.items():
        if spec.sha256 and not spec.url:
            part = _part(
                "machine-learning-model", model.value, spec.sha256[:12], spec.file_name, spec.licence
            )
            yield {**part, "hashes": [{"alg": "SHA-256", "content": spec.sha256}]}


def _python() -> dict[str, Any]:
    version = platform.python_version()
    return _part("framework", "Python", version, f"pkg:generic/python@{version}", "PSF-2.0")


def _other_programs(program: Path) -> Iterator[dict[str, Any]]:
    """FFmpeg, which imageio-ffmpeg brings as a program of its own."""
    for file in sorted(program.glob("_internal/imageio_ffmpeg/binaries/ffmpeg*")):
        # ffmpeg-win-x86_64-v7.1.exe
        version = file.stem.rpartition("-v")[2] if sys.platform == "win32" else file.name.rpartition("-v")[2]
        part = _part("application", "FFmpeg", version, f"pkg:generic/ffmpeg@{version}", "GPL-3.0-or-later")
        yield {**part, "hashes": [{"alg": "SHA-256", "content": sha256(file)}]}


def _part(kind: str, name: str, version: str, reference: str, licence_name: str) -> dict[str, Any]:
    part = {
        "type": kind,
        "bom-ref": reference,
        "name": name,
        "version": version,
        "licenses": [{"license": {"name": licence_name}}],
    }
    return {**part, "purl": reference} if reference.startswith("pkg:") else part
