"""Standard mode's answer to damage: black for every frame that cannot be trusted, all others untouched."""

from __future__ import annotations

import itertools
import random
import re
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from video_helpers import GOP, clip, ffmpeg, picture_source, tone

from anonator.core.frames import Frame
from anonator.core.reading.reader import VideoReader
from anonator.errors import DecodeError

OPEN_GOP = ("-c:v", "libx264", "-preset", "fast", "-x264-params", "open-gop=1:keyint=12:bframes=3")
MPEG4 = ("-c:v", "mpeg4", "-g", "12", "-bf", "2")
"""Each key frame is followed by two B-frames that are shown before it and depend on the scene before."""
MPEG2 = ("-c:v", "mpeg2video", "-g", "12", "-bf", "2")
LIMIT = 1000


@cache
def content(name: str, *codec: str) -> bytes:
    """Two seconds with a key frame every twelve, and enough bits for damage to hit something."""
    with tempfile.TemporaryDirectory() as folder:
        return clip(Path(folder, name), *codec, "-b:v", "2M", seconds=2, size="192x128").read_bytes()


def make(folder: Path, name: str, *codec: str) -> Path:
    path = folder / name
    path.write_bytes(content(name, *codec))
    return path


def hidden_start(folder: Path, name: str) -> Path:
    """A clip whose first 20 frames are hidden by an edit list, in the middle of a scene of 35."""
    plain = clip(
        folder / "plain.mp4",
        "-c:v",
        "libx264",
        "-bf",
        "2",
        "-g",
        "35",
        "-b:v",
        "2M",
        seconds=2,
        size="192x128",
    )
    ffmpeg("-ss", 0.8, "-i", plain, "-c", "copy", folder / name)
    return folder / name


def sent_packets(path: Path) -> list[tuple[int, int, int, bool]]:
    """(pts, position, size, is key) of the video's packets in order of decoding."""
    with av.open(str(path)) as container:
        return [(p.pts or 0, p.pos or 0, p.size, p.is_keyframe) for p in container.demux(video=0) if p.size]


def damage(path: Path, number: int, sound: float = 0.25) -> Path:
    """A copy of the file in which the packet of that number is rubbish, but for its beginning."""
    _, position, size, _ = sent_packets(path)[number]
    data = bytearray(path.read_bytes())
    start, end = position + int(size * sound), position + size
    if path.suffix == ".ts":  # within the first of its transport packets
        start, end = position + 90, position + 180
    data[start:end] = random.Random(4).randbytes(end - start)
    damaged = path.with_name("damaged" + path.suffix)
    damaged.write_bytes(data)
    return damaged


def read(path: Path, limit: int = 0) -> tuple[list[Frame], tuple[str, ...], int]:
    """All frames with planes of their own, the notes, and how many frames were replaced."""
    frames = []
    with VideoReader(path, limit) as reader:
        for frame in reader:
            frame.make_writable()
            frames.append(frame)
        return frames, reader.notes, reader.replaced_frames


def seconds(frames: list[Frame]) -> list[Fraction]:
    return [frame.seconds for frame in frames]


def same_picture(a: Frame, b: Frame) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.planes(), b.planes(), strict=True))


def plain(name: str, *codec: str) -> Callable[[Path], Path]:
    return lambda folder: make(folder, name, *codec)


def interlaced(folder: Path) -> Path:
    return clip(folder / "a.ts", "-vf", "interlace", *MPEG2, "-flags", "+ilme+ildct", rate=50, seconds=2)


def joined(folder: Path) -> Path:
    """Two recordings in one file; the times of the second lie before those of the first."""
    clip(folder / "1.ts", *GOP, "-output_ts_offset", 20, seconds=4)
    clip(folder / "2.ts", *GOP, "-b:v", "1M", seconds=2)
    both = folder / "both.ts"
    both.write_bytes((folder / "1.ts").read_bytes() + (folder / "2.ts").read_bytes())
    return both


