"""What people take with them from a review: its tracks, and lists of what is covered for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.core import durable_files
from anonator.core.privacy import without_path
from anonator.errors import ReviewError

if TYPE_CHECKING:
    from anonator.core.review.analysis import Analysis
    from anonator.core.review.edits import Edit

NOT_WRITTEN = "The file couldn't be written. Choose another folder, or check that the disk isn't full."


class Export(Enum):
    """What is written for other programs."""

    CVAT = "cvat"
    MOT = "mot"
    LIST = "list"

    @property
    def suffix(self) -> str:
        """Of the file's name."""
        return ".xml" if self is Export.CVAT else ".csv"

    @property
    def title(self) -> str:
        """Of the dialog that asks for a name."""
        return {
            Export.CVAT: "Export for CVAT (video XML 1.1)",
            Export.MOT: "Export as MOT (CSV)",
            Export.LIST: "Export a redaction list (CSV)",
        }[self]


def export(kind: Export, analysis: Analysis, edits: Sequence[Edit], target: Path) -> None:
    """Write what is covered for another program; slow for long videos.

    Raises:
        ReviewError: it can't be written.
    """
    from anonator.core.review.cvat import to_cvat
    from anonator.core.review.lists import to_mot, to_redaction_list

    makers: dict[Export, Callable[[Analysis, Sequence[Edit]], Iterable[str]]] = {
        Export.CVAT: to_cvat,
        Export.MOT: to_mot,
        Export.LIST: lambda found, made: [to_redaction_list(found, made)],
    }
    _write(target, (part.encode() for part in makers[kind](analysis, edits)))


def save_tracks(analysis: Analysis, edits: Sequence[Edit], target: Path) -> None:
    """Write what was found and all edits into a tracks file of the user's.

    Raises:
        ReviewError: it can't be written.
    """
    from anonator.core.review.tracks_file import encoded

    _write(target, encoded(analysis, edits))


def _write(target: Path, parts: Iterable[bytes]) -> None:
    """Write a file for its owner alone, under another name until it is complete."""
    try:
        durable_files.write(target, parts, private=True)
    except OSError as exc:
        raise ReviewError(NOT_WRITTEN) from without_path(exc)
