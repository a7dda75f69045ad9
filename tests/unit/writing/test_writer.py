"""Writing: exact times, true sizes, and nothing in the file but picture and sound."""

from __future__ import annotations

import hashlib
import os
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_helpers import (
    FAST_X264,
    clip,
    copy,
    decoded,
    drawn_frames,
    ffmpeg,
    frame_times,
    info_for,
    mp4_boxes,
    packets,
    picture_source,
    psnr,
    stream_seconds,
    tone,
    write,
)

from anonator.core.config import Encoder
from anonator.core.frames import Frame
from anonator.core.reading.reader import VideoReader, probe
from anonator.core.writing import mp4_finish as mp4_file
from anonator.core.writing.encoders import LOOKAHEAD, _encodes, encoder_setup, usable_encoders
from anonator.core.writing.writer import VideoWriter
from anonator.errors import DeviceError, OutputError

# -- time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "times"),
    [
        (Fraction(1, 25), list(range(12))),
        (Fraction(1001, 30000), list(range(12))),
        (Fraction(1, 90000), [n * 3003 for n in range(12)]),
        (Fraction(1, 90000), [126000 + n * 3600 + n % 3 * 7 for n in range(12)]),
        (Fraction(1, 1000), [33 + round(n * 1000 / 30) for n in range(12)]),
        (Fraction(1, 1000), [0, 5, 6, 7, 2000, 2001, 65000, 65033, 65100]),
        (Fraction(1, 90000), [24 * 3600 * 90000 + n * 3750 + n % 2 for n in range(12)]),
        (Fraction(1, 1_000_000), [n * 33367 for n in range(12)]),
        (Fraction(333667, 10_000_000), list(range(12))),
        (Fraction(1, 7), [3, 4, 6, 7, 9]),
        (Fraction(1, 25), [5]),
    ],
)
def test_every_frame_is_shown_at_exactly_its_time(tmp_path: Path, base: Fraction, times: list[int]) -> None:
    info = info_for(time_base=base)
    writer = write(tmp_path / "a.mp4", info, times)
    wanted = [n * base for n in times]
    assert frame_times(tmp_path / "a.mp4") == wanted
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert [frame.seconds for frame in reader] == wanted
    assert list(writer.pts) == times
    assert writer.frames_written == writer.packets_written == len(times)
    assert writer.bytes_written == (tmp_path / "a.mp4").stat().st_size


def test_a_closed_or_failed_file_keeps_no_encoder(tmp_path: Path) -> None:
    """One for 1920x1080 holds a quarter of a gigabyte, all through the checks."""
    for ending in ("close", "_discard"):
        writer = VideoWriter(tmp_path / "a.mp4", info_for())
        writer.write(next(drawn_frames(info_for(), [0])))
        stream = writer._stream
        assert sys.getrefcount(stream) > 2
        getattr(writer, ending)()
        assert sys.getrefcount(stream) == 2, "its own name here, and the argument"
        writer.__exit__(None, None, None)


def test_a_clock_in_nanoseconds_is_rounded_to_what_mp4_can_count(tmp_path: Path) -> None:
    info = info_for(time_base=Fraction(1, 10**9))
    times = [0, 33_333_333, 66_666_667, 30_000_000_000]  # half a minute would not fit 32 bits of nanoseconds
    write(tmp_path / "a.mp4", info, times)
    assert [round(t * 10**7) for t in frame_times(tmp_path / "a.mp4")] == [round(n / 100) for n in times]


def test_frames_a_day_apart_are_more_than_mp4_can_hold_and_that_is_said(tmp_path: Path) -> None:
    info = info_for(time_base=Fraction(1, 90000))
    with pytest.raises(OutputError, match="many hours apart"):
        write(tmp_path / "a.mp4", info, [0, 3600, 24 * 3600 * 90000])
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "a.mp4", info_for(time_base=Fraction(1, 25)), [0, 1, 6 * 3600 * 25])
    assert frame_times(tmp_path / "a.mp4")[-1] == 6 * 3600


