"""Pictures whose shape is not plain: pixels that are not square, a phone that is turned, a crop, a ramp.

A failure means that the detector looked at squeezed faces and left them bare, and no check saw it.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from face_clips import FACE, decode_rgb, packet_times
from hostile_helpers import edit_box
from video_helpers import ffmpeg, picture_source, psnr

from anonator.core.config import Mode, Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job, JobResult
from anonator.core.job_thread import VideoProcessor
from anonator.core.pictures.rgb import picture_within
from anonator.core.pictures.shape import Canvas
from anonator.core.preview import preview_frame
from anonator.core.reading.canvas import find_canvas
from anonator.core.reading.reader import VideoReader, probe
from anonator.ui.work import thumbnails as media

HIPAA = Settings(performance=Performance.BALANCED)
FAST = Settings.standard(performance=Performance.MAXIMUM)
SIZE = (480, 270)
HEAD = 170
"""Side of the astronaut's head, with what is around it, in the pictures made here."""
SHRUNK = HEAD / 280
CORE = [round((v - o) * SHRUNK) for v, o in zip(FACE, (90, 20, 90, 20), strict=True)]
"""The face in that head, xyxy."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes")


def face_at(frame: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The face in a frame of the clips made here, xyxy in square pixels."""
    x, y = _corner(frame, size)
    return CORE[0] + x, CORE[1] + y, CORE[2] + x, CORE[3] + y


def _corner(frame: int, size: tuple[int, int]) -> tuple[int, int]:
    return 10 + 4 * frame, (size[1] - HEAD) // 2


def raw_walk(path: Path, astronaut: np.ndarray, size: tuple[int, int], frames: int = 8) -> Path:
    """A lossless clip with square pixels: a head that moves to the right before a grey wall."""
    head = av.VideoFrame.from_ndarray(np.ascontiguousarray(astronaut[20:300, 90:370]), format="rgb24")
    head = head.reformat(HEAD, HEAD, "rgb24").to_ndarray()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(frames):
            picture = np.full((size[1], size[0], 3), 110, np.uint8)
            x, y = _corner(i, size)
            picture[y : y + HEAD, x : x + HEAD] = head[:, : size[0] - x]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def landscape(folder: Path, astronaut: np.ndarray) -> Path:
    return raw_walk(folder / "landscape.mkv", astronaut, SIZE)


@pytest.fixture(scope="module")
def portrait(folder: Path, astronaut: np.ndarray) -> Path:
    return raw_walk(folder / "portrait.mkv", astronaut, SIZE[::-1], frames=6)


def run(source: Path, detectors: DetectorCache, settings: Settings = HIPAA) -> JobResult:
    target = source.with_name(source.stem + "_anonymized.mp4")
    return VideoProcessor(Job(source, target, settings, overwrite=True), detectors=detectors).run()


def require_black(picture: np.ndarray, box: tuple[float, float, float, float]) -> None:
    """The whole box is under a mask in a decoded (h, w, 3) picture."""
    x1, y1, x2, y2 = (round(v) for v in box)
    inside = picture[max(y1, 0) : y2, max(x1, 0) : x2]
    assert inside.size and (inside.max(axis=2) < 40).mean() > 0.98


def require_visible(picture: np.ndarray, part: float = 0.5) -> None:
    """A good part of the picture is no mask: not everything was simply covered."""
    assert (picture.max(axis=2) > 60).mean() > part


