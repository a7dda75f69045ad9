"""All tracks in a list: what each looks like, when it is there, and whether it is covered."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from PIL import Image, ImageDraw, ImageTk

from anonator.ui.look.colours import RAISED
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.review.review_state import Covered, TrackLine
from anonator.ui.state import text

SIDE, STRIPE = 30, 4
"""Of a thumbnail, and of the stripe in the track's colour beside it."""
STATES = {Covered.ALL: "■ covered", Covered.PARTLY: "◪ partly", Covered.NOTHING: "□ visible"}


@dataclass(frozen=True, slots=True)
class TrackActions:
    """What the list asks for; everything but choose is about the selected tracks."""

    choose: Callable[[tuple[int, ...]], object]
    turn: Callable[[], object]
    join: Callable[[], object]
    split: Callable[[], object]
    delete: Callable[[], object]


class TrackList(ttk.Frame):
    """Draws the tracks; several can be selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: TrackActions) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._lines: dict[int, TrackLine] = {}
        self._selected: tuple[int, ...] = ()
        self._photos: dict[int, ImageTk.PhotoImage] = {}
        px = theme.px
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        self.title = ttk.Label(self, text="All tracks", style="Strong.TLabel")
        self.title.grid(row=0, column=0, columnspan=2, sticky="w", pady=(0, px(4)))
        ToolTip(
            self.title,
            theme,
            "Everything that is covered in this video. One person who leaves and comes back has several "
            "tracks.",
        )
        ttk.Style(self).configure("Tracks.Treeview", rowheight=px(SIDE + 6), font="AnonatorSmall")
        self.tree = ttk.Treeview(
            self, columns=("when", "found", "state"), height=3, selectmode="extended", style="Tracks.Treeview"
        )
        self.tree.heading("#0", text="Track", anchor="w")
        self.tree.column("#0", width=px(100), minwidth=px(70), stretch=True)
        for column, label, width, anchor in (
            ("when", "From, to", 98, "w"),
            ("found", "Found", 46, "e"),
            ("state", "", 74, "w"),
        ):
            self.tree.heading(column, text=label, anchor=anchor)  # type: ignore[call-overload]
            self.tree.column(column, width=px(width), minwidth=px(30), stretch=False, anchor=anchor)  # type: ignore[call-overload]
        bar = ttk.Scrollbar(self, orient="vertical", command=self.tree.yview)
        self.tree.configure(yscrollcommand=bar.set)
        self.tree.grid(row=1, column=0, sticky="nsew")
        bar.grid(row=1, column=1, sticky="ns")
        self.tree.bind("<<TreeviewSelect>>", self._chosen)
        self.tree.bind("<Button-1>", self._clicked)
        self._tip = ToolTip(self.tree, theme, "")
        self._tip_row = ""
        self.tree.bind("<Motion>", self._pointed, add=True)
        self._make_buttons()

    def _make_buttons(self) -> None:
        px, actions = self._theme.px, self._actions
        row = ttk.Frame(self)
        row.grid(row=2, column=0, columnspan=2, sticky="ew", pady=(px(6), 0))
        self.buttons: dict[str, ttk.Button] = {}
        for key, label, command, tip in (
            (
                "turn",
                "Leave visible…",
                actions.turn,
                "Leaves the selected faces visible, or covers them again: all of it, from here on, or a "
                "stretch (V).",
            ),
            ("join", "Join", actions.join, "Makes one track of the two that are selected (Ctrl+J)."),
            ("split", "Split", actions.split, "Cuts the selected track in two at this frame (Ctrl+T)."),
            (
                "delete",
                "Delete",
                actions.delete,
                "Takes back the smallest thing about the selected track: a place that was set on this frame, "
                "or else the cover (Delete). Undo brings it back.",
            ),
        ):
            button = ttk.Button(row, text=label, command=command, style="Small.TButton")
            button.pack(side="left", padx=(0, px(5)))
            ToolTip(button, self._theme, tip)
            self.buttons[key] = button

    def draw(self, lines: tuple[TrackLine, ...], selected: tuple[int, ...]) -> None:
        """Show exactly these tracks, in this order, with these selected."""
        before, self._lines = self._lines, {line.id: line for line in lines}
        moved = list(before) != list(self._lines)
        if moved:
            self._draw_order(before)
        for line in lines:
            old = before.get(line.id)
            if old != line:
                self._draw_line(line, anew=old is None or old.has_crop != line.has_crop)
        self._selected = tuple(id for id in selected if id in self._lines)
        items = {str(id) for id in self._selected}
        if set(self.tree.selection()) != items:
            self.tree.selection_set(*items)
            if self._selected:
                self.tree.focus(str(self._selected[-1]))
            moved = True
        if moved and self._selected:  # following a drawn cover lets it begin earlier, so its row moves up
            self.tree.see(str(self._selected[-1]))
        self._enable()

    # --- inside

    def _draw_order(self, before: dict[int, TrackLine]) -> None:
        gone = [id for id in before if id not in self._lines]
        self.tree.delete(*map(str, gone))
        for id in gone:
            self._photos.pop(id, None)
        for place, id in enumerate(self._lines):
            if self.tree.exists(str(id)):
                self.tree.move(str(id), "", place)
            else:
                self.tree.insert("", place, str(id))
        self.title.configure(text=f"All tracks ({len(self._lines)})" if self._lines else "All tracks")

    def _draw_line(self, line: TrackLine, *, anew: bool) -> None:
        if anew:
            self._photos[line.id] = ImageTk.PhotoImage(self._thumbnail(line), master=self)
        when = f"{text.moment(line.begin)}\N{EN DASH}{text.moment(line.end)}"
        self.tree.item(
            str(line.id),
            text=f" {line.name}",
            image=self._photos[line.id],
            values=(when, f"{line.sightings:,}" if line.sightings else text.UNKNOWN, STATES[line.covered]),
        )

    def _thumbnail(self, line: TrackLine) -> Image.Image:
        px = self._theme.px
        side, stripe = px(SIDE), px(STRIPE)
        picture = Image.new("RGB", (side + 2 * stripe, side), "#000000")
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, 0, stripe - 1, side - 1), fill=line.colour or RAISED)
        draw.rectangle((2 * stripe, 0, 2 * stripe + side - 1, side - 1), fill=RAISED)
        if line.crop is not None:
            crop = line.crop.copy()
            crop.thumbnail((side, side))
            picture.paste(crop, (2 * stripe + (side - crop.width) // 2, (side - crop.height) // 2))
        return picture

    def _enable(self) -> None:
        chosen = [self._lines[id] for id in self._selected]
        again = bool(chosen) and all(line.covered is not Covered.ALL for line in chosen)
        self.buttons["turn"].configure(text="Cover again…" if again else "Leave visible…")
        for key, may in (
            ("turn", bool(chosen)),
            ("delete", bool(chosen)),
            ("join", len(chosen) == 2),
            ("split", len(chosen) == 1),
        ):
            self.buttons[key].state(["!disabled" if may else "disabled"])

    def _chosen(self, _event: object) -> None:
        chosen = [int(item) for item in self.tree.selection()]
        if set(chosen) != set(self._selected):
            # those that were selected before keep their order, so the newest comes last
            kept = [id for id in self._selected if id in chosen]
            self._actions.choose((*kept, *(id for id in chosen if id not in kept)))

    def _clicked(self, event: tk.Event[tk.Misc]) -> str | None:
        """A click on the word of a row's state changes it."""
        row = self.tree.identify_row(event.y)
        if not row or self.tree.identify_column(event.x) != "#3":
            return None
        if row not in self.tree.selection():
            self._actions.choose((int(row),))
        self.after_idle(self._actions.turn)
        return "break"

    def _pointed(self, event: tk.Event[tk.Misc]) -> None:
        row = self.tree.identify_row(event.y)
        if row == self._tip_row:
            return
        self._tip_row = row
        line = self._lines.get(int(row)) if row else None
        words = ""
        if line is not None:
            parts = [f"{line.name}, {text.moment(line.begin)} to {text.moment(line.end)}, {_found(line)}."]
            if line.covered is not Covered.ALL:
                how = "Visible" if line.covered is Covered.NOTHING else "Partly visible"
                why = "; ".join(dict.fromkeys(line.reasons))
                parts.append(f"{how}: {why}." if why else f"{how}.")
            words = "\n".join(parts)
        self._tip.rest(words, (event.x_root + self._theme.px(12), event.y_root + self._theme.px(18)))


def _found(line: TrackLine) -> str:
    return f"found {text.count(line.sightings, 'time')}" if line.sightings else "drawn by a person"
