"""No text depends on the system's own encoding, which on Windows is not UTF-8: found in the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    *ROOT.glob("*.py"),
    *(path for folder in ("src", "tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")),
]
ENCODING_AT = {"read_text": 0, "write_text": 1}
"""The position of the encoding among the arguments."""
STARTERS = {"run", "Popen", "check_output", "call", "check_call"}
IN_TEXT_MODE = "in text mode"


def unspecified(source: str) -> Iterator[tuple[int, str]]:
    """The lines of calls that would take the system's encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        if "encoding" in options or None in options:
            continue
        if name in ENCODING_AT and len(node.args) <= ENCODING_AT[name]:
            yield node.lineno, name
        elif name in STARTERS and any(
            isinstance(options.get(text), ast.Constant) and options[text].value  # type: ignore[attr-defined]
            for text in ("text", "universal_newlines")
        ):
            yield node.lineno, f"{name} {IN_TEXT_MODE}"
        elif name in ("open", "fdopen") and _opens_text(node, options):
            yield node.lineno, name


def _opens_text(node: ast.Call, options: dict[str | None, ast.expr]) -> bool:
    """Whether this is open(file), open(file, "w") or path.open() in text mode."""
    if isinstance(node.func, ast.Attribute):
        owner = getattr(node.func.value, "id", "")
        if owner in ("av", "Image", "context"):
            return False
        first = 1 if owner in ("os", "io", "builtins") else 0
        if owner == "os" and node.func.attr == "open":
            return False
    else:
        first = 1
    given = options.get("mode", node.args[first] if len(node.args) > first else None)
    if given is None:
        return not (isinstance(node.func, ast.Attribute) and node.args)  # of something that is no file
    return isinstance(given, ast.Constant) and isinstance(given.value, str) and "b" not in given.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_names_its_encoding(path: Path) -> None:
    found = list(unspecified(path.read_text("utf-8")))
    if path.is_relative_to(ROOT / "tests"):  # what they write for themselves is ASCII
        found = [(line, what) for line, what in found if what.endswith(IN_TEXT_MODE)]
    assert not found, "without encoding"


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("open(p)", True), ("open(p, 'w')", True), ("open(p, mode='a')", True), ("p.open()", True),
        ("p.open('w')", True), ("os.fdopen(f, 'w')", True), ("p.read_text()", True),
        ("p.write_text(t)", True),
        ("subprocess.run(c, text=True)", True), ("Popen(c, universal_newlines=True)", True),
        ("open(p, 'rb')", False), ("p.open('rb')", False), ("open(p, encoding='utf-8')", False),
        ("p.read_text('utf-8')", False), ("p.write_text(t, 'utf-8')", False), ("os.open(p, flags)", False),
        ("subprocess.run(c)", False), ("subprocess.run(c, text=True, encoding='utf-8')", False),
        ("av.open(p)", False), ("Image.open(p)", False), ("self.open(stream)", False),
    ],
)  # fmt: skip
def test_the_search_finds_what_it_must(source: str, missing: bool) -> None:
    assert bool(list(unspecified(source))) is missing
