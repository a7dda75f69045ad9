"""Names the results of a run: never two alike, and never the name of one of its videos."""

from __future__ import annotations

import functools
import itertools
import os
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anonator.core.config import Settings
from anonator.core.job import default_target, page_target, report_target, result_target
from anonator.core.windows_files import reachable


@dataclass(frozen=True, slots=True)
class ResultName:
    """Where one video's result is saved."""

    source: Path
    """The video."""
    target: Path
    """The result's final name."""
    why: str = ""
    """Why it is not the plain name, or not made at all, for people; it holds names, so no log may see it."""
    same_as: Path | None = None
    """An earlier video that is the same file under another path; they share one result."""


def plan(
    sources: Sequence[Path],
    folder: Path | None,
    settings: Settings,
    *,
    inputs: Iterable[Path] = (),
    results: Iterable[ResultName] = (),
    avoid_existing: bool = False,
    report_folder: Path | None = None,
) -> tuple[ResultName, ...]:
    """Name the results of a run before it begins: the same videos in the same order get the same names.

    Args:
        sources: the videos, in their order; of equal names the first stays plain, the others are numbered.
        folder: where results are saved; None means next to each video.
        settings: of the run; names that are random anyway are never numbered.
        inputs: more videos whose files must stay what they are; those of sources always do.
        results: results that already have their names.
        avoid_existing: also avoid the names of existing files, so that none is replaced.
        report_folder: where all reports are saved, in which no two may have one name; None means next to each
            result.
    """
    names = _Names(folder, settings, [*sources, *inputs], results, avoid_existing, report_folder)
    return tuple(names.give(source) for source in sources)


def is_taken(target: Path, settings: Settings, report_folder: Path | None = None) -> bool:
    """Whether a result of that name, or its report or the report's page, already exists."""
    made = [target]
    if settings.report:
        made += [report_target(target, report_folder), page_target(target, report_folder)]
    return any(os.path.lexists(reachable(path)) for path in made)  # a broken link takes the name too


class _Names:
    """Gives the names of one run, one after the other."""

    def __init__(
        self,
        folder: Path | None,
        settings: Settings,
        inputs: Sequence[Path],
        results: Iterable[ResultName],
        avoid_existing: bool,
        report_folder: Path | None,
    ) -> None:
        self._folder, self._settings = folder, settings
        self._report_folder = report_folder if settings.report else None
        self._avoid_existing = avoid_existing or settings.neutral_name
        self._place = functools.cache(_place)
        self._file = functools.cache(_file)
        self._inputs = inputs
        self._input_keys = {self._key(path) for path in inputs}
        self._given: dict[Hashable, ResultName] = {}
        self._reported: dict[Hashable, ResultName] = {}
        """By the names of their reports, where all of those are in one folder."""
        for name in results:
            self._keep(name)
        self._first: dict[Hashable, ResultName] = {}
        """The first video of each plain name."""
        self._alike: dict[tuple[Hashable, Hashable], ResultName] = {}
        """All videos of a plain name that several have, by it and their file."""
        self._next: dict[Hashable, int] = {}
        """The first number that may still be free, by plain name."""

    def give(self, source: Path) -> ResultName:
        """The next video's."""
        plain = default_target(source, self._folder)
        key = self._key(plain)
        first = self._first.get(key)
        if first is not None:  # only then, because looking at every file is slow on a network drive
            self._alike.setdefault((key, self._file(first.source)), first)
            same = self._alike.get((key, self._file(source)))
            if same is not None:
                why = f"This is the same video as {same.source}, so it is done only once."
                return ResultName(source, same.target, why, same_as=same.source)
        name = self._neutral(source) if self._settings.neutral_name else self._numbered(source, plain)
        if first is None:
            self._first[key] = name
        else:
            self._alike[key, self._file(source)] = name
        self._keep(name)
        return name

    def _keep(self, name: ResultName) -> None:
        self._given[self._key(name.target)] = name
        if self._report_folder is not None:
            self._reported[folded(name.target.stem)] = name

    def _neutral(self, source: Path) -> ResultName:
        drawn = (result_target(source, self._folder, self._settings) for _ in itertools.count())
        return ResultName(source, next(target for target in drawn if not self._obstacle(target)))

    def _numbered(self, source: Path, plain: Path) -> ResultName:
        obstacle = self._obstacle(plain)
        if not obstacle:
            return ResultName(source, plain)
        key = self._key(plain)
        for number in itertools.count(self._next.get(key, 2)):
            target = plain.with_name(f"{plain.stem}_{number}{plain.suffix}")
            if not self._obstacle(target):
                self._next[key] = number + 1
                return ResultName(source, target, f"The result is named {target.name}, because {obstacle}.")
        raise AssertionError("numbers do not end")

    def _obstacle(self, target: Path) -> str:
        """Why a result cannot have that name; empty if it can."""
        other = self._given.get(self._key(target))
        if other is not None:
            if other.target.name == target.name:
                return f"{target.name} is the result of {other.source}"
            return (
                f"some disks treat {target.name} and {other.target.name}, the result of {other.source}, as "
                f"the same name"
            )
        other = self._reported.get(folded(target.stem))
        if other is not None:
            return f"the report of {other.source} has the same name in the folder for reports"
        if self._is_input(target):
            return f"{target.name} is itself one of the videos"
        if self._avoid_existing and is_taken(target, self._settings, self._report_folder):
            return f"{target.name} or its report already exists"
        if self._is_reported(target):
            return "the folder for reports has one of that name already"
        return ""

    def _is_reported(self, target: Path) -> bool:
        """Whether the folder for all reports has one of this name that belongs to another result."""
        if self._report_folder is None or os.path.lexists(reachable(target)):
            return False
        return is_taken(target, self._settings, self._report_folder)

    def _is_input(self, target: Path) -> bool:
        folder = self._report_folder
        made = (target, report_target(target, folder), page_target(target, folder))
        if any(self._key(path) in self._input_keys for path in made):
            return True
        # the file behind a link that was named as a video
        return os.path.exists(reachable(target)) and self._file(target) in self._input_files

    @functools.cached_property
    def _input_files(self) -> frozenset[Hashable]:
        return frozenset(map(self._file, self._inputs))

    def _key(self, path: Path) -> tuple[Hashable, str]:
        """Equal for two paths that are, or on some disk could be, the same name in the same folder."""
        return self._place(path.parent), folded(path.name)


def folded(name: str) -> str:
    """A name without what disks may ignore: case, how a letter is composed, invisible marks."""
    if name.isascii():
        return name.lower()
    # upper first: Windows compares capitals, of which some are shared by two small letters
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name.upper()).casefold())
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")


def _place(folder: Path) -> Hashable:
    """The same for all paths to one folder."""
    try:
        status = os.stat(reachable(folder))
    except OSError:
        return folded(os.path.realpath(folder))
    # some network drives don't number their files
    return (status.st_dev, status.st_ino) if status.st_ino else folded(os.path.realpath(folder))


def _file(path: Path) -> Hashable:
    """The same for all paths to one file, and for no two files."""
    try:
        status = os.stat(reachable(path))
    except OSError:
        return os.path.realpath(path)
    if not status.st_ino:
        return os.path.realpath(path)
    # size and time too, for drives whose numbers are not unique: a video left out would be a silent loss
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
