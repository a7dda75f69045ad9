"""Small controls that Tk lacks: tool tips, a switch, a number with slider and field, a scrolling panel."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk

from anonator.ui.look.colours import BLACK, LINE, RAISED, WHITE
from anonator.ui.look.theme import Theme
from anonator.ui.state import text

TIP_DELAY_MS = 600


def focused(widget: tk.Misc) -> tk.Misc | None:
    """The control that has the keyboard; None also where it is a part of Tk's own, such as an open list."""
    name = str(widget.tk.call("focus"))
    try:
        return widget.nametowidget(name) if name else None
    except KeyError:
        return None


def within_screen(window: tk.Misc, x: int, y: int, width: int, height: int) -> tuple[int, int]:
    """The place nearest to (x, y) at which a window of this size is whole on the screen, or on several."""
    left, top = window.winfo_vrootx(), window.winfo_vrooty()
    return (
        max(left, min(x, left + window.winfo_vrootwidth() - width)),
        max(top, min(y, top + window.winfo_vrootheight() - height)),
    )


class ToolTip:
    """A short explanation beside a control, when the pointer or the keyboard rests on it."""

    def __init__(self, widget: tk.Misc, theme: Theme, words: str) -> None:
        self._widget, self._theme, self.words = widget, theme, words
        self._timer: str | None = None
        self._window: tk.Toplevel | None = None
        self._at: tuple[int, int] | None = None
        if isinstance(widget, ttk.Label) and not widget.cget("takefocus"):
            widget.configure(takefocus=False)  # or Tk stops at it, because of the keys bound here
        # not <FocusIn>: a dialog that closes gives the focus back, and nobody asked for a tip then
        for event in ("<Enter>", "<<TraverseIn>>"):
            widget.bind(event, self._schedule, add=True)
        for event in ("<Leave>", "<FocusOut>", "<ButtonPress>", "<Key>", "<Destroy>"):
            widget.bind(event, self.hide, add=True)

    def _schedule(self, _event: object) -> None:
        self.hide()
        self._timer = self._widget.after(TIP_DELAY_MS, self.show)

    def rest(self, words: str, at: tuple[int, int]) -> None:
        """The pointer rests on another part of the control: show other words, at this place on the screen."""
        self.words, self._at = words, at
        self._schedule(None)

    def show(self) -> None:
        """Show the tip now."""
        self.hide()
        if not self.words or not self._widget.winfo_viewable():
            return
        px = self._theme.px
        self._window = window = tk.Toplevel(self._widget, background=LINE)
        window.withdraw()
        window.overrideredirect(True)
        tk.Label(
            window,
            text=self.words,
            background=RAISED,
            foreground=WHITE,
            justify="left",
            wraplength=px(320),
            padx=px(10),
            pady=px(7),
            font="AnonatorSmall",
        ).pack(padx=1, pady=1)
        window.update_idletasks()
        width, height = window.winfo_reqwidth(), window.winfo_reqheight()
        left, below = self._at or (
            self._widget.winfo_rootx(),
            self._widget.winfo_rooty() + self._widget.winfo_height() + px(6),
        )
        above = (below if self._at else self._widget.winfo_rooty()) - height - px(6)
        x, y = within_screen(window, left, below, width, height)
        window.geometry(f"+{x}+{y if y == below else max(0, above)}")
        window.deiconify()

    def hide(self, _event: object = None) -> None:
        """Take the tip away, and forget one that was about to come."""
        if self._timer is not None:
            self._widget.after_cancel(self._timer)
            self._timer = None
        if self._window is not None:
            self._window.destroy()
            self._window = None


