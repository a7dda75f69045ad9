"""Harmless Matroska and WebM files of every make are read whole, with exact counts and times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hostile_helpers import HIPAA, STANDARD, Bench
from video_helpers import GOP, clip, frame_times

from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.reading.matroska_elements import CLUSTER, GROUP, SIMPLE_BLOCK, TRACKS, element_at
from anonator.core.reading.reader import VideoReader
from anonator.errors import DecodeError

VP8 = ("-c:v", "libvpx", "-deadline", "realtime")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
ALPHA = (*VP9, "-pix_fmt", "yuva420p")
LIVE = ("-f", "webm", "-live", "1")
BARE = ("-write_crc32", "0")
"""Checksums would have to be made anew where bytes are added."""
TEN = {"seconds": 0.4}
STEP = Fraction(1, 25)


def times(path: Path, limit: int = 0) -> list[Fraction]:
    """When each frame is shown; none may be black."""
    with VideoReader(path, limit) as reader:
        found = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
    return found


def element(kind: int, body: bytes) -> bytes:
    """An element with its size in eight bytes."""
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def find(path: Path, kind: int) -> Iterator[tuple[int, int, int]]:
    """(start, start of the body, end) of the elements of one kind in the file's first segment."""
    with open(path, "rb") as file:
        at, size = 0, file.seek(0, 2)
        while at < size and (head := element_at(file, at)):
            end = head[1] + (head[2] or 0)
            if head[0] == kind:
                yield at, head[1], end
            at = head[1] if head[0] in (0x18538067, CLUSTER) else end


def in_segment(path: Path, change: Callable[[bytes], bytes], *, sized: bool = True) -> Path:
    """Change what the segment holds, and say its size or leave it open."""
    data = path.read_bytes()
    with open(path, "rb") as file:
        start = element_at(file, 0)
        assert start and start[2] is not None
        segment = element_at(file, start[1] + start[2])
    assert segment
    body = change(data[segment[1] :])
    head = data[: start[1] + start[2]]
    whole = element(0x18538067, body) if sized else b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + body
    path.write_bytes(head + whole)
    return path


def grouped(path: Path, extra: bytes = b"", *, references: bool = True) -> Path:
    """Every simple block in a group of its own, as mkvmerge and phones write them."""
    data = path.read_bytes()
    parts, last = [], 0
    clusters = list(find(path, CLUSTER))
    for cluster, body, end in clusters:
        inner, at = [], body
        with open(path, "rb") as file:
            while at < end and (head := element_at(file, at)):
                stop = head[1] + (head[2] or 0)
                block = data[head[1] : stop]
                if head[0] == SIMPLE_BLOCK:
                    is_key = block[3] & 0x80
                    plain = block[:3] + bytes([block[3] & 0x7F]) + block[4:]
                    reference = b"" if is_key or not references else element(0xFB, b"\xd8")
                    inner.append(
                        element(GROUP, extra + element(0xA1, plain) + element(0x9B, b"\x28") + reference)
                    )
                else:
                    inner.append(data[at:stop])
                at = stop
        parts += [data[last:cluster], element(CLUSTER, b"".join(inner))]
        last = end
    path.write_bytes(b"".join(parts) + data[last:])
    return in_segment(path, bytes)


def two(path: Path, *options: object, filling: bytes = b"", **source: object) -> Path:
    """A recording with another one like it behind it."""
    data = clip(path, *options, **(source or TEN)).read_bytes()
    path.write_bytes(data + filling + data)
    return path


def padded(path: Path, filling: bytes, *options: object) -> Path:
    data = clip(path, *options, **TEN).read_bytes()
    path.write_bytes(data + filling)
    return path


def without_end(path: Path) -> Path:
    """Cut off within the index, which is written when all else is there."""
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\x1c\x53\xbb\x6b") + 12])
    return path


def small_segment(path: Path) -> Path:
    """The segment says that it ends before its last cluster."""
    data = path.read_bytes()
    clusters = list(find(path, CLUSTER))
    assert len(clusters) > 2
    at = data.index(b"\x18\x53\x80\x67")
    size = clusters[-1][0] - at - 12
    path.write_bytes(data[: at + 4] + (size | 1 << 56).to_bytes(8, "big") + data[at + 12 :])
    return path


