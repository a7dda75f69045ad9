"""Transport streams of recorders: reserved space, other packets, programmes that change, scrambling."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hostile_helpers import STANDARD, Bench, content
from video_helpers import GOP, clip, ffmpeg, frame_times, packets, picture_source, tone

from anonator.core.config import Settings
from anonator.core.reading.programme_tables import Layout, layout_of
from anonator.core.reading.reader import VideoReader
from anonator.core.reading.transport_stream import end_of_packets
from anonator.errors import DecodeError, InputError

FIRST = ("-mpegts_start_pid", "0x100")
OTHER = ("-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x1500")
OTHER_IN_SAME_TABLE = ("-mpegts_start_pid", "0x200")
SECOND = {"seconds": 1}


def stream(*options: object, **source: object) -> bytes:
    """A second of H.264 with B-frames in a transport stream."""
    return content("a.ts", *(() if "-c:v" in options else GOP), *options, **{**SECOND, **source})


def with_sound(path: Path, *options: object) -> bytes:
    ffmpeg(*picture_source(), *tone(), *GOP, "-c:a", "aac", *options, path)
    return path.read_bytes()


def split(data: bytes, length: int = 188) -> list[bytes]:
    return [data[at : at + length] for at in range(0, len(data), length)]


def pid(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def read(path: Path, damaged_limit: int = 0) -> tuple[list[Fraction], str]:
    """Times of all frames in seconds, and the notes."""
    with VideoReader(path, damaged_limit) as reader:
        times = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
        return times, " ".join(reader.notes)


# -- space and other packets ---------------------------------------------------------------------------

NOTHING = bytes(300_000)
ONES = b"\xff" * 300_000
NULL_PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184
WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "zeros behind": lambda data: data + NOTHING,
    "ones behind": lambda data: data + ONES,
    "one packet of zeros behind": lambda data: data + bytes(188),
    "ten zeros behind": lambda data: data + bytes(10),
    "a tag behind": lambda data: data + b"TAG" + b"x" * 125,
    "something in front": lambda data: b"x" * 500 + data,
    "null packets between": lambda data: b"".join(packet + 2 * NULL_PACKET for packet in split(data)),
    "null packets behind": lambda data: data + 2000 * NULL_PACKET,
    "packets of 204 bytes": lambda data: b"".join(packet + bytes(16) for packet in split(data)),
    "packets of 192 bytes": lambda data: b"".join(bytes(4) + packet for packet in split(data)),
    "packets of 192 bytes and zeros behind": lambda data: (
        b"".join(bytes(4) + packet for packet in split(data)) + NOTHING
    ),
    "tables from the middle on": lambda data: b"".join(
        packet
        for place, packet in enumerate(split(data))
        if pid(packet) not in (0, 0x1000) or place > len(data) // 376
    ),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_what_recorders_add_costs_no_frame(tmp_path: Path, kind: str, damaged_limit: int) -> None:
    """A failure means that a whole recording of a dashcam or a DVR is called damaged, or loses its end."""
    plain, path = tmp_path / "plain.ts", tmp_path / "a.ts"
    plain.write_bytes(stream())
    path.write_bytes(WHOLE[kind](stream()))
    times, notes = read(path, damaged_limit)
    assert times == frame_times(plain)
    assert len(times) == 25
    assert notes == ""


def test_reserved_space_is_found_however_it_is_filled(tmp_path: Path) -> None:
    packet = b"\x47" + bytes(187)
    layout = Layout(0, 188)
    path = tmp_path / "a"
    for behind, end in ((b"", 1880), (bytes(5), 1885), (bytes(5000), 1880), (bytes(3 << 20), 1880)):
        path.write_bytes(packet * 10 + behind)
        with open(path, "rb") as file:
            assert end_of_packets(file, layout, path.stat().st_size) == end
    assert layout_of(packet * 10) == layout
    assert layout_of(bytes(4) + (packet + bytes(4)) * 10) == Layout(4, 192)
    assert layout_of(random.Random(1).randbytes(1 << 16)) is None


def test_a_hole_in_the_middle_stays_damage(tmp_path: Path) -> None:
    """Reserved space lies behind the data; within it, a recording has lost something."""
    data = stream()
    middle = len(data) // 376 * 188
    path = tmp_path / "a.ts"
    path.write_bytes(data[:middle] + NOTHING + data[middle:])
    with pytest.raises(DecodeError, match="damaged or incomplete"):
        read(path)


# -- programmes that change ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "frames"),
    [
        ((FIRST, OTHER), 50),
        ((FIRST, OTHER_IN_SAME_TABLE), 50),
        ((FIRST, OTHER, FIRST, OTHER), 100),
        ((FIRST, FIRST), 50),
    ],
    ids=["other streams and table", "other streams", "to and fro", "the same"],
)
@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_joined_recordings_are_read_to_their_end(
    tmp_path: Path, parts: tuple[tuple[str, ...], ...], frames: int, damaged_limit: int
) -> None:
    """A failure means that half of a recording is missing from a result that is called done."""
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(stream(*options) for options in parts))
    times, notes = read(path, damaged_limit)
    assert len(times) == frames
    gaps = {b - a for a, b in itertools.pairwise(times)}
    assert gaps == {Fraction(1, 25)}
    assert ("Another programme continues at 0:01.00" in notes) == (len(set(parts)) > 1)


@pytest.mark.parametrize(
    "codec",
    [("-c:v", "mpeg2video", "-bf", "2"), ("-c:v", "libx265", "-x265-params", "log-level=none")],
    ids=["MPEG-2", "HEVC"],
)
def test_other_kinds_of_video_go_on_too(tmp_path: Path, codec: tuple[str, ...]) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(stream(*codec, *FIRST) + stream(*codec, *OTHER))
    assert len(read(path)[0]) == 50


@pytest.mark.slow
def test_a_long_first_programme_is_followed_by_the_second(tmp_path: Path) -> None:
    """Longer than what is looked at when a file is opened."""
    noise = ("-vf", "noise=alls=60:allf=t", "-qp", "10")
    long = {"size": "320x240", "seconds": 3}
    first, second = stream(*FIRST, *noise, **long), stream(*OTHER, **long)
    assert len(first) > 6 << 20
    path = tmp_path / "a.ts"
    path.write_bytes(first + second)
    assert len(read(path)[0]) == 150


def test_a_picture_that_ends_behind_the_change_is_whole(tmp_path: Path) -> None:
    """Recorders go on writing what was begun while the tables name the next programme already."""
    large = {"size": "192x128"}
    first, second = split(stream(*FIRST, **large)), split(stream(*OTHER, **large))
    last = max(i for i, packet in enumerate(first) if pid(packet) == 0x100 and packet[1] & 0x40)
    rest = [packet for packet in first[last + 1 :] if pid(packet) == 0x100]
    assert len(rest) > 3
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(first[: last + 1] + second[:6] + rest + second[6:]))
    for damaged_limit in (0, 1000):
        assert len(read(path, damaged_limit)[0]) == 50


def test_tables_of_a_programme_that_never_comes_cost_nothing(tmp_path: Path) -> None:
    first, other = stream(*FIRST), split(stream(*OTHER))
    tables = b"".join([packet for packet in other if pid(packet) in (0, 0x11, 0x1500)][:3])
    path = tmp_path / "a.ts"
    for joined, frames in ((first + tables, 25), (first + tables + first, 50)):
        path.write_bytes(joined)
        assert len(read(path)[0]) == frames


def test_the_main_programme_goes_on_where_another_stands_beside_it(tmp_path: Path) -> None:
    """The same number tells which one goes on, though the other one is larger."""

    def two(name: str, *pids: object) -> bytes:
        ffmpeg(
            *picture_source("192x128"), *picture_source("96x64"), "-map", 0, "-map", 1, *GOP,
            "-program", "title=a:program_num=1:st=0", "-program", "title=b:program_num=2:st=1", *pids,
            tmp_path / name,
        )  # fmt: skip
        return (tmp_path / name).read_bytes()

    path = tmp_path / "a.ts"
    path.write_bytes(two("1.ts", *FIRST) + two("2.ts", *OTHER))
    with VideoReader(path) as reader:
        sizes = {(frame.image.width, frame.image.height) for frame in reader}
        assert sizes == {(192, 128)}
        assert "more than one video" in " ".join(reader.notes)


def test_a_programme_of_another_kind_of_video_is_refused_by_name(bench: Bench) -> None:
    path = bench.folder / "patient.ts"
    for options in (FIRST, OTHER):
        path.write_bytes(stream(*FIRST) + stream("-c:v", "mpeg2video", *options))
        bench.refused(path, r"At 0:01.00 the recording continues with a different kind of video \(mpeg2video")


def test_the_second_of_two_programmes_that_run_side_by_side_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    ffmpeg(
        *picture_source(), *picture_source("64x48"), "-map", 0, "-map", 1, *GOP, "-program",
        "title=a:st=0", "-program", "title=b:st=1", path,
    )  # fmt: skip
    times, notes = read(path)
    assert len(times) == 25
    assert "more than one video" in notes


def test_the_sound_goes_on_with_its_programme(bench: Bench) -> None:
    path = bench.folder / "patient.ts"
    first = with_sound(bench.folder / "1.ts", *FIRST)
    for second in (first, with_sound(bench.folder / "2.ts", *OTHER)):
        path.write_bytes(first + second)
        (bench.folder / "out.mp4").unlink(missing_ok=True)
        result = bench.done(
            path, settings=Settings.standard(keep_audio=True, performance=STANDARD.performance)
        )
        assert result.frames == 50
        kept, own = packets(result.target)[1], packets(bench.folder / "1.ts")[1]
        assert len(kept) == 2 * len(own)
        with av.open(str(result.target)) as out:
            times = [float(p.pts * p.time_base) for p in out.demux(audio=0) if p.size]
        steps = [b - a for a, b in itertools.pairwise(times)]
        squeezed = sum(step < 0.02 for step in steps)
        assert squeezed <= 2 and max(steps) < 0.1, "all sound has its time, but what overlaps at the seam"


def test_sound_that_cannot_go_on_is_told(bench: Bench) -> None:
    path = bench.folder / "patient.ts"
    path.write_bytes(with_sound(bench.folder / "1.ts", *FIRST) + stream(*OTHER))
    result = bench.done(path, settings=Settings.standard(keep_audio=True, performance=STANDARD.performance))
    assert result.frames == 50
    assert "sound that was kept ends before it" in " ".join(result.notes)


# -- encrypted -----------------------------------------------------------------------------------------


def test_scrambled_video_is_called_encrypted(bench: Bench) -> None:
    dice = random.Random(1)

    def scrambled(packet: bytes) -> bytes:
        if pid(packet) != 0x100:
            return packet
        return packet[:3] + bytes([packet[3] | 0x80]) + dice.randbytes(184)

    path = bench.folder / "patient.ts"
    path.write_bytes(b"".join(map(scrambled, split(stream(*FIRST)))))
    bench.refused(path, "encrypted", kind=InputError)
    clear = split(stream(*FIRST, seconds=4, size="320x240"))
    path.write_bytes(b"".join(clear) + b"".join(map(scrambled, clear)) * 3)
    bench.refused(path, "encrypted", kind=InputError)


def test_a_clip_without_any_of_this_is_read_as_ever(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.ts", *GOP)
    assert read(path)[0] == frame_times(path)
