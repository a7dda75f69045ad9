"""The parts of the review screen, each alone: what they show, and what they ask for."""

from __future__ import annotations

import gc
import tkinter as tk
from collections.abc import Callable, Iterator
from tkinter import ttk
from typing import Any

import pytest
from PIL import Image, ImageColor

from anonator.ui.look import theme as look
from anonator.ui.look.theme import Theme
from anonator.ui.review import keys, reason_dialog, sheet, sign_dialog, to_check
from anonator.ui.review.reason_dialog import Answer, ReasonDialog, Scope, seconds_of
from anonator.ui.review.review_state import Card, Cell, Covered, SheetPage, StopLine, TrackLine
from anonator.ui.review.sheet import Sheet, SheetActions, seen_words
from anonator.ui.review.sign_dialog import Signature, SignDialog
from anonator.ui.review.to_check import ToCheck
from anonator.ui.review.track_list import TrackActions, TrackList

CAPS_LOCK = 0x2
GREY = Image.new("RGB", (40, 40), "#808080")


@pytest.fixture
def root(display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tk.Tk]:
    monkeypatch.setenv("DISPLAY", display)
    made = tk.Tk()
    failed: list[BaseException] = []
    made.report_callback_exception = lambda _kind, error, _tb: failed.append(error)
    made.geometry("1000x700+0+0")
    yield made
    made.destroy()
    del made
    gc.collect()
    assert failed == []


@pytest.fixture
def theme(root: tk.Tk) -> Theme:
    return look.apply(root)


def placed(widget: Any) -> Any:
    widget.pack(fill="both", expand=True)
    widget.update()
    return widget


def press(widget: tk.Misc, *events: str, **more: Any) -> None:
    widget.focus_force()
    widget.update()
    for event in events:
        widget.event_generate(event, **more)
        widget.update()


def shown(canvas: tk.Canvas) -> list[str]:
    tk_call, path = canvas.tk.call, str(canvas)
    items = [item for item in canvas.find_all() if tk_call(path, "type", item) == "text"]
    return [str(tk_call(path, "itemcget", item, "-text")) for item in items]


# --- cards


def test_cards_show_what_is_left_and_a_click_goes_to_one(root: tk.Tk, theme: Theme) -> None:
    clicked: list[int] = []
    cards = tuple(Card(n, n * 10.0, f"Reason {n}.", (StopLine(n, n, n == 2),)) for n in (1, 2, 3))
    part = placed(ToCheck(root, theme, clicked.append))
    assert shown(part.canvas) == [to_check.WAITING]
    part.draw((), None, ready=True)
    assert shown(part.canvas) == [to_check.NOTHING]
    part.draw(cards, 1, ready=True)
    root.update()
    assert part.title.cget("text") == "To check: 2 of 3 stops"
    assert "Reason 3." in shown(part.canvas) and "0:10.0" in shown(part.canvas)
    assert sum("right" in words for words in shown(part.canvas)) == 1
    x, y, width, height = part.box_of(3)
    part.canvas.event_generate(
        "<Button-1>",
        x=x + width // 2 - part.canvas.winfo_rootx(),
        y=y + height // 2 - part.canvas.winfo_rooty(),
    )
    press(part.canvas, "<Down>")
    assert clicked == [3, 2], "the next one after the chosen one, which the state has not changed yet"
    part.draw(tuple(Card(n, 0.0, "", (StopLine(n, 0, True),)) for n in (1, 2)), None, ready=True)
    assert part.title.cget("text") == "To check: all 2 stops done"


def test_a_card_says_which_of_all_stops_it_has(root: tk.Tk, theme: Theme) -> None:
    part = placed(ToCheck(root, theme, lambda _number: None))
    first = Card(1, 0.0, "A.", tuple(StopLine(n, n, n == 2) for n in (1, 2, 3)))
    second = Card(2, 0.0, "B.", (StopLine(4, 9),))
    part.draw((first, second), None, ready=True)
    root.update()
    assert {"stops 1\N{EN DASH}3, 1 done", "stop 4"} <= set(shown(part.canvas))
    part.draw((first, second), 1, 3, ready=True)
    root.update()
    assert "stop 3 of 4" in shown(part.canvas), "numbered as in the head and over the picture"