VOID = element(0xEC, bytes(40))
ONE: dict[str, Callable[[Path], Path]] = {
    "alpha": lambda p: clip(p / "a.webm", *ALPHA, **TEN),
    "groups": lambda p: grouped(clip(p / "a.mkv", *GOP, *BARE, **TEN)),
    "groups with void in front": lambda p: grouped(clip(p / "a.mkv", *GOP, *BARE, **TEN), VOID),
    "zeros behind": lambda p: padded(p / "a.webm", bytes(300_000), *VP8),
    "erased memory behind": lambda p: padded(p / "a.mkv", b"\xff" * 70_000, *GOP),
    "zeros behind an open end": lambda p: padded(p / "a.webm", bytes(300_000), *VP8, *LIVE),
    "rubbish behind": lambda p: padded(p / "a.mkv", b"\xec\x01rubbish" * 50, *GOP),
    "void between": lambda p: in_segment(
        clip(p / "a.mkv", *GOP, *BARE, **TEN), lambda body: VOID + body + VOID
    ),
    "an element of a later standard": lambda p: in_segment(
        clip(p / "a.mkv", *GOP, *BARE, **TEN), lambda body: element(0x4FFE, b"later") + body
    ),
    "index cut off": lambda p: without_end(clip(p / "a.mkv", *GOP, *BARE, **TEN)),
    "size too small": lambda p: small_segment(
        clip(p / "a.mkv", *GOP, *BARE, "-cluster_time_limit", 100, **TEN)
    ),
    "open end": lambda p: in_segment(clip(p / "a.mkv", *GOP, *BARE, **TEN), bytes, sized=False),
}  # fmt: skip
JOINED: dict[str, Callable[[Path], Path]] = {
    "unknown size": lambda p: two(p / "a.webm", *VP8, *LIVE),
    "known size": lambda p: two(p / "a.mkv", *GOP),
    "zeros between": lambda p: two(p / "a.webm", *VP8, filling=bytes(5000)),
    "groups": lambda p: two(p / "a.webm", *ALPHA),
}


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("kind", ONE)
def test_one_recording(tmp_path: Path, kind: str, limit: int) -> None:
    """A failure means that a whole file is called damaged."""
    path = ONE[kind](tmp_path)
    found = times(path, limit)
    assert found == pytest.approx(frame_times(path), abs=0.0011)
    assert found == pytest.approx([n * STEP for n in range(10)], abs=0.0011)


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("kind", JOINED)
def test_one_recording_behind_another(tmp_path: Path, kind: str, limit: int) -> None:
    """The second begins where the first ends, however short they are."""
    found = times(JOINED[kind](tmp_path), limit)
    assert found == pytest.approx([n * STEP for n in range(20)], abs=0.0011)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("settings", [HIPAA, STANDARD], ids=["HIPAA", "standard"])
@pytest.mark.parametrize("kind", ["groups", "unknown size"])
def test_whole_jobs(tmp_path: Path, detectors: DetectorCache, kind: str, settings: Settings) -> None:
    path = (JOINED if kind in JOINED and kind != "groups" else ONE)[kind](tmp_path)
    result = Bench(tmp_path, detectors).done(path, settings=settings)
    assert result.frames == (20 if kind == "unknown size" else 10)
    assert frame_times(result.target) == pytest.approx([n * STEP for n in range(result.frames)], abs=0.0011)


