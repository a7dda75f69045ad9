"""The Python examples of README.md and docs run as they stand, each in a folder with the videos it names.

An example is a block fenced as ```python, or an indented block that says `import anonator`. It must be whole:
a reader copies one block, not three. The videos that it names, and a few in each folder that it searches, are
made before.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from face_clips import moving_face

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VIDEO = re.compile(r"[^*?]+\.(mp4|mov|mkv|avi|webm|m4v)", re.IGNORECASE)
IMPORT = re.compile(r"^\s*(import|from) anonator\b", re.MULTILINE)
ENDS_TEXT = re.compile(r"\s*|#+ .*")
"""A blank line or a heading: what's indented after any other line only goes on with it."""
SEARCHES = {"glob", "rglob", "iterdir"}


@dataclass(frozen=True)
class Example:
    """A block of Python in a document."""

    document: str
    line: int
    """Of its first line, from 1."""
    code: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def examples_in(text: str, document: str = "") -> list[Example]:
    """All Python blocks of a Markdown text, in order."""
    found: list[Example] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = re.fullmatch(r"(\s*)(`{3,}|~{3,})\s*(\w*).*", lines[number])
        start = number
        if fence:
            number += 1
            while number < len(lines) and not lines[number].strip().startswith(fence[2]):
                number += 1
            if fence[3] in ("python", "py"):
                found.append(_example(document, start + 1, lines[start + 1 : number]))
            number += 1
        elif lines[number].startswith("    ") and (number == 0 or ENDS_TEXT.fullmatch(lines[number - 1])):
            while number < len(lines) and (lines[number].startswith("    ") or not lines[number].strip()):
                number += 1
            block = _example(document, start, lines[start:number])
            if IMPORT.search(block.code):
                found.append(block)
        else:
            number += 1
    return found


def _example(document: str, before: int, lines: list[str]) -> Example:
    return Example(document, before + 1, textwrap.dedent("\n".join(lines)).strip() + "\n")


def videos_for(code: str) -> set[str]:
    """The videos that must be there for an example: all that it names but the results, one in each folder."""
    tree = ast.parse(code)
    results: set[ast.AST] = set()
    folders: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "anonymize":
            given = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "target")]
            results |= {inner for argument in given for inner in ast.walk(argument)}
        if name in SEARCHES and isinstance(node.func, ast.Attribute):
            folders |= {text for text in map(_text, ast.walk(node.func.value)) if text}
    named = {
        text
        for node in ast.walk(tree)
        if node not in results and (text := _text(node)) and VIDEO.fullmatch(text)
    }
    return named | {f"{folder}/{number}.mp4" for folder in folders for number in ("one", "two")}


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


EXAMPLES = [
    example
    for path in DOCUMENTS
    for example in examples_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
]


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES or [pytest.param(None, id="none yet")], ids=str)
def test_an_example_runs_as_it_stands(
    example: Example | None, tmp_path: Path, astronaut: object, request: pytest.FixtureRequest
) -> None:
    """A failure means that a reader copies something that doesn't work."""
    if example is None:
        pytest.skip("the documents hold no Python examples")
    run_example(example.code, tmp_path, request.getfixturevalue("astronaut"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_example_is_passed_over(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    run = sum(len(IMPORT.findall(example.code)) for example in examples_in(text))
    assert run == len(IMPORT.findall(text)), "a block that imports anonator was not taken for an example"


def run_example(code: str, folder: Path, astronaut: object) -> str:
    """Run an example in a folder of its own, and what it printed."""
    for name in videos_for(code):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        moving_face(folder / name, astronaut, frames=4, size=(320, 240))  # type: ignore[arg-type]
    # a file, as readers have it: an example must not depend on anything but its folder
    (folder / "example.py").write_text(code, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "example.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert run.returncode == 0, f"{code}\n{run.stderr}"
    return run.stdout


# --- the helpers themselves, so that no example is passed over in silence


DOCUMENT = """
# Title
    from anonator import Settings

In the terminal:

    uv run anonator VIDEO

From Python:

    import anonator

    anonator.anonymize("visit.mp4")

Text.

```python
print("fenced")
```

```toml
crf = 1
```

1. Step

    ```python
    print("in a list")
    ```
~~~ python
print("~~~")
~~~
"""


def test_every_block_of_python_is_found() -> None:
    headed, indented, fenced, listed, tildes = examples_in(DOCUMENT, "README.md")
    assert headed == Example("README.md", 3, "from anonator import Settings\n")
    assert indented == Example("README.md", 11, 'import anonator\n\nanonator.anonymize("visit.mp4")\n')
    assert (fenced.code, str(fenced)) == ('print("fenced")\n', "README.md:18")
    assert (listed.code, tildes.code) == ('print("in a list")\n', 'print("~~~")\n')


def test_the_videos_that_an_example_needs() -> None:
    code = """
import anonator
from pathlib import Path
anonator.anonymize("visit.mp4")
anonator.anonymize(Path("talk.mov"), "out.mp4")
anonator.anonymize("a.mkv", target=Path("results") / "a.mp4", overwrite=True)
for video in Path("recordings").glob("*.mp4"):
    anonator.anonymize(video)
"""
    assert videos_for(code) == {
        "visit.mp4", "talk.mov", "a.mkv", "recordings/one.mp4", "recordings/two.mp4"
    }  # fmt: skip


def test_an_example_that_fails_is_told(tmp_path: Path, astronaut: object) -> None:
    with pytest.raises(AssertionError, match="NameError"):
        run_example("import anonator\nanonator.Settings(mode=mosaic)\n", tmp_path, astronaut)
    assert run_example("import anonator\nprint(anonator.__name__)\n", tmp_path, astronaut) == "anonator\n"
