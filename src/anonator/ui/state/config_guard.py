"""Holds the program while its configuration file cannot be used: whoever wrote stricter values keeps them."""

from __future__ import annotations

from pathlib import Path

from anonator.core.config_file import UserConfig, load
from anonator.errors import SettingsError


class ConfigGuard:
    """Reads the configuration, and again when somebody has mended it."""

    def __init__(self, path: Path | None) -> None:
        """Read it.

        Args:
            path: the file that the user named; None is this system's place, where none need be.
        """
        self._path = path
        self.config = UserConfig()
        """The configuration; HIPAA's own values, for looking at only, while there is a problem."""
        self.problem = ""
        """Why the file cannot be used, in a sentence or two, and what follows; "" where all is well."""
        self.read()

    def read(self) -> None:
        """Read it again."""
        try:
            self.config, self.problem = load(self._path), ""
        except SettingsError as error:
            self.config = UserConfig()
            self.problem = f"{error} Nothing is started until the file is mended."
