"""What the viewer shows, and to which row it belongs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from anonator.core.frames import UInt8Array
from anonator.core.job import Preview
from anonator.ui.state.job import RowKey

COVERED = "Anonymized"
"""The default caption of the right picture."""
OPENING = "Opening the video…"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture on each side, or words if there is none.

    It belongs to one row, for as long as that row doesn't begin anew; next to any other it isn't shown.
    """

    of: RowKey | None = None
    """The row whose video it shows."""
    original: UInt8Array | str = "Choose a video in the list."
    """A picture is (H, W, 3) RGB."""
    anonymized: UInt8Array | str = ""
    caption: str = COVERED
    faces: int | None = None
    """Masks on the frame; None if they weren't counted."""
    note: str = ""
    """What is to be known about the right picture."""
    native: int = 0
    """Long side of the video, in pixels; 0 if unknown."""
    length: float | None = None
    """Of the video, in seconds."""
    moment: float = 0.0
    """Where the slider is, in seconds."""
    seconds: float = 0.0
    """The time of the frame shown, which may differ a little from the slider's."""
    may_move: bool = False
    may_test: bool = False
    may_compare: bool = False
    """Whether there is a result that isn't shown."""

    @classmethod
    def opening(cls, of: RowKey) -> View:
        """A row of which there is no picture yet."""
        return cls(of, OPENING)

    def with_preview(self, preview: Preview, caption: str = COVERED) -> View:
        """This view with both pictures of another frame."""
        return replace(
            self,
            original=preview.original,
            anonymized=preview.anonymized,
            faces=preview.faces,
            seconds=preview.seconds,
            note=preview.note,
            caption=caption,
        )

    def with_original(self, original: UInt8Array | str, words: str) -> View:
        """This view with words in place of the anonymized picture."""
        return replace(self, original=original, anonymized=words, caption=COVERED, faces=None, note="")
