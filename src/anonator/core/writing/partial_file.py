"""The unfinished output file: private, under a temporary name, complete or gone, published by one rename."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from anonator.core import durable_files, windows_files
from anonator.core.file_faults import WRITING, Fault, fault_of
from anonator.core.privacy import without_path
from anonator.core.windows_files import reachable, told_by_windows
from anonator.core.writing import mp4_finish as mp4_file
from anonator.core.writing.leftovers import OwnName
from anonator.errors import DiskFullError, InputError, OutputError, OutputExistsError, VerificationError

TRIES, BETWEEN_TRIES = 8, 0.25
"""How often a name is given, and the seconds in between, while Windows says that a file is in use: antivirus
programs and indexers look into every new file for a moment."""


def output_error(exc: BaseException, place: Path | None = None) -> OutputError:
    """The sentence that fits the system's error when writing failed.

    Args:
        exc: what was said.
        place: the file that was to be made or replaced, where it is known.
    """
    if not isinstance(exc, OSError) or exc.errno is None:
        return OutputError("The video could not be encoded. Try again with the libx264 encoder.")
    fault = fault_of(exc, place)
    return (DiskFullError if fault is Fault.FULL else OutputError)(WRITING[fault])


@contextlib.contextmanager
def while_it_is_there(path: Path) -> Iterator[None]:
    """Blame a drive that was pulled out, not the finished file on it, if looking at that file fails.

    Args:
        path: of the finished file.

    Raises:
        OutputError: its folder is out of reach.
    """
    try:
        yield
    except (InputError, VerificationError):
        try:
            os.stat(path.parent)
        except OSError as gone:
            raise output_error(gone, path.parent) from without_path(gone)
        raise


def _exists_error() -> OutputExistsError:
    return OutputExistsError(
        "A file with the output's name already exists. Choose another name, or overwrite it."
    )


def check_target(target: Path, input_id: tuple[int, int], overwrite: bool) -> None:
    """Refuse a final name that cannot or must not be given.

    Args:
        input_id: (device, inode) of the input.

    Raises:
        OutputError: the target is the input, under whatever name, or a folder, or cannot be there.
        OutputExistsError: a file of that name exists, and overwrite is False.
    """
    target = reachable(target)
    if windows_files.is_too_long(target.name):
        raise OutputError(WRITING[Fault.NAME_TOO_LONG])
    refusal = windows_files.refusal(target.name)
    if refusal:
        raise OutputError(f"The result cannot have this name: {refusal}. Choose another one.")
    try:
        status = os.stat(target)
    except FileNotFoundError:
        if not os.path.lexists(target):
            return
        status = os.lstat(target)  # a broken link takes the name too
    except OSError as exc:
        raise output_error(exc, target) from without_path(exc)
    if os.path.isdir(target):
        raise OutputError("A folder with the output's name already exists. Choose another name.")
    if (status.st_dev, status.st_ino) == input_id:
        raise OutputError("The output would replace the input itself. Choose another name or folder.")
    if not overwrite:
        raise _exists_error()


def _umask() -> int:
    """The process's umask; read without changing it where the system says it."""
    with (
        contextlib.suppress(OSError, StopIteration, ValueError),
        open("/proc/self/status", encoding="utf-8", errors="replace") as status,
    ):
        return int(next(line for line in status if line.startswith("Umask:")).split()[1], 8)
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


class TemporaryFile:
    """The unfinished file, as FFmpeg sees it: writes all or raises, and remembers the first error."""

    def __init__(self, folder: Path, suffix: str = ".partial.mp4", *, private: bool = False) -> None:
        """Make the file, for its owner only.

        Args:
            suffix: one of leftovers.SUFFIXES.
            private: it stays for its owner only, also under its final name.

        Raises:
            OutputError: no file can be made in the folder; the message says why.
        """
        self._name = OwnName(reachable(folder))
        self.path = self._name.path(suffix)
        self._private = private
        self.error: OSError | None = None
        self._ignoring = False
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with told_by_windows():
                self._file = io.FileIO(os.open(self.path, flags, 0o600), "r+b")
        except OSError as exc:
            self._name.release(made=False)
            raise output_error(exc, self.path) from without_path(exc)

    def write(self, data: bytes) -> int:
        """Write all of it; a short write, as on a disk that fills, is tried again and then raises."""
        if self._ignoring:
            return len(data)
        view = memoryview(data)
        try:
            with told_by_windows():
                while view:
                    view = view[self._file.write(view) :]
        except OSError as exc:
            self.error = exc
            raise
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        with told_by_windows():
            return self._file.read(size) or b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """As a file's."""
        with told_by_windows():
            return 0 if self._ignoring else self._file.seek(offset, whence)

    def truncate(self, size: int) -> int:
        """As a file's."""
        with told_by_windows():
            return self._file.truncate(size)

    def tell(self) -> int:
        """As a file's."""
        return 0 if self._ignoring else self._file.tell()

    def ignore_writes(self) -> None:
        """From now on accept bytes and discard them."""
        self._ignoring = True

    def finish(self, display_size: tuple[int, int], sar: Fraction) -> int:
        """Move the header to the front and sync everything to the disk; returns the size in bytes."""
        mp4_file.finish(self, display_size, sar)
        return self.close()

    def close(self) -> int:
        """Sync everything to the disk; returns the size in bytes.

        Raises:
            OSError: also for what a network drive took before and could not keep.
        """
        with told_by_windows():
            os.fsync(self._file.fileno())
            size = os.fstat(self._file.fileno()).st_size
            self._file.close()
        return size

    def publish(self, target: Path, overwrite: bool) -> None:
        """Ordinary permissions unless private, then the final name, then the folder's entry onto the disk.

        Raises:
            OutputExistsError: a file of that name has appeared, and overwrite is False.
            OSError: the name cannot be given.
        """
        target = reachable(target)
        if not self._private:
            with contextlib.suppress(OSError):  # drives without their own permissions refuse this
                os.chmod(self.path, 0o666 & ~_umask())
        give = os.replace if overwrite else _rename_to_new
        try:
            _patiently(lambda: give(self.path, target))
        except FileExistsError as exc:
            raise _exists_error() from without_path(exc)
        durable_files.sync_folder(target.parent)
        self._name.release()

    def remove(self) -> None:
        """Close and delete; what cannot be deleted now, the next sweep removes."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._name.release()


def _patiently(give_the_name: Callable[[], None]) -> None:
    """Try again for a moment while Windows says that one of the files is in use.

    Raises:
        OSError: another fault, or a program keeps the file open.
    """
    for left in reversed(range(TRIES)):
        try:
            return give_the_name()
        except PermissionError as exc:
            if getattr(exc, "winerror", None) not in (5, 32, 33) or not left:
                raise
        time.sleep(BETWEEN_TRIES)


def _rename_to_new(path: Path, target: Path) -> None:
    """Rename in one step that fails if the target already exists.

    Raises:
        FileExistsError: it is.
    """
    if sys.platform == "win32":
        os.rename(path, target)  # refuses an existing target
        return
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        # memory sticks and some network drives can't give a file a second name
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.replace(path, target)
    else:
        with contextlib.suppress(OSError):  # the result exists; the next sweep removes its second name
            os.unlink(path)