@pytest.mark.quick_cases(5)
@pytest.mark.parametrize(
    "make_clip",
    [
        plain("a.mp4", *GOP),
        plain("a.ts", *OPEN_GOP),
        plain("a.avi", *OPEN_GOP),
        plain("b.avi", *MPEG4),
        plain("a.webm", "-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16"),
        plain("a.mkv", "-c:v", "libx265", "-x265-params", "keyint=12:bframes=4:log-level=none"),
        plain("b.mkv", "-c:v", "libaom-av1", "-cpu-used", "8"),
        lambda folder: hidden_start(folder, "a.mp4"),
        interlaced,
        joined,
    ],
    ids=["h264", "ts", "avi", "mpeg4", "vp8", "hevc", "av1", "edit list", "interlaced", "joined"],
)
def test_a_whole_video_is_read_alike_with_and_without_a_limit(
    tmp_path: Path, make_clip: Callable[[Path], Path]
) -> None:
    path = make_clip(tmp_path)
    strict, strict_notes, _ = read(path)
    frames, notes, replaced = read(path, LIMIT)
    assert replaced == 0
    assert notes == strict_notes
    assert seconds(frames) == seconds(strict)
    assert all(same_picture(a, b) for a, b in zip(frames, strict, strict=True))


@pytest.mark.quick_cases(8)
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", GOP),
        ("a.mkv", GOP),
        ("open.mp4", OPEN_GOP),
        ("open.ts", OPEN_GOP),
        ("mpeg4.mp4", MPEG4),
        ("mpeg2.ts", MPEG2),
    ],
)
@pytest.mark.parametrize("number", [12, 15, 17, 22])
def test_from_the_damage_to_the_next_key_frame_all_is_black_and_nothing_else_is(
    tmp_path: Path, name: str, codec: tuple[str, ...], number: int
) -> None:
    """FFmpeg marks the damaged picture only; those built on it differ from the original, unmarked."""
    path = make(tmp_path, name, *codec)
    whole, _, _ = read(path)
    packets = sent_packets(path)
    frames, notes, replaced = read(damage(path, number), LIMIT)
    assert seconds(frames) == seconds(whole)
    key = next((n for n in range(number + 1, len(packets)) if packets[n][3]), len(packets))
    untrusted = {pts for pts, *_ in packets[number:key]}
    # what is shown before a key frame may be decoded after it, and is built on what lies before it
    before = [n for n in range(number) if packets[n][3]][-1]
    if packets[number][0] < packets[before][0]:
        untrusted = {pts for pts in untrusted if pts < packets[before][0]}
    elif key < len(packets):
        known = {pts for pts, *_ in packets[:number]}
        untrusted |= {pts for pts, *_ in packets[key:] if pts < packets[key][0]} - known
    assert {frame.pts for frame in frames if frame.replaced} == untrusted
    assert replaced == len(untrusted)
    for frame, original in zip(frames, whole, strict=True):
        if frame.replaced:
            assert [(p.min(), p.max()) for p in frame.planes()] == [(16, 16), (128, 128), (128, 128)]
        else:
            assert same_picture(frame, original)
    assert re.search(
        rf"\b{replaced} frames? could not be decoded and (is|are) black in the result: at 0:0",
        " ".join(notes),
    )


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mov", ("-c:v", "prores")),
        ("a.avi", ("-c:v", "mjpeg", "-q:v", "2")),
        ("b.avi", GOP),
        ("c.avi", MPEG4),
    ],
)
def test_no_frame_is_lost_where_every_frame_stands_alone_or_has_no_time(
    tmp_path: Path, name: str, codec: tuple[str, ...]
) -> None:
    path = make(tmp_path, name, *codec)
    whole, _, _ = read(path)
    frames, _, replaced = read(damage(path, 14), LIMIT)
    assert seconds(frames) == seconds(whole)
    if codec[1] in ("prores", "mjpeg"):
        assert [frame.index for frame in frames if frame.replaced] == [14]
    assert 1 <= replaced <= 15
    wrong = sum(not a.replaced and not same_picture(a, b) for a, b in zip(frames, whole, strict=True))
    # AVI says only the order in which frames are stored: a whole one beside black ones may stand one early
    assert wrong <= 1


