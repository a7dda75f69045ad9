"""Connects every control and key of the window with what carries it out."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from anonator.ui.archive_reviews import ArchiveReviews
from anonator.ui.choosing import Choosing
from anonator.ui.commands import Commands
from anonator.ui.earlier_reviews import EarlierReviews
from anonator.ui.frame_viewer import ViewerActions
from anonator.ui.layout import Layout, WindowActions
from anonator.ui.loading import Loading
from anonator.ui.look.theme import Theme
from anonator.ui.panels import drop_area, shortcuts
from anonator.ui.panels.queue_view import QueueActions
from anonator.ui.panels.settings_panel import PanelActions
from anonator.ui.playback import Playback
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.reviewing import Reviewing
from anonator.ui.running import Run
from anonator.ui.state.app_state import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """Who carries out what people ask for."""

    store: Store
    desk: PreviewDesk
    playback: Playback
    choosing: Choosing
    loading: Loading
    run: Run
    reviewing: Reviewing
    earlier_reviews: EarlierReviews
    archives: ArchiveReviews
    commands: Commands
    read_config: Callable[[], None]
    show_keys: Callable[[], None]


def make_layout(root: tk.Tk, theme: Theme, to: Handlers, *, can_drop: bool) -> Layout:
    """Create the parts of the window, each connected."""
    commands, choosing = to.commands, to.choosing
    return Layout(
        root,
        theme,
        queue=QueueActions(
            add_files=commands.add_files,
            add_folder=commands.add_folder,
            remove=commands.remove,
            move=commands.move,
            retry=commands.retry,
            run_again=commands.run_again,
            clear_finished=commands.clear_finished,
            open_result=commands.open_result,
            open_folder=commands.open_folder,
            open_report=commands.open_report,
            open_row=commands.open_row,
            review=commands.review,
            choose=commands.choose,
        ),
        panel=PanelActions(
            choose=choosing.choose,
            turn_lock=choosing.turn_lock,
            restore_defaults=choosing.restore_defaults,
            choose_folder=choosing.choose_folder,
            forget_folder=partial(choosing.set_folder, None),
            download=to.loading.download,
            use_file=to.loading.use_file,
            open_archive=to.archives.ask,
            remove_reviews=to.earlier_reviews.remove_all,
        ),
        viewer=ViewerActions(
            moved=to.desk.moved,
            test=to.desk.test,
            compare=to.desk.compare,
            play=to.playback.toggle,
            step=to.playback.step,
            enlarge=commands.turn_large,
        ),
        window=WindowActions(
            start=to.run.start,
            pause=to.run.pause_or_resume,
            cancel=to.run.cancel,
            review=to.reviewing.open_next,
            show_keys=to.show_keys,
            read_config=to.read_config,
            dismiss=partial(to.store.change, message=""),
        ),
        can_drop=can_drop,
    )


def bind(root: tk.Tk, layout: Layout, to: Handlers, *, can_drop: bool) -> None:
    """Connect keys, drops and the window's close button."""
    viewer = layout.viewer
    shortcuts.bind(
        root,
        {
            "add_files": to.commands.add_files,
            "add_folder": to.commands.add_folder,
            "start": to.run.start,
            "pause": to.run.pause_or_resume,
            "lock": layout.panel.lock.switch.invoke,
            "help": to.show_keys,
            "close": to.run.close,
            "large": to.commands.turn_large,
            "small": to.commands.leave_large,
            "back": partial(to.playback.step, -1),
            "forward": partial(to.playback.step, 1),
            "nearer": viewer.closer.nearer,
            "further": viewer.closer.further,
            "fit": viewer.closer.fit,
            "one_to_one": viewer.closer.one_to_one,
        },
        lambda: not to.reviewing.is_open,
    )
    to.reviewing.bind()
    root.protocol("WM_DELETE_WINDOW", to.run.close)
    if can_drop:
        drop_area.accept_drops(root, to.commands.drop, layout.drop_area.hover)