# -- pixels that are not square ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "sar",
    [
        "1/4",
        *(pytest.param(sar, marks=pytest.mark.slow) for sar in ("4/1", "1/2", "8/9", "16/15", "4/3", "2/1")),
    ],
)
def test_faces_are_covered_whatever_the_shape_of_the_pixels(
    landscape: Path, detectors: DetectorCache, folder: Path, sar: str
) -> None:
    ratio = Fraction(sar)
    width, height = (
        (SIZE[0], round(SIZE[1] * ratio / 2) * 2) if ratio < 1 else (round(SIZE[0] / ratio / 2) * 2, SIZE[1])
    )
    source = folder / f"sar_{sar.replace('/', '_')}.mp4"
    ffmpeg(
        "-i", landscape, "-vf", f"scale={width}:{height},setsar={sar}", "-c:v", "libx264", "-crf", 12, source
    )
    result = run(source, detectors)
    assert (probe(result.target).width, probe(result.target).height) == (width, height)
    assert probe(result.target).sar == probe(source).sar == ratio
    pictures = decode_rgb(result.target)
    assert len(pictures) == 8
    for i, picture in enumerate(pictures):
        x1, y1, x2, y2 = face_at(i, SIZE)
        across, down = width / SIZE[0], height / SIZE[1]
        require_black(picture, (x1 * across, y1 * down, x2 * across, y2 * down))
        require_visible(picture)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_a_squeezed_face_is_blurred_as_strongly_as_a_square_one(
    landscape: Path, detectors: DetectorCache, folder: Path, mode: Mode
) -> None:
    def covered(name: str, *filters: str) -> np.ndarray:
        source = folder / f"{mode.value}_{name}.mp4"
        ffmpeg("-i", landscape, *filters, "-c:v", "libx264", "-crf", 8, source)
        result = run(source, detectors, Settings.standard(mode=mode, performance=Performance.QUALITY, crf=8))
        x1, y1, x2, y2 = face_at(4, SIZE)
        shown = ffmpeg(
            "-i", result.target, "-vf", f"scale={SIZE[0]}:{SIZE[1]}:flags=bicubic",
            "-f", "rawvideo", "-pix_fmt", "gray", "-",
        )  # fmt: skip
        return np.frombuffer(shown, np.uint8).reshape(-1, SIZE[1], SIZE[0])[4, y1:y2, x1:x2].astype(float)

    square, squeezed = covered("square"), covered("squeezed", "-vf", f"scale={SIZE[0]}:90,setsar=1/3")
    for picture in (square, squeezed):
        # what is left varies slowly: a sharp face has steps of more than 20 from row to row
        steps = (
            np.abs(np.diff(picture, axis=0)) if mode is Mode.BLUR else np.abs(np.diff(picture, axis=0))[::3]
        )
        assert np.median(steps) < 3
    assert squeezed.std() == pytest.approx(square.std(), rel=0.5)


def test_a_tested_frame_is_looked_at_in_the_shape_that_players_show(
    landscape: Path, detectors: DetectorCache, folder: Path
) -> None:
    source = folder / "tested.mp4"
    ffmpeg("-i", landscape, "-vf", f"scale={SIZE[0]}:90,setsar=1/3", "-c:v", "libx264", "-crf", 12, source)
    preview = preview_frame(source, 0.16, HIPAA, detectors)
    assert preview.faces == 1
    assert preview.original.shape == preview.anonymized.shape == (*SIZE[::-1], 3)
    require_black(preview.anonymized, face_at(4, SIZE))


@pytest.mark.slow
def test_the_shape_of_pixels_may_change_in_a_transport_stream(
    landscape: Path, detectors: DetectorCache, folder: Path
) -> None:
    """Television switches between 4:3 and 16:9 in one size of picture."""
    parts = []
    for name, stored in (("wide", 270), ("narrow", 360)):
        # 360 x 270 pixels, shown at 480 x 270 and, the picture being squeezed, at 360 x 270
        parts.append(folder / f"{name}.ts")
        ffmpeg(
            "-i", landscape, "-vf", f"crop={stored * 480 // 270 if stored == 270 else 360}:270:0:0,"
            f"scale=360:270,setsar={'4/3' if stored == 270 else '1/1'}",
            "-c:v", "libx264", "-crf", 12, "-g", 4, "-bf", 2, "-pix_fmt", "yuv420p", parts[-1],
        )  # fmt: skip
    source = folder / "television.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    result = run(source, detectors)
    info = probe(result.target)
    assert (info.width, info.height, info.sar) == (360, 270, Fraction(4, 3))
    assert any("4:3 and 16:9" in note for note in result.notes)
    pictures = decode_rgb(result.target)
    assert len(pictures) == 16
    for i in range(8):
        x1, y1, x2, y2 = face_at(i, SIZE)
        require_black(pictures[i], (x1 * 0.75, y1, x2 * 0.75, y2))
        # the second part keeps its shape: three quarters of the width, between black bars
        require_black(pictures[8 + i], (45 + min(x1, 350) * 0.75, y1, 45 + min(x2, 360) * 0.75, y2))
        assert pictures[8 + i][:, :40].max() < 40 and pictures[8 + i][:, 320:].max() < 40
        require_visible(pictures[8 + i], 0.25)


