"""Locks on open files, which the system frees when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

CONTENDED = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK, getattr(errno, "EDEADLOCK", 0))
"""What systems say of a file that somebody else has locked; all else means that a drive knows no locks."""

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def release(descriptor: int) -> None:
        """Unlock a file before closing it, because Windows may take a while to unlock a closed one."""
        with contextlib.suppress(OSError):
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(descriptor: int) -> None:
        """Unlock a file before it is closed."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def take_if_known(descriptor: int) -> bool:
    """Lock a file unless someone else has; False if someone has.

    Raises:
        OSError: the drive knows no locks.
    """
    try:
        _take(descriptor)
    except OSError as exc:
        if exc.errno in CONTENDED:
            return False
        raise
    return True


def take(descriptor: int) -> bool:
    """Lock a file unless someone else has; False if someone has, or the drive knows no locks."""
    try:
        _take(descriptor)
    except OSError:
        return False
    return True
