"""What the documents say of the code and its tests is true: every file, name and link is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODELS_README = ROOT / "src" / "anonator" / "models" / "README.md"
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), MODELS_README]
CODE = [
    *ROOT.glob("*.*"),
    *(path for folder in ("src", "tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")),
]
HISTORY = "CHANGELOG.md"
"""Names files that were there once."""


def read(document: Path) -> str:
    return document.read_text("utf-8")


def test_the_documents_name_tests_that_are_there() -> None:
    """The promises of docs/TRUST.md are worth as much as the tests that they name."""
    named = [
        (path.name, name) for path in DOCUMENTS for name in re.findall(r"[\w/]*test_\w+\.py", read(path))
    ]
    assert len(named) > 30
    gone = [
        (where, name) for where, name in named if not (ROOT / "tests" / name.removeprefix("tests/")).exists()
    ]
    assert gone == []


def test_the_architecture_lists_every_file_with_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure means that a module is new, gone or for something else: run tools/module_list.py."""
    monkeypatch.syspath_prepend(str(ROOT))
    from tools.module_list import HEADING, section

    listed = read(ROOT / "docs" / "ARCHITECTURE.md").partition(HEADING)[2].splitlines()
    written = section().partition(HEADING)[2].splitlines()
    assert [line for line in written if line not in listed] == [], "not in docs/ARCHITECTURE.md"
    assert [line for line in listed if line not in written] == [], "only in docs/ARCHITECTURE.md"
    assert listed == written and sum(line.startswith("- ") for line in listed) > 250


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", read(document))
    gone = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not gone, f"{document.name} links to what isn't there: {gone}"


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name != HISTORY], ids=lambda path: path.name
)
def test_the_files_and_names_of_a_document_are_in_the_code(document: Path) -> None:
    """Contributors look there; a failure means that something was moved or renamed."""
    gone = [name for name in re.findall(r"`([\w./]+)`", read(document)) if not is_there(name)]
    assert not gone, f"{document.name} names what isn't there: {gone}"


def is_there(name: str) -> bool:
    """Whether a quoted file, or a name such as `finishing.examine`, is in the code; true of other words."""
    if name.endswith(".py"):
        return bool(files(name))
    module, _, attribute = name.rpartition(".")
    if not re.fullmatch(r"[a-z_.]+", module) or not files(f"{module.rpartition('.')[2]}.py"):
        return True
    defined = re.compile(rf"^\s*(def |class |self\.)?{attribute}\b", re.MULTILINE)
    return any(defined.search(read(path)) for path in files(f"{module.replace('.', '/')}.py"))


def files(name: str) -> list[Path]:
    """The files of the code whose path ends so."""
    return [path for path in CODE if f"/{path.relative_to(ROOT).as_posix()}".endswith(f"/{name}")]