def test_the_last_frame_lasts_as_long_as_in_the_input(tmp_path: Path) -> None:
    # the input's last frame lasts 0.96 s, as a slide show's does
    ffmpeg(
        *(*picture_source(seconds=2), "-vf", "select='lt(n,26)+eq(n,26)'", "-fps_mode", "vfr", *FAST_X264),
        *("-bsf:v", "setts=duration='if(eq(N,26),DURATION*24,DURATION)'", tmp_path / "a.mp4"),
    )
    source = stream_seconds(tmp_path / "a.mp4")
    copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert stream_seconds(tmp_path / "b.mp4") == source == 2


def test_without_a_word_from_the_input_the_last_frame_lasts_as_long_as_the_one_before(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", info_for(), [0, 1, 2, 5])
    assert stream_seconds(tmp_path / "a.mp4") == Fraction(8, 25)


# -- the picture -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(96, 64), (95, 64), (96, 63), (95, 61)])
def test_players_show_the_true_size_also_an_odd_one(tmp_path: Path, size: tuple[int, int]) -> None:
    info = info_for(size, sar=Fraction(4, 3))
    write(tmp_path / "a.mp4", info, list(range(5)), crf=10)
    text = ffmpeg("-i", tmp_path / "a.mp4", "-vf", "showinfo", "-f", "framecrc", "-").decode()
    assert f"#dimensions 0: {size[0]}x{size[1]}" in text
    assert "#sar 0: 4/3" in text
    with av.open(str(tmp_path / "a.mp4")) as container:
        picture = next(container.decode(video=0))
        assert (picture.width, picture.height) == size
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    again = probe(tmp_path / "a.mp4")
    assert (again.display_size, again.width, again.height) == (size, info.width, info.height)
    boxes = dict(mp4_boxes(tmp_path / "a.mp4"))
    shown = [int.from_bytes(boxes["/moov/trak/tkhd"][-8:][i : i + 4], "big") / 65536 for i in (0, 4)]
    assert shown == pytest.approx([size[0] * 4 / 3, size[1]], abs=0.7)


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (2, 6, 6, 6), (0, 2, 2, 2), (1, 9, 9, 14), (2, 5, 5, 6)])
def test_colour_tags_stay(tmp_path: Path, tags: tuple[int, int, int, int]) -> None:
    names = ("color_range", "color_space", "color_primaries", "color_transfer")
    info = info_for((96, 64), Fraction(1, 25), **dict(zip(names, tags, strict=True)))
    write(tmp_path / "a.mp4", info, list(range(3)))
    again = probe(tmp_path / "a.mp4")
    assert tuple(getattr(again, name) for name in names) == tags


