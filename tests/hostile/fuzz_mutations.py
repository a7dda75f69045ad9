"""Damaged copies of real videos for fuzzing: flipped bits, false sizes, cuts, splices, shuffled parts."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from video_helpers import FAST_X264, GOP, ffmpeg, picture_source, tone

SMALL = {"size": "64x48", "seconds": 0.4}
MP4_PARENTS = frozenset(
    [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf"]
)
INTERESTING = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
EBML_IDS = (
    b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66",
    b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b", b"\x12\x54\xc3\x67",
    b"\x63\xa2", b"\x2a\xd7\xb1",
    b"\xae", b"\xe0", b"\xa3", b"\xa0", b"\xa1", b"\xe7", b"\xec", b"\xb0", b"\xba",
)  # fmt: skip
"""Beginnings of Matroska elements: header, segment, seek head, info, tracks, cluster, cues, tags, others."""


def seed_files() -> dict[str, bytes]:
    """A few KB of every container and of the common codecs, with sound, tags, and programmes that change."""
    sound = tone(0.4)
    aac, mp3 = ("-c:a", "aac", "-b:a", "32k"), ("-c:a", "libmp3lame", "-b:a", "32k")
    tagged = ("-metadata", "title=Somebody", "-metadata", "location=+48.2+016.3/")
    quiet265 = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=5")
    recipes: dict[str, tuple[object, ...]] = {
        "h264.mp4": (*sound, *GOP, *aac, "-movflags", "faststart", *tagged),
        "tail.mp4": (*FAST_X264, *tagged),
        "pieces.mp4": (*sound, *GOP, *aac, "-movflags", "frag_keyframe+empty_moov"),
        "hevc.mp4": (*quiet265, "-tag:v", "hvc1", "-movflags", "faststart"),
        "av1.mp4": ("-c:v", "libaom-av1", "-cpu-used", "8", "-movflags", "faststart"),
        "mpeg4.mov": (*sound, "-c:v", "mpeg4", "-bf", "2", "-c:a", "pcm_s16le", "-timecode", "01:00:00:00"),
        "prores.mov": ("-c:v", "prores", "-profile:v", "0"),
        "h264.mkv": (*sound, *GOP, *aac, *tagged),
        "vp9.webm": (*sound, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
        "vp8.webm": ("-c:v", "libvpx", "-deadline", "realtime"),
        "mpeg4.avi": (*sound, "-c:v", "mpeg4", "-bf", "2", *mp3),
        "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", "20"),
        "h264.ts": (*sound, *GOP, *aac),
        "mpeg2.mpg": (*sound, "-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2"),
        "dvd.vob": ("-vf", "interlace", "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-f", "vob"),
        "wmv2.wmv": (*sound, "-c:v", "wmv2", "-c:a", "wmav2"),
        "h264.flv": (*sound, *GOP, *aac),
        "old.flv": (*tone(0.4, rate=22050), "-c:v", "flv", "-c:a", "libmp3lame", "-b:a", "32k"),
        "mpeg2.mxf": ("-c:v", "mpeg2video", "-bf", "2"),
        "moving.gif": (),
        "vp8.ivf": ("-c:v", "libvpx", "-deadline", "realtime"),
        "tape.dv": ("-s", "720x576", "-pix_fmt", "yuv420p", "-r", "25", "-frames:v", 2),
        "mpeg2.ts": ("-vf", "interlace", "-c:v", "mpeg2video", "-flags", "+ilme+ildct"),
    }
    seeds = {}
    with TemporaryDirectory() as folder:
        for name, options in recipes.items():
            ffmpeg(*picture_source(**SMALL), *options, Path(folder, name))
            seeds[name] = Path(folder, name).read_bytes()
        other = ("-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x1500")
        ffmpeg(*picture_source(**SMALL), *sound, *GOP, *aac, *other, Path(folder, "other.ts"))
        seeds["joined.ts"] = seeds["h264.ts"] + Path(folder, "other.ts").read_bytes() + bytes(10_000)
    return seeds


def mutated(seeds: dict[str, bytes], seed: int) -> tuple[str, bytes]:
    """(name of the original, damaged bytes); the same for the same seed and originals."""
    dice = random.Random(seed)
    name = dice.choice(sorted(seeds))
    data = bytearray(seeds[name])
    for _ in range(dice.choice((1, 1, 1, 2, 3, 5))):
        change = dice.choice(CHANGES[Path(name).suffix])
        data = change(data, dice, seeds) or data
        if len(data) < 16:
            break
    return name, bytes(data)


Change = Callable[[bytearray, random.Random, dict[str, bytes]], "bytearray | None"]


def _place(data: bytearray, dice: random.Random) -> int:
    """Anywhere, but more often at the beginning or the end, where headers lie."""
    size = len(data)
    reach = dice.choice((64, 600, 2000, size))
    offset = dice.randrange(max(1, min(reach, size)))
    return offset if dice.random() < 0.7 else max(0, size - 1 - offset)


def flip_bits(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> None:
    for _n in range(dice.choice((1, 1, 2, 4, 16))):
        data[_place(data, dice)] ^= 1 << dice.randrange(8)


def false_number(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> None:
    place, width = _place(data, dice), dice.choice((1, 2, 4, 8))
    number = dice.choice((*INTERESTING, len(data), len(data) - place, dice.getrandbits(32)))
    order = dice.choice(("big", "little"))
    new = (number % (1 << 8 * width)).to_bytes(width, order)
    data[place : place + width] = new[: max(0, len(data) - place)]


def rubbish(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> None:
    place, width = _place(data, dice), dice.choice((4, 16, 64, 500))
    data[place : place + width] = dice.randbytes(width)


def cut(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> bytearray:
    return data[: _place(data, dice) + 1]


def take_out(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> None:
    place = _place(data, dice)
    del data[place : place + dice.choice((1, 4, 188, 1000))]


def repeat(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> None:
    start, width = _place(data, dice), dice.choice((4, 100, 1000))
    place = _place(data, dice)
    data[place:place] = data[start : start + width] * dice.choice((1, 2, 20))


def splice(data: bytearray, dice: random.Random, seeds: dict[str, bytes]) -> bytearray:
    other = seeds[dice.choice(sorted(seeds))]
    start = dice.randrange(len(other))
    return data[: _place(data, dice)] + other[start:]


def _mp4_boxes(data: bytearray, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8 or start + size > end:
            break
        found.append((start, start + size))
        if bytes(data[start + 4 : start + 8]) in MP4_PARENTS:
            found += _mp4_boxes(data, start + 8, start + size)
        start += size
    return found


def mp4_box(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> bytearray | None:
    """Move, repeat, drop, rename or resize a box, or change a number within it."""
    boxes = _mp4_boxes(data, 0, len(data))
    if not boxes:
        return None
    (start, end), (place, _end) = dice.choice(boxes), dice.choice(boxes)
    box, kind = data[start:end], dice.randrange(6)
    if kind == 0:
        return data[:place] + box + data[place:]
    if kind == 1:
        return data[:start] + data[end:]
    if kind == 2:
        data[start + 4 : start + 8] = data[place + 4 : place + 8]
    elif kind == 3:
        number = dice.choice((0, 1, 7, 8, len(box) + 1, len(box) * 2, 0x7FFFFFFF, 0xFFFFFFFF))
        data[start : start + 4] = struct.pack(">I", number)
    elif len(box) > 12:
        at = dice.randrange(start + 8, end - 3, 4) if kind == 4 else start + 12
        data[at : at + 4] = struct.pack(">I", dice.choice((*INTERESTING, dice.getrandbits(32))))
    return None


def ebml_element(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> bytearray | None:
    """Change the size or the first byte of an element, or move the rest of the file to another one."""
    name = dice.choice(EBML_IDS)
    places = [at for at in range(len(data) - 12) if data.startswith(name, at)]
    if not places:
        return None
    at, kind = dice.choice(places) + len(name), dice.randrange(4)
    if kind == 0:
        data[at] = dice.choice((0, 0x80, 0x81, 0xFF, 0x40, 0x01, dice.randrange(256)))
    elif kind == 1:
        data[at : at + 8] = b"\x01" + dice.choice((b"\xff" * 7, bytes(7), dice.randbytes(7)))
    elif kind == 2:
        data[at + 1] = dice.randrange(256)
    else:
        other = dice.choice(places)
        return data[:at] + data[other:]
    return None


def avi_chunk(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> bytearray | None:
    """Change the size of a chunk, or swap two."""
    names = (b"RIFF", b"LIST", b"avih", b"strh", b"strf", b"00dc", b"01wb", b"idx1", b"indx", b"movi")
    places = [at for name in names for at in range(len(data) - 8) if data.startswith(name, at)]
    if not places:
        return None
    at, other = sorted((dice.choice(places), dice.choice(places)))
    if dice.random() < 0.6 or at == other:
        number = dice.choice((*INTERESTING, len(data), dice.getrandbits(32)))
        data[at + 4 : at + 8] = struct.pack("<I", number)
        return None
    middle = dice.choice([place for place in places if at <= place <= other])
    return data[:at] + data[middle:other] + data[at:middle] + data[other:]


def ts_packets(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> bytearray:
    """Shuffle, repeat or drop transport packets, or change the head of one."""
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    kind, at = dice.randrange(4), dice.randrange(len(packets))
    if kind == 0:
        some = packets[at : at + 12]
        dice.shuffle(some)
        packets[at : at + 12] = some
    elif kind == 1:
        del packets[at]
    elif kind == 2:
        packets[at:at] = packets[at : at + dice.choice((1, 5))]
    else:
        packets[at][dice.randrange(min(24, len(packets[at])))] = dice.randrange(256)
    return bytearray(b"".join(packets))


def marked(*marks: bytes) -> Change:
    """Change what follows such a mark, or repeat, drop or swap what lies between two of them."""

    def change(data: bytearray, dice: random.Random, _: dict[str, bytes]) -> bytearray | None:
        places = sorted(at for mark in marks for at in _all_places(data, mark))
        if len(places) < 2:
            return None
        kind, number = dice.randrange(5), dice.randrange(len(places) - 1)
        start, end = places[number], places[number + 1]
        if kind == 0:
            at = start + dice.randrange(24)
            data[at : at + 1] = bytes([dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))])
        elif kind == 1:
            at, width = start + dice.randrange(24), dice.choice((2, 3, 4, 8))
            number = dice.choice((*INTERESTING, len(data), dice.getrandbits(32)))
            order = dice.choice(("big", "little"))
            data[at : at + width] = (number % (1 << 8 * width)).to_bytes(width, order)
        elif kind == 2:
            return data[:start] + data[end:]
        elif kind == 3:
            return data[:end] + data[start:end] * dice.choice((1, 3, 30)) + data[end:]
        else:
            other = dice.choice(places)
            return data[:start] + data[other:]
        return None

    return change


def _all_places(data: bytearray, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


PS_MARKS = (b"\0\0\1\xba", b"\0\0\1\xbb", b"\0\0\1\xbf", b"\0\0\1\xc0", b"\0\0\1\xe0")
ASF_MARKS = (b"\xcf\x11\xa6\xd9", b"\xcf\x11\x8e\xe6", b"\x82\0\0")
"""Ends of the identifiers of header objects, and the beginning of a data packet."""
FLV_MARKS = (b"\x09\0", b"\x08\0", b"\x12\0", b"onMetaData")
MXF_MARKS = (b"\x06\x0e\x2b\x34",)
GIF_MARKS = (b"\x21\xf9\x04", b"\x2c\0\0")


_ALL: tuple[Change, ...] = (
    flip_bits,
    flip_bits,
    false_number,
    false_number,
    rubbish,
    cut,
    take_out,
    repeat,
    splice,
)
CHANGES: dict[str, tuple[Change, ...]] = {
    ".mp4": (*_ALL, *[mp4_box] * 6),
    ".mov": (*_ALL, *[mp4_box] * 6),
    ".mkv": (*_ALL, *[ebml_element] * 5),
    ".webm": (*_ALL, *[ebml_element] * 5),
    ".avi": (*_ALL, *[avi_chunk] * 5),
    ".ts": (*_ALL, *[ts_packets] * 5),
    ".mpg": (*_ALL, *[marked(*PS_MARKS)] * 5),
    ".vob": (*_ALL, *[marked(*PS_MARKS)] * 5),
    ".wmv": (*_ALL, *[marked(*ASF_MARKS)] * 5),
    ".flv": (*_ALL, *[marked(*FLV_MARKS)] * 5),
    ".mxf": (*_ALL, *[marked(*MXF_MARKS)] * 5),
    ".gif": (*_ALL, *[marked(*GIF_MARKS)] * 5),
    ".ivf": _ALL,
    ".dv": _ALL,
}
