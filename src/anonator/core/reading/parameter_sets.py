"""Finds the size of a picture in its packet, so that most key frames needn't be decoded for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

H264_SPS, H264_SLICES = 7, range(1, 6)
HEVC_SPS, HEVC_SLICES = 33, range(32)
AV1_SEQUENCE, AV1_FRAMES = 1, (3, 6)
MPEG_SEQUENCE, MPEG_GROUP, MPEG_PICTURE = b"\0\0\1\xb3", b"\0\0\1\xb8", b"\0\0\1\x00"


def fingerprint(codec: str, packet: bytes, extradata: bytes) -> bytes | None:
    """The bytes of a key frame that decide the size of its picture.

    Args:
        codec: FFmpeg's name of the decoder.
        packet: a key frame.
        extradata: of the stream; tells how H.264 and HEVC mark where their units begin.

    Returns:
        The same bytes for the same size, or None if only decoding tells.
    """
    reader = _READERS.get(codec)
    return reader(packet, extradata) if reader else None


def _h264(packet: bytes, extradata: bytes) -> bytes:
    length = (extradata[4] & 3) + 1 if len(extradata) > 4 and extradata[0] == 1 else 0
    return _units(packet, length, H264_SPS, H264_SLICES, lambda head: head & 0x1F)


def _hevc(packet: bytes, extradata: bytes) -> bytes:
    length = (extradata[21] & 3) + 1 if len(extradata) > 21 and extradata[0] == 1 else 0
    return _units(packet, length, HEVC_SPS, HEVC_SLICES, lambda head: head >> 1 & 0x3F)


def _units(packet: bytes, length: int, wanted: int, slices: range, kind_of: Callable[[int], int]) -> bytes:
    """The parameter sets before the first slice; none if they are only in the extradata."""
    found = b""
    for unit in _with_lengths(packet, length) if length else _with_start_codes(packet):
        kind = kind_of(unit[0]) if unit else -1
        if kind in slices:
            break
        if kind == wanted:
            found += unit
    return found


def _with_lengths(packet: bytes, length: int) -> Iterator[bytes]:
    at = 0
    while at + length < len(packet):
        size = int.from_bytes(packet[at : at + length], "big")
        yield packet[at + length : at + length + size]
        at += length + max(size, 1)


def _with_start_codes(packet: bytes) -> Iterator[bytes]:
    at = packet.find(b"\0\0\1")
    while at >= 0:
        end = packet.find(b"\0\0\1", at + 3)
        yield packet[at + 3 : end if end >= 0 else len(packet)].rstrip(b"\0")
        at = end


def _av1(packet: bytes, _: bytes) -> bytes:
    """The sequence header. Source: AV1 bitstream specification, section 5.3."""
    at, found = 0, b""
    while at < len(packet):
        kind, extended, sized = packet[at] >> 3 & 15, packet[at] & 4, packet[at] & 2
        at += 2 if extended else 1
        size, shift = 0, 0
        if not sized:
            size = len(packet) - at
        while sized and at < len(packet):
            size |= (packet[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not packet[at - 1] & 0x80 or shift > 56:
                break
        if kind in AV1_FRAMES:
            break
        if kind == AV1_SEQUENCE:
            found += packet[at : at + size]
        at += size
    return found


def _mpeg(packet: bytes, _: bytes) -> bytes:
    """The sequence header with its extensions, up to the first group or picture."""
    start = packet.find(MPEG_SEQUENCE)
    ends = [end for end in (packet.find(MPEG_GROUP), packet.find(MPEG_PICTURE)) if end > start]
    return packet[start : min(ends)] if start >= 0 and ends else b""


def _vp8(packet: bytes, _: bytes) -> bytes:
    return packet[3:10]


def _vp9(packet: bytes, _: bytes) -> bytes:
    return packet[:10]


_READERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "h264": _h264,
    "hevc": _hevc,
    "av1": _av1,
    "libdav1d": _av1,
    "libaom-av1": _av1,
    "mpeg1video": _mpeg,
    "mpeg2video": _mpeg,
    "vp8": _vp8,
    "libvpx": _vp8,
    "vp9": _vp9,
    "libvpx-vp9": _vp9,
}
