"""The files of reviews: opened, copied, begun anew; everything here is slow, so call it in a worker."""

from __future__ import annotations

import importlib
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.errors import ReviewError
from anonator.ui.state.job import ReviewMark
from anonator.ui.work.thumbnails import video_module

if TYPE_CHECKING:  # they need the video reader, which must not be loaded when the program starts
    from anonator.core.review.analysis import Analysis, VideoKey
    from anonator.core.review.edits import Edit
    from anonator.ui.review.session import ReviewSession

logger = logging.getLogger(__name__)

NOT_COPIED = "These tracks couldn't be copied. Is the disk full?"
GONE = "The original video isn't there any more. Put it back where it was to review its result."
ANEW = (
    "This is a new review of a result that {} signed. What was changed then is here; what was seen and found "
    "right then doesn't count. The signed result stays until you sign."
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening a review."""

    session: ReviewSession | None
    """None if it turned out to be signed."""
    signed: str = ""
    """By whom, in that case."""
    note: str = ""
    """What people must know about it."""


def opened(video: Path, tracks: Path, result: Path | None = None) -> Opened:
    """Read what was kept of a video, and lock it.

    A signature that a killed program left half done is completed: the file was made and checked before.

    Args:
        video: the original.
        tracks: what was kept.
        result: the finished file.

    Raises:
        ReviewError: it can't be used, or belongs to another video.
    """
    video_module()
    importlib.import_module("anonator.ui.review.review")
    from anonator.core.privacy import without_path
    from anonator.core.review import signature
    from anonator.core.review.tracks_file import OTHER_VIDEO
    from anonator.ui.review.session import ReviewSession

    session = ReviewSession(video, tracks)
    try:
        if video.stat().st_size != session.analysis.key.file_bytes:
            raise ReviewError(OTHER_VIDEO)
        left = note = None
        if result is not None and not session.state.signed:
            try:
                left = signature.left_over(session.edits, result)
            except ReviewError as error:
                note = str(error)
        if left is not None:
            session.sign(left)
        if session.state.signed:  # and not compressed yet, which closing makes up for
            signed = session.state.signed
            session.close()
            return Opened(None, signed)
    except OSError as exc:
        session.close()
        raise ReviewError(GONE) from without_path(exc)
    except BaseException:
        session.close()
        raise
    return Opened(session, note=note or "")


def mark_of(tracks: Path) -> ReviewMark:
    """How far the review of a tracks file is.

    Raises:
        ReviewError: it can't be used.
    """
    video_module()
    from anonator.core.review import kept_reviews

    there = kept_reviews.standing(tracks)
    return ReviewMark(tracks, there.share_seen, there.begun, there.signed)


def new_tracks() -> Path | None:
    """A name for what a job finds, in the user's own state folder; None if that can't be written to."""
    from anonator.core.review.tracks_file import SUFFIX, state_folder

    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        logger.warning("reviews can't be kept: %s", type(error).__name__)
        return None
    return folder / f"{secrets.token_hex(16)}{SUFFIX}"


def copied(path: Path, key: VideoKey) -> Path:
    """A copy of a tracks file in the state folder, so that the user's own stays as it is.

    Raises:
        ReviewError: it can't be used, or belongs to another video.
    """
    from anonator.core.review.tracks_file import read

    kept = read(path, key)
    return _saved(kept.analysis, kept.edits)


def begun_anew(signed: Path) -> Path:
    """A new review with what a signed one changed, but without what was seen and judged then.

    Raises:
        ReviewError: it can't be used.
    """
    from anonator.core.review.tracks_file import read

    kept = read(signed)
    return _saved(kept.analysis, changes_of(kept.edits))


def changes_of(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that change what is covered, and their undos."""
    from anonator.core.review.edits import Operation

    left_out: set[int | None] = set()
    kept = []
    for edit in edits:
        is_undo = edit.operation is Operation.UNDO
        if edit.operation in (Operation.SEEN, Operation.RIGHT, Operation.SIGN) or (
            is_undo and edit.target in left_out
        ):
            left_out.add(edit.number)
        else:
            kept.append(edit)
    return kept


def _saved(analysis: Analysis, edits: Iterable[Edit]) -> Path:
    from anonator.ui.review.taking_along import save_tracks

    target = new_tracks()
    if target is None:
        raise ReviewError(NOT_COPIED)
    save_tracks(analysis, tuple(edits), target)
    return target
