"""Downloads with every fault: of the server, the network, the disk, and of two programs at once."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys

import pytest
from unit.detection.weights.http_helpers import FileServer
from unit.detection.weights.weight_helpers import (
    CONTENT,
    DIGEST,
    KNOWN,
    OTHER,
    Calls,
    leave_part,
    left_behind,
    part_of,
)

from anonator.core.detection import download as transfer
from anonator.core.detection.download import CONTINUE_LATER
from anonator.core.detection.known_weights import SPECS
from anonator.core.detection.weights import data_folder, download, is_available
from anonator.errors import (
    DownloadError,
    JobCancelled,
    WeightsInvalidError,
)


def test_a_part_longer_than_the_file_is_thrown_away(server: FileServer) -> None:
    leave_part(KNOWN, CONTENT + b"more")
    assert download(KNOWN, url=server.url()).sha256 == DIGEST


def test_wrong_bytes_are_refused_and_removed(server: FileServer) -> None:
    server.behaviour.content = OTHER
    with pytest.raises(WeightsInvalidError, match="SHA-256 is wrong"):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


def test_a_spoiled_part_is_removed_so_that_the_next_try_succeeds(server: FileServer) -> None:
    leave_part(KNOWN, OTHER[:400_000])
    with pytest.raises(WeightsInvalidError, match="Download the weights again"):
        download(KNOWN, url=server.url())
    assert download(KNOWN, url=server.url()).sha256 == DIGEST


def test_a_file_of_another_size_is_refused_before_it_is_fetched(server: FileServer) -> None:
    server.behaviour.content = CONTENT[:-1]
    with pytest.raises(DownloadError, match=r"1,000,003 bytes instead of 1,000,004.*newer Anonator"):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "no longer has these weights .*put .*yourself"),
        (410, "no longer has these weights .*put .*yourself"),
        (403, "refused"),
        (429, "Try again later"),
        (503, "Try again later"),
        (416, "could not be understood"),
    ],
)
def test_a_refusal_of_the_server_says_what_to_do(server: FileServer, status: int, words: str) -> None:
    server.behaviour.status = status
    with pytest.raises(DownloadError, match=words):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


def test_no_network_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with pytest.raises(DownloadError, match=r"could not be reached. Check the network"):
            download(KNOWN, url=f"http://127.0.0.1:{unused.getsockname()[1]}/")


@pytest.mark.parametrize("after", [0, 200_000])
def test_a_silent_server_is_given_up_and_the_part_kept(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT_SECONDS", 0.2)
    server.behaviour.stall_after = after
    with pytest.raises(DownloadError, match=r"did not answer within .* seconds\. What has arrived is kept"):
        download(KNOWN, url=server.url())
    assert part_of(KNOWN).read_bytes() == CONTENT[:after]


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_of_unstated_length(server: FileServer, chunked: bool) -> None:
    server.behaviour.length, server.behaviour.chunked = False, chunked
    calls = Calls()
    assert download(KNOWN, calls, url=server.url()).sha256 == DIGEST
    assert calls[-1] == (len(CONTENT), None)


def test_a_chunked_body_that_breaks_off_is_noticed(server: FileServer) -> None:
    server.behaviour.chunked, server.behaviour.cut_after = True, 200_000
    with pytest.raises(DownloadError, match="was lost"):
        download(KNOWN, url=server.url())
    assert not is_available(KNOWN)


def test_a_body_of_unstated_length_that_breaks_off_is_noticed(server: FileServer) -> None:
    server.behaviour.length, server.behaviour.cut_after = False, 200_000
    with pytest.raises(DownloadError, match="ended after 200,000 of 1,000,004 bytes"):
        download(KNOWN, url=server.url())
    assert not is_available(KNOWN)


def test_a_web_page_instead_of_weights_is_refused(server: FileServer) -> None:
    server.behaviour.content = b"<html>Please log in to the hospital's network</html>"
    with pytest.raises(DownloadError, match="offers a different file"):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


def test_cancel_keeps_the_part_and_the_next_download_goes_on(server: FileServer) -> None:
    calls = Calls()
    with pytest.raises(JobCancelled, match=re.escape(CONTINUE_LATER)):
        download(KNOWN, calls, lambda: bool(calls) and calls[-1][0] > 300_000, url=server.url())
    there = part_of(KNOWN).stat().st_size
    assert 300_000 < there < len(CONTENT)
    assert not (data_folder() / SPECS[KNOWN].file_name).exists()
    assert download(KNOWN, url=server.url()).sha256 == DIGEST
    assert server.behaviour.requests[-1][1]["Range"] == f"bytes={there}-"


def test_cancel_before_the_start_asks_no_server(server: FileServer) -> None:
    with pytest.raises(JobCancelled):
        download(KNOWN, cancelled=lambda: True, url=server.url())
    assert server.behaviour.requests == []


def test_a_disk_with_too_little_room_is_told_before_the_first_byte(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(".")._replace(free=2_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match=r"needs 35 MB, and 2 MB are free"):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /dev/full, a disk that is always full")
def test_a_disk_that_fills_up_is_told_and_given_its_room_back(server: FileServer) -> None:
    data_folder().mkdir(parents=True)
    part_of(KNOWN).symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"disk is full. Free some space"):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


def test_a_folder_that_cannot_be_written_is_told(server: FileServer) -> None:
    data_folder().parent.mkdir()
    data_folder().write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="cannot be written"):
        download(KNOWN, url=server.url())


def test_two_processes_do_not_write_the_same_part(server: FileServer) -> None:
    lock = data_folder() / (SPECS[KNOWN].file_name + ".lock")
    code = (
        "import sys, pathlib; from anonator.core.detection.download import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
        with pytest.raises(DownloadError, match="already downloading"):
            download(KNOWN, url=server.url())
        assert server.behaviour.requests == []
        holder.kill()
    # a process that died holds nothing
    assert download(KNOWN, url=server.url()).sha256 == DIGEST


@pytest.mark.parametrize(
    "url",
    ["http://weights.invalid/w", "ftp://weights.invalid/w", "file:///etc/hostname", "weights", "https://["],
)
def test_only_https_is_fetched(url: str) -> None:
    with pytest.raises(DownloadError, match="only downloaded over https"):
        download(KNOWN, url=url)


def test_a_redirect_to_an_open_address_is_refused(server: FileServer) -> None:
    server.behaviour.redirect = "http://weights.invalid/w"
    with pytest.raises(DownloadError, match="unencrypted address"):
        download(KNOWN, url=server.url("/moved"))
