"""Saves pictures, tracks and lists of a review where people want them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anonator.ui.review.asking import Asking
from anonator.ui.review.review_state import ReviewStore
from anonator.ui.review.stills import Stills, save_png
from anonator.ui.review.taking_along import Export, export, save_tracks

if TYPE_CHECKING:
    from anonator.core.review.analysis import Analysis
    from anonator.ui.review.session import ReviewSession

WHOLE_SIDE = 16384
"""No picture has a longer side, so that a saved one keeps all its detail."""
NOT_YET = "Wait a moment: what will be covered isn't known yet."
SAVED = "Saved."


class Slowly(Protocol):
    """Does something slow in the background; if it fails, the person is told."""

    def __call__(self, work: Callable[[], object], done: Callable[[object], object]) -> object:
        """Do it, and call done with what came of it."""
        ...


class Taking:
    """Asks where to save something, and lets a worker write it."""

    def __init__(
        self,
        session: ReviewSession,
        store: ReviewStore,
        asking: Asking,
        *,
        slowly: Slowly,
        stop: Callable[[], object],
        open_tracks: Callable[[Path], object],
    ) -> None:
        """Set it up.

        Args:
            session: whose things are taken along.
            store: holds what is shown.
            asking: asks for names.
            slowly: does what is slow.
            stop: stops playing.
            open_tracks: called with a tracks file that is to be reviewed in place of this one.
        """
        self._session, self._store, self._asking = session, store, asking
        self._slowly, self._stop, self._open_tracks = slowly, stop, open_tracks

    def save_picture(self) -> None:
        """Save the frame that is shown as it will be in the finished file; never the original."""
        if not self._store.state.ready:
            self._store.change(message=NOT_YET)
            return
        self._stop()
        index, session = self._store.state.index, self._session
        path = self._asking.save_picture()
        if path is not None:
            places = session.masks(index).boxes.tolist()
            work = partial(_save_picture, session.video, session.analysis, index, places, path)
            self._slowly(work, self._saved)

    def save_tracks(self) -> None:
        """Save what was found and all edits in a file of the user's."""
        path = self._asking.save_tracks()
        if path is not None:
            work = partial(save_tracks, self._session.analysis, tuple(self._session.edits), path)
            self._slowly(work, self._saved)

    def export(self, kind: Export) -> None:
        """Write what is covered for another program."""
        path = self._asking.export(kind)
        if path is not None:
            work = partial(export, kind, self._session.analysis, tuple(self._session.edits), path)
            self._slowly(work, self._saved)

    def open_tracks(self) -> None:
        """Go on with other tracks of this video."""
        path = self._asking.open_tracks()
        if path is not None:
            self._open_tracks(path)

    def _saved(self, _nothing: object) -> None:
        self._store.change(message=SAVED)


def _save_picture(video: Path, analysis: Analysis, index: int, places: list[list[float]], path: Path) -> None:
    stills = Stills(video, analysis)
    try:
        picture = stills.finished(index, places, analysis.settings, WHOLE_SIDE)
    finally:
        stills.close()
    save_png(picture, path)