def test_above_the_limit_it_is_an_error_with_time_and_count(tmp_path: Path) -> None:
    path = damage(make(tmp_path, "a.mp4", *GOP), 15)
    _, _, replaced = read(path, LIMIT)
    assert read(path, replaced)[2] == replaced
    with pytest.raises(
        DecodeError, match=rf"limit is {replaced - 1}\), the last at 0:0\d\.\d\d, after 1\d of 50"
    ):
        read(path, replaced - 1)
    with pytest.raises(DecodeError, match=r"damaged at 0:00\.\d\d, after 1\d of 50"):
        read(path)


def test_a_damaged_beginning_is_black_in_the_right_shape(tmp_path: Path) -> None:
    upright = clip(
        tmp_path / "upright.mp4", "-vf", "scale=out_range=full", "-pix_fmt", "yuvj420p", "-g", "12",
        "-bf", "0", "-c:v", "libx264", "-b:v", "2M", size="190x128",
    )  # fmt: skip
    ffmpeg("-display_rotation", 90, "-i", upright, "-c", "copy", tmp_path / "a.mp4")
    frames, notes, replaced = read(damage(tmp_path / "a.mp4", 0), LIMIT)
    assert replaced == 12
    assert [frame.replaced for frame in frames] == [True] * 12 + [False] * 13
    assert seconds(frames) == [Fraction(n, 25) for n in range(25)]
    assert {(frame.width, frame.height) for frame in frames} == {(128, 190)}
    assert all(frame.full_range for frame in frames)
    assert frames[0].planes()[0].max() == 0  # full range
    assert "12 frames could not be decoded and are black in the result: at 0:00.00 to 0:00.44." in notes


def test_damage_that_an_edit_list_hides_counts_for_what_is_built_on_it(tmp_path: Path) -> None:
    """FFmpeg throws hidden pictures away with the mark of their damage; those after them look smeared."""
    path = hidden_start(tmp_path, "a.mp4")
    whole, _, _ = read(path)
    damaged = damage(path, 10)
    with pytest.raises(DecodeError, match="damaged"):
        read(damaged)
    frames, _, _ = read(damaged, LIMIT)
    assert [frame.replaced for frame in frames] == [True] * 15 + [False] * 15
    assert seconds(frames) == seconds(whole)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("number", [112, 120, 140])
def test_damage_late_in_a_joined_recording_is_not_taken_for_a_cut_beginning(
    tmp_path: Path, number: int
) -> None:
    """Its times lie before those of the first key frame, as those of pictures that were cut off do."""
    path = joined(tmp_path)
    whole, _, _ = read(path)
    damaged = damage(path, number)
    with pytest.raises(DecodeError, match=r"at \d:\d\d\.\d\d, after 1\d\d frames"):
        read(damaged)
    frames, _, replaced = read(damaged, LIMIT)
    assert 1 <= replaced <= 12
    assert len(frames) == len(whole) == 150
    assert all(a < b for a, b in itertools.pairwise(seconds(frames)))


def test_a_packet_without_any_picture_spoils_what_follows_it(tmp_path: Path) -> None:
    """The complaint comes while the key frame before it is still in the decoder: that one is whole."""
    path = make(tmp_path, "a.mp4", *GOP)
    whole, _, _ = read(path)
    frames, _, _ = read(damage(path, 13, sound=0), LIMIT)
    assert seconds(frames) == seconds(whole)
    assert [frame.index for frame in frames if frame.replaced] == list(range(13, 24))
    assert same_picture(frames[12], whole[12])


