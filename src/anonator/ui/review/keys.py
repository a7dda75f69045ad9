"""The keys of the review, in one table: what they do, the line along the lower edge, and the list of all."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.colours import ACCENT
from anonator.ui.look.dialogs import Dialog
from anonator.ui.look.theme import Theme
from anonator.ui.review.legend import Legend

SHIFT, CONTROL = 0x1, 0x4
"""Tk's bits of an event's state."""
FIELDS = ("TEntry", "TCombobox", "TSpinbox", "Entry", "Spinbox", "Text")
"""Tk's names for widgets that take text; letters typed there are only text."""
PRESSED_BY_SPACE = ("TButton", "TMenubutton", "TRadiobutton", "TCheckbutton")


@dataclass(frozen=True, slots=True)
class ReviewKey:
    """One key of the review."""

    key: str
    """As printed on keyboards."""
    words: str
    """What it does, for the list of all keys."""
    short: str = ""
    """The same in a word or three for the lower edge; "" where there's no need."""
    events: tuple[str, ...] = ()
    """Tk's names; empty for what is done with the mouse."""
    shift: bool | None = None
    """Whether Shift must be held or must not; None where it doesn't matter."""


def _letter(letter: str) -> tuple[str, ...]:
    """Both of Tk's names of a letter, because Caps Lock may be on."""
    return f"<Key-{letter.lower()}>", f"<Key-{letter.upper()}>"


KEYS: Mapping[str, ReviewKey] = {
    "next_doubt": ReviewKey(
        "N",
        "Next stop: starts a second before it, plays, and stops on it",
        "next stop",
        _letter("n"),
        False,
    ),
    "last_doubt": ReviewKey("Shift+N", "Previous stop", "", _letter("n"), True),
    "right": ReviewKey(
        "Enter", "All is right here; go on to the next stop", "right, next", ("<Return>", "<KP_Enter>")
    ),
    "next_face": ReviewKey(
        "M",
        "Select the next face on this frame; those that the stop is about come first",
        "next face",
        _letter("m"),
        False,
    ),
    "last_face": ReviewKey("Shift+M", "Select the face before", "", _letter("m"), True),
    "draw": ReviewKey("Drag", "Draw a new cover; it's followed both ways at once", "draw a cover"),
    "turn": ReviewKey(
        "V",
        "Leave the selected faces visible, or cover them again: all of it, from here on, or a stretch",
        "visible or covered",
        _letter("v"),
    ),
    "play": ReviewKey("Space", "Play or stop", "play, stop", ("<space>",)),
    "back": ReviewKey("J", "Play backwards; again for 2, 4 and 8 times the speed", "", _letter("j")),
    "stop": ReviewKey("K", "Stop", "", _letter("k")),
    "forward": ReviewKey("L", "Play; again for 2, 4 and 8 times the speed", "", _letter("l")),
    "frame_back": ReviewKey("\N{LEFTWARDS ARROW}", "One frame back", "", ("<Left>", "<KP_Left>"), False),
    "frame_on": ReviewKey("\N{RIGHTWARDS ARROW}", "One frame on", "", ("<Right>", "<KP_Right>"), False),
    "second_back": ReviewKey("Shift+\N{LEFTWARDS ARROW}", "One second back", "", ("<Left>",), True),
    "second_on": ReviewKey("Shift+\N{RIGHTWARDS ARROW}", "One second on", "", ("<Right>",), True),
    "first_frame": ReviewKey("Home", "The first frame", "", ("<Home>", "<KP_Home>")),
    "last_frame": ReviewKey("End", "The last frame", "", ("<End>", "<KP_End>")),
    "original": ReviewKey(
        "O, held", "Show the original, and what is under a cover", "hold: original", _letter("o")
    ),
    "resize": ReviewKey("Drag a box, wheel", "Move or resize the selected cover from this frame on"),
    "begins": ReviewKey("[", "The selected face begins here", "", ("<bracketleft>",)),
    "ends": ReviewKey("]", "The selected face ends here", "", ("<bracketright>",)),
    "area": ReviewKey(
        "F", "Then drag: cover a fixed area, such as a name tag or a clock", "fixed area", _letter("f")
    ),
    "delete": ReviewKey(
        "Delete", "Take back the smallest thing: a place on this frame, or else the cover", "", ("<Delete>",)
    ),
    "join": ReviewKey("Ctrl+J", "Join the two selected tracks", "", ("<Control-j>",)),
    "split": ReviewKey("Ctrl+T", "Split the selected track here", "", ("<Control-t>",)),
    "undo": ReviewKey("Ctrl+Z", "Undo, as far back as you like", "undo", ("<Control-z>",)),
    "redo": ReviewKey("Ctrl+Y", "Redo", "", ("<Control-y>", "<Control-Z>")),
    "unseen": ReviewKey("U", "Next stretch that you haven't seen", "next unseen", _letter("u")),
    "sheet": ReviewKey(
        "G", "Sheet: up to 30 finished pictures a page from what you haven't seen", "sheet", _letter("g")
    ),
    "sign": ReviewKey(
        "Ctrl+Enter", "Sign, and make the final file", "sign", ("<Control-Return>", "<Control-KP_Enter>")
    ),
    "nearer": ReviewKey("+, Ctrl+wheel", "Look closer", "", ("<plus>", "<KP_Add>")),
    "further": ReviewKey(
        "\N{MINUS SIGN}, Ctrl+wheel", "Look from further away", "", ("<minus>", "<KP_Subtract>")
    ),
    "fit": ReviewKey("0", "Show the whole picture", "", ("<Key-0>", "<KP_0>")),
    "help": ReviewKey("F1", "Show this list, and what the marks mean", "all keys", ("<F1>",)),
    "leave": ReviewKey("Escape", "Back to the queue; everything is kept", "back", ("<Escape>",)),
}
"""By what they ask for."""
IN_THE_LINE = (
    "next_doubt", "right", "draw", "turn", "undo", "sign", "help", "leave", "unseen", "sheet", "original",
    "play", "next_face", "area",
)  # fmt: skip
"""Those along the lower edge; the last ones go first where there isn't enough room."""
NOT_IN_FIELDS_ONLY = ("help", "leave", "sign")
"""What works even while somebody types in a field."""