def test_a_card_shows_the_picture_of_the_stop_that_is_chosen_now(root: tk.Tk, theme: Theme) -> None:
    """It went on showing that of the first stop."""
    part = placed(ToCheck(root, theme, lambda _number: None))
    for stop, colour in ((1, "#808080"), (2, "#c02020")):
        crop = Image.new("RGB", (56, 56), colour)
        card = Card(1, float(stop), "A.", tuple(StopLine(n, n) for n in (1, 2)), 2, crop, True)
        part.draw((card,), 1, stop, ready=True)
        root.update()
        (item,) = [item for item in part.canvas.find_all() if part.canvas.type(item) == "image"]
        pixel = root.tk.call(part.canvas.itemcget(item, "image"), "get", 20, 20)
        assert tuple(root.tk.splitlist(pixel)) == ImageColor.getrgb(colour)


def test_the_chosen_one_of_many_cards_is_in_sight(root: tk.Tk, theme: Theme) -> None:
    part = placed(ToCheck(root, theme, lambda _number: None))
    stop = (StopLine(1, 1),)
    cards = tuple(Card(n, float(n), "Something moves.", stop, 1, GREY, True) for n in range(200))
    part.draw(cards, 0, ready=True)
    for chosen in (150, 3):
        part.draw(cards, chosen, ready=True)
        root.update()
        _, top, _, height = part.box_of(chosen)
        canvas = part.canvas
        assert canvas.winfo_rooty() <= top <= canvas.winfo_rooty() + canvas.winfo_height() - height


# --- tracks


def track_list(root: tk.Tk, theme: Theme) -> tuple[TrackList, list[Any]]:
    asked: list[Any] = []
    part = placed(
        TrackList(
            root,
            theme,
            TrackActions(
                choose=asked.append,
                turn=lambda: asked.append("turn"),
                join=lambda: asked.append("join"),
                split=lambda: asked.append("split"),
                delete=lambda: asked.append("delete"),
            ),
        )
    )
    return part, asked


LINES = tuple(
    TrackLine(n, f"Face {n}", n, n + 60.0, 12 * n, covered, reasons, "#ff0000")
    for n, covered, reasons in (
        (1, Covered.ALL, ()),
        (2, Covered.NOTHING, ("Not a face",)),
        (3, Covered.PARTLY, ("Consent on file",)),
    )
)


def test_tracks_say_when_they_are_there_and_whether_they_are_covered(root: tk.Tk, theme: Theme) -> None:
    part, asked = track_list(root, theme)
    part.draw(LINES, ())
    root.update()
    assert part.title.cget("text") == "All tracks (3)"
    assert part.tree.item("1")["values"][0] == "0:01.0\N{EN DASH}1:01.0"
    assert [str(part.tree.item(str(n))["values"][2]).split()[-1] for n in (1, 2, 3)] == [
        "covered",
        "visible",
        "partly",
    ]
    assert all(button.instate(["disabled"]) for button in part.buttons.values()), "nothing is selected"
    part.tree.selection_set("1", "3")
    root.update()
    assert asked == [(1, 3)]
    part.draw(LINES, (1, 3))
    root.update()
    assert asked == [(1, 3)], "drawing asks for nothing"
    assert part.buttons["join"].instate(["!disabled"]) and part.buttons["split"].instate(["disabled"])
    part.draw(LINES, (2,))
    assert part.buttons["turn"].cget("text") == "Cover again…"
    part.draw(LINES[:1], (2,))
    root.update()
    assert part.tree.get_children() == ("1",)