def test_pixels_pass_unchanged_but_for_compression(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", "-crf", "12", size="192x128")
    copy(source, tmp_path / "b.mp4")
    for before, after in zip(
        decoded(source, (192, 128)), decoded(tmp_path / "b.mp4", (192, 128)), strict=True
    ):
        for plane in range(3):
            assert psnr(before[plane], after[plane]) > 34


def test_changes_made_in_place_are_what_is_written(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    with VideoReader(source) as reader, VideoWriter(tmp_path / "b.mp4", reader.info) as writer:
        for frame in reader:
            frame.make_writable()
            y, u, v = frame.planes()
            y[16:48, 16:48], u[8:24, 8:24], v[8:24, 8:24] = 16, 128, 128
            writer.write(frame)
        writer.close()
        writer.publish()
    shown = decoded(tmp_path / "b.mp4", (96, 64))
    assert len(shown) == 25
    for y, u, _ in shown:
        assert y[18:46, 18:46].max() < 24
        assert abs(int(u[9:23, 9:23].mean()) - 128) < 3


def test_a_turned_input_gives_an_upright_file_without_a_turn(tmp_path: Path) -> None:
    plain = clip(tmp_path / "plain.mp4")
    ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", tmp_path / "a.mp4")
    copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    info = probe(tmp_path / "b.mp4")
    assert (info.display_size, info.rotation) == ((64, 96), 0)
    assert psnr(decoded(tmp_path / "b.mp4", (64, 96))[9][0], decoded(tmp_path / "a.mp4", (64, 96))[9][0]) > 30


# -- nothing else in the file ------------------------------------------------------------------------


def telling_input(path: Path) -> Path:
    """A clip with what can tell something: tags, chapters, GPS, dates, languages, names of devices."""
    chapters = path.with_name("chapters.txt")
    chapters.write_text(
        ";FFMETADATA1\ntitle=Patient Miller\n[CHAPTER]\nSTART=0\nEND=500\ntitle=Miller falls\n"
    )
    ffmpeg(
        *(
            *picture_source(),
            *tone(),
            "-i",
            chapters,
            "-map",
            0,
            "-map",
            1,
            "-map_metadata",
            2,
            "-map_chapters",
            2,
        ),
        *(*FAST_X264, "-c:a", "aac", "-flags:a", "+bitexact", "-metadata", "location=+48.1+011.5/"),
        *("-metadata", "comment=Ward 7"),
        *("-metadata", "creation_time=2024-03-01T12:00:00Z", "-metadata:s:a:0", "language=ger"),
        *("-metadata:s:v:0", "handler_name=Miller camera", "-movflags", "use_metadata_tags", path),
    )
    return path


def test_the_file_holds_no_word_that_the_muxer_need_not_write(tmp_path: Path) -> None:
    copy(telling_input(tmp_path / "a.mov"), tmp_path / "b.mp4")
    boxes = mp4_boxes(tmp_path / "b.mp4")
    names = [name for name, _ in boxes]
    kinds = {name.split("/")[-1] for name in names}
    assert not kinds & {"udta", "meta", "ilst", "uuid", "tref", "chap", "gmhd", "tmcd", "name", "keys"}
    assert [n for n in names if n.count("/") == 1] == ["/ftyp", "/moov", "/free", "/mdat"], (
        "playing can start at once"
    )
    for name, body in boxes:
        if name.endswith(("mvhd", "tkhd", "mdhd")):
            width = 8 if body[0] else 4
            assert body[4 : 4 + 2 * width] == bytes(2 * width), f"{name} holds a date"
        if name.endswith("mdhd"):
            language = int.from_bytes(body[-4:-2], "big")
            assert language == 0x55C4, "the language must be undetermined"
        if name.endswith("hdlr"):
            assert body[24:].strip(b"\0") == b"", "a handler has a name"
    data = (tmp_path / "b.mp4").read_bytes()
    for word in (b"x264", b"Lav", b"libav", b"Miller", b"Ward", b"48.1", b"2024", b"FFmpeg"):
        assert word not in data
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [s.type for s in container.streams] == ["video", "audio"]
        assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        picture = next(container.decode(video=0))
        assert len(list(picture.side_data)) == 0


def test_captions_inside_the_pictures_are_not_carried_over(tmp_path: Path) -> None:
    image = av.VideoFrame(96, 64, "yuv420p")
    with VideoWriter(tmp_path / "a.mp4", info_for()) as writer:
        writer.write(Frame(0, 0, Fraction(1, 25), image))
        writer.close()
        writer.publish()
    with av.open(str(tmp_path / "a.mp4")) as container:
        payload = b"".join(bytes(p) for p in container.demux(video=0) if p.size)
    kinds = []
    while payload:
        length = int.from_bytes(payload[:4], "big")
        kinds.append(payload[4] & 31)
        payload = payload[4 + length :]
    assert kinds, "no unit found"
    assert 6 not in kinds, "a unit of supplemental information (SEI)"


# -- use ---------------------------------------------------------------------------------------------


def test_frames_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [5])))
        with pytest.raises(ValueError, match="does not come after 5"):
            writer.write(next(drawn_frames(info, [5])))
        with pytest.raises(ValueError, match="64 x 64"):
            writer.write(next(drawn_frames(info_for((64, 64)), [6])))
        with pytest.raises(ValueError, match="before close"):
            writer.publish()
    assert os.listdir(tmp_path) == []


