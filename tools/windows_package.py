"""What Windows needs besides the program: version in its properties, zip, Inno Setup script, hashes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import string
import subprocess
from pathlib import Path

from anonator.core.reading.containers import READ_SUFFIXES
from tools.pins import BuildError

TEMPLATE = Path(__file__).resolve().parents[1] / "installer" / "anonator.iss"


def version_resource(version: str) -> str:
    """What Windows shows in a program's properties, as PyInstaller reads it."""
    numbers = tuple(([int(n) for n in re.findall(r"\d+", version)] + [0] * 4)[:4])
    strings = {
        "CompanyName": "The Anonator authors",
        "FileDescription": "Anonator",
        "FileVersion": version,
        "InternalName": "Anonator",
        "LegalCopyright": "See LICENSE and THIRD_PARTY_NOTICES.md",
        "ProductName": "Anonator",
        "ProductVersion": version,
    }
    table = ",\n".join(f"        StringStruct({name!r}, {text!r})" for name, text in strings.items())
    return (
        "VSVersionInfo(\n"
        f"  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0x0,\n"
        "    OS=0x40004, fileType=0x1, subtype=0x0, date=(0, 0)),\n"
        f"  kids=[StringFileInfo([StringTable('040904B0', [\n{table}])]),\n"
        "    VarFileInfo([VarStruct('Translation', [1033, 1200])])]\n)\n"
    )


def installer_script(version: str, name: str, *, large: bool) -> str:
    """The Inno Setup script of one flavour, to be put next to the program's folder.

    Args:
        version: of the program.
        name: of the installer, without ".exe".
        large: whether the installer may need more than one file.
    """
    associations = "\n".join(
        f'Root: HKA; Subkey: "Software\\Classes\\{suffix}\\OpenWithProgids"; ValueType: string; '
        f'ValueName: "Anonator.Video"; ValueData: ""; Flags: uninsdeletevalue; Tasks: openwith'
        for suffix in sorted(READ_SUFFIXES)
    )
    return string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        version=version, name=name, associations=associations, spanning="yes" if large else "no"
    )


def inno_setup() -> str | None:
    """Inno Setup's compiler, from the PATH or where it installs itself."""
    places = [os.environ.get(name) for name in ("ProgramFiles(x86)", "ProgramFiles")]
    compilers = [Path(place) / "Inno Setup 6" / "ISCC.exe" for place in places if place]
    return shutil.which("iscc") or next((str(path) for path in compilers if path.is_file()), None)


def pack(program: Path, version: str, flavour: str, bill_of_materials: str) -> list[str]:
    """Make the zip and the script next to the program's folder, and the installer if Inno Setup is installed.

    Args:
        program: the folder.
        version: of the program.
        flavour: "cpu" or "cuda".
        bill_of_materials: what the program consists of, as CycloneDX's JSON.

    Returns:
        Names of the files that were made; the last one lists the SHA-256 of the others.

    Raises:
        BuildError: Inno Setup failed.
    """
    folder, name = program.parent, f"Anonator-{version}-windows-{flavour}"
    shutil.make_archive(str(folder / name), "zip", folder, program.name)
    (folder / f"{name}.cdx.json").write_text(bill_of_materials, encoding="utf-8", newline="\n")
    script = folder / f"{name}.iss"
    script.write_text(installer_script(version, name, large=flavour == "cuda"), encoding="utf-8-sig")
    made = [f"{name}.zip", f"{name}.cdx.json", script.name]
    if compiler := inno_setup():
        if subprocess.run([compiler, "/Qp", str(script)], check=False).returncode:
            raise BuildError("Inno Setup failed; its message is above.")
        # one of more than 2.1 GB comes with further files
        made += sorted(path.name for path in folder.glob(f"{name}*") if path.suffix in (".exe", ".bin"))
    sums = folder / f"{name}.sha256"
    sums.write_text("".join(f"{sha256(folder / file)} *{file}\n" for file in made), "utf-8", newline="\n")
    return [*made, sums.name]


def sha256(file: Path) -> str:
    """Hexadecimal, in lower case, as sha256sum writes it."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
