"""A second process that offers files for a real drag and drop, and logs what becomes of it as JSON lines."""

from __future__ import annotations

import json
import pathlib
import sys
import tkinter as tk

from tkinterdnd2 import COPY, DND_FILES, TkinterDnD

ACCEPTED = (
    "if {[info exists ::tkdnd::xdnd::_dragging] && $::tkdnd::xdnd::_dragging} "
    "{set ::tkdnd::xdnd::_dodragdrop_drop_target_accepts_drop} else {set _ 0}"
)


def main() -> None:
    """Show a small window whose label can be dragged; arguments: log file, JSON list of files, geometry."""
    log = open(sys.argv[1], "w", buffering=1, encoding="utf-8")  # noqa: SIM115  (open until the process is ended)
    uris = tuple(pathlib.Path(file).as_uri() for file in json.loads(sys.argv[2]))

    def tell(event: str, **fields: object) -> None:
        log.write(json.dumps({"ev": event, **fields}) + "\n")

    root = TkinterDnD.Tk()
    root.title("drag source")
    root.geometry(sys.argv[3])
    # without this Tk sends a text/uri-list selection as 32-bit "atoms", and another process reads ""
    root.tk.eval("proc ::tkdnd::xdnd::getFormatForType {type} {return STRING}")
    label = tk.Label(root, text="drag me", bg="#cde")
    label.pack(fill="both", expand=True)
    label.drag_source_register(1, DND_FILES)  # type: ignore[attr-defined]

    def begin(_event: object) -> tuple[str, tuple[str], tuple[str, ...]]:
        tell("init")
        return COPY, (DND_FILES,), uris

    label.dnd_bind("<<DragInitCmd>>", begin)  # type: ignore[attr-defined]
    label.dnd_bind("<<DragEndCmd>>", lambda event: tell("end", action=str(event.action)))  # type: ignore[attr-defined]
    before = ["0"]

    def poll() -> None:
        """Tell when the target accepts: only from then on does a release drop."""
        now = root.tk.eval(ACCEPTED)
        if now != before[0]:
            before[0] = now
            tell("accept" if now == "1" else "no-accept")
        root.after(20, poll)

    poll()
    root.update()
    tell("ready", lab=[label.winfo_rootx(), label.winfo_rooty(), label.winfo_width(), label.winfo_height()])
    root.mainloop()


if __name__ == "__main__":
    main()
