"""Keeps Start disabled while the configuration file can't be used, so its stricter values aren't lost."""

from __future__ import annotations

from pathlib import Path

from anonator.core.config_file import UserConfig, load
from anonator.errors import SettingsError


class ConfigGuard:
    """Reads the configuration, and reads it again once it is fixed."""

    def __init__(self, path: Path | None) -> None:
        """Read it.

        Args:
            path: the file that the user named; None means the usual place, where there may be none.
        """
        self._path = path
        self.config = UserConfig()
        """The configuration; while there is a problem, HIPAA's own values, just to show something."""
        self.problem = ""
        """Why the file can't be used, and what that means; "" if it can."""
        self.read()

    def read(self) -> None:
        """Read it again."""
        try:
            self.config, self.problem = load(self._path), ""
        except SettingsError as error:
            self.config = UserConfig()
            self.problem = f"{error} Start stays disabled until you fix the file."
