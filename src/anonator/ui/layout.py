"""The layout of the window: header, notices, pictures and queue on the left, settings on the right."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.frame_viewer import FrameViewer, ViewerActions
from anonator.ui.look import theme as look
from anonator.ui.look.colours import BLACK, LINE, WHITE
from anonator.ui.look.notice import Notice
from anonator.ui.look.screen import focused
from anonator.ui.look.scroll_panel import ScrollPanel
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.drop_area import DropArea
from anonator.ui.panels.progress_panel import ProgressPanel
from anonator.ui.panels.queue_view import QueueActions, QueueView
from anonator.ui.panels.settings_panel import PanelActions, SettingsPanel
from anonator.ui.state import text


@dataclass(frozen=True, slots=True)
class WindowActions:
    """What the header and the footer ask the window to do."""

    start: Callable[[], None]
    pause: Callable[[], None]
    cancel: Callable[[], None]
    review: Callable[[], None]
    """The first result that nobody has reviewed."""
    show_keys: Callable[[], None]
    read_config: Callable[[], None]
    dismiss: Callable[[], None]


class Layout:
    """Creates the parts and puts them in their places."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        *,
        queue: QueueActions,
        panel: PanelActions,
        viewer: ViewerActions,
        window: WindowActions,
        can_drop: bool,
    ) -> None:
        self.theme, px = theme, theme.px
        self._size_window(root)
        outer = ttk.Frame(root, padding=(px(20), px(14)))
        outer.pack(fill="both", expand=True)
        outer.columnconfigure(0, weight=1)
        outer.rowconfigure(3, weight=1)

        head = ttk.Frame(outer)
        head.grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, px(12)))
        head.columnconfigure(2, weight=1)
        ttk.Label(head, text="Anonator", style="Hero.TLabel").grid(row=0, column=0)
        self.device = ttk.Label(
            head, text=text.LOADING_ENGINE, style="Dim.TLabel", anchor="e", justify="right"
        )
        self.device.configure(wraplength=px(700))
        self.device.grid(row=0, column=2, sticky="e")
        keys = ttk.Button(head, text="?", width=2, style="Small.TButton", command=window.show_keys)
        keys.grid(row=0, column=3, padx=(px(12), 0))
        ToolTip(keys, theme, "All keyboard shortcuts (F1).")
        # the HIPAA card can scroll out of view; this can't
        self.lock_state = tk.Label(
            head, background=WHITE, foreground=BLACK, font="AnonatorStrong", padx=px(10), pady=px(3)
        )
        self.lock_state.grid(row=0, column=1, padx=(px(18), 0))
        self.held = Notice(outer, theme, answer="Read it again", command=window.read_config)
        self.notice = Notice(outer, theme, answer="OK", command=window.dismiss)
        for row, notice in enumerate((self.held, self.notice), 1):
            notice.grid(row=row, column=0, columnspan=2, sticky="ew", pady=(0, px(12)))
            notice.grid_remove()

        self.left = ttk.Frame(outer)
        self.left.grid(row=3, column=0, sticky="nsew", padx=(0, px(22)))
        self.left.columnconfigure(0, weight=1)
        self.left.rowconfigure(0, weight=1)  # the pictures get what the queue doesn't need
        self.drop_area = DropArea(self.left, theme, queue.add_files, queue.add_folder, can_drop=can_drop)
        self.viewer = FrameViewer(self.left, theme, viewer)
        self.queue_view = QueueView(self.left, theme, queue)
        self.left.bind("<Configure>", self._fold, add=True)
        self._large = False
        self.side = ScrollPanel(outer, theme, px(look.PANEL_WIDTH))
        self.side.grid(row=3, column=1, sticky="ns")
        self.side.inner.columnconfigure(0, weight=1)
        self.panel = SettingsPanel(self.side.inner, theme, panel)
        self.panel.grid(row=0, column=0, sticky="ew")

        line = tk.Frame(outer, background=LINE, height=px(1))
        line.grid(row=4, column=0, columnspan=2, sticky="ew", pady=px(12))
        outer.bind("<Configure>", lambda event: self._tighten(event.height < px(look.LOW_HEIGHT)))
        self._outer, self._head, self._line, self._tight = outer, head, line, False
        self.foot = ProgressPanel(outer, theme, window.start, window.pause, window.cancel, window.review)
        self.foot.grid(row=5, column=0, columnspan=2, sticky="ew")

    def hide(self) -> None:
        """Leave the window to the review; everything here stays as it is."""
        self._outer.pack_forget()

    def unhide(self) -> None:
        """Take the window back."""
        if not self._outer.winfo_manager():
            self._outer.pack(fill="both", expand=True)

    def show_videos(self, there_are_some: bool, large: bool) -> None:
        """Show viewer and queue, or only the viewer, or the drop area while the queue is empty."""
        large = large and there_are_some
        if large != self._large:
            self._large = large
            self.left.grid(columnspan=1 + large, padx=(0, 0 if large else self.theme.px(22)))
            (self.side.grid_remove if large else self.side.grid)()
        shown = self.viewer.winfo_manager(), self.queue_view.winfo_manager(), self.drop_area.winfo_manager()
        if tuple(map(bool, shown)) != (there_are_some, there_are_some and not large, not there_are_some):
            for widget in (self.drop_area, self.viewer, self.queue_view):
                widget.grid_forget()
            if there_are_some:
                self.viewer.grid(row=0, column=0, sticky="nsew")
            if there_are_some and not large:
                self.queue_view.grid(row=1, column=0, sticky="nsew", pady=(self.theme.px(14), 0))
            elif not there_are_some:
                self.drop_area.grid(row=0, column=0, rowspan=2, sticky="nsew")

    def _tighten(self, tight: bool) -> None:
        """In a low window, such as on a small screen at 150 %, leave less space between the parts."""
        if tight != self._tight:
            self._tight, px = tight, self.theme.px
            self._outer.configure(padding=(px(20), px(6 if tight else 14)))
            self._head.grid(pady=(0, px(4 if tight else 12)))
            self._line.grid(pady=px(5 if tight else 12))
            for notice in (self.held, self.notice):
                notice.grid_configure(pady=(0, px(6 if tight else 12)))
                if not notice.message:
                    notice.grid_remove()

    def _fold(self, event: tk.Event[tk.Misc]) -> None:
        self.queue_view.fold(event.height, self.viewer.height_for(event.width) + self.theme.px(14))

    def show_lock(self, words: str) -> None:
        """Show a warning about HIPAA mode at the top of the window; "" hides it."""
        self.lock_state.configure(text=words)
        if words:
            self.lock_state.grid()
        else:
            self.lock_state.grid_remove()

    def keep_focus(self) -> None:
        """Move the keyboard focus away from a control that was just disabled."""
        widget = focused(self.left)
        if isinstance(widget, ttk.Widget) and widget.instate(["disabled"]):
            foot, queue = self.foot, self.queue_view
            for other in (foot.pause, foot.start, queue.tree, self.drop_area.files):
                if other.winfo_viewable() and other.instate(["!disabled"]):
                    other.focus_set()
                    return

    def areas(self) -> dict[str, list[int]]:
        """The screen areas of some controls, [x, y, width, height], for tests that drive the program."""
        return {
            name: [widget.winfo_rootx(), widget.winfo_rooty(), widget.winfo_width(), widget.winfo_height()]
            for name, widget in (
                ("lab", self.left),
                ("start", self.foot.start),
                ("pause", self.foot.pause),
                ("cancel", self.foot.cancel),
                ("lock", self.panel.lock.switch),
            )
        }

    def _size_window(self, root: tk.Tk) -> None:
        px, screen = self.theme.px, (root.winfo_screenwidth(), root.winfo_screenheight())
        width, height = min(px(look.START_WIDTH), screen[0]), min(px(look.START_HEIGHT), screen[1])
        root.geometry(f"{width}x{height}")
        root.minsize(min(px(look.MIN_WIDTH), screen[0]), min(px(look.MIN_HEIGHT), screen[1]))
