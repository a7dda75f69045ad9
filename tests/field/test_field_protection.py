"""Encrypted videos are refused by what they are, and open ones are not taken for them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_helpers import HIPAA, STANDARD, TEN, Bench, content
from video_helpers import clip, ffmpeg

from anonator.core.reading.reader import VideoReader
from anonator.errors import AnonatorError, InputError


def encrypted_mp4(path: Path) -> None:
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    clear = clip(path.with_name("clear.mp4"), **TEN)
    ffmpeg(
        "-i", clear, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key,
        "-encryption_kid", key, path,
    )  # fmt: skip


def itunes(path: Path) -> None:
    whole = content("a.mp4", **TEN)
    entry = whole.index(b"avc1", whole.index(b"stsd"))
    path.write_bytes(whole[:entry] + b"drmi" + whole[entry + 4 :])


def encrypted_mkv(path: Path) -> None:
    """A WebM whose track says that it needs a key, in place of what it says of itself in other words."""
    whole = content("a.mkv", "-c:v", "libvpx", "-f", "webm", **TEN)
    encryption = b"\x47\xe1\x81\x05" + b"\x47\xe2\x84abcd"
    encoding = b"\x50\x33\x81\x01" + b"\x50\x35" + bytes([0x80 | len(encryption)]) + encryption
    encoding = b"\x62\x40" + bytes([0x80 | len(encoding)]) + encoding
    encodings = b"\x6d\x80" + bytes([0x80 | len(encoding)]) + encoding
    tracks = whole.index(b"\x16\x54\xae\x6b", 200)  # behind the seek head
    size = whole[tracks + 4] & 0x7F
    track = whole.index(b"\xae\x01", tracks) + 9
    body = whole[track : tracks + 5 + size] + encodings
    new = b"\xae\x01" + len(body).to_bytes(7, "big") + body
    path.write_bytes(
        whole[: tracks + 4] + b"\x01" + len(new).to_bytes(7, "big") + new + whole[tracks + 5 + size :]
    )


@pytest.mark.parametrize("size", [1 << 40, 1 << 62, (1 << 64) - 1])
def test_a_header_that_is_said_to_be_longer_than_files_can_be_is_no_surprise(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.wmv"
    whole = content("a.wmv", "-c:v", "wmv2", **TEN)
    path.write_bytes(whole[:16] + struct.pack("<Q", size) + whole[24:])
    try:
        with VideoReader(path) as reader:
            assert len(list(reader)) == 10
    except AnonatorError as exc:
        assert str(exc).endswith(".")
    path = tmp_path / "a.mkv"
    size = min(size, (1 << 56) - 2)
    path.write_bytes(b"\x1a\x45\xdf\xa3\x01" + size.to_bytes(7, "big") + bytes(2000))
    with pytest.raises(InputError, match="not a video"):
        VideoReader(path)


def protected_wmv(path: Path) -> None:
    """The header object of protection, which holds a licence's address, in place of padding."""
    whole = content("a.wmv", "-c:v", "wmv2", **TEN)
    size, objects = struct.unpack_from("<QI", whole, 16)
    protection = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + struct.pack("<Q", 40) + bytes(16)
    head = whole[:16] + struct.pack("<QI", size + len(protection), objects + 1) + whole[28:size]
    path.write_bytes(head + protection + whole[size:])


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.mp4", encrypted_mp4),
        ("a.m4v", itunes),
        ("a.webm", encrypted_mkv),
        ("a.wmv", protected_wmv),
    ],
)
def test_an_encrypted_video_is_called_encrypted(
    bench: Bench, name: str, make: Callable[[Path], None]
) -> None:
    path = bench.folder / f"patient{Path(name).suffix}"
    make(path)
    for settings in (HIPAA, STANDARD):
        text = bench.refused(path, "is encrypted", kind=InputError, settings=settings)
        assert "damaged" not in text and "Export it" in text
