"""Who is at work in an archive: one `run` at a time, or the shards of one division side by side.

The system's own lock tells at once whether a holder on this computer, or on a network drive that knows
locks, is still alive. Next to it, a file names the computer and the process: on other drives that file alone
decides, and a holder on another computer is only ever set aside with `--take-over`.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonator.archive.folder import Archive, make_private, write_private
from anonator.archive.rows import Shard
from anonator.core import file_lock
from anonator.core.file_faults import reason
from anonator.core.windows_files import reachable
from anonator.errors import ArchiveError

RUN, PLAN, ROW = "run", "plan", "row-"
PATIENCE, BETWEEN_TRIES = 1.0, 0.05
"""Seconds to wait for a lock that another process may only be trying, and between two tries."""
TRIES = 20
"""To remove a file that somebody is reading."""
_SHARD = re.compile(r"shard-(\d+)-of-(\d+)")


class Busy(ArchiveError):
    """Somebody else is at work on the same rows."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work, as the file next to a lock says."""

    what: str
    """RUN, PLAN, or the name of a shard."""
    host: str
    process: int
    since: str
    """UTC, such as "2026-03-01 10:20"."""

    def __str__(self) -> str:
        """Who it is, within a sentence."""
        shard = _SHARD.fullmatch(self.what)
        doing = f"shard {shard[1]}/{shard[2]}" if shard else f"anonator archive {self.what}"
        return f"{doing} on {self.host or 'a computer'} (process {self.process}, since {self.since} UTC)"


@contextlib.contextmanager
def at_work(archive: Archive, shard: Shard | None = None, *, take_over: bool = False) -> Iterator[None]:
    """Hold an archive's rows, or a shard of them, while this context lasts.

    Args:
        archive: whose rows.
        shard: which share of them; None means all.
        take_over: set aside a holder whose computer can't be asked.

    Raises:
        Busy: somebody else is at work on some of them.
        ArchiveError: no lock can be made.
    """
    own = RUN if shard is None else f"shard-{shard.part}-of-{shard.parts}"
    with _held(archive, own, take_over=take_over):
        for other in _names(archive):
            if _overlap(own, other):
                # held for a moment only: what is left there by someone who has gone is removed
                with _held(archive, other, take_over=take_over):
                    pass
        try:
            yield
        finally:
            _sweep_rows(archive)


def _sweep_rows(archive: Archive) -> None:
    """Remove the locks of rows whose workers were killed; the system has freed them, but not their files."""
    with contextlib.suppress(OSError):
        for name in os.listdir(reachable(archive.locks)):
            if name.startswith(ROW) and name.endswith(".lock"):
                with (
                    contextlib.suppress(ArchiveError),
                    _locked(archive, name.removesuffix(".lock"), patience=0.0),
                ):
                    pass


@contextlib.contextmanager
def planning(archive: Archive) -> Iterator[None]:
    """Hold the plan itself while it is written anew.

    Raises:
        Busy: somebody else does the same.
        ArchiveError: no lock can be made.
    """
    with _held(archive, PLAN, take_over=False):
        yield


@contextlib.contextmanager
def one_row(archive: Archive, number: int) -> Iterator[None]:
    """Hold one row, so that a worker whose run has ended isn't joined by another; waits while it is held.

    Where the drive knows no locks nobody is kept out, and the first result to get its name stays.

    Raises:
        ArchiveError: no lock can be made.
    """
    with _locked(archive, f"{ROW}{number}", patience=None):
        yield


def holders(archive: Archive) -> list[Holder]:
    """Who is at work, or was when a computer was switched off."""
    found = []
    for name in _names(archive):
        who = _read(archive, name)
        if who is None:
            continue
        if who.host == socket.gethostname():
            # also where nothing may be written, so that nobody can tell
            with contextlib.suppress(ArchiveError), _locked(archive, name, patience=0.0) as knows_locks:
                if knows_locks:
                    continue  # it has ended, and only its name is left
        found.append(who)
    return found


def _overlap(one: str, other: str) -> bool:
    """Whether two that aren't the same have rows in common: shards of one division have none."""
    if one == other or PLAN in (one, other):
        return False
    shards = _SHARD.fullmatch(one), _SHARD.fullmatch(other)
    return shards[0] is None or shards[1] is None or shards[0][2] != shards[1][2]


def _names(archive: Archive) -> list[str]:
    try:
        names = os.listdir(reachable(archive.locks))
    except OSError:
        return []
    return sorted({name.removesuffix(".json") for name in names if name.endswith(".json")})


