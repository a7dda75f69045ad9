"""Small weights in place of the published ones, and where they lie."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from anonator.core.config import Model
from anonator.core.detection.known_weights import SPECS
from anonator.core.detection.weights import data_folder

CONTENT = b"PK\x03\x04" + random.Random(7).randbytes(1_000_000)
OTHER = b"PK\x03\x04" + random.Random(8).randbytes(1_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
KNOWN, UNPUBLISHED = Model.RESNET50, Model.DSFD


class Calls(list[tuple[int, int | None]]):
    """Records the progress of a download."""

    def __call__(self, done: int, total: int | None) -> None:
        self.append((done, total))

    def require_monotonic(self) -> None:
        done = [call[0] for call in self]
        assert done == sorted(done) and done, "the bar must never go back"


def place(folder: Path, content: bytes = CONTENT, model: Model = KNOWN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SPECS[model].file_name
    path.write_bytes(content)
    return path


def part_of(model: Model) -> Path:
    return data_folder() / (SPECS[model].file_name + ".part")


def leave_part(model: Model, content: bytes, etag: str | None = None) -> None:
    data_folder().mkdir(parents=True, exist_ok=True)
    part_of(model).write_bytes(content)
    if etag is not None:
        part_of(model).with_name(part_of(model).name + ".etag").write_text(etag)


def left_behind() -> set[str]:
    """What lies in the data folder, apart from the lock file, which is empty and stays."""
    return {path.name for path in data_folder().iterdir() if path.suffix != ".lock"}