def test_what_only_calls_itself_a_key_frame_ends_no_damage(tmp_path: Path) -> None:
    """With periodic intra refresh, packets are marked from which a picture builds up over many frames."""
    path = make(
        tmp_path, "a.mp4", "-c:v", "libx264", "-bf", "0", "-x264-params", "intra-refresh=1:keyint=15",
    )  # fmt: skip
    assert [n for n, packet in enumerate(sent_packets(path)) if packet[3]] == [0, 15, 30, 45]
    frames, _, _ = read(damage(path, 20), LIMIT)
    assert [frame.index for frame in frames if frame.replaced] == list(range(20, 50))


def test_black_frames_do_not_mix_with_interlaced_ones(tmp_path: Path) -> None:
    path = interlaced(tmp_path)
    frames, notes, replaced = read(damage(path, 15), LIMIT)
    assert seconds(frames) == seconds(read(path)[0])
    assert 1 <= replaced <= 15
    assert all(frame.planes()[0].max() == 16 for frame in frames if frame.replaced)
    assert all(frame.planes()[0].max() > 60 for frame in frames if not frame.replaced)
    assert "deinterlaced" in " ".join(notes)


def test_a_file_that_ends_too_early_is_an_error_all_the_same(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", *GOP, "-movflags", "faststart")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DecodeError, match="ends too early"):
        read(path, LIMIT)


def test_without_pairs_of_packets_and_pictures_damage_is_an_error(tmp_path: Path) -> None:
    """VP8 can store frames that are never shown: nobody knows which of the lost ones would have been."""
    path = make(tmp_path, "a.webm", "-c:v", "libvpx", "-g", "45")
    packets = sent_packets(path)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        heads = [bytes(packet)[:8] for packet in container.demux(video=0) if packet.size]
    shown = data.index(heads[5], packets[5][1])
    data[shown] &= ~0x10  # "show_frame" of RFC 6386, 9.1
    path.write_bytes(data)
    assert len(read(path)[0]) == len(read(path, LIMIT)[0]) == 49
    key = data.index(heads[45], packets[45][1])
    assert data[key + 3 : key + 6] == b"\x9d\x01\x2a"
    data[key + 3 : key + 6] = bytes(3)
    path.write_bytes(data)
    for limit in (0, LIMIT):
        with pytest.raises(DecodeError, match=r"at 0:01\.\d\d, after 4\d"):
            read(path, limit)


def test_damage_that_is_noticed_late_is_black_from_there_on(tmp_path: Path) -> None:
    """AV1 and VP9 read rubbish as pictures for a while; what was delivered until then cannot be recalled."""
    path = make(tmp_path, "a.mp4", "-c:v", "libaom-av1", "-cpu-used", "8", "-g", "12")
    whole, _, _ = read(path)
    frames, _, replaced = read(damage(path, 15), LIMIT)
    assert seconds(frames) == seconds(whole)
    black = [frame.index for frame in frames if frame.replaced]
    assert 1 <= replaced == len(black) <= 9
    assert black == list(range(black[0], 24))  # up to the next key frame
    assert all(same_picture(a, b) for a, b in zip(frames[24:], whole[24:], strict=True))


def test_sound_is_no_part_of_this(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg(*picture_source(size="192x128", seconds=2), *tone(2), *GOP, "-c:a", "aac", path)
    _, _, replaced = read(damage(path, 5), LIMIT)
    assert 1 <= replaced <= 12


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("limit", [0, LIMIT])
def test_damage_is_noticed_every_time_also_among_b_frames(tmp_path: Path, limit: int) -> None:
    """With frames decoded in parallel FFmpeg hands out one of ten damaged ones before it has marked it."""
    path = clip(tmp_path / "a.mp4", *GOP, "-b:v", "2M", seconds=2, size="640x360")
    for number in range(13, 23):
        damaged = damage(path, number)
        try:
            _, _, replaced = read(damaged, limit)
        except DecodeError:
            continue
        assert replaced > 0, f"packet {number}"