@contextlib.contextmanager
def _held(archive: Archive, name: str, *, take_over: bool) -> Iterator[None]:
    with _locked(archive, name, patience=PATIENCE) as knows_locks:
        _claim(archive, name, knows_locks=knows_locks, take_over=take_over)
        try:
            yield
        finally:
            _forget(_file(archive, name))


@contextlib.contextmanager
def _locked(archive: Archive, name: str, *, patience: float | None) -> Iterator[bool]:
    """Hold the system's lock of that name; False where the drive knows none.

    Args:
        patience: seconds to wait for it; None means for ever.

    Raises:
        Busy: somebody else holds it.
        ArchiveError: its file can't be made.
    """
    path = reachable(archive.locks / f"{name}.lock")
    end = None if patience is None else time.monotonic() + patience
    try:
        make_private(archive.locks)
        while (descriptor := _taken(path)) is None:
            if end is not None and time.monotonic() >= end:
                raise _busy(_read(archive, name), name, again=False)
            time.sleep(BETWEEN_TRIES)
    except OSError as exc:
        raise ArchiveError(f"The archive can't be written to: {reason(exc, path)}.") from None
    try:
        yield descriptor >= 0
    finally:
        if descriptor >= 0:
            _let_go(descriptor, path)


def _taken(path: Path) -> int | None:
    """The descriptor of a lock's file that is now held; None if somebody else has it, -1 without locks."""
    descriptor, keep = os.open(path, os.O_RDWR | os.O_CREAT, 0o600), False
    try:
        if not file_lock.take_if_known(descriptor):
            return None
        # who let go has removed the file, and another one may be there by now
        keep = os.name != "posix" or os.path.samestat(os.fstat(descriptor), os.stat(path))
        return descriptor if keep else None
    except FileNotFoundError:
        return None
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        return -1
    finally:
        if not keep:
            os.close(descriptor)


def _claim(archive: Archive, name: str, *, knows_locks: bool, take_over: bool) -> None:
    """Put this process's name into the file, unless another's is there that counts."""
    file, who = _file(archive, name), _read(archive, name)
    if who is not None and not take_over and not (knows_locks and who.host == socket.gethostname()):
        raise _busy(who, name, again=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    own = Holder(name, socket.gethostname(), os.getpid(), now.strftime("%Y-%m-%d %H:%M"))
    if knows_locks:
        write_private(file, _json(own))
        return
    try:
        if who is not None:
            # of two that take over, one finds the file gone
            os.rename(file, file.with_name(f"{name}.{os.getpid()}.old"))
            file.with_name(f"{name}.{os.getpid()}.old").unlink()
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(_json(own))
    except (FileExistsError, FileNotFoundError):
        raise _busy(_read(archive, name), name, again=True) from None
    except OSError as exc:
        raise ArchiveError(f"The archive can't be written to: {reason(exc, file)}.") from None


def _forget(file: Path) -> None:
    """Remove a holder's name; one that can't be removed counts as ended wherever the system's lock tells.

    Windows removes no file that somebody is just reading, so it is tried for a second.
    """
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
            return
        time.sleep(BETWEEN_TRIES)


def _let_go(descriptor: int, path: Path) -> None:
    """Remove the lock's file while it is held, so that none is left; Windows removes no open file."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)
    else:
        file_lock.release(descriptor)
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(path)


def _file(archive: Archive, name: str) -> Path:
    return reachable(archive.locks / f"{name}.json")


def _json(who: Holder) -> bytes:
    values = {"what": who.what, "host": who.host, "process": who.process, "since": who.since}
    return (json.dumps(values) + "\n").encode()


def _read(archive: Archive, name: str) -> Holder | None:
    """Who is named in a lock's file; someone unknown if that can't be read."""
    try:
        values: dict[str, Any] = json.loads(_file(archive, name).read_bytes())
        return Holder(name, str(values["host"]), int(values["process"]), str(values["since"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(name, "", 0, "an unknown time")


def _busy(who: Holder | None, name: str, *, again: bool) -> Busy:
    if name == PLAN:
        return Busy("Somebody else is changing this archive's plan. Try again when they are done.")
    told = f"{who}" if who is not None else "Another `anonator archive run`"
    sentence = f"{told[0].upper()}{told[1:]} is at work on these rows. "
    if not again:
        return Busy(sentence + "Wait until it has ended, or stop it.")
    return Busy(sentence + "If that computer no longer runs it, --take-over sets it aside.")