def test_a_click_on_the_state_of_a_track_asks_to_change_it(root: tk.Tk, theme: Theme) -> None:
    part, asked = track_list(root, theme)
    part.draw(LINES, ())
    root.update()
    x, y, width, height = map(int, part.tree.bbox("2", "#3"))
    part.tree.event_generate("<Button-1>", x=x + width // 2, y=y + height // 2)
    root.update()
    assert asked == [(2,), "turn"]


# --- the sheet


def test_the_sheet_opens_what_was_clicked_and_turns_its_pages(root: tk.Tk, theme: Theme) -> None:
    asked: list[Any] = []
    part = placed(
        Sheet(
            root,
            theme,
            SheetActions(
                open=lambda place: asked.append(("open", place)),
                choose=lambda place: asked.append(("choose", place)),
                turn=lambda pages: asked.append(("turn", pages)),
                resized=lambda: asked.append("resized"),
                close=lambda: asked.append("close"),
            ),
        )
    )
    cells = tuple(Cell(10 * n, n * 0.4, GREY if n % 2 else None, bool(n % 2)) for n in range(30))
    page = SheetPage(0, 2, cells, chosen=29)
    part.draw(page, 0.5)
    root.update()
    assert part.title.cget("text") == "Page 1 of 2" and part.buttons["back"].instate(["disabled"])
    x, y, width, height = part.box_of(7)
    part.canvas.event_generate(
        "<Button-1>",
        x=x + width // 2 - part.canvas.winfo_rootx(),
        y=y + height // 2 - part.canvas.winfo_rooty(),
    )
    press(part.canvas, "<Up>", "<Return>", "<Right>", "<Prior>", "<Next>")
    assert asked == [("open", 7), ("choose", 23), ("open", 29), ("turn", 1), ("turn", 1)]
    part.draw(SheetPage(0, 0, ()), 1.0)
    assert shown(part.canvas) == [sheet.NOTHING_LEFT]


@pytest.mark.parametrize(("shape", "columns"), [((16, 9), 3), ((9, 16), 6)])
def test_a_page_of_few_pictures_shows_them_larger(
    root: tk.Tk, theme: Theme, shape: tuple[int, int], columns: int
) -> None:
    """Twelve were as small as thirty, above a black half of the window: no face could be seen in them."""
    nothing = lambda *_: None  # noqa: E731
    part = placed(Sheet(root, theme, SheetActions(nothing, nothing, nothing, nothing, nothing)))
    sizes = []
    for count in (30, 12):
        page = SheetPage(0, 1, tuple(Cell(n, n * 0.4, GREY, True) for n in range(count)), shape=shape)
        part.draw(page, 0.5)
        root.update()
        sizes.append(min(part.room[0] / shape[0], part.room[1] / shape[1]))
        left, top, width, height = part.box_of(count - 1)
        assert left + width <= part.canvas.winfo_rootx() + part.canvas.winfo_width()
        assert top + height <= part.canvas.winfo_rooty() + part.canvas.winfo_height()
    assert sizes[1] > 1.4 * sizes[0]
    tops = [part.box_of(place)[1] for place in range(12)]
    assert tops.count(tops[0]) == columns


def test_all_is_seen_only_if_all_is_seen() -> None:
    assert [seen_words(share) for share in (0.0, 0.004, 0.996, 1.0)] == [
        "0 % seen",
        "0 % seen",
        "99 % seen",
        "100 % seen",
    ]


# --- questions


def answered(root: tk.Tk, dialog: Any, act: Callable[[Any], object]) -> Any:
    def look_for_it() -> None:
        if not dialog.winfo_viewable():
            root.after(20, look_for_it)
            return
        try:
            act(dialog)
        finally:
            root.after(300, lambda: dialog.winfo_exists() and dialog.close(""))

    root.after(20, look_for_it)
    return dialog.ask()


def asks_why(root: tk.Tk, theme: Theme, *, needs_reason: bool = True) -> ReasonDialog:
    return ReasonDialog(
        root,
        theme,
        "Leave it visible?",
        "It won't be covered.",
        whole="The whole track",
        stretch=(1.0, 2.5),
        do="Leave visible",
        needs_reason=needs_reason,
    )


def test_under_the_lock_nothing_becomes_visible_without_a_reason(root: tk.Tk, theme: Theme) -> None:
    faults: list[str] = []

    def only_enter(dialog: ReasonDialog) -> None:
        for choose in ("", reason_dialog.OTHER):
            if choose:
                dialog.reasons.buttons[choose].invoke()  # type: ignore[union-attr]
            dialog._confirm()
            faults.append(dialog.fault.cget("text"))

    assert answered(root, asks_why(root, theme), only_enter) is None
    assert faults == [reason_dialog.CHOOSE_IT, reason_dialog.TYPE_IT]

    def a_poster(dialog: ReasonDialog) -> None:
        dialog.reasons.buttons[reason_dialog.OTHER].invoke()  # type: ignore[union-attr]
        dialog.words.insert(0, "  a poster on the wall ")
        press(dialog, "<Key-2>")
        press(dialog.words, "<Return>")

    answer = answered(root, asks_why(root, theme), a_poster)
    assert answer is not None
    assert (answer.scope, answer.reason) == (Scope.ONWARDS, "a poster on the wall")


def test_a_stretch_is_typed_as_clocks_show_it(root: tk.Tk, theme: Theme) -> None:
    faults: list[str] = []

    def type_times(dialog: ReasonDialog) -> None:
        dialog.scopes.buttons[Scope.STRETCH.value].invoke()
        assert (dialog.begin.get(), dialog.end.get()) == ("0:01.0", "0:02.5")
        dialog.end.delete(0, "end")
        dialog.end.insert(0, "soon")
        press(dialog.end, "<Return>")
        faults.append(dialog.fault.cget("text"))
        dialog.end.delete(0, "end")
        dialog.end.insert(0, "1:02,5")
        press(dialog.end, "<Return>")

    answer = answered(root, asks_why(root, theme, needs_reason=False), type_times)
    assert answer == Answer(Scope.STRETCH, (1.0, 62.5)) and faults == [reason_dialog.WHEN]


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("5", 5.0),
        ("1:02.5", 62.5),
        ("1:00:00", 3600.0),
        (" 0:03 ", 3.0),
        ("", None),
        ("-1", None),
        ("1:", None),
    ],
)
def test_times(typed: str, seconds: float | None) -> None:
    assert seconds_of(typed) == seconds


