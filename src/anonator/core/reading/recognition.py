"""Looks at a file's first bytes to name what it is: a photo, or a kind of video that can't be read."""

from __future__ import annotations

from typing import BinaryIO

PHOTO_BRANDS = {
    b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"mif1": "HEIF", b"mif2": "HEIF",
    b"avif": "AVIF", b"jpeg": "HEIF", b"j2ki": "HEIF", b"1pic": "HEIF",
}  # fmt: skip
SEQUENCE_BRANDS = {
    b"hevc": "HEIC", b"hevx": "HEIC", b"hevm": "HEIC", b"hevs": "HEIC", b"msf1": "HEIF", b"avis": "AVIF",
}  # fmt: skip
"""Major brands of single photos and of series of photos. Source: ISO/IEC 23008-12, annex B; AV1 Image File
Format, section 6."""
PHOTOS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\0\x0cJXL \r\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
)
SEARCH_FOR_JPEGS = 1 << 23
BARE = "raw {} stream, which has no time stamps"
NOT_READ = (
    (b"OggS", "Ogg file"),
    (b".RMF", "RealMedia file"),
    (b"FWS", "Flash animation"),
    (b"CWS", "Flash animation"),
    (b"DHAV", "DAV file from a video recorder"),
    (b"YUV4MPEG2 ", "file of raw pictures"),
    (b"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e\x00\x07\xe9\x5e\xad\x8d", "Windows recorder file (WTV)"),
    (b"\0\0\1\xb3", BARE.format("MPEG video")),
    (b"\0\0\0\1\xb3", BARE.format("MPEG video")),
    (b"\0\0\0\1\x09", BARE.format("H.264")),
    (b"\0\0\0\1\x67", BARE.format("H.264")),
    (b"\0\0\0\1\x27", BARE.format("H.264")),
    (b"\0\0\0\1\x40\1", BARE.format("HEVC")),
    (b"\0\0\0\1\x46\1", BARE.format("HEVC")),
)
CONVERT = "Convert it to MP4 with H.264 first, for example with HandBrake or FFmpeg."


def refusal(file: BinaryIO) -> str | None:
    """Why a file isn't a video for this program, if its beginning says so clearly.

    Args:
        file: open for reading, anywhere.
    """
    file.seek(0)
    head = file.read(4096)
    photo = _photo(file, head)
    if photo is not None:
        return f"This is a photo ({photo}), not a video that can be read. Choose a video."
    animation = _animation(file, head)
    if animation is not None:
        return f"This is {animation}, not a video that can be read here. {CONVERT}"
    for magic, name in NOT_READ:
        if head.startswith(magic):
            article = "an" if name[0] in "AO" else "a"
            return f"This is {article} {name}, not a video that can be read here. {CONVERT}"
    return None


def _photo(file: BinaryIO, head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return PHOTO_BRANDS.get(brand)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return None if _webp_moves(head) else "WebP"
    if head[:3] == b"GIF":
        return "GIF" if gif_pictures(file, most=2) == 1 else None
    if _png_moves(head) or _jpegs_in_a_row(file, head):
        return None
    return next((name for magic, name in PHOTOS if head.startswith(magic)), None)


def _animation(file: BinaryIO, head: bytes) -> str | None:
    if head[4:8] == b"ftyp" and head[8:12] in SEQUENCE_BRANDS:
        return f"a series of photos ({SEQUENCE_BRANDS[head[8:12]]})"
    if _png_moves(head):
        return "an animated picture (PNG)"
    if _jpegs_in_a_row(file, head):
        return "a " + BARE.format("Motion JPEG")
    return "an animated picture (WebP)" if _webp_moves(head) else None


def _webp_moves(head: bytes) -> bool:
    """Source: WebP Container Specification, "Extended File Format"."""
    return head[8:16] == b"WEBPVP8X" and bool(head[20] & 2)


def _png_moves(head: bytes) -> bool:
    """Source: PNG specification, third edition, section 11.3.5."""
    return head.startswith(b"\x89PNG") and b"acTL" in head.partition(b"IDAT")[0]


def _jpegs_in_a_row(file: BinaryIO, head: bytes) -> bool:
    """Whether it has more pictures in a row than a photo, which may have two for its bright parts."""
    if not head.startswith(b"\xff\xd8\xff"):
        return False
    file.seek(0)
    return file.read(SEARCH_FOR_JPEGS).count(b"\xff\xd9\xff\xd8\xff") > 2


def gif_pictures(file: BinaryIO, most: int) -> int | None:
    """How many pictures a GIF holds, counted up to a number; None if it ends within one.

    Source: GIF89a specification, appendix B.
    """
    file.seek(6)
    screen = file.read(7)
    if len(screen) < 7:
        return None
    file.seek(_colours(screen[4]), 1)
    pictures = 0
    while pictures < most:
        kind = file.read(1)
        if kind == b"\x2c":
            place = file.read(9)
            if len(place) < 9:
                return None
            file.seek(_colours(place[8]) + 1, 1)
            pictures += 1
        elif kind == b"\x21":
            file.seek(1, 1)
        else:  # the trailer, or what is no part of a GIF
            return pictures
        if not _skip_blocks(file):
            return None
    return pictures


def _colours(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(file: BinaryIO) -> bool:
    while True:
        length = file.read(1)
        if not length:
            return False
        if not length[0]:
            return True
        if len(file.read(length[0])) < length[0]:
            return False
