"""Reads a TOML file that people wrote, and says in their words what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

from anonator.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST_BYTES = 1_000_000
"""A settings file is a page long; something larger is another file, or a device that never ends."""


def read(path: Path) -> dict[str, object]:
    """What the file holds.

    Raises:
        OSError: it cannot be read.
        SettingsError: it is too large, no UTF-8 or no TOML; the message goes on after "cannot be used:".
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise SettingsError("it is too large for a configuration file.")
    try:
        # Notepad may put a byte-order mark before the text
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise SettingsError("it is not UTF-8 text. Save it again with that encoding.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"it is not valid TOML: {exc}.") from exc  # includes line and column
