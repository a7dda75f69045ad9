"""One open review: makes its parts, connects them, and closes them again."""

from __future__ import annotations

import logging
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anonator.core.frames import Masks
from anonator.errors import AnonatorError, ReviewError
from anonator.ui.look.theme import Theme
from anonator.ui.review.as_finished import AsFinished
from anonator.ui.review.asking import Asking
from anonator.ui.review.assessment import Assessment
from anonator.ui.review.crops import Crops
from anonator.ui.review.desk import ReviewDesk
from anonator.ui.review.editing import Editing
from anonator.ui.review.film import Film
from anonator.ui.review.following import Following
from anonator.ui.review.playing import Playing, PlayingActions
from anonator.ui.review.presenter import ReviewPresenter
from anonator.ui.review.review_state import ReviewState, ReviewStore
from anonator.ui.review.screen import Screen
from anonator.ui.review.seen import Seen
from anonator.ui.review.session import ReviewSession
from anonator.ui.review.sheet_desk import SheetDesk
from anonator.ui.review.stills import Stills
from anonator.ui.review.times import Times
from anonator.ui.review.to_check import CROP
from anonator.ui.review.track_list import SIDE
from anonator.ui.review.walk import NOT_YET
from anonator.ui.review.wiring import actions_of
from anonator.ui.state import text
from anonator.ui.work.worker import Answers, Worker

if TYPE_CHECKING:
    from anonator.core.detection.detector_protocol import Detector

logger = logging.getLogger(__name__)

RELEASED_MS = 60
"""X servers repeat a held key as releases and presses; a release that stays so long is one."""
STOP_SECONDS = 5.0
TOGETHER_MS = 50
"""Changes within this time are shown together."""


