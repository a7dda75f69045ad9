"""Downloads from a server on this computer: whole or not at all, and continued where they stopped."""

from __future__ import annotations

from dataclasses import replace

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
    place,
)

from anonator.core.config import Model
from anonator.core.detection.known_weights import SPECS
from anonator.core.detection.weights import Check, data_folder, download, find, is_available
from anonator.errors import (
    DownloadError,
)


# Downloading
def test_a_download_arrives_whole_and_under_the_final_name_only_at_the_end(server: FileServer) -> None:
    target = data_folder() / SPECS[KNOWN].file_name
    calls = Calls()

    def progress(done: int, total: int | None) -> None:
        assert not target.exists(), "half a file under the final name"
        calls(done, total)

    found = download(KNOWN, progress, url=server.url())
    assert (found.path, found.sha256, found.check) == (target, DIGEST, Check.PUBLISHED)
    assert target.read_bytes() == CONTENT
    assert left_behind() == {target.name}
    calls.require_monotonic()
    assert calls[0] == (0, len(CONTENT)) and calls[-1] == (len(CONTENT), len(CONTENT)) and len(calls) > 3
    assert find(KNOWN) == found


def test_the_specs_address_is_used_where_none_is_given(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPECS, KNOWN, replace(SPECS[KNOWN], url=server.url("/from_spec")))
    download(KNOWN)
    assert [path for path, _ in server.behaviour.requests] == ["/from_spec"]


def test_nothing_is_fetched_where_the_right_file_lies(server: FileServer) -> None:
    place(data_folder())
    assert download(KNOWN, url=server.url()).sha256 == DIGEST
    assert download(Model.MOBILENET).check is Check.PUBLISHED  # ships with the program
    assert server.behaviour.requests == []


def test_a_damaged_file_is_replaced(server: FileServer) -> None:
    path = place(data_folder(), OTHER)
    download(KNOWN, url=server.url())
    assert path.read_bytes() == CONTENT


def test_redirects_are_followed(server: FileServer) -> None:
    server.behaviour.redirect = server.url("/storage?signature=1")
    leave_part(KNOWN, CONTENT[:300_000])
    assert download(KNOWN, url=server.url("/moved")).sha256 == DIGEST
    (_, first), (path, second) = server.behaviour.requests
    assert path == "/storage?signature=1"
    assert first["Range"] == second["Range"] == "bytes=300000-"


def test_a_broken_download_goes_on_where_it_stopped(server: FileServer) -> None:
    server.behaviour.cut_after = 400_000
    with pytest.raises(DownloadError, match=r"ended after 400,000 of 1,000,004 bytes.*continue from there"):
        download(KNOWN, url=server.url())
    assert part_of(KNOWN).read_bytes() == CONTENT[:400_000]
    assert not is_available(KNOWN)

    server.behaviour.cut_after = None
    calls = Calls()
    assert download(KNOWN, calls, url=server.url()).sha256 == DIGEST
    headers = server.behaviour.requests[-1][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=400000-", '"v1"')
    assert calls[0] == (400_000, len(CONTENT))
    calls.require_monotonic()
    assert left_behind() == {SPECS[KNOWN].file_name}


def test_a_server_without_ranges_is_asked_for_everything_again(server: FileServer) -> None:
    server.behaviour.ranges = False
    leave_part(KNOWN, CONTENT[:400_000])
    calls = Calls()
    assert download(KNOWN, calls, url=server.url()).sha256 == DIGEST
    assert calls[0] == (0, len(CONTENT))
    calls.require_monotonic()


def test_a_server_that_continues_at_another_place_is_asked_for_everything(server: FileServer) -> None:
    server.behaviour.range_slip = 1000
    leave_part(KNOWN, CONTENT[:400_000], etag='"v1"')
    assert download(KNOWN, url=server.url()).sha256 == DIGEST
    assert len(server.behaviour.requests) == 2


@pytest.mark.parametrize("obey", [True, False], ids=["answers-200", "answers-206"])
def test_two_versions_of_a_file_are_never_joined(server: FileServer, obey: bool) -> None:
    server.behaviour.obey_if_range = obey
    server.behaviour.etag = '"v2"'
    leave_part(KNOWN, OTHER[:400_000], etag='"v1"')
    assert download(KNOWN, url=server.url()).sha256 == DIGEST


def test_a_part_of_an_unknown_version_is_continued_because_the_checksum_tells(server: FileServer) -> None:
    leave_part(KNOWN, CONTENT[:400_000])
    assert download(KNOWN, url=server.url()).sha256 == DIGEST
    headers = server.behaviour.requests[0][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=400000-", None)


@pytest.mark.parametrize("etag", ['W/"v1"', None, "v1"], ids=["weak", "none", "unquoted"])
def test_a_version_that_promises_nothing_is_not_relied_on(server: FileServer, etag: str | None) -> None:
    server.behaviour.etag, server.behaviour.cut_after = etag, 400_000
    with pytest.raises(DownloadError, match="ended after"):
        download(KNOWN, url=server.url())
    server.behaviour.cut_after = None
    assert download(KNOWN, url=server.url()).sha256 == DIGEST
    headers = server.behaviour.requests[-1][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=400000-", None)


def test_a_part_that_is_complete_needs_no_server(server: FileServer) -> None:
    leave_part(KNOWN, CONTENT)
    calls = Calls()
    assert download(KNOWN, calls, url=server.url()).sha256 == DIGEST
    assert server.behaviour.requests == [] and calls == [(len(CONTENT), len(CONTENT))]
