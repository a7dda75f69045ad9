"""Numbers and results in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonator.core.job import NO_SOUND, JobResult, Progress, Stage
from anonator.ui.state import text


def result(**facts: object) -> JobResult:
    return JobResult(
        **{  # type: ignore[arg-type]
            "target": Path("a.mp4"),
            "frames": 1200,
            "masked_frames": 1100,
            "tracks": 3,
            "seconds": 60.0,
            "device": "CPU",
            "audio": "removed",
            **facts,
        }
    )


def test_a_result_says_everything_and_what_people_must_do_comes_first() -> None:
    words = text.result_summary(
        result(
            gaps_bridged=2,
            replaced_frames=1,
            checks=("All frames are there.", "It plays to its end."),
            notes=("The video is HDR.", "Look at 0:12 first."),
        )
    ).split("\n")
    assert words == [
        text.NOT_REVIEWED,
        "Something was covered in 1,100 of 1,200 frames, also through 2 moments in which the face was not "
        "detected; 1 frame blacked out because the video is damaged there. Sound: removed. Saved as a.mp4.",
        "The video is HDR.",
        "Look at 0:12 first.",
        "Passed 2 checks of the finished file:",
        "✓  All frames are there.",
        "✓  It plays to its end.",
    ]


def test_a_result_without_faces_says_so_and_claims_no_checks() -> None:
    words = text.result_summary(result(tracks=0, masked_frames=0))
    assert (
        words == f"{text.NOT_REVIEWED}\nNothing was covered in 1,200 frames. Sound: removed. Saved as a.mp4."
    )


def test_a_video_without_sound_reads_like_a_sentence() -> None:
    assert "frames. The original has no sound. Saved as" in text.result_summary(result(audio=NO_SOUND))


def test_tracks_are_not_called_faces_or_people() -> None:
    words = text.result_summary(result(tracks=5, masked_frames=900))
    assert "Something was covered in 900 of 1,200 frames." in words
    assert "5" not in words and "face" not in words and "people" not in words


def test_the_numbers_of_a_whole_job_are_its_results() -> None:
    assert text.whole_job(result()) == Progress(1200, 1200, 60.0, 20.0, 0.0, done=1.0)
    assert text.whole_job(result(seconds=0.0)).fps == 0.0


def test_every_stage_has_its_words() -> None:
    words = [text.stage(Progress(1, 2, 1.0, 1.0, 1.0, stage)) for stage in Stage]
    assert words[0] == "" and all(words[1:]) and len(set(words)) == len(Stage)
    assert "Opening" in text.stage(None)


@pytest.mark.parametrize(
    ("words", "room", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("a b c d", 5, "a b…"),
        ("name.mp4", 6, "name…"),
        ("", 3, ""),
        ("abc", 0, "…"),
    ],
)
def test_words_without_room_end_in_an_ellipsis(words: str, room: int, shown: str) -> None:
    assert text.shortened(words, room, len) == shown


def test_how_a_queue_ended() -> None:
    assert (
        text.queue_summary(["done", "skipped", "done"]) == "2 done, 1 skipped. Not yet reviewed by a person"
    )
    assert text.queue_summary(["cancelled", "failed"]) == "1 failed, 1 cancelled"