def test_a_video_without_frames_is_an_error(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", info_for()) as writer, pytest.raises(OutputError, match="No frame"):
        writer.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("encoder", [Encoder.NVENC, Encoder.QSV, Encoder.AMF])
def test_an_encoder_either_works_or_says_that_it_cannot_be_used(tmp_path: Path, encoder: Encoder) -> None:
    info = info_for((256, 192))
    try:
        write(tmp_path / "a.mp4", info, list(range(8)), encoder=encoder)
    except DeviceError as exc:
        assert encoder.value in str(exc)
        assert "libx264" in str(exc)
        assert os.listdir(tmp_path) == []
    else:
        assert frame_times(tmp_path / "a.mp4") == [Fraction(n, 25) for n in range(8)]


@pytest.mark.parametrize("encoder", list(Encoder))
def test_every_encoder_takes_every_preset_and_quality(encoder: Encoder) -> None:
    for preset in LOOKAHEAD:
        for crf in (0, 20, 40):
            pix_fmt, options = encoder_setup(encoder, preset, crf, 1920 * 1080)
            assert pix_fmt in ("yuv420p", "nv12")
            assert all(isinstance(value, str) for value in options.values())
    with pytest.raises(ValueError, match="not a preset"):
        encoder_setup(encoder, "quick", 20, 1920 * 1080)


def test_the_same_frames_become_the_same_bits_every_time() -> None:
    """Without x264's cpu-independent, about one in five of these differs on a processor with AVX-512."""
    noise = np.random.default_rng(1).integers(0, 255, (6, 8), np.uint8).repeat(20, 0).repeat(20, 1)
    digests = set()
    for _ in range(30):
        pix_fmt, options = encoder_setup(Encoder.X264, "slow", 20, 160 * 120)
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 160, 120, pix_fmt
        encoder.time_base, encoder.options = Fraction(1, 25), options
        digest = hashlib.sha256()
        for number in range(7):
            picture = np.full((180, 160), 128, np.uint8)
            picture[:120] = np.roll(noise, 4 * number, 1)
            frame = av.VideoFrame.from_ndarray(picture, format=pix_fmt)
            frame.pts = number
            for packet in encoder.encode(frame):
                digest.update(bytes(packet))
        for packet in encoder.encode(None):
            digest.update(bytes(packet))
        digests.add(digest.hexdigest())
    assert len(digests) == 1


def test_looking_ahead_takes_less_memory_for_larger_pictures() -> None:
    frames = [int(encoder_setup(Encoder.X264, "medium", 20, w * h)[1]["rc-lookahead"]) for w, h in
              [(1280, 720), (1920, 1080), (3840, 2160), (7680, 4320)]]  # fmt: skip
    assert frames == [40, 40, 21, 5]


def test_a_moov_that_is_moved_keeps_every_chunk_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # small chunks, so that many reads and writes overlap
    monkeypatch.setattr(mp4_file, "CHUNK", 1000)
    source = tmp_path / "a.mkv"
    ffmpeg(*picture_source(seconds=3, size="192x128"), *tone(3), *FAST_X264, "-c:a", "aac", source)
    copy(source, tmp_path / "b.mp4")
    assert packets(source)[1] == packets(tmp_path / "b.mp4")[1]
    assert len(decoded(tmp_path / "b.mp4", (192, 128))) == 75


def test_only_encoders_that_encode_are_offered() -> None:
    """FFmpeg names encoders whose driver or card is missing; a failure means that a job dies with one."""
    usable = usable_encoders()
    assert usable[0] is Encoder.X264
    for encoder in Encoder:
        assert _encodes(encoder) == (encoder in usable)
