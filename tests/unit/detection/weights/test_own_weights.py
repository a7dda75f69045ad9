"""Weights that people bring: recognized, copied to where they are looked for, or refused."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from unit.detection.weights.weight_helpers import (
    CONTENT,
    DIGEST,
    KNOWN,
    OTHER,
    UNPUBLISHED,
    left_behind,
    place,
)

from anonator.core.config import Model
from anonator.core.detection import weights
from anonator.core.detection.known_weights import SPECS
from anonator.core.detection.weights import Check, data_folder, download, find, is_available
from anonator.errors import (
    ModelError,
    WeightsInvalidError,
    WeightsMissingError,
)


def test_an_own_file_is_accepted_and_its_checksum_reported(tmp_path: Path) -> None:
    own = tmp_path / "trained_here.pth"
    own.write_bytes(OTHER)
    found = find(KNOWN, own)
    assert (found.path, found.check) == (own, Check.UNKNOWN)
    assert found.sha256 == hashlib.sha256(OTHER).hexdigest()
    assert "user's own" in found.origin
    assert is_available(KNOWN, own)


def test_an_own_file_that_is_a_known_one_is_recognized(tmp_path: Path) -> None:
    own = tmp_path / "renamed.bin"
    own.write_bytes(CONTENT)
    assert find(KNOWN, own).check is Check.PUBLISHED


@pytest.mark.parametrize("what", ["nowhere.pth", "empty_folder"])
def test_a_named_place_without_weights_is_an_error_not_a_fall_back(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty_folder").mkdir()
    with pytest.raises(WeightsMissingError, match="that was given"):
        find(Model.MOBILENET, tmp_path / what)
    assert not is_available(Model.MOBILENET, tmp_path / what)


def test_an_environment_folder_without_the_file_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.ENVIRONMENT_FOLDER, str(tmp_path / "absent"))
    assert find(Model.MOBILENET).check is Check.PUBLISHED


# Weights for which no checksum is published
def test_weights_without_a_published_checksum_are_the_users_own() -> None:
    path = place(data_folder(), CONTENT, UNPUBLISHED)
    found = find(UNPUBLISHED)
    assert (found.path, found.check, found.sha256) == (path, Check.UNKNOWN, DIGEST)
    assert "user's own" in found.origin and is_available(UNPUBLISHED)
    path.write_bytes(OTHER)
    assert find(UNPUBLISHED).sha256 == hashlib.sha256(OTHER).hexdigest()
    assert left_behind() == {path.name}


def test_weights_that_cannot_be_checked_are_not_fetched() -> None:
    assert not weights.can_be_downloaded(UNPUBLISHED) and weights.can_be_downloaded(KNOWN)
    for attempt in (find, download):
        with pytest.raises(WeightsMissingError, match=r"no checksum is published") as caught:
            attempt(UNPUBLISHED)
        assert SPECS[UNPUBLISHED].file_name in str(caught.value) and "--weights" in str(caught.value)
    assert not data_folder().exists()


def test_a_file_of_the_users_is_copied_to_where_the_engine_looks(tmp_path: Path) -> None:
    own = tmp_path / "found somewhere.pth"
    own.write_bytes(CONTENT)
    adopted = weights.adopt(KNOWN, own)
    assert find(KNOWN) == adopted and adopted.path.read_bytes() == CONTENT
    assert own.read_bytes() == CONTENT and left_behind() == {SPECS[KNOWN].file_name}


@pytest.mark.parametrize(
    "content", [OTHER, CONTENT[:-1], b"<html>" + CONTENT], ids=["other", "cut", "a page"]
)
def test_a_wrong_file_never_takes_the_place_of_a_right_one(tmp_path: Path, content: bytes) -> None:
    place(data_folder())
    own = tmp_path / "wrong.pth"
    own.write_bytes(content)
    with pytest.raises(WeightsInvalidError, match="not the weights file"):
        weights.adopt(KNOWN, own)
    assert find(KNOWN).path.read_bytes() == CONTENT and left_behind() == {SPECS[KNOWN].file_name}


def test_adopting_without_a_published_checksum_takes_weights_and_no_web_page(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(b"<html>")
    with pytest.raises(WeightsInvalidError, match="not the weights file"):
        weights.adopt(UNPUBLISHED, own)
    assert not data_folder().exists()
    own.write_bytes(CONTENT)
    assert weights.adopt(UNPUBLISHED, own).check is Check.UNKNOWN
    own.write_bytes(OTHER)
    assert weights.adopt(UNPUBLISHED, own).sha256 == hashlib.sha256(OTHER).hexdigest()
    assert find(UNPUBLISHED).path.read_bytes() == OTHER


def test_a_file_that_is_gone_or_cannot_be_copied_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsMissingError, match="Choose another"):
        weights.adopt(KNOWN, tmp_path / "gone.pth")
    own = tmp_path / "own.pth"
    own.write_bytes(CONTENT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(own))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ModelError, match="disk has enough space") as caught:
        weights.adopt(KNOWN, own)
    assert str(tmp_path) not in str(caught.value) and left_behind() == set()  # nothing half copied


def test_a_web_page_is_never_taken_for_weights() -> None:
    place(data_folder(), b"<!DOCTYPE html><title>Gone</title>", UNPUBLISHED)
    with pytest.raises(WeightsInvalidError, match="does not contain PyTorch weights"):
        find(UNPUBLISHED)
