"""Files of other writers: sizes that say too much, files that grow, free boxes and chunks of every make."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_helpers import HIPAA, TEN, Bench, boxes, content, edit_box
from video_helpers import GOP, frame_times

from anonator.core.reading import decode as decoding
from anonator.core.reading.opening import GROWING
from anonator.core.reading.reader import VideoReader
from anonator.errors import DecodeError, InputError


def mdat_says(more: int, *options: object) -> bytes:
    data = bytearray(content("a.mp4", *GOP, *options))
    place = data.rindex(b"mdat") - 4
    size = int.from_bytes(data[place : place + 4], "big")
    data[place : place + 4] = (size + more).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("options", [("-movflags", "faststart"), ("-movflags", "frag_keyframe+empty_moov")])
@pytest.mark.parametrize("more", [1000, 100_000_000])
def test_data_that_is_said_to_be_longer_is_whole_if_every_sample_is_there(
    bench: Bench, options: tuple[str, ...], more: int
) -> None:
    path, plain = bench.folder / "patient.mp4", bench.folder / "plain.mp4"
    data = mdat_says(more, *options)
    data = data[: data.rindex(b"mfra") - 4] if b"mfra" in data else data  # an index behind the data
    path.write_bytes(data)
    plain.write_bytes(content("a.mp4", *GOP, *options))
    result = bench.done(path, settings=HIPAA)
    assert result.frames == 25
    assert frame_times(result.target) == pytest.approx(frame_times(plain), abs=0.0002)
    for lost in (1, 200):
        path.write_bytes(data[:-lost])
        with pytest.raises(DecodeError, match="damaged or incomplete"), VideoReader(path) as reader:
            list(reader)


def test_a_file_that_grows_is_said_to_be_written_still(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a recording must neither be called damaged nor pass for the whole."""
    original = decoding.packets_of
    whole = content("a.ts", *GOP, seconds=2)
    path = bench.folder / "patient.ts"

    def packets_of(container: Any, streams: Any) -> Iterator[Any]:
        for number, packet in enumerate(original(container, streams)):
            if number == 10:
                with open(path, "ab") as file:
                    file.write(whole[len(whole) // 2 :])
            yield packet

    monkeypatch.setattr(decoding, "packets_of", packets_of)
    cut_within_a_frame, between = len(whole) // 2, len(whole) // 376 * 188
    for cut in (cut_within_a_frame, between):
        path.write_bytes(whole[:cut])
        with pytest.raises(DecodeError, match=re.escape(GROWING)):
            bench.run(path, bench.folder / "out.mp4", HIPAA)
        assert os.listdir(bench.folder) == [path.name]


def test_an_mp4_without_table_may_be_in_the_making_only_while_it_is_fresh(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content("a.mp4", **TEN)[:3000])
    with pytest.raises(InputError, match=r"table of contents is missing.*still being written, wait"):
        VideoReader(path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with pytest.raises(InputError, match="table of contents is missing") as caught:
        VideoReader(path)
    assert "being written" not in str(caught.value)


def free_everywhere(data: bytes) -> bytes:
    """Empty boxes between all others, none of which matters to the offsets before the data."""
    free = struct.pack(">I4s", 24, b"free") + bytes(16)
    moov = edit_box(data, "moov", lambda body: body + free)
    kinds = [kind for _, _, kind in boxes(moov, 0, len(moov))]
    assert kinds[-1] == b"moov"
    return moov + free


BEHIND: dict[str, bytes] = {
    "zeros": bytes(5000),
    "one zero": bytes(1),
    "a tag": b"TAG" + b"x" * 125,
    "a uuid box": struct.pack(">I4s", 40, b"uuid") + bytes(32),
    "rubbish": b"\x91" * 3000,
    "free boxes": (struct.pack(">I4s", 24, b"free") + bytes(16)) * 3,
}


@pytest.mark.parametrize("kind", BEHIND)
@pytest.mark.parametrize(
    "options", [(), ("-movflags", "faststart"), ("-movflags", "frag_keyframe+empty_moov")]
)
def test_what_lies_behind_an_mp4_costs_no_frame(tmp_path: Path, kind: str, options: tuple[str, ...]) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content("a.mp4", *GOP, *options) + BEHIND[kind])
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25
        assert reader.notes == ()


def test_empty_boxes_within_an_mp4_cost_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(free_everywhere(content("a.mp4", *GOP)))
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def rewritten_avi(
    *, frames: int | None = None, index: bool = True, riff: int | None = None, movi: int | None = None,
    drop: bool = False, junk: bool = False, parts: int = 1, behind: bytes = b"",
) -> bytes:  # fmt: skip
    """An AVI of MJPEG as another program might have written it; numbers are put in place of true ones."""
    whole = content("a.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    place = whole.index(b"movi") - 8
    size = int.from_bytes(whole[place + 4 : place + 8], "little")
    head, body = bytearray(whole[:place]), whole[place + 12 : place + 8 + size]
    if frames is not None:
        for name, offset in ((b"avih", 16), (b"strh", 32)):
            at = head.index(name) + 8 + offset
            head[at : at + 4] = struct.pack("<I", frames)
    pictures, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        pictures.append(body[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    pieces: list[bytes] = []
    for number, picture in enumerate(pictures):
        pieces.append(chunk(b"00dc", picture))
        if drop and number % 5 == 0:
            pieces.append(chunk(b"00dc", b""))
        if junk:
            pieces.append(chunk(b"JUNK", bytes(50)))
    per_part = -(-len(pieces) // parts)
    made = b""
    for number in range(parts):
        data = b"movi" + b"".join(pieces[number * per_part : (number + 1) * per_part])
        length = len(data) if movi is None else movi
        inner = b"LIST" + struct.pack("<I", length) + data
        inner = b"AVI " + bytes(head[12:]) + inner if number == 0 else b"AVIX" + inner
        if index and number == 0:
            offset, entries = 4, b""
            for piece in pieces[:per_part]:
                if piece[:4] == b"00dc":
                    entries += struct.pack(
                        "<4sIII", b"00dc", 16, offset, int.from_bytes(piece[4:8], "little")
                    )
                offset += len(piece)
            inner += chunk(b"idx1", entries)
        made += b"RIFF" + struct.pack("<I", len(inner) if riff is None else riff) + inner
    return made + behind


AVIS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no index": {"index": False},
    "no number of frames, as capture devices write": {"frames": 0},
    "no number of frames and no index": {"frames": 0, "index": False},
    "more frames in the header": {"frames": 1000},
    "more frames in the header, no index": {"frames": 1000, "index": False},
    "fewer frames in the header": {"frames": 5},
    "never finished": {"frames": 0, "index": False, "riff": 0, "movi": 0},
    "never finished, all ones": {"frames": 0, "index": False, "riff": 2**32 - 1, "movi": 2**32 - 1},
    "a length that is too large": {"riff": 10_000_000},
    "zeros behind": {"behind": bytes(100_000)},
    "zeros behind, no index": {"behind": bytes(100_000), "index": False},
    "a chunk behind": {"behind": chunk(b"JUNK", bytes(1000))},
    "a tag behind": {"behind": b"TAG" + b"x" * 125},
    "padding between": {"junk": True},
    "padding between, no index": {"junk": True, "index": False},
    "dropped frames": {"drop": True},
    "dropped frames, no index": {"drop": True, "index": False},
    "two parts": {"parts": 2, "index": False},
}


@pytest.mark.parametrize("kind", AVIS)
@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_avi_files_of_all_writers_are_whole(tmp_path: Path, kind: str, damaged_limit: int) -> None:
    """A failure means that the recording of a capture device is called damaged, or loses frames or time."""
    path = tmp_path / "a.avi"
    path.write_bytes(rewritten_avi(**AVIS[kind]))
    with VideoReader(path, damaged_limit) as reader:
        times = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
        assert reader.notes == ()
    assert times == frame_times(path)
    assert len(times) == 25


@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_an_avi_that_lacks_its_end_stays_refused(tmp_path: Path, damaged_limit: int) -> None:
    for options in ({}, {"frames": 1000}, {"index": False}):
        whole = rewritten_avi(**options)
        path = tmp_path / "a.avi"
        path.write_bytes(whole[: len(whole) * 7 // 10])
        with (
            pytest.raises(DecodeError, match="damaged or incomplete"),
            VideoReader(path, damaged_limit) as reader,
        ):
            list(reader)