# -- sizes that change within a recording ------------------------------------------------------------


def joined(folder: Path, name: str, parts: list[Path], options: tuple[object, ...], suffix: str) -> Path:
    """Recordings of any sizes in one file, one behind the other, each with parameters of its own."""
    made = []
    for i, part in enumerate(parts):
        made.append(folder / f"{name}_{i}{suffix}")
        ffmpeg("-i", part, *options, "-g", 5, made[-1])
    path = folder / f"{name}{suffix}"
    if suffix == ".ts":
        path.write_bytes(b"".join(part.read_bytes() for part in made))
    else:
        listing = folder / f"{name}.txt"
        listing.write_text("".join(f"file '{part.name}'\n" for part in made))
        ffmpeg("-f", "concat", "-i", listing, "-c", "copy", path)
    return path


VP8 = ("-c:v", "libvpx", "-b:v", "3M", "-deadline", "realtime", "-pix_fmt", "yuv420p")
VP9 = ("-c:v", "libvpx-vp9", "-b:v", "3M", "-deadline", "realtime", "-cpu-used", 8, "-pix_fmt", "yuv420p")
H264 = ("-c:v", "libx264", "-crf", 14, "-preset", "veryfast", "-pix_fmt", "yuv420p")
INBAND = (*H264, "-bsf:v", "dump_extra")
HEVC = (
    "-c:v",
    "libx265",
    "-crf",
    14,
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=none",
    "-pix_fmt",
    "yuv420p",
)
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "4M", "-pix_fmt", "yuv420p")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", 8, "-crf", 30, "-usage", "realtime", "-pix_fmt", "yuv420p")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "suffix"),
    [
        ("vp8", VP8, ".webm"),
        ("vp9", VP9, ".webm"),
        ("av1", AV1, ".webm"),
        ("h264", H264, ".ts"),
        ("h264", INBAND, ".mkv"),
        ("h264", INBAND, ".mp4"),
        ("hevc", HEVC, ".ts"),
        ("mpeg2", MPEG2, ".ts"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_phone_that_is_turned_while_it_records_squeezes_no_face(
    landscape: Path,
    portrait: Path,
    detectors: DetectorCache,
    folder: Path,
    name: str,
    options: tuple[object, ...],
    suffix: str,
) -> None:
    source = joined(folder, f"turn_{name}", [portrait, landscape], options, suffix)
    result = run(source, detectors)
    assert (probe(result.target).width, probe(result.target).height) == SIZE  # shown for longer
    assert any("size changes" in note and "270 x 480" in note for note in result.notes)
    pictures = decode_rgb(result.target)
    assert len(pictures) == len(packet_times(result.target)) == 14
    scale = SIZE[1] / SIZE[0]
    left = (SIZE[0] - SIZE[1] * scale) / 2
    for i in range(6):
        x1, y1, x2, y2 = face_at(i, SIZE[::-1])
        require_black(
            pictures[i], (left + min(x1, 260) * scale, y1 * scale, left + min(x2, 270) * scale, y2 * scale)
        )
        assert pictures[i][:, : int(left) - 4].max() < 40 and pictures[i][:, -int(left) + 4 :].max() < 40
        require_visible(pictures[i], 0.15)
    for i in range(8):
        require_black(pictures[6 + i], face_at(i, SIZE))
        require_visible(pictures[6 + i])


@pytest.mark.slow
def test_no_mask_slides_from_one_shape_into_the_other(
    landscape: Path, portrait: Path, detectors: DetectorCache, folder: Path
) -> None:
    source = joined(folder, "cut", [landscape, portrait], VP8, ".webm")
    pictures = decode_rgb(run(source, detectors).target)
    masked = [(picture.max(axis=2) < 40).mean() for picture in pictures[:8]]
    # a mask that was interpolated into the other shape would grow in the last frames before it
    assert max(masked) < 1.4 * min(masked)


@pytest.mark.slow
def test_a_call_that_grows_sharper_does_not_end_small(
    landscape: Path, detectors: DetectorCache, folder: Path
) -> None:
    parts = []
    for size in ((120, 68), (240, 134), SIZE):
        parts.append(folder / f"ramp_{size[0]}.mkv")
        ffmpeg("-i", landscape, "-vf", f"scale={size[0]}:{size[1]}", "-c:v", "ffv1", parts[-1])
    result = run(joined(folder, "ramp", parts, VP8, ".webm"), detectors)
    assert (probe(result.target).width, probe(result.target).height) == SIZE
    pictures = decode_rgb(result.target)
    assert len(pictures) == 24
    for i, picture in enumerate(pictures):
        require_black(picture, face_at(i % 8, SIZE))
        require_visible(picture)


@pytest.mark.slow
def test_a_size_that_only_flashes_by_does_not_decide(folder: Path) -> None:
    small, large = folder / "small.mkv", folder / "large.mkv"
    ffmpeg(*picture_source("160x90", seconds=4), "-c:v", "ffv1", small)
    ffmpeg(*picture_source("640x360", seconds=0.2), "-c:v", "ffv1", large)
    source = joined(folder, "flash", [small, large, small], VP8, ".webm")
    assert find_canvas(source, lambda: None) == Canvas(160, 90)


@pytest.mark.slow
def test_sizes_that_no_key_frame_tells_start_the_job_again(
    landscape: Path, detectors: DetectorCache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VP9 and AV1 may change the size of any picture; only reading tells."""
    small = folder / "small_start.mkv"
    ffmpeg("-i", landscape, "-vf", "scale=240:136", "-c:v", "ffv1", small)
    source = joined(folder, "hidden", [small, landscape], VP8, ".webm")
    monkeypatch.setattr("anonator.core.preflight.find_canvas", lambda *_: None)
    result = run(source, detectors)
    assert (probe(result.target).width, probe(result.target).height) == SIZE
    pictures = decode_rgb(result.target)
    assert len(pictures) == result.frames == 16
    for i, picture in enumerate(pictures):
        require_black(picture, face_at(i % 8, SIZE))


def test_pictures_keep_their_colours_when_size_range_and_sampling_change(
    folder: Path, detectors: DetectorCache
) -> None:
    """White stays white, and red red, from full to limited range and from 4:4:4 to 4:2:0."""
    parts = []
    fields = "color=white:s={0}x{1}:r=25:d=0.2[a];color=red:s={0}x{1}:r=25:d=0.2[b];[a][b]hstack=2"
    for i, (pix_fmt, size, colour) in enumerate(
        [("yuvj420p", (96, 64), "pc"), ("yuv420p", (192, 128), "tv"), ("yuv444p", (96, 64), "tv")]
    ):
        parts.append(folder / f"colour_{i}.ts")
        ffmpeg(
            "-f", "lavfi", "-i", fields.format(*size), "-vf", f"scale=out_range={colour},format={pix_fmt}",
            "-c:v", "libx264", "-qp", 1, "-color_range", colour, "-colorspace", "smpte170m", parts[-1],
        )  # fmt: skip
    source = folder / "colour.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    result = run(source, detectors, FAST)
    pictures = decode_rgb(result.target)
    assert len(pictures) == 15
    for picture in pictures:
        middle = picture[picture.shape[0] // 2]
        assert np.abs(middle[len(middle) // 4].astype(int) - [255, 255, 255]).max() < 8
        assert np.abs(middle[3 * len(middle) // 4].astype(int) - [254, 0, 0]).max() < 12


@pytest.mark.slow
def test_a_moment_before_and_after_lies_side_by_side(
    landscape: Path, portrait: Path, detectors: DetectorCache, folder: Path
) -> None:
    source = joined(folder, "compared", [portrait, landscape], VP8, ".webm")
    result = run(source, detectors, FAST)
    for seconds in (0.04, 0.4):
        shown = media.compare(source, result.target, seconds)
        assert shown.original.shape == shown.anonymized.shape == (*SIZE[::-1], 3)
        bare = ~(shown.anonymized.max(axis=2) < 40)
        assert psnr(shown.original[bare], shown.anonymized[bare]) > 25
    # alone, each has its own shape
    assert media.still(source, 0.04).picture.shape == (*SIZE, 3)


# -- what the container says of the picture ----------------------------------------------------------


def test_a_crop_in_matroska_hides_what_players_hide(folder: Path, detectors: DetectorCache) -> None:
    plain = folder / "uncropped.mkv"
    ffmpeg(*picture_source("160x120", seconds=0.2), *H264, "-vf", "setsar=4/3", "-write_crc32", 0, plain)
    data = plain.read_bytes()
    source = folder / "cropped.mkv"
    width, height = data.index(b"\x54\xb0\x81\x10"), data.index(b"\x54\xba\x81\x09")
    data = data[:width] + b"\x54\xdd\x81" + bytes([32]) + data[width + 4 :]  # at the right
    data = data[:height] + b"\x54\xbb\x81" + bytes([10]) + data[height + 4 :]  # at the top
    source.write_bytes(data)
    require_cropped(run(source, detectors, FAST), plain, left=0, top=10, size=(128, 110))


def test_a_clean_aperture_in_quicktime_hides_what_players_hide(
    folder: Path, detectors: DetectorCache
) -> None:
    plain, source = folder / "whole.mov", folder / "aperture.mov"
    ffmpeg(*picture_source("160x120", seconds=0.2), *H264, plain)
    aperture = struct.pack(">I4s8i", 40, b"clap", 128, 1, 110, 1, -16, 1, 5, 1)

    def add(body: bytes) -> bytes:
        size = int.from_bytes(body[8:12], "big")
        return body[:8] + struct.pack(">I", size + 40) + body[12 : 8 + size] + aperture + body[8 + size :]

    source.write_bytes(edit_box(plain.read_bytes(), "moov/trak/mdia/minf/stbl/stsd", add))
    require_cropped(run(source, detectors, FAST), plain, left=0, top=10, size=(128, 110))


def require_cropped(result: JobResult, plain: Path, left: int, top: int, size: tuple[int, int]) -> None:
    wanted = decode_rgb(plain)
    found = decode_rgb(result.target)
    assert len(found) == len(wanted) == 5
    for shown, whole in zip(found, wanted, strict=True):
        assert shown.shape == (size[1], size[0], 3)
        assert psnr(shown, whole[top : top + size[1], left : left + size[0]]) > 30


def test_a_crop_that_leaves_nothing_is_a_mistake_and_crops_nothing(folder: Path) -> None:
    plain, source = folder / "sane.mov", folder / "mad.mov"
    ffmpeg(*picture_source("160x120", seconds=0.2), *H264, plain)
    for numbers in ((0, 1, 0, 1, 0, 1, 0, 1), (128, 0, 110, 0, 0, 0, 0, 0), (16, 1, 16, 1, 9999, 1, 0, 1)):
        aperture = struct.pack(">I4s8i", 40, b"clap", *numbers)

        def add(body: bytes, aperture: bytes = aperture) -> bytes:
            size = int.from_bytes(body[8:12], "big")
            return body[:8] + struct.pack(">I", size + 40) + body[12 : 8 + size] + aperture + body[8 + size :]

        source.write_bytes(edit_box(plain.read_bytes(), "moov/trak/mdia/minf/stbl/stsd", add))
        assert probe(source).display_size == (160, 120)


@pytest.mark.parametrize("codec", ["rawvideo", "ffv1"])
def test_grey_pictures_without_a_tag_keep_all_their_shades(
    folder: Path, detectors: DetectorCache, codec: str
) -> None:
    """Microscopes and ultrasound: 0 to 16 are not all black, nor 235 to 255 all white."""
    source = folder / f"grey_{codec}.avi"
    with av.open(str(source), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 64, "gray"
        ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(ramp, format="gray")))
        container.mux(stream.encode())
    result = run(source, detectors, FAST)
    assert probe(result.target).color_range == 2
    for picture in decode_rgb(result.target):
        shades = picture[32, :, 1].astype(int)
        assert shades[0] < 3 and shades[255] > 252
        assert np.abs(shades - np.arange(256)).max() < 5


def exif(orientation: int) -> bytes:
    """A JPEG segment that says how the camera was held."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


def with_exif(plain: Path, source: Path, orientations: list[int]) -> None:
    """A motion JPEG whose pictures say how the camera was held."""
    with av.open(str(plain)) as given, av.open(str(source), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for i, packet in enumerate(p for p in given.demux(video=0) if p.size):
            data = bytes(packet)
            changed = av.Packet(data[:2] + exif(orientations[i]) + data[2:])
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.duration, changed.is_keyframe, changed.stream = packet.duration, True, stream
            made.mux(changed)


@pytest.fixture(scope="module")
def motion_jpeg(folder: Path) -> Path:
    path = folder / "motion.avi"
    ffmpeg(*picture_source("160x120", seconds=0.2), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", 2, path)
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mkv"])
def test_side_data_that_nobody_needs_does_not_stop_a_job(
    motion_jpeg: Path, folder: Path, detectors: DetectorCache, suffix: str
) -> None:
    """EXIF in motion JPEG is side data of a kind that PyAV has no name for."""
    source = folder / f"exif{suffix}"
    with_exif(motion_jpeg, source, [1] * 5)
    result = run(source, detectors)
    wanted, found = decode_rgb(motion_jpeg), decode_rgb(result.target)
    assert len(found) == len(wanted) == 5
    assert min(psnr(a, b) for a, b in zip(found, wanted, strict=True)) > 28


def test_a_camera_that_is_turned_says_so_in_its_pictures(motion_jpeg: Path, folder: Path) -> None:
    """Orientation 6 is a quarter turn clockwise, 2 a mirror image."""
    source = folder / "held.avi"
    with_exif(motion_jpeg, source, [1, 1, 6, 2, 1])
    wanted = decode_rgb(motion_jpeg)
    wanted[2], wanted[3] = np.rot90(wanted[2], -1), wanted[3][:, ::-1]
    with VideoReader(source) as reader:
        frames = list(reader)
    assert [frame.shape for frame in frames] == [
        (*((120, 160) if i == 2 else (160, 120)), Fraction(1)) for i in range(5)
    ]
    for frame, picture in zip(frames, wanted, strict=True):
        shown, _ = picture_within(frame, 1000)
        assert psnr(shown, picture) > 28


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_an_interlaced_recording_that_was_turned_stands_upright(folder: Path, degrees: int) -> None:
    plain, source = folder / f"lying_{degrees}.mp4", folder / f"turned_{degrees}.mp4"
    ffmpeg(
        *picture_source("160x96", seconds=0.4, rate=50), "-vf", "interlace,setfield=tff", *H264,
        "-flags", "+ilme+ildct", plain,
    )  # fmt: skip
    ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", source)
    with VideoReader(source) as reader:
        assert reader.info.interlaced and reader.info.display_size == (
            (160, 96) if degrees == 180 else (96, 160)
        )
        frames = list(reader)
    filters = "bwdif=mode=send_frame:deint=interlaced"
    width, height = reader.info.display_size
    raw = ffmpeg("-i", source, "-vf", filters, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    wanted = np.frombuffer(raw, np.uint8).reshape(-1, height, width)
    assert len(frames) == len(wanted)
    assert min(psnr(f.planes()[0], w) for f, w in zip(frames, wanted, strict=True)) > 20
