"""The kinds of video files: which ones are read, by which demuxer, and what the others are called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of video file."""

    name: str
    """As people know it, such as "MKV"."""
    suffixes: tuple[str, ...]
    """In lower case, with the dot; the first is the usual one."""
    demuxers: tuple[str, ...] = ()
    """FFmpeg's names for what reads it; none where it is not read."""


QUICKTIME = ("mov", "mp4", "m4a", "3gp", "3g2", "mj2")
READ = (
    Container("MP4", (".mp4", ".m4v", ".f4v", ".3gp", ".3g2", ".mj2"), QUICKTIME),
    Container("MOV", (".mov", ".qt"), QUICKTIME),
    Container("MKV", (".mkv", ".mk3d"), ("matroska",)),
    Container("WEBM", (".webm",), ("webm",)),
    Container("AVI", (".avi", ".divx"), ("avi",)),
    Container("TS", (".ts", ".m2ts", ".mts", ".m2t", ".tod"), ("mpegts",)),
    Container("MPG", (".mpg", ".mpeg", ".mpe", ".m2p", ".vob", ".mod"), ("mpeg",)),
    Container("WMV", (".wmv", ".asf"), ("asf",)),
    Container("FLV", (".flv",), ("flv", "live_flv")),
    Container("MXF", (".mxf",), ("mxf",)),
    Container("DV", (".dv", ".dif"), ("dv",)),
    Container("IVF", (".ivf",), ("ivf",)),
    Container("GIF", (".gif",), ("gif",)),
)
"""What is read. FFmpeg's readers of these look at nothing but the file itself."""
NOT_READ = (
    Container("Ogg", (".ogv", ".ogm")),
    Container("RealMedia", (".rm", ".rmvb")),
    Container("Flash animation", (".swf",)),
    Container("Windows recorder", (".wtv",)),
    Container("DAV", (".dav",)),
    Container("bare H.264", (".h264", ".264", ".avc")),
    Container("bare HEVC", (".hevc", ".h265", ".265")),
    Container("bare MPEG video", (".m2v", ".m1v")),
    Container("bare pictures", (".y4m", ".yuv")),
)
"""Videos of these kinds are met and refused by name. A bare stream holds no times; for the others there is no
reader that has been tried on damaged and hostile files."""

DEMUXERS = ",".join(dict.fromkeys(name for kind in READ for name in kind.demuxers))
"""Those that may touch a file; playlists and scripts, which name other files, are not among them."""
READ_SUFFIXES = frozenset(suffix for kind in READ for suffix in kind.suffixes)
"""Of files that are read."""
VIDEO_SUFFIXES = READ_SUFFIXES | {suffix for kind in NOT_READ for suffix in kind.suffixes}
"""Of all videos, so that one that can't be read is refused with a reason instead of being ignored."""
COMMON = ", ".join(kind.name for kind in READ[:-4]) + f" or {READ[-4].name}"
"""The usual kinds, for a sentence."""
