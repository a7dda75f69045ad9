"""Where the program keeps its own files, moved by environment variables on every system."""

from __future__ import annotations

from pathlib import Path

XDG = ("CONFIG", "DATA", "STATE", "CACHE")


def folders_under(home: Path) -> dict[str, str]:
    """The variables with which platformdirs finds everything of this user's under one folder.

    On Linux that is home/config, home/state and so on; on Windows home/local, for all of them.
    """
    return {
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in XDG},
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": str(home / "local"),
        "WIN_PD_OVERRIDE_APPDATA": str(home / "roaming"),
    }
