"""Runs a job on a file that nobody vouches for and compares its folder before and after."""

from __future__ import annotations

import os
import re
import stat
import struct
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from video_helpers import clip
from wine import under_wine

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job, JobResult
from anonator.core.job_thread import VideoProcessor
from anonator.errors import AnonatorError, InputError

TEN = {"seconds": 0.4}
"""Ten frames."""
HIPAA = Settings(performance=Performance.BALANCED)
STANDARD = Settings.standard(performance=Performance.MAXIMUM)
DEADLINE = 180 if under_wine() else 60
"""Seconds after which a job counts as hanging; none takes more than a few on two free cores."""


@cache
def content(name: str, *options: object, **source: object) -> bytes:
    """The bytes of a small clip; made once."""
    with TemporaryDirectory() as folder:
        return clip(Path(folder, name), *options, **source).read_bytes()


def inventory(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything in a folder: kind, permissions, time of change, and bytes of files or the goal of links."""
    found: dict[bytes, tuple[object, ...]] = {}
    for root, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(root, name)
            status = os.lstat(path)
            inside: object = None
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    inside = status.st_mtime_ns, file.read()
            elif stat.S_ISLNK(status.st_mode):
                inside = os.readlink(path)
            found[os.path.relpath(path, os.fsencode(folder))] = (status.st_mode, inside)
    return found


class Bench:
    """Runs jobs in one folder, with one detector for all."""

    def __init__(self, folder: Path, detectors: DetectorCache) -> None:
        self.folder = folder
        self._detectors = detectors

    def run(self, source: Path, target: Path, settings: Settings, **job: bool) -> JobResult:
        """The job's result or its error, within the deadline."""
        processor = VideoProcessor(Job(source, target, settings, **job), detectors=self._detectors)
        processor.start()
        try:
            return processor.wait(DEADLINE)
        except TimeoutError:
            processor.cancel()
            pytest.fail("the job hangs")

    def refused(
        self,
        source: Path,
        says: str,
        *,
        kind: type[AnonatorError] = InputError,
        settings: Settings = HIPAA,
        target: Path | None = None,
        **job: bool,
    ) -> str:
        """The sentence of a job that must fail; nothing in the folder may have changed."""
        before = inventory(self.folder)
        with pytest.raises(kind) as caught:
            self.run(source, target or self.folder / "out.mp4", settings, **job)
        assert inventory(self.folder) == before
        text = str(caught.value)
        assert re.search(says, text), text
        assert "\n" not in text and text.endswith(".") and len(text) < 300, text
        told = "".join(traceback.format_exception(caught.value)).replace(__file__, "")
        for private in (self.folder.name, source.name, source.stem):
            assert len(private) < 4 or private not in text, "the sentence names the file"
            assert len(private) < 4 or private not in told, "what a log would say names the file"
        return text

    def done(
        self, source: Path, *, settings: Settings = STANDARD, target: Path | None = None, **job: bool
    ) -> JobResult:
        """The result of a job that must succeed; it adds its output and report and changes nothing."""
        before = inventory(self.folder)
        result = self.run(source, target or self.folder / "out.mp4", settings, **job)
        after = inventory(self.folder)
        made = [path for path in (result.target, result.report, result.report_page) if path is not None]
        for path in made:
            after.pop(os.path.relpath(os.fsencode(path), os.fsencode(self.folder)))
        assert after == before
        assert (result.report is not None) == settings.report
        return result


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, kind) of the MP4 boxes between two places."""
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        yield start, start + size, data[start + 4 : start + 8]
        start += size


def edit_box(data: bytes, path: str, change: Callable[[bytes], bytes]) -> bytes:
    """An MP4 file with the body of one box, named like "moov/trak/mdia", changed, and all sizes set right."""
    name, _, rest = path.partition("/")
    for start, end, kind in boxes(data, 0, len(data)):
        if kind == name.encode():
            body = data[start + 8 : end]
            body = edit_box(body, rest, change) if rest else change(body)
            return data[:start] + struct.pack(">I4s", len(body) + 8, kind) + body + data[end:]
    raise LookupError(path)


def overwrite(data: bytes, place: int, new: bytes) -> bytes:
    """The bytes with some of them replaced."""
    return data[:place] + new + data[place + len(new) :]


def can_link(link: Path, target: Path) -> bool:
    """Make a symbolic link where that is allowed; Windows asks for rights."""
    try:
        link.symlink_to(target)
    except OSError:
        return False
    return True