def test_three_short_recordings(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.webm", *VP8, *LIVE, **TEN)
    path.write_bytes(path.read_bytes() * 3)
    assert times(path) == pytest.approx([n * STEP for n in range(30)], abs=0.0011)


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("other", ["codec", "parameters", "unit of time"])
def test_another_kind_of_recording_behind_is_named_and_not_lost(
    tmp_path: Path, other: str, limit: int
) -> None:
    """FFmpeg goes on with the first one's tracks: it would decode rubbish, or pass over all that follows."""
    path = clip(tmp_path / "a.mkv", *GOP, *BARE, **TEN)
    second = tmp_path / "b.mkv"
    options = {"codec": VP8, "parameters": (*GOP, "-profile:v", "main")}
    clip(second, *options.get(other, GOP), *BARE, **TEN)
    if other == "unit of time":
        data = second.read_bytes()
        assert b"\x2a\xd7\xb1\x83\x0f\x42\x40" in data
        second.write_bytes(data.replace(b"\x2a\xd7\xb1\x83\x0f\x42\x40", b"\x2a\xd7\xb1\x83\x07\xa1\x20"))
    path.write_bytes(path.read_bytes() + second.read_bytes())
    with pytest.raises(
        DecodeError, match=r"second recording follows at 0:00\.\d\d, after \d+ frames"
    ) as caught:
        times(path, limit)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("limit", [0, 1000])
def test_a_second_track_number_is_not_lost_without_a_word(tmp_path: Path, limit: int) -> None:
    first = clip(tmp_path / "a.mkv", *GOP, *BARE, **TEN)
    data = bytearray(first.read_bytes())
    _, tracks, _ = next(find(first, TRACKS))
    number = data.index(b"\xd7\x81\x01", tracks)
    data[number + 2] = 2
    for _, body, _ in find(first, SIMPLE_BLOCK):
        data[body] = 0x82
    first.write_bytes(first.read_bytes() + data)
    with pytest.raises(DecodeError, match="second recording follows"):
        times(first, limit)


@pytest.mark.parametrize("limit", [0, 1000])
def test_a_recording_that_ffmpeg_passes_over_is_named_and_not_lost(tmp_path: Path, limit: int) -> None:
    """Behind one of unknown size it takes one that says its size for something it need not know."""
    path = clip(tmp_path / "a.webm", *VP8, *LIVE, **TEN)
    second = clip(tmp_path / "b.webm", *VP8, **TEN)
    path.write_bytes(path.read_bytes() + second.read_bytes())
    with pytest.raises(DecodeError, match=r"second recording follows at 0:00\.36, after 10 frames"):
        times(path, limit)


def test_a_group_whose_head_is_damaged_is_missed(tmp_path: Path) -> None:
    """FFmpeg passes over it and goes on with the next cluster."""
    path = grouped(clip(tmp_path / "a.mkv", *GOP, *BARE, "-cluster_time_limit", 200, seconds=2))
    data = bytearray(path.read_bytes())
    start = [at for at, _, _ in find(path, GROUP)][13]
    data[start : start + 3] = bytes(3)
    path.write_bytes(data)
    with pytest.raises(DecodeError, match="structure or a checksum"):
        times(path)


def test_a_block_that_ffmpeg_does_not_deliver_is_missed(tmp_path: Path) -> None:
    """Two blocks in one group: it takes the last one."""
    path = clip(tmp_path / "a.webm", *VP8, **TEN)
    data = path.read_bytes()
    heads = list(find(path, SIMPLE_BLOCK))
    cluster = next(find(path, CLUSTER))
    blocks = [element(0xA1, data[body:end]) for _, body, end in heads]
    inside = data[cluster[1] : heads[0][0]] + b"".join(
        element(GROUP, blocks[n] + (blocks[n + 1] if n == 4 else b"")) for n in range(10) if n != 5
    )
    path.write_bytes(data[: cluster[0]] + element(CLUSTER, inside))
    in_segment(path, bytes)
    with pytest.raises(DecodeError):
        times(path)


def test_what_is_cut_off_before_the_index_is_still_an_error(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", *GOP, *BARE, **TEN)
    data = path.read_bytes()
    index = data.rindex(b"\x1c\x53\xbb\x6b")
    for end in (index, index - 1, index - 20):
        path.write_bytes(data[:end])
        with pytest.raises(DecodeError):
            times(path)


def test_a_cluster_with_a_damaged_name_is_missed(tmp_path: Path) -> None:
    """FFmpeg passes over it as over anything unknown."""
    path = clip(tmp_path / "a.mkv", *GOP, *BARE, "-g", 5, "-cluster_time_limit", 200, seconds=2)
    data = bytearray(path.read_bytes())
    data[[at for at, _, _ in find(path, CLUSTER)][3] + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(DecodeError, match="structure or a checksum"):
        times(path)
