"""The rules of who may import whom, read from the source itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "anonator"
MODULES = sorted(SOURCE.rglob("*.py"))
CORE, UI = SOURCE / "core", SOURCE / "ui"


def imported(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Full names of all modules that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return names


def roots(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_keep_to_their_rooms(path: Path) -> None:
    names = imported(path)
    if CORE in path.parents:
        assert not {"tkinter", "tkinterdnd2"} & roots(names)
        if path.parent.name != "detection" and path.name != "detector.py":
            assert not {"torch", "torchvision"} & roots(names), "only the detector's rooms import torch"
        own = {name.split(".")[1] for name in names if name.startswith("anonator.")}
        assert own <= {"core", "errors", "models"}, "core knows single jobs only, and not who asks for them"
    if not (path.parent.name == "archive" and path.name.startswith("cluster")):
        assert not {"dask", "distributed", "dask_jobqueue"} & roots(names), "few have Dask installed"
    if UI in path.parents:
        assert not {"torch", "torchvision", "cv2", "av"} & roots(names)
        known = {name.split(".")[2] for name in names if name.startswith("anonator.archive.")}
        assert known <= {"folder", "review"}, "the window reviews archives, and no more"
    if UI not in path.parents and path.name != "main.py":
        assert not any(name.startswith("anonator.ui") for name in names), "only main.py wires ui and core"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path.name} has no docstring"


@pytest.mark.parametrize(
    "module",
    ["anonator.main", "anonator.core.job_thread", "anonator.ui.main_window", "anonator.archive.run"],
)
def test_starting_does_not_load_the_engine(module: str) -> None:
    """A failure means that the window stands seconds late."""
    heavy = ("torch", "cv2", "av", "scipy", "dask")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert run.stdout.strip() == "[]"


STAGES = ("pictures", "reading", "detection", "tracking", "review", "writing", "checks")
"""The folders of core, in the order in which a frame meets them."""
CONDUCTORS = (
    "processor.py", "preflight.py", "attempt.py", "examining.py", "finishing.py", "keeping.py", "forecast.py",
    "job_thread.py", "preview.py",
)  # fmt: skip
"""Modules of core that put the stages together, and so know all of them."""


def stages_imported(path: Path) -> set[str]:
    """The stages of which a file imports something."""
    parts = (name.split(".") for name in imported(path))
    return {p[2] for p in parts if p[:2] == ["anonator", "core"] and len(p) > 2 and p[2] in STAGES}


def own_imports() -> dict[str, set[str]]:
    """Every module of the program with those of its modules that it imports, also for type checking alone."""
    names = {".".join(("anonator", *p.relative_to(SOURCE).with_suffix("").parts)): p for p in MODULES}
    return {name: imported(path) & names.keys() for name, path in names.items()}


def test_every_folder_of_core_has_its_place_on_a_frame_s_way() -> None:
    assert {path.parent.name for path in CORE.rglob("*.py")} - {"core"} == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_later_one(stage: str) -> None:
    later = set(STAGES[STAGES.index(stage) + 1 :])
    for path in (CORE / stage).glob("*.py"):
        assert not stages_imported(path) & later, f"{stage}/{path.name} knows what comes after it"
        modules = {name.removeprefix("anonator.core.").split(".")[0] + ".py" for name in imported(path)}
        assert not modules & set(CONDUCTORS), f"{stage}/{path.name} knows who puts the stages together"


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda p: p.name)
def test_only_conductors_know_the_stages(path: Path) -> None:
    if path.name not in CONDUCTORS:
        assert not stages_imported(path), "what all stages may use knows none of them"


def test_no_two_modules_of_core_need_each_other() -> None:
    """Not even for type checking: a circle means that two modules are one, or that a third is missing."""
    graph = {name: found for name, found in own_imports().items() if name.startswith("anonator.core.")}
    while free := {name for name, found in graph.items() if not found & graph.keys()}:
        graph = {name: found for name, found in graph.items() if name not in free}
    assert not graph, f"in or before a circle: {sorted(graph)}"


BELOW = {
    "look": {"look"},
    "state": {"state"},
    "work": {"work", "state", "look.pictures"},
    "panels": {"panels", "look", "state"},
    "review": {"review", "look", "state", "work"},
}
"""Of the window's folders: what of the window each may import."""


@pytest.mark.parametrize("folder", BELOW)
def test_a_part_of_the_window_knows_only_what_lies_below_it(folder: str) -> None:
    modules = sorted((UI / folder).glob("*.py"))
    assert modules
    for path in modules:
        names = imported(path)
        for name in names:
            part = name.removeprefix("anonator.ui.")
            if part != name:
                assert any(f"{part}.".startswith(f"{allowed}.") for allowed in BELOW[folder]), (
                    f"{folder}/{path.name} imports {name}"
                )
        assert "anonator.ui" not in names
        if folder in ("state", "work"):
            assert not {"tkinter", "tkinterdnd2"} & roots(names), f"{folder}/{path.name} knows of widgets"


def test_no_modules_of_the_window_import_each_other_in_a_circle() -> None:
    modules = {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path for path in UI.rglob("*.py")
    }
    below = {name: imported(path) & set(modules) for name, path in modules.items()}
    while free := [name for name, others in below.items() if not others & set(below)]:
        for name in free:
            del below[name]
    assert sorted(below) == []


def bound(path: Path) -> tuple[set[str], set[str]]:
    """The names that a module defines at its top level, and those that it imports there."""
    own: set[str] = set()
    foreign: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            own.add(node.name)
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                own.add(inner.id)
            elif isinstance(inner, (ast.Import, ast.ImportFrom)):
                foreign |= {alias.asname or alias.name for alias in inner.names}
    return own, foreign


def test_names_are_imported_from_where_they_are_defined() -> None:
    """The package alone passes names on; anywhere else a reader would look for them in the wrong file."""
    names = {".".join(("anonator", *p.relative_to(SOURCE).with_suffix("").parts)): bound(p) for p in MODULES}
    folders = [SOURCE, *(SOURCE.parents[1] / name for name in ("tests", "benchmarks", "tools"))]
    passed_on = [
        f"{path.name}: {alias.name} from {node.module}"
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in names
        for alias in node.names
        if alias.name in names[node.module][1] - names[node.module][0]
    ]
    assert not passed_on
