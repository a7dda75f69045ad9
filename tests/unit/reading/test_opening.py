"""Hostile files: each refused with its own sentence, none followed to another file."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from video_helpers import clip, ffmpeg, tone

from anonator.core.reading.opening import MAX_PIXELS
from anonator.core.reading.reader import probe
from anonator.errors import InputError


def refused(path: Path) -> str:
    """The sentence with which a file is refused; neither it nor its traceback may name the file."""
    with pytest.raises(InputError) as caught:
        probe(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert text.count(". ") >= 1, "says what happened and what to do next"
    logged = "".join(traceback.format_exception(caught.value))
    assert path.name not in logged.replace(__file__, ""), "a log must not name a job's file"
    return text


def test_each_unusable_file_has_its_own_sentence(tmp_path: Path) -> None:
    folder, empty, words, sound = (
        tmp_path / n for n in ("folder.mp4", "empty.mp4", "words.mp4", "sound.mp4")
    )
    folder.mkdir()
    empty.touch()
    words.write_text("This is a letter, not a video. " * 100)
    ffmpeg(*tone(), "-c:a", "aac", sound)
    huge = tmp_path / "huge.mov"
    ffmpeg("-f", "lavfi", "-i", "color=s=8192x8192", "-frames:v", 1, "-c:v", "png", huge)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip(tmp_path / "whole.mp4").read_bytes()[:3000])
    texts = [refused(p) for p in (tmp_path / "missing.mp4", folder, empty, words, sound, huge, cut)]
    assert len(set(texts)) == len(texts)
    assert "not found" in texts[0]
    assert "folder" in texts[1]
    assert "empty" in texts[2]
    assert "not a video" in texts[3]
    assert "sound but no picture" in texts[4]
    assert "32 megapixels" in texts[5]
    assert "incomplete" in texts[6]


def test_8k_is_within_the_limit() -> None:
    assert 7680 * 4320 <= MAX_PIXELS < 8192 * 4320


def test_cover_art_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    ffmpeg(
        *(*tone(), "-f", "lavfi", "-i", "color=red:s=64x64:d=0.04", "-map", 0, "-map", 1),
        *("-c:a", "aac", "-c:v", "mjpeg", "-disposition:v", "attached_pic", path),
    )
    assert "sound but no picture" in refused(path)


@pytest.mark.skipif(os.name != "posix", reason="named pipes and devices are POSIX")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    link = tmp_path / "device.mp4"
    link.symlink_to("/dev/zero")
    for path in (pipe, link):
        assert "ordinary file" in refused(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    path.chmod(0)
    assert "permission" in refused(path)


def test_scripts_that_name_other_files_are_not_followed(tmp_path: Path) -> None:
    secret = clip(tmp_path / "secret.ts")
    url = secret.as_uri()
    scripts = {
        "playlist.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
        "list.mp4": f"ffconcat version 1.0\nfile '{secret}'\n",
        "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "manifest.mp4": f"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{url}</BaseURL></MPD>",
        "sequence.mp4": "%d",
    }
    for name, text in scripts.items():
        path = tmp_path / name
        path.write_text(text)
        assert "not a video" in refused(path)


@pytest.mark.skipif(os.name != "posix", reason="such names cannot exist elsewhere")
@pytest.mark.parametrize(
    "name",
    [
        "-i.mp4",
        "-",
        "concat:a.mp4|b.mp4",
        "pipe:0",
        "https:x.mp4",
        "%05d.mp4",
        "a'b\"c;$(d).mp4",
        "x" * 251 + ".mp4",
    ],
)
def test_a_name_that_looks_like_something_else_is_a_plain_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.rename(clip(tmp_path / "plain.mp4"), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).header_frames == 25


@pytest.mark.skipif(os.name != "posix", reason="such names cannot exist elsewhere")
def test_a_name_that_is_not_utf8_is_a_plain_file(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.mp4"))
    try:
        os.rename(clip(tmp_path / "plain.mp4"), path)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert probe(path).header_frames == 25


def test_tags_that_are_not_utf8_do_no_harm(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", "-metadata", "title=PLACEHOLDER")
    path.write_bytes(path.read_bytes().replace(b"PLACEHOLDER", b"\xff\xfe\x80CEHOLDER"))
    assert probe(path).header_frames == 25
