"""What Windows needs besides the program: the version in its properties, a zip, an Inno Setup script."""

from __future__ import annotations

import os
import re
import shutil
import string
import subprocess
from pathlib import Path

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


def installer_script(version: str, name: str) -> str:
    """The Inno Setup script of one flavour, to be put next to the program's folder.

    Args:
        version: of the program.
        name: of the installer, without ".exe".
    """
    return string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(version=version, name=name)


def inno_setup() -> str | None:
    """Inno Setup's compiler, from the PATH or where it installs itself."""
    places = [os.environ.get(name) for name in ("ProgramFiles(x86)", "ProgramFiles")]
    compilers = [Path(place) / "Inno Setup 6" / "ISCC.exe" for place in places if place]
    return shutil.which("iscc") or next((str(path) for path in compilers if path.is_file()), None)


def pack(program: Path, version: str, flavour: str) -> list[str]:
    """Make the zip and the script next to the program's folder, and the installer if Inno Setup is installed.

    Returns:
        Names of the files that were made.

    Raises:
        BuildError: Inno Setup failed.
    """
    folder, name = program.parent, f"Anonator-{version}-windows-{flavour}"
    shutil.make_archive(str(folder / name), "zip", folder, program.name)
    script = folder / f"{name}.iss"
    script.write_text(installer_script(version, name), encoding="utf-8-sig")
    made = [f"{name}.zip", script.name]
    if compiler := inno_setup():
        if subprocess.run([compiler, "/Qp", str(script)], check=False).returncode:
            raise BuildError("Inno Setup failed; its message is above.")
        made.append(f"{name}.exe")
    return made
