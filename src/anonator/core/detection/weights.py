"""Finds model weights, checks them, and downloads them once the user has agreed."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import platformdirs

from anonator import models
from anonator.core import durable_files
from anonator.core.config import Model
from anonator.core.detection.known_weights import SPECS, WeightsSpec
from anonator.errors import DownloadError, ModelError, WeightsInvalidError, WeightsMissingError

logger = logging.getLogger(__name__)

ENVIRONMENT_FOLDER = "ANONATOR_WEIGHTS_DIR"


class Check(Enum):
    """How much a file's SHA-256 proves about it."""

    PUBLISHED = "the published SHA-256"
    UNKNOWN = "the user's own file; its SHA-256 is not a known one"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """Weights that may be loaded."""

    path: Path
    sha256: str
    origin: str
    """One sentence for the report."""
    check: Check


class _Place(Enum):
    """Where a file was found, with what to do if it is the wrong one."""

    SETTINGS = "Put the right file where the settings say, or clear that setting."
    ENVIRONMENT = f"Replace or remove it in the folder that {ENVIRONMENT_FOLDER} names."
    DATA = "Download the weights again."
    PACKAGE = "Install Anonator again."


def data_folder() -> Path:
    """The platform's folder for downloaded weights; it need not exist."""
    return Path(platformdirs.user_data_dir("Anonator", appauthor=False)) / "weights"


def human_size(model: Model) -> str:
    """How large a model's weights are, in words."""
    return SPECS[model].human_size


def can_be_downloaded(model: Model) -> bool:
    """Whether the program can fetch a model's weights and check what arrives."""
    return SPECS[model].url is not None


def is_available(model: Model, override: Path | None = None) -> bool:
    """Whether a model's weights are on this computer; quick, because only find() reads them."""
    if override is not None and override.is_file():
        return True
    spec = SPECS[model]
    for path, _ in _candidates(spec, override):
        if path.is_file():
            return spec.size_bytes in (None, path.stat().st_size)
    return False


def find(model: Model, override: Path | None = None) -> WeightsFile:
    """The weights to load for a model, checked.

    They are looked for in the override, or else in the folder that ANONATOR_WEIGHTS_DIR names, the data
    folder and the package. The first file found must be right: trying another would hide the problem.

    Args:
        model: the network.
        override: the user's own file, accepted whatever its SHA-256, or a folder with the known file.

    Raises:
        WeightsMissingError: saying how to get them.
        WeightsInvalidError: a file was found, but it is the wrong one.
    """
    spec = SPECS[model]
    if override is not None and override.is_file():
        return _own_file(spec, override)
    for path, place in _candidates(spec, override):
        if path.is_file():
            return _checked(spec, path, place)
    if override is not None and not override.is_dir():
        raise WeightsMissingError(
            f"The weights file that was given for {model.value} does not exist. "
            "Check its name, or leave it out."
        )
    if override is not None:
        raise WeightsMissingError(
            f"The folder that was given for the weights of {model.value} does not hold {spec.file_name}. "
            "Put it there, or leave the folder out."
        )
    if spec.sha256 is None:
        raise WeightsMissingError(
            f"The weights of {model.value} ({spec.human_size}) are not on this computer. They cannot be "
            f"downloaded here, because no checksum is published for them. If you have {spec.file_name}, "
            f"choose it in the window or with --weights, or put it into {data_folder()}."
        )
    if spec.url is None:
        raise WeightsMissingError(
            f"The weights of {model.value}, which come with the program, are missing. {_Place.PACKAGE.value}"
        )
    raise WeightsMissingError(
        f"The weights of {model.value} ({spec.human_size}) are not on this computer. Download them in the "
        f"window or with --download-models, or put {spec.file_name} into {data_folder()}."
    )