def bind(root: tk.Misc, commands: Mapping[str, Callable[[], object]], may: Callable[[], bool]) -> None:
    """Bind every key of the table to its command, beside what the window binds.

    Args:
        root: the window.
        commands: by the names in KEYS; a missing one is handled elsewhere.
        may: whether the review is open, and nothing lies over it.
    """
    by_event: dict[str, list[str]] = {}
    for name, key in KEYS.items():
        if name in commands:
            for event in key.events:
                by_event.setdefault(event, []).append(name)
    for event, names in by_event.items():
        root.bind(event, _Pressed(commands, names, may), add=True)


class _Pressed:
    """What a key does, depending on Shift and on where the keyboard is."""

    def __init__(
        self, commands: Mapping[str, Callable[[], object]], names: list[str], may: Callable[[], bool]
    ) -> None:
        self._commands, self._names, self._may = commands, names, may

    def __call__(self, event: tk.Event[tk.Misc]) -> str | None:
        if not self._may():
            return None
        # Tk gives a path instead of a widget that it made itself
        kind = event.widget.winfo_class() if isinstance(event.widget, tk.Misc) else ""
        held = bool(int(event.state) & SHIFT)
        for name in self._names:
            if kind in FIELDS and name not in NOT_IN_FIELDS_ONLY:
                continue
            if kind in PRESSED_BY_SPACE and event.keysym == "space":
                continue
            if int(event.state) & CONTROL and not any("Control" in each for each in KEYS[name].events):
                continue  # Ctrl+N is another key than N
            if KEYS[name].shift in (None, held):
                self._commands[name]()
                return "break"
        return None


