"""Mends the file dialog that Tk draws itself where the system has none."""

from __future__ import annotations

import tkinter as tk

TYPED_NAMES = """
proc ::tk::dialog::file::ActivateEnt {w} {
    upvar ::tk::dialog::file::[winfo name $w] data
    set typed [$data(ent) get]
    set names [list $typed]
    # the dialog writes several names as a list; people type one path
    if {$data(-multiple) && ![file exists [JoinFile $data(selectPath) $typed]] && ![catch {llength $typed}]} {
        set names $typed
        foreach name $typed {
            if {![file exists [JoinFile $data(selectPath) $name]]} { set names [list $typed] }
        }
    }
    foreach name $names { VerifyFileName $w $name }
}
"""


def mend(root: tk.Tk) -> None:
    """Hide dot-files in it, and let people type a path with spaces, which Tk takes for several files."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return
    # Tk loads the dialog on its first call; this one fails before it shows anything
    root.tk.eval("catch {tk_getOpenFile -no-such-option 1}")
    root.tk.eval("set ::tk::dialog::file::showHiddenBtn 1; set ::tk::dialog::file::showHiddenVar 0")
    if root.tk.eval("info procs ::tk::dialog::file::ActivateEnt"):
        root.tk.eval(TYPED_NAMES)