def download(
    model: Model,
    progress: Callable[[int, int | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    url: str | None = None,
) -> WeightsFile:
    """Fetch a model's weights into the data folder; call it only after the user said yes.

    Args:
        model: the network.
        progress: called in this thread with bytes there and bytes in all (None: the server does not say).
        cancelled: called now and then; True stops, keeping what has arrived for later.
        url: another https address that has the same file.

    Raises:
        DownloadError: no network, refused, interrupted, disk full.
        WeightsInvalidError: what arrived is not the right file; it was removed.
        JobCancelled: cancelled returned True.
    """
    from anonator.core.detection.download import (  # the window imports this module at its start
        Download,
        exclusive,
    )

    spec = SPECS[model]
    address = url or spec.url
    if address is None or spec.size_bytes is None:
        return find(model)
    target = data_folder() / spec.file_name
    part = target.with_name(target.name + ".part")
    with exclusive(target.with_name(target.name + ".lock")):
        if target.is_file():
            try:
                return _checked(spec, target, _Place.DATA)
            except WeightsInvalidError as exc:
                logger.warning("Weights of %s are fetched again: %s", model.value, exc)
        Download(
            url=address,
            part=part,
            size=spec.size_bytes,
            advice=f"Look for a newer Anonator, or put {spec.file_name} into {target.parent} yourself.",
            progress=progress,
            cancelled=cancelled,
        ).run()
        try:
            arrived = _checked(spec, part, _Place.DATA)
            durable_files.replace(part, target)
        except WeightsInvalidError:
            part.unlink(missing_ok=True)
            raise
        except OSError as exc:
            raise DownloadError(
                "The downloaded weights could not be moved into place. Close other windows of Anonator, "
                "then try "
                "again."
            ) from exc
    return WeightsFile(target, arrived.sha256, arrived.origin, arrived.check)


def adopt(model: Model, file: Path) -> WeightsFile:
    """Copy a weights file that the user has into the data folder, where find() looks.

    Args:
        model: the network that it belongs to.
        file: it is only read.

    Raises:
        WeightsMissingError: it is not there.
        WeightsInvalidError: it is not the right one; what was in the data folder stays.
        ModelError: it could not be copied.
    """
    spec = SPECS[model]
    if not file.is_file():
        raise WeightsMissingError("This file no longer exists. Choose another one.")
    target = data_folder() / spec.file_name
    part = target.with_name(f"{target.name}.{os.getpid()}.copy")
    try:
        # before copying gigabytes of something else
        if spec.size_bytes not in (None, file.stat().st_size):
            raise WeightsInvalidError("its size is wrong")
        if spec.sha256 is None:
            _require_checkpoint(spec, file, _Place.DATA)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
        # checks the copy, not the file: nobody can change it in between
        checked = _checked(spec, part, _Place.DATA)
        durable_files.replace(part, target)
    except WeightsInvalidError as exc:
        raise WeightsInvalidError(
            f"This is not the weights file of {model.value}. Choose {spec.file_name}"
            + (", or download it." if spec.url else ".")
        ) from exc
    except OSError as exc:
        raise ModelError(
            "The weights file could not be copied into the program's folder. "
            "Check that it can be read and that the disk has enough space."
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return WeightsFile(target, checked.sha256, checked.origin, checked.check)


def _candidates(spec: WeightsSpec, override: Path | None) -> Iterator[tuple[Path, _Place]]:
    if override is not None:
        yield override / spec.file_name, _Place.SETTINGS
        return
    if folder := os.environ.get(ENVIRONMENT_FOLDER):
        yield Path(folder) / spec.file_name, _Place.ENVIRONMENT
    yield data_folder() / spec.file_name, _Place.DATA
    # __file__, unlike a path relative to the working folder, is right in a frozen program too
    yield Path(models.__file__).parent / spec.file_name, _Place.PACKAGE


def _own_file(spec: WeightsSpec, path: Path) -> WeightsFile:
    return _described(spec, path, _sha256(path, _Place.SETTINGS))


def _described(spec: WeightsSpec, path: Path, digest: str) -> WeightsFile:
    if digest == spec.sha256:
        return WeightsFile(path, digest, spec.origin, Check.PUBLISHED)
    return WeightsFile(path, digest, "The user's own file.", Check.UNKNOWN)


def _checked(spec: WeightsSpec, path: Path, place: _Place) -> WeightsFile:
    """The file, if its size and SHA-256 are right, as far as they are known."""
    size = path.stat().st_size
    if spec.size_bytes is not None and size != spec.size_bytes:
        raise WeightsInvalidError(
            f"The weights file {spec.file_name} is incomplete or not the right one: it has {size:,} bytes "
            f"instead of {spec.size_bytes:,}. {place.value}"
        )
    digest = _sha256(path, place)
    if spec.sha256 is None:
        _require_checkpoint(spec, path, place)
    elif digest != spec.sha256:
        raise WeightsInvalidError(
            f"The weights file {spec.file_name} is damaged or not the right one: its SHA-256 is wrong. "
            f"{place.value}"
        )
    return _described(spec, path, digest)


def _require_checkpoint(spec: WeightsSpec, path: Path, place: _Place) -> None:
    """Without a published SHA-256, at least never take a web page: PyTorch writes zip files or pickles."""
    with path.open("rb") as file:
        head = file.read(4)
    if head != b"PK\x03\x04" and head[:1] != b"\x80":
        raise WeightsInvalidError(
            f"The file {spec.file_name} does not contain PyTorch weights. {place.value}"
        )


def _sha256(path: Path, place: _Place) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as exc:
        raise WeightsInvalidError(f"The weights file cannot be read. {place.value}") from exc
    return digest.hexdigest()