class KeyLine(ttk.Frame):
    """The most important keys, along the lower edge; as many as there is room for."""

    def __init__(self, parent: tk.Misc, theme: Theme, commands: Mapping[str, Callable[[], object]]) -> None:
        """Create the line.

        Args:
            parent: where it lies.
            theme: of the window.
            commands: what a click on a key does; one without a command is only shown.
        """
        super().__init__(parent)
        self._gap = theme.px(14)
        self.items: dict[str, ttk.Frame] = {}
        for name in IN_THE_LINE:
            item = ttk.Frame(self)
            key = ttk.Label(item, text=KEYS[name].key, style="Accent.TLabel")
            words = ttk.Label(item, text=f" {KEYS[name].short}", style="Dim.TLabel")
            key.pack(side="left")
            words.pack(side="left")
            if command := commands.get(name):
                for widget in (key, words):
                    widget.configure(cursor="hand2")
                    widget.bind("<Button-1>", lambda _event, command=command: command())  # type: ignore[misc]
            self.items[name] = item
        self.bind("<Configure>", lambda event: self._fit(event.width))

    def _fit(self, width: int) -> None:
        """Show the most important keys that fit, in the order of the table."""
        left, shown = width, set[str]()
        for name in IN_THE_LINE:
            left -= self.items[name].winfo_reqwidth() + self._gap
            if left < -self._gap:
                break
            shown.add(name)
        for item in self.items.values():
            item.pack_forget()
        for name in KEYS:
            if name in shown:
                self.items[name].pack(side="left", padx=(0, self._gap))


LISTED = (
    ("N, Shift+N", "Next or previous stop: starts a second before it, plays, and stops on it",
     ("next_doubt", "last_doubt")),
    ("Enter", "All is right at this stop; go on to the next one", ("right",)),
    ("Space", "Play or stop", ("play",)),
    ("J, K, L", "Back, stop, forward; J or L again for 2, 4 and 8 times the speed",
     ("back", "stop", "forward")),
    ("\N{LEFTWARDS ARROW}, \N{RIGHTWARDS ARROW}", "One frame; with Shift, one second; Home, End: all the way",
     ("frame_back", "frame_on", "second_back", "second_on", "first_frame", "last_frame")),
    ("O, held", "Show the original, and what is under a cover", ("original",)),
    ("Drag", "Draw a new cover; it's followed both ways at once", ("draw",)),
    ("Drag a box, wheel", "Move or resize the selected cover", ("resize",)),
    ("M, Shift+M", "Select the next or previous face on this frame", ("next_face", "last_face")),
    ("V", "Leave the selected faces visible, or cover them again", ("turn",)),
    ("[, ]", "The selected face begins or ends here", ("begins", "ends")),
    ("F, drag", "Cover a fixed area, such as a name tag or a clock", ("area",)),
    ("Delete", "Take back the smallest thing: a place on this frame, or the cover", ("delete",)),
    ("Ctrl+J, Ctrl+T", "Join the two selected tracks; split one here", ("join", "split")),
    ("Ctrl+Z, Ctrl+Y", "Undo, as far back as you like; redo", ("undo", "redo")),
    ("U, G", "Next stretch that you haven't seen; sheet of up to 30 finished pictures a page",
     ("unseen", "sheet")),
    ("+, \N{MINUS SIGN}, 0", "Look closer, from further away, fit; Ctrl+wheel, too",
     ("nearer", "further", "fit")),
    ("Ctrl+Enter", "Sign, and make the final file", ("sign",)),
    ("F1", "Show this list, and what the marks mean", ("help",)),
    ("Escape", "Back to the queue; everything is kept", ("leave",)),
)  # fmt: skip
"""All keys as people read them: how they're printed, what they do, and their names in KEYS."""
ROWS = 10
"""In one column."""


class KeyList(Dialog):
    """All keys of the review."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(
            parent,
            theme,
            "Keys and marks of the review",
            "You can do everything but drawing without a mouse. Tab goes from control to control.",
        )
        px = theme.px
        self.table = table = ttk.Frame(self.body)
        table.pack(anchor="w", pady=(0, px(16)))
        for number, (key, words, _) in enumerate(LISTED):
            row, column = number % ROWS, 2 * (number // ROWS)
            ttk.Label(table, text=key, font="AnonatorSmall", foreground=ACCENT).grid(
                row=row, column=column, sticky="nw", padx=(0, px(12)), pady=px(2)
            )
            ttk.Label(table, text=words, wraplength=px(290), justify="left", font="AnonatorSmall").grid(
                row=row, column=column + 1, sticky="nw", padx=(0, px(18)), pady=px(2)
            )
        self.legend = Legend(self.body, theme)
        self.legend.pack(anchor="w", pady=(0, px(16)))
        self.add_button("close", "Close", primary=True)

    def ask(self) -> None:
        """Show it until it is closed."""
        self.present()
        self.wait_window()
