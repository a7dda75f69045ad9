"""What the documents say of the tests is true."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_documents_name_tests_that_are_there() -> None:
    """The promises of docs/TRUST.md are worth as much as the tests that they name."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    documents += [ROOT / "src" / "anonator" / "models" / "README.md"]
    named = [
        (document.name, name)
        for document in documents
        for name in re.findall(r"[\w/]*test_\w+\.py", document.read_text("utf-8"))
    ]
    assert len(named) > 30
    gone = [
        (where, name) for where, name in named if not (ROOT / "tests" / name.removeprefix("tests/")).exists()
    ]
    assert gone == []
