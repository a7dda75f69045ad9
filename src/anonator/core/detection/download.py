"""Fetches one file over HTTPS into a partial file, which a later call continues where it stopped."""

from __future__ import annotations

import http.client
import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from anonator.core import file_lock
from anonator.core.file_faults import Fault, fault_of
from anonator.errors import DownloadError, JobCancelled

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes in total, None if the server does not say."""

TIMEOUT_SECONDS = 20.0
"""How long the server may be silent; cancelling never waits longer than this."""
CHUNK_BYTES = 256 * 1024
SPARE_BYTES = 32 * 1024 * 1024
"""Disk space that a download leaves free."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STRONG_ETAG = re.compile(r'"[!#-~]*"')
"""A weak one (W/"...") does not promise the same bytes, so it cannot join two pieces."""
CONTINUE_LATER = "What has arrived is kept: download again to continue from there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file to be fetched."""

    url: str
    """An https address; http only on this computer itself."""
    part: Path
    """The partial file; next to it, while incomplete, a note of the server's version of the file."""
    size: int
    """Bytes that the file must have; the caller compares its checksum too."""
    advice: str = "Try again later."
    """What to do next if the server no longer has the file."""
    progress: Progress | None = None
    """Called in the thread of run(), never with fewer bytes than before."""
    cancelled: Callable[[], bool] | None = None
    """Called between the pieces of the file."""

    def run(self) -> None:
        """Fetch the whole file into the part, continuing what is already there.

        Raises:
            DownloadError: saying what went wrong and what to do.
            JobCancelled: cancelled returned True; the part is kept.
        """
        if not _is_secure(self.url):
            raise DownloadError(
                "Weights are only downloaded over https. Use an address that begins with https://."
            )
        offset = self._resume_point()
        if offset and offset == self.size:
            self._report(offset, offset)
            return
        try:
            try:
                self._transfer(offset)
            except _CannotContinueError:
                _discard(self.part)
                self._transfer(0)
        except _CannotContinueError as exc:
            raise DownloadError(f"The server's answer could not be understood. {self.advice}") from exc
        _note(self.part).unlink(missing_ok=True)

    def _resume_point(self) -> int:
        """Bytes of the part that can be kept; 0 starts over."""
        try:
            there = self.part.stat().st_size
        except OSError:
            return 0
        return there if there <= self.size else 0

    def _transfer(self, offset: int) -> None:
        headers = {"User-Agent": "Anonator", "Accept-Encoding": "identity"}
        version = _read_note(self.part) if offset else None
        if offset:
            headers["Range"] = f"bytes={offset}-"
        if version:
            headers["If-Range"] = version
        self._stop_if_cancelled()
        opener = urllib.request.build_opener(_SecureRedirects)
        with _network_errors(self.advice):
            response = opener.open(urllib.request.Request(self.url, headers=headers), timeout=TIMEOUT_SECONDS)
        with response:
            start, total = _extent(response)
            etag = response.headers.get("ETag")
            if start not in (0, offset) or (start and version and etag and etag != version):
                raise _CannotContinueError
            if total not in (None, self.size):
                raise DownloadError(
                    f"The server offers a different file: it has {total:,} bytes instead of {self.size:,}. "
                    f"{self.advice}"
                )
            _require_space(self.part.parent, self.size - start)
            done = self._copy(response, start, total)
        if done < self.size:
            raise DownloadError(
                f"The connection ended after {done:,} of {self.size:,} bytes. {CONTINUE_LATER}"
            )

    def _copy(self, response: http.client.HTTPResponse, start: int, total: int | None) -> int:
        """Write the answer after the first `start` bytes of the part; returns the bytes that are there
        then."""
        done = start
        # a file that cannot be written is one error, a silent server another
        with _disk_errors(self.part), self.part.open("ab" if start else "wb") as file:
            _write_note(self.part, response.headers.get("ETag"))
            self._report(done, total)
            while True:
                self._stop_if_cancelled()
                with _network_errors(self.advice):
                    chunk = response.read1(CHUNK_BYTES)
                if not chunk:
                    return done
                file.write(chunk)
                file.flush()
                done += len(chunk)
                self._report(done, total)

    def _report(self, done: int, total: int | None) -> None:
        if self.progress is not None:
            self.progress(done, total)

    def _stop_if_cancelled(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise JobCancelled(f"The download was cancelled. {CONTINUE_LATER}")


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file, so that two processes do not write the same part; the system frees it if one dies.

    Raises:
        DownloadError: another process holds it, or the folder cannot be written.
    """
    with _disk_errors():
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = lock.open("ab")
    with handle:
        if not file_lock.take(handle.fileno()):
            raise DownloadError(
                "Another Anonator window is already downloading these weights. Wait until it has finished, "
                "then try again."
            )
        yield


class _CannotContinueError(Exception):
    """The server does not continue this part; it must be fetched from its beginning."""


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where in the file the answer's first byte belongs, and the file's size if the server says it."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if match is None:
            raise _CannotContinueError
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _require_space(folder: Path, size: int) -> None:
    with _disk_errors():
        free = shutil.disk_usage(folder).free
    needed = size + SPARE_BYTES
    if free < needed:
        raise DownloadError(
            f"The disk doesn't have enough space: the download needs {needed / 1e6:,.0f} MB, and "
            f"{free / 1e6:,.0f} MB are free. Free some space, then download again."
        )


# The note next to a part: the server's strong ETag, so that two versions of a file are never joined.


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _read_note(part: Path) -> str | None:
    try:
        version = _note(part).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None  # no note or a damaged one: the version is unknown
    return version if STRONG_ETAG.fullmatch(version) else None


def _write_note(part: Path, etag: str | None) -> None:
    if etag is not None and STRONG_ETAG.fullmatch(etag):
        _note(part).write_text(etag, encoding="ascii")
    else:
        _note(part).unlink(missing_ok=True)


def _discard(part: Path) -> None:
    with _disk_errors():
        part.unlink(missing_ok=True)
        _note(part).unlink(missing_ok=True)


# Addresses, and foreign exceptions as errors of Anonator


def _is_secure(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return (parts.scheme == "https" and bool(host)) or (parts.scheme == "http" and host in LOOPBACK)


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to an address that anyone on the way could answer for."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not _is_secure(newurl):
            fp.close()
            raise DownloadError(
                "The server redirected the download to an unencrypted address, so nothing was downloaded. "
                "Try again from another network."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _network_errors(advice: str) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as exc:
        with exc:
            if exc.code == 416:
                raise _CannotContinueError from exc
            raise DownloadError(_status_text(exc.code, advice)) from exc
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise DownloadError(_connection_text(exc)) from exc


def _status_text(code: int, advice: str) -> str:
    if code in (404, 410):
        return f"The server no longer has these weights (HTTP {code}). {advice}"
    if code == 429 or code >= 500:
        return f"The server cannot provide the weights right now (HTTP {code}). Try again later."
    return f"The server refused to provide the weights (HTTP {code}). {advice}"


def _connection_text(exc: Exception) -> str:
    cause = exc.reason if isinstance(exc, urllib.error.URLError) else exc
    if isinstance(cause, TimeoutError):
        return f"The server did not answer within {TIMEOUT_SECONDS:.0f} seconds. {CONTINUE_LATER}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            "The server could not prove its identity, so nothing was downloaded. Check this computer's "
            "date and "
            "time, and ask your network's administrator whether a proxy inspects encrypted connections."
        )
    if isinstance(exc, urllib.error.URLError):
        return "The server could not be reached. Check the network connection, then download again."
    return f"The connection was lost. {CONTINUE_LATER}"


@contextmanager
def _disk_errors(part: Path | None = None) -> Iterator[None]:
    """Turn a failure of the disk into a DownloadError; on a full disk the part is removed, to free space."""
    try:
        yield
    except OSError as exc:
        if fault_of(exc) in (Fault.FULL, Fault.QUOTA):
            if part is not None:
                part.unlink(missing_ok=True)
                _note(part).unlink(missing_ok=True)
            raise DownloadError("The disk is full. Free some space, then download again.") from exc
        raise DownloadError(
            "The folder for downloaded weights cannot be written to. Check that the disk is connected and "
            "that you may write to it, then download again."
        ) from exc
