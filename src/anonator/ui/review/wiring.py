"""Connects every control and key of a review to what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anonator.ui.review.dragging import PictureActions
from anonator.ui.review.head import HeadActions
from anonator.ui.review.lanes import LaneActions
from anonator.ui.review.screen import ScreenActions
from anonator.ui.review.sheet import SheetActions
from anonator.ui.review.taking import Taking
from anonator.ui.review.track_list import TrackActions
from anonator.ui.review.transport import TransportActions

if TYPE_CHECKING:
    from anonator.ui.review.asking import Asking
    from anonator.ui.review.desk import ReviewDesk
    from anonator.ui.review.editing import Editing
    from anonator.ui.review.playing import Playing
    from anonator.ui.review.review_state import ReviewStore
    from anonator.ui.review.screen import Screen
    from anonator.ui.review.session import ReviewSession
    from anonator.ui.review.sheet_desk import SheetDesk


class Parts(Protocol):
    """What of a review is connected; some of it is made a moment after its controls."""

    commands: dict[str, Callable[[], object]]
    session: ReviewSession
    store: ReviewStore
    asking: Asking
    desk: ReviewDesk
    editing: Editing
    sheet: SheetDesk
    playing: Playing
    screen: Screen

    def as_command(self, act: Callable[[], object]) -> Callable[[], None]: ...
    def over_picture(self, act: Callable[[], object]) -> Callable[[], None]: ...
    def show_original(self) -> None: ...
    def escape(self) -> None: ...
    def read_hint(self) -> None: ...
    def open_tick(self, place: int) -> None: ...
    def slowly(self, work: Callable[[], object], done: Callable[[object], object]) -> None: ...


def actions_of(
    review: Parts, sign: Callable[[], object], open_tracks: Callable[[Path], object]
) -> ScreenActions:
    """Connect each control; the parts behind them are made a moment later."""
    commands = review.commands = {
        # Escape gives up what all others let hold
        name: act if name == "leave" else review.as_command(act)
        for name, act in commands_of(review, sign).items()
    }
    take = Taking(
        review.session,
        review.store,
        review.asking,
        slowly=review.slowly,
        stop=lambda: review.playing.stop(),
        open_tracks=open_tracks,
    )
    return ScreenActions(
        head=HeadActions(
            leave=commands["leave"],
            sign=commands["sign"],
            sheet=commands["sheet"],
            undo=commands["undo"],
            redo=commands["redo"],
            save_picture=take.save_picture,
            save_tracks=take.save_tracks,
            open_tracks=take.open_tracks,
            export=take.export,
            show_keys=commands["help"],
        ),
        picture=PictureActions(
            draw=lambda box: review.editing.draw(box),
            move=lambda id, box: review.editing.move(id, box),
            select=lambda id, add: review.desk.select_in_picture(id, add),
            resized=lambda: review.playing.refresh(),
            began=lambda: review.playing.hold(),
        ),
        lanes=LaneActions(go=lambda first, last: review.desk.go_near(first, last), doubt=review.open_tick),
        transport=TransportActions(
            play=commands["play"],
            step=lambda frames: review.desk.step(frames),
            faster=commands["forward"],
            right=commands["right"],
            next_doubt=commands["next_doubt"],
            unseen=commands["unseen"],
            area=commands["area"],
        ),
        tracks=TrackActions(
            choose=lambda ids: review.desk.select(ids),
            turn=commands["turn"],
            join=commands["join"],
            split=commands["split"],
            delete=commands["delete"],
        ),
        sheet=SheetActions(
            open=lambda place: review.sheet.open(place),
            choose=lambda place: review.sheet.choose(place),
            turn=lambda pages: review.sheet.page(pages),
            resized=lambda: review.sheet.resized(),
            close=commands["sheet"],
        ),
        card=lambda number: review.desk.walk.open_card(number),
        dismiss=lambda: review.store.change(message=""),
        hint_read=review.read_hint,
        keys=commands,
    )


def commands_of(review: Parts, sign: Callable[[], object]) -> dict[str, Callable[[], object]]:
    """By the names in keys.KEYS."""
    return {
        "next_doubt": review.over_picture(lambda: review.desk.walk.next()),
        "last_doubt": review.over_picture(lambda: review.desk.walk.next(-1)),
        "right": review.over_picture(lambda: review.desk.walk.right()),
        "next_face": review.over_picture(lambda: review.desk.next_face()),
        "last_face": review.over_picture(lambda: review.desk.next_face(-1)),
        "turn": lambda: review.editing.turn(),
        "play": review.over_picture(lambda: review.playing.toggle()),
        "back": review.over_picture(lambda: review.playing.back()),
        "stop": review.over_picture(lambda: review.playing.stop()),
        "forward": review.over_picture(lambda: review.playing.forward()),
        "frame_back": review.over_picture(lambda: review.desk.step(-1)),
        "frame_on": review.over_picture(lambda: review.desk.step(1)),
        "second_back": review.over_picture(lambda: review.desk.step_seconds(-1)),
        "second_on": review.over_picture(lambda: review.desk.step_seconds(1)),
        "first_frame": review.over_picture(lambda: review.desk.go(0)),
        "last_frame": review.over_picture(lambda: review.desk.go(len(review.desk.times) - 1)),
        "begins": lambda: review.editing.begins_here(),
        "ends": lambda: review.editing.ends_here(),
        "area": lambda: review.editing.turn_area(),
        "delete": lambda: review.editing.delete(),
        "join": lambda: review.editing.join(),
        "split": lambda: review.editing.split(),
        "undo": lambda: review.editing.undo(),
        "redo": lambda: review.editing.redo(),
        "unseen": review.over_picture(lambda: review.desk.unseen()),
        "sheet": lambda: review.sheet.turn(),
        "sign": sign,
        "nearer": lambda: review.screen.picture.closer(),
        "further": lambda: review.screen.picture.nearer(-1),
        "fit": lambda: review.screen.picture.fit(),
        "original": review.show_original,
        "help": lambda: review.asking.keys(),
        "leave": review.escape,
    }