class Switch(ttk.Label):
    """An on-off switch that mouse, space and return turn."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, command: Callable[[bool], None], *, style: str = "TLabel"
    ) -> None:
        super().__init__(parent, style=style, takefocus=True, cursor="hand2")
        self._theme, self._command = theme, command
        self.on = False
        self.enabled = True
        self._draw()
        for event in ("<Button-1>", "<space>", "<Return>"):
            self.bind(event, self._turn)
        for event in ("<FocusIn>", "<FocusOut>"):
            self.bind(event, self._draw, add=True)

    def set(self, on: bool) -> None:
        """Show a value without telling anybody."""
        self.on = on
        self._draw()

    def enable(self, yes: bool) -> None:
        """Let it be turned, or lock it."""
        self.enabled = yes  # not ttk's state, which would draw a stipple over the picture
        self.configure(takefocus=yes, cursor="hand2" if yes else "")
        self._draw()

    def invoke(self) -> None:
        """Turn it, as a click does, but leave the keyboard where it is."""
        if self.enabled:
            self._command(not self.on)

    def _turn(self, _event: object) -> str:
        if self.enabled:
            self.focus_set()
        self.invoke()
        return "break"

    def _draw(self, _event: object = None) -> None:
        name = "switch_on" if self.on else "switch_off"
        if not self.enabled:
            name += "_disabled"
        elif focused(self) is self:
            name += "_focus"
        self.configure(image=self._theme.images[name])


class NumberField(ttk.Frame):
    """A number that a slider and a field show together; what is typed may have a decimal comma."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        step: float,
        command: Callable[[float], None],
    ) -> None:
        super().__init__(parent)
        self.low, self.high, self._step, self._command = 0.0, 1.0, step, command
        self.value = 0.0
        self.scale = ttk.Scale(self, command=self._slid, takefocus=True)
        self.entry = ttk.Entry(self, width=6, justify="right")
        self.hint = ttk.Label(self, style="Dim.TLabel")
        self.columnconfigure(0, weight=1)
        self.scale.grid(row=0, column=0, sticky="ew", padx=(0, theme.px(10)))
        self.entry.grid(row=0, column=1)
        for event in ("<Return>", "<KP_Enter>"):
            self.entry.bind(event, self._typed)
        self.entry.bind("<FocusOut>", self._left, add=True)
        self.entry.bind("<KeyRelease>", self._check, add=True)
        for key, steps in (("<Left>", -1), ("<Down>", -1), ("<Right>", 1), ("<Up>", 1)):
            self.scale.bind(key, partial(self._step_by, steps))

    def set_range(self, low: float, high: float) -> None:
        """Take only numbers from low to high."""
        if (low, high) != (self.low, self.high):
            self.low, self.high = low, high
            self.scale.configure(from_=low, to=high)
            self.hint.configure(text=f"Type a number from {low:g} to {high:g}.")

    def set(self, value: float) -> None:
        """Show a value without telling anybody."""
        self.value = value
        self.scale.configure(value=value)
        self._write()

    def enable(self, yes: bool) -> None:
        """Let it be changed, or lock it."""
        state = ["!disabled"] if yes else ["disabled"]
        self.scale.state(state)
        self.entry.state(state)
        self.scale.configure(takefocus=yes)

    def _write(self) -> None:
        locked = self.entry.instate(["disabled"])
        self.entry.state(["!disabled", "!invalid"])
        self.entry.delete(0, "end")
        short = f"{self.value:.2f}"
        self.entry.insert(0, short if float(short) == self.value else f"{self.value:g}")
        if locked:
            self.entry.state(["disabled"])
        self.hint.grid_remove()

    def _take(self, value: float) -> None:
        value = round(value, 4)
        changed = value != self.value
        self.set(value)
        if changed:
            self._command(value)

    def _slid(self, position: str) -> None:
        self._take(min(self.high, round(float(position) / self._step) * self._step))

    def _step_by(self, steps: int, _event: object) -> str:
        if not self.scale.instate(["disabled"]):
            self._take(min(self.high, max(self.low, self.value + steps * self._step)))
        return "break"

    def _read(self) -> float | None:
        return text.parse_number(self.entry.get(), self.low, self.high)

    def _check(self, _event: object) -> None:
        """While typing: a frame and a hint where it is no number of the range, never an interruption."""
        if self.entry.instate(["disabled"]):
            return
        good = self._read() is not None
        self.entry.state(["!invalid" if good else "invalid"])
        if good:
            self.hint.grid_remove()
        else:
            self.hint.grid(row=1, column=0, columnspan=2, sticky="e")

    def _typed(self, _event: object) -> str:
        value = self._read()
        if value is not None:
            self._take(value)
        else:
            self._check(None)
        return "break"

    def _left(self, _event: object) -> None:
        """Leaving the field takes a good number and puts the last good one back in place of a bad one."""
        value = self._read()
        self._take(self.value if value is None else value)


class ScrollPanel(ttk.Frame):
    """A frame of fixed width whose content scrolls when the window is low."""

    def __init__(self, parent: tk.Misc, theme: Theme, width: int) -> None:
        super().__init__(parent)
        self._canvas = tk.Canvas(
            self, background=BLACK, highlightthickness=0, width=width, height=1, takefocus=False
        )
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self.inner = ttk.Frame(self._canvas)
        self._item = self._canvas.create_window(0, 0, anchor="nw", window=self.inner)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self._canvas.grid(row=0, column=0, sticky="nsew")
        self._bar.grid(row=0, column=1, sticky="ns", padx=(theme.px(6), 0))
        self.inner.bind("<Configure>", self._fit)
        self._canvas.bind("<Configure>", self._fit)
        top = self.winfo_toplevel()
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            top.bind(event, self._wheel, add=True)
        top.bind("<FocusIn>", self._show_focus, add=True)

    def _fit(self, _event: object) -> None:
        self._canvas.itemconfigure(self._item, width=self._canvas.winfo_width())
        height = self.inner.winfo_reqheight()
        self._canvas.configure(scrollregion=(0, 0, self._canvas.winfo_width(), height))
        if height <= self._canvas.winfo_height():
            self._canvas.yview_moveto(0)
            self._bar.grid_remove()
        else:
            self._bar.grid()

    def _holds(self, widget: object) -> bool:
        return str(widget).startswith(str(self.inner))

    def _wheel(self, event: tk.Event[tk.Misc]) -> None:
        if self._holds(event.widget) and self.inner.winfo_reqheight() > self._canvas.winfo_height():
            up = event.num == 4 or event.delta > 0
            self._canvas.yview_scroll(-2 if up else 2, "units")

    def _show_focus(self, event: tk.Event[tk.Misc]) -> None:
        """Scroll so that the control that the keyboard reached is in sight."""
        if not self._holds(event.widget):
            return
        total, seen = max(1, self.inner.winfo_reqheight()), self._canvas.winfo_height()
        top = event.widget.winfo_rooty() - self.inner.winfo_rooty()
        first = self._canvas.canvasy(0)
        if top < first or top + event.widget.winfo_height() > first + seen:
            self._canvas.yview_moveto(max(0, top - seen // 3) / total)
