"""Removes file names from other libraries' errors, before a log or a person can see them."""

from __future__ import annotations

import av


def without_path(exc: BaseException) -> BaseException:
    """The same exception without the file's name, so that a logged traceback names no patient."""
    if isinstance(exc, (av.FFmpegError, OSError)) and len(exc.args) > 2:
        exc.args = exc.args[:2]
    for name in ("filename", "filename2"):
        if getattr(exc, name, None) is not None:
            try:
                setattr(exc, name, None)
            except AttributeError:  # a property that reads args, which are clean by now
                continue
    return exc