class Review:
    """The screen of one video, with everything behind it."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        session: ReviewSession,
        answers: Answers,
        *,
        name: str,
        hint: bool,
        detector: Callable[[], Detector | None],
        leave: Callable[[], object],
        sign: Callable[[], object],
        open_tracks: Callable[[Path], object],
        hint_read: Callable[[], object],
    ) -> None:
        """Show the review over the window.

        Args:
            root: the window.
            theme: of it.
            session: of the video; closed together with the review.
            answers: delivers what workers have done.
            name: of the video, to be shown.
            hint: whether to show what somebody must know who opens a review for the first time.
            detector: loads what drawn covers are followed with.
            leave: called when people want to go back to the queue.
            sign: called when people want to sign.
            open_tracks: called with other tracks of this video.
            hint_read: called when the hint was read.
        """
        self.session, self._root = session, root
        self._leave, self._hint_read = leave, hint_read
        analysis = session.analysis
        times = Times(analysis.pts, analysis.key.time_base)
        self.store = ReviewStore(
            ReviewState(
                name=name,
                hipaa=analysis.settings.hipaa,
                frames=len(times),
                length=times.length,
                hint=hint,
                signed=session.state.signed,
            )
        )
        self.asking = Asking(root, theme, session.video.parent)
        self._small, self._slow = Worker("anonator-stills", answers), Worker("anonator-review", answers)
        self._stills = Stills(session.video, analysis)
        self._crops = Crops(self._stills, self._small, self._wake)
        self.seen = Seen(session, failed=self.say_why)
        self.commands: dict[str, Callable[[], object]] = {}
        """By the names in keys.KEYS."""
        self._refreshing = ""
        self._expected: list[int] = []
        self._released = ""
        self.closed = False

        self.screen = Screen(root, theme, actions_of(self, sign, open_tracks))
        self.screen.place(x=0, y=0, relwidth=1, relheight=1)
        self.screen.picture.cover_as(AsFinished(analysis.settings))
        self.film = Film(session.video, analysis)
        self.desk = ReviewDesk(
            session,
            self.seen,
            lambda: self.playing,
            self._crops,
            self.store,
            crop_side=theme.px(CROP),
            thumbnail_side=theme.px(SIDE),
        )
        self.following = Following(session, detector, answers, self._wake, self.say)
        self.editing = Editing(
            session, self.following, self.desk, self.store, self.asking, changed=self._wake
        )
        self.sheet = SheetDesk(
            session,
            self.seen,
            self._crops,
            self.desk,
            self.store,
            room=lambda: self.screen.sheet.room,
            later=lambda ms, call: root.after(ms, call),
            never=root.after_cancel,
        )
        presenter = ReviewPresenter(self.screen, session, self.seen, times, lambda: self.store.state)
        self.playing: Playing = Playing(
            root,
            self.film,
            [times.seconds(index) for index in range(len(times))],
            lambda: self.screen.picture.side,
            PlayingActions(show=presenter.show, moved=self._moved, seen=self._saw, failed=self.say_why),
        )
        self.screen.lanes.show_video(np.array([times.seconds(index) for index in range(len(times))]))
        self.store.follow(presenter.draw)
        self.store.follow(self._expect)
        session.listen(self._wake)
        self.screen.picture.focus_set()
        self._assessing = False
        self._slow.submit(session.prepare(), self._prepared, self.say_why)

    # --- what the parts ask for

    def as_command(self, act: Callable[[], object]) -> Callable[[], None]:
        """What a key or button does: a size being changed holds before, and errors become sentences."""

        def acted() -> None:
            self.screen.picture.settle()
            try:
                act()
            except ReviewError as error:
                self.say_why(error)

        return acted

    def over_picture(self, act: Callable[[], object]) -> Callable[[], None]:
        """What moves through the video closes the sheet first."""

        def acted() -> None:
            self.sheet.close()
            act()

        return acted

    def escape(self) -> None:
        """Give up what is going on, or else go back to the queue."""
        if self.screen.picture.cancel_drag():
            return
        if self.store.state.drawing_area:
            self.editing.turn_area()
        elif self.store.state.sheet is not None:
            self.sheet.close()
        else:
            self._leave()

    def open_tick(self, place: int) -> None:
        stops = self.store.state.stops
        if place < len(stops):
            self.desk.walk.open_stop(stops[place].number)

    def read_hint(self) -> None:
        self.store.change(hint=False)
        self._hint_read()

    # --- O, held

    def show_original(self) -> None:
        if self._released:
            self._root.after_cancel(self._released)
            self._released = ""
        self.screen.picture.show_original(True)

    def let_go(self) -> None:
        """The key that shows the original was released, unless the keyboard repeats it."""
        if not self.closed and not self._released:
            self._released = self._root.after(RELEASED_MS, self._show_covers)

    def _show_covers(self) -> None:
        self._released = ""
        self.screen.picture.show_original(False)

    # --- what comes back

    def _prepared(self, found: list[Masks]) -> None:
        self.session.prepared(found)
        self.store.change(ready=True)
        self._refresh()

    def _assess(self) -> None:
        """Look for doubts again, in the background, once after all that was changed meanwhile."""
        if not self._assessing and self.session.is_prepared and not self.session.is_assessed:
            self._assessing = True
            self._slow.submit(self.session.assessor(), self._assessed, self._not_assessed)

    def _assessed(self, assessment: Assessment) -> None:
        self._assessing = False
        self.session.assessed(assessment)
        waited = self.store.state.message == NOT_YET
        self.store.change(assessed=True, message="" if waited else self.store.state.message)
        self._wake()

    def _not_assessed(self, error: Exception) -> None:
        self._assessing = False
        self.say_why(error)

    def _expect(self, _state: ReviewState) -> None:
        """Let the film decode ahead where N leads to."""
        upcoming = self.desk.walk.upcoming()
        if upcoming != self._expected:
            self._expected = upcoming
            self.film.expect(upcoming)

    def _moved(self, index: int, speed: float) -> None:
        self.screen.picture.leave_frame()
        self.desk.moved(index, speed)

    def _saw(self, first: int, last: int, speed: float) -> None:
        self.seen.shown(first, last, speed)
        if not speed:
            self.desk.walk.stood(first)
        self.desk.refresh_seen()

    def say_why(self, error: Exception) -> None:
        if not isinstance(error, AnonatorError):
            logger.error("the review failed: %s", type(error).__name__)
        self.store.change(message=text.error_sentence(error))

    def say(self, message: str) -> None:
        """Show a sentence above the picture."""
        self.store.change(message=message)

    def slowly(self, work: Callable[[], object], done: Callable[[object], object]) -> None:
        """Do something slow in the background; if it fails, say why."""
        self._slow.submit(work, done, self.say_why)

    def _wake(self) -> None:
        """Show what has changed, once for all changes of a moment."""
        if not self._refreshing and not self.closed:
            self._refreshing = self._root.after(TOGETHER_MS, self._refresh)

    def _refresh(self) -> None:
        self._refreshing = ""
        self._assess()
        if self.store.state.hint and self.session.undo_words:
            self.read_hint()  # whoever has done something knows what it says
        self.store.change(following=self.following.waiting)
        self.desk.refresh()

    def has_begun(self) -> bool:
        """Whether somebody has looked at anything or changed anything."""
        return self.seen.share > 0 or any(not edit.by_program for edit in self.session.edits)

    def close(self) -> None:
        """Take the screen away and close all behind it; what was done is on the disk."""
        if self.closed:
            return
        self.closed = True
        self.sheet.close()
        self.store.stop()
        for timer in (self._refreshing, self._released):
            if timer:
                self._root.after_cancel(timer)
        self.following.close()
        self.playing.close()
        self._stills.stop()
        if self._small.stop(STOP_SECONDS):  # or that thread is still in the file
            self._stills.close()
        self._slow.stop(STOP_SECONDS)
        try:
            self.seen.close()
            self.session.close()
        finally:
            self.screen.destroy()