def test_nobody_signs_without_initials(root: tk.Tk, theme: Theme) -> None:
    faults: list[str] = []

    def sign(dialog: SignDialog) -> None:
        press(dialog.initials, "<Return>")
        faults.append(dialog.fault.cget("text"))
        dialog.initials.insert(0, " MK ")
        press(dialog.initials, "<Return>")

    dialog = SignDialog(root, theme, changed=(), missing=("57 % wasn't seen.",), delete_tracks=True)
    assert answered(root, dialog, sign) == Signature("MK", delete_tracks=True)
    assert faults == [sign_dialog.NO_INITIALS]


# --- keys


def test_letters_belong_to_fields_while_somebody_types(root: tk.Tk, theme: Theme) -> None:
    pressed: list[str] = []
    is_open = True
    commands = {name: (lambda name=name: pressed.append(name)) for name in keys.KEYS}
    keys.bind(root, commands, lambda: is_open)
    entry, canvas = tk.Entry(root), tk.Canvas(root, takefocus=True)
    button = ttk.Button(root, command=lambda: pressed.append("the button"))
    for widget in (entry, button, canvas):
        widget.pack()
    root.update()
    press(entry, "<Key-n>", "<space>", "<Control-Return>")
    assert pressed == ["sign"] and entry.get() == "n "
    pressed.clear()
    press(button, "<space>")
    assert pressed == ["the button"]
    pressed.clear()
    press(canvas, "<Key-n>", "<Left>", "<bracketleft>", "<Control-z>", "<Control-Z>")
    canvas.event_generate("<Key-N>", state=keys.SHIFT)
    canvas.event_generate("<Key-N>", state=CAPS_LOCK)
    canvas.event_generate("<Left>", state=keys.SHIFT)
    canvas.event_generate("<Key-n>", state=keys.CONTROL)
    root.update()
    assert pressed == [
        "next_doubt", "frame_back", "begins", "undo", "redo", "last_doubt", "next_doubt", "second_back",
    ]  # fmt: skip
    is_open = False
    pressed.clear()
    press(canvas, "<Key-n>", "<Escape>", "<Return>")
    assert pressed == []


def test_every_key_is_in_the_list_and_the_most_important_ones_fit_in_the_line(
    root: tk.Tk, theme: Theme
) -> None:
    clicked: list[int] = []
    line = keys.KeyLine(root, theme, {"undo": lambda: clicked.append(1)})
    line.pack(fill="x")
    root.update()
    assert {"next_doubt", "right", "draw", "turn", "undo", "sign", "help"} <= {
        name for name, item in line.items.items() if item.winfo_ismapped()
    }
    assert line.winfo_reqwidth() <= root.winfo_width() and set(keys.IN_THE_LINE) <= set(keys.KEYS)
    line.items["undo"].winfo_children()[0].event_generate("<Button-1>")
    assert clicked == [1]

    def look_at_it(dialog: keys.KeyList) -> None:
        assert dialog.winfo_height() <= root.winfo_height() and dialog.winfo_width() <= root.winfo_width()
        words = [label.cget("text") for label in dialog.table.winfo_children()]
        assert words == [text for key, what, _ in keys.LISTED for text in (key, what)]
        assert sorted(name for _, _, names in keys.LISTED for name in names) == sorted(keys.KEYS)

    answered(root, keys.KeyList(root, theme), look_at_it)
