"""A small file server on 127.0.0.1 whose faults can be chosen."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server does from the next request on."""

    content: bytes
    ranges: bool = True
    etag: str | None = '"v1"'
    obey_if_range: bool = True
    range_slip: int = 0
    """Begin a partial answer so many bytes behind the place that was asked for."""
    status: int | None = None
    """Answer with this status and nothing else."""
    redirect: str | None = None
    """Where /moved leads to."""
    cut_after: int | None = None
    """Close the connection after so many bytes of body."""
    stall_after: int | None = None
    """Fall silent after so many bytes of body."""
    length: bool = True
    """State the Content-Length; otherwise the body ends with the connection."""
    chunked: bool = False
    requests: list[tuple[str, Message]] = field(default_factory=list)
    """Path and headers of every request so far."""
    released: threading.Event = field(default_factory=threading.Event)
    """Ends the silence."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def behaviour(self) -> Behaviour:
        server = self.server
        assert isinstance(server, FileServer)
        return server.behaviour

    def do_GET(self) -> None:
        does = self.behaviour
        does.requests.append((self.path, self.headers))
        self.close_connection = True
        if does.status is not None:
            self._empty(does.status)
        elif self.path == "/moved" and does.redirect is not None:
            self._empty(302, Location=does.redirect)
        else:
            self._file(does)

    def _empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, does: Behaviour) -> None:
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        current = not does.obey_if_range or self.headers.get("If-Range", does.etag) == does.etag
        if asked and does.ranges and current:
            start = int(asked[1]) + does.range_slip
            if start >= len(does.content):
                self._empty(416, Content_Range=f"bytes */{len(does.content)}")
                return
        body = does.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(does.content) - 1}/{len(does.content)}")
        if does.etag:
            self.send_header("ETag", does.etag)
        if does.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif does.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self._body(does, body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client left, which some tests are about

    def _body(self, does: Behaviour, body: bytes) -> None:
        end = min(x for x in (does.cut_after, does.stall_after, len(body)) if x is not None)
        for at in range(0, end, 50_000):
            piece = body[at : min(at + 50_000, end)]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if does.chunked else piece)
        if does.stall_after is not None:
            self.wfile.flush()
            does.released.wait(10)
        elif does.chunked and end == len(body):
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing; the test looks at Behaviour.requests."""


class FileServer(ThreadingHTTPServer):
    """Serves Behaviour.content under every path."""

    daemon_threads = False  # closing the server waits for its answers, so no thread outlives a test

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour

    def url(self, path: str = "/weights") -> str:
        """The address of a path on this server."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[FileServer]:
    """A running server; gone, with its threads, afterwards."""
    server = FileServer(behaviour)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.behaviour.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
