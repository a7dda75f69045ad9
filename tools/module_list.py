"""Writes the list of all modules into docs/ARCHITECTURE.md, each with the first sentence of its docstring."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE, DOCUMENT = ROOT / "src" / "anonator", ROOT / "docs" / "ARCHITECTURE.md"
HEADING = "## Every file\n"


def modules() -> list[Path]:
    """All modules but those that only make a folder a package, by folder."""
    found = (path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    listed = (path for path in found if path.name != "__init__.py" or path.parent == Path())
    return sorted(listed, key=lambda path: (path.parent.parts, path.name))


def section() -> str:
    """The list as Markdown, with a heading for each folder."""
    text, folder = HEADING, None
    for path in modules():
        if path.parent != folder:
            folder = path.parent
            text += f"\n### {(Path('anonator') / folder).as_posix()}\n\n"
        text += f"- `{path.name}`: {first_sentence(SOURCE / path)}\n"
    return text


def first_sentence(path: Path) -> str:
    """What a module's docstring begins with, without its full stop."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(said.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def main() -> int:
    """Replace the section, which is the document's last."""
    before, _, _ = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    DOCUMENT.write_text(before.rstrip("\n") + "\n\n" + section(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
