"""Which part of the window asks which other one: buttons, keys and drops with what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anonator.ui.layout import Layout, ViewerActions
from anonator.ui.panels import drop_area as drop_target
from anonator.ui.panels import shortcuts
from anonator.ui.panels.queue_view import QueueActions
from anonator.ui.panels.settings_panel import PanelActions
from anonator.ui.state.preferences import Preferences

if TYPE_CHECKING:
    from anonator.ui.main_window import MainWindow


def make_layout(window: MainWindow, remembered: Preferences) -> Layout:
    """The parts of the window; what they ask for goes to rooms that are made after them."""
    commands, controller = window.commands, window.controller
    return Layout(
        window.root,
        window.theme,
        window.guard.config,
        remembered,
        queue=QueueActions(
            add_files=commands.add_files,
            add_folder=commands.add_folder,
            remove=controller.remove,
            move=controller.move,
            retry=controller.retry,
            clear_finished=controller.clear_finished,
            open_result=commands.open_result,
            open_folder=commands.open_folder,
            open_report=commands.open_report,
            selected=lambda number: window.desk.choose(controller.get(number)),
        ),
        panel=PanelActions(
            turn_lock=commands.turn_lock,
            changed=window.settings_changed,
            choose_folder=commands.choose_folder,
            download=commands.download,
            use_file=commands.use_file,
            say=window.say,
        ),
        viewer=ViewerActions(
            moved=lambda moment: window.desk.moved(moment),
            test=lambda: window.desk.test(),
            start=lambda: window.control.start(),
            pause=lambda: window.control.pause_or_resume(),
            cancel=lambda: window.control.cancel(),
            show_keys=window.show_keys,
            read_config=window.read_config,
        ),
        can_drop=window.can_drop,
    )


def bind(window: MainWindow) -> None:
    """Let keys, drops and the window's own button do what they stand for."""
    shortcuts.bind(
        window.root,
        {
            "add_files": window.commands.add_files,
            "add_folder": window.commands.add_folder,
            "start": window.control.start,
            "pause": window.control.pause_or_resume,
            "lock": window.panel.lock.switch.invoke,
            "help": window.show_keys,
            "close": window.control.close,
        },
    )
    window.root.protocol("WM_DELETE_WINDOW", window.control.close)
    if window.can_drop:
        drop_target.accept_drops(window.root, window.dropped, window.layout.drop_area.hover)
