"""An archive's folder: where its plan, its records and its results are, and what is known about all of it.

DIR/results/                  the finished videos and their reports, as `plan` named them
DIR/private/                  for its owner only: everything else, because it names videos
    archive.json              where the videos are, and the settings they are done with
    plan.csv                  one row for each video
    rows/000/000017.json      what became of a row
    tracks/000/000017.tracks  what was found in it
    locks/                    who is at work
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonator.core import durable_files
from anonator.core.config import Settings
from anonator.core.file_faults import reason
from anonator.core.windows_files import reachable
from anonator.errors import ArchiveError, SettingsError

SCHEMA, VERSION = "anonator-archive", 1
A_FOLDER = 1000
"""Rows whose records share a folder, so that none gets too large to list."""
PATIENCE, BETWEEN_TRIES = 2.0 if os.name == "nt" else 0.0, 0.05
"""Seconds to wait for a file that somebody is reading, and between two tries."""
NO_ARCHIVE = "There is no archive in this folder. `anonator archive plan INPUT... --out DIR` makes one."
NEWER = "This archive was made by another version of Anonator, which is needed to go on with it."


@dataclass(frozen=True, slots=True)
class Archive:
    """The places of one archive."""

    path: Path
    """Absolute."""

    @property
    def results(self) -> Path:
        """Where the finished videos are; this folder can be shared."""
        return self.path / "results"

    @property
    def private(self) -> Path:
        """Where everything else is; this folder can't."""
        return self.path / "private"

    @property
    def about_file(self) -> Path:
        """What is known about the archive as a whole."""
        return self.private / "archive.json"

    @property
    def plan_file(self) -> Path:
        """One row for each video."""
        return self.private / "plan.csv"

    @property
    def records(self) -> Path:
        """The folder of the records' folders."""
        return self.private / "rows"

    @property
    def locks(self) -> Path:
        """Who is at work."""
        return self.private / "locks"

    def record_file(self, number: int) -> Path:
        """What became of a row."""
        return self.records / f"{number // A_FOLDER:03d}" / f"{number:06d}.json"

    def tracks_file(self, number: int) -> Path:
        """What was found in the video of a row, if that is kept."""
        return self.private / "tracks" / f"{number // A_FOLDER:03d}" / f"{number:06d}.tracks"


@dataclass(frozen=True, slots=True)
class About:
    """What is known about an archive as a whole."""

    id: str
    """Random; names its tasks where others may read along."""
    folders: tuple[str, ...] = ()
    """Absolute paths of the folders that the rows' videos are relative to."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Plain settings by their id."""
    keep_tracks: bool = True
    """Whether what is found is kept, to count doubts and to correct it later."""

    def settings_of(self, name: str) -> Settings:
        """The settings of that id.

        Raises:
            ArchiveError: there are none, or this version doesn't know one of them.
        """
        from anonator.core.review.tracks_lines import settings_of

        try:
            return settings_of(self.settings[name])
        except (KeyError, TypeError, ValueError, AttributeError, SettingsError) as exc:
            raise ArchiveError(NEWER) from exc


def with_settings(about: About, settings: Settings) -> tuple[About, str]:
    """The same with these settings in it, and their id, which is the same for equal settings."""
    from anonator.core.review.tracks_lines import plain

    values = plain(settings)
    name = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
    return dataclasses.replace(about, settings={**about.settings, name: values}), name


def make(path: Path) -> tuple[Archive, About]:
    """Open an archive, or make the folders of a new one; nothing is known about that yet.

    Raises:
        ArchiveError: it can't be there.
    """
    archive = Archive(path.absolute())
    if reachable(archive.about_file).exists():
        return archive, read_about(archive)
    try:
        if reachable(archive.private).exists() and any(reachable(archive.private).iterdir()):
            raise ArchiveError("This folder has a folder `private` that isn't an archive's. Choose another.")
        make_private(archive.private)
        reachable(archive.results).mkdir(exist_ok=True)
    except OSError as exc:
        raise ArchiveError(f"The archive can't be made there: {reason(exc, archive.private)}.") from None
    return archive, About(secrets.token_hex(8))


def open_archive(path: Path) -> tuple[Archive, About]:
    """Open an archive that `plan` has made.

    Raises:
        ArchiveError: there is none.
    """
    archive = Archive(path.absolute())
    return archive, read_about(archive)


def is_archive(folder: Path) -> bool:
    """Whether `plan` has made an archive in a folder."""
    return reachable(Archive(folder.absolute()).about_file).is_file()


def make_private(folder: Path) -> None:
    """Make a folder for its owner only, if it is missing.

    Raises:
        OSError: it can't be made.
    """
    folder = reachable(folder)
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(OSError):  # drives without their own permissions refuse this
            os.chmod(folder, 0o700)


def read_about(archive: Archive) -> About:
    """What is known about an archive.

    Raises:
        ArchiveError: nothing is, or by another version.
    """
    try:
        values = json.loads(reachable(archive.about_file).read_bytes())
        if values["schema"] != SCHEMA or values["version"] != VERSION:
            raise ArchiveError(NEWER)
        return About(values["id"], tuple(values["folders"]), values["settings"], values["keep_tracks"])
    except OSError as exc:
        if reachable(archive.private).exists() and not isinstance(exc, FileNotFoundError):
            why = reason(exc, archive.about_file)
            raise ArchiveError(f"The archive can't be read: {why}.") from None
        raise ArchiveError(NO_ARCHIVE) from None
    except (ValueError, KeyError, TypeError) as exc:
        raise ArchiveError("The file archive.json of this archive is damaged. Restore it.") from exc


def write_about(archive: Archive, about: About) -> None:
    """Save what is known about an archive.

    Raises:
        ArchiveError: it can't be written.
    """
    values = {"schema": SCHEMA, "version": VERSION, **dataclasses.asdict(about)}
    write_private(archive.about_file, (json.dumps(values, indent=1) + "\n").encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a file of the archive for its owner only, in one step.

    Windows replaces no file that somebody is just reading, as `status` does, so it is tried for a while.

    Raises:
        ArchiveError: it can't be written.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            durable_files.write(reachable(path), content, private=True)
            return
        except OSError as exc:
            if not isinstance(exc, PermissionError) or time.monotonic() >= end:
                raise ArchiveError(f"The archive can't be written to: {reason(exc, path)}.") from None
        time.sleep(BETWEEN_TRIES)
