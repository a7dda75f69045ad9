"""The settings of the next job: chosen by people, limited by HIPAA mode, remembered for the next start."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anonator.errors import SettingsError
from anonator.ui.state import preferences, unlocking
from anonator.ui.state.app_state import ModelsFound, Store
from anonator.ui.state.chosen_settings import ChosenSettings
from anonator.ui.state.config_guard import ConfigGuard
from anonator.ui.state.preferences import Preferences
from anonator.ui.work.worker import Task, Worker

SETTLE_SECONDS = 0.35
"""Settings that stay unchanged this long are saved and tested."""
NOT_REMEMBERED = "Your settings couldn't be saved for the next start. Check that the disk isn't full."


class Choosing:
    """Takes choices, and puts the resulting settings into the state."""

    def __init__(
        self,
        store: Store,
        guard: ConfigGuard,
        remembered: Preferences,
        file: Path,
        worker: Worker,
        *,
        ask_unlock: Callable[[str], bool],
        ask_folder: Callable[[], Path | None],
        settled: Callable[[], None],
    ) -> None:
        """Start with the remembered choices.

        Args:
            store: holds the state.
            guard: the configuration file.
            remembered: what people chose before.
            file: where they are kept.
            worker: writes them.
            ask_unlock: asks whether to switch HIPAA mode off; takes the words that say what this changes.
            ask_folder: asks where to save results.
            settled: called when settings have settled after a change.
        """
        self._store, self._guard, self._file, self._worker = store, guard, file, worker
        self._ask_unlock, self._ask_folder, self._settled = ask_unlock, ask_folder, settled
        self._chosen = ChosenSettings(guard.config, remembered.choices)
        self._changed_at: float | None = None
        self._saving: Task | None = None
        store.change(
            settings=self._chosen.settings(),
            floor=guard.config.hipaa,
            folder=remembered.output_folder,
            report_folder=guard.config.report_folder,
            held=guard.problem,
            hint_read=remembered.review_hint_read,
        )

    def preferences(self) -> Preferences:
        """What to remember for the next start."""
        state = self._store.state
        return Preferences(self._chosen.choices(), state.folder, state.hint_read)

    # --- what people ask for

    def choose(self, name: str, value: object) -> None:
        """Change one setting."""
        try:
            self._chosen.choose(name, value)
        except SettingsError as error:  # a value in the configuration file can rule out this one
            self._store.say(str(error))
        self._changed()

    def turn_lock(self, on: bool) -> None:
        """Switch HIPAA mode on at once; switch it off only after a question."""
        chosen = self._chosen
        words = unlocking.question(chosen.hipaa, chosen.standard, chosen.choices().standard)
        if on or self._ask_unlock(words):
            self.set_locked(on)

    def set_locked(self, locked: bool) -> None:
        """Switch HIPAA mode on or off."""
        said = self._chosen.turn_lock(locked)
        self._changed()
        self._store.say(said)

    def choose_folder(self) -> None:
        """Choose where to save results."""
        folder = self._ask_folder()
        if folder is not None:
            self.set_folder(folder)

    def set_folder(self, folder: Path | None) -> None:
        """Save results to this folder, or next to each video."""
        self._changed(folder=folder)

    def restore_defaults(self) -> None:
        """Forget all choices; HIPAA mode stays as it is."""
        self._chosen.restore_defaults()
        self._changed(folder=None)

    def read_hint(self) -> None:
        """Don't show the hint about reviews again."""
        self._changed(hint_read=True)

    def read_config(self) -> bool:
        """Read the configuration file again, and return whether it can be used now."""
        self._guard.read()
        if self._guard.problem:
            self._store.change(held=self._guard.problem)
            return False
        self._chosen = self._chosen.on(self._guard.config)
        config = self._guard.config
        self._changed(held="", floor=config.hipaa, report_folder=config.report_folder)
        return True

    # --- what other parts report

    def take_models(self, models: ModelsFound) -> None:
        """Drop an encoder that doesn't work on this computer, and say so."""
        said = self._chosen.leave_encoder(models.encoders)
        self._store.change(models=models, settings=self._chosen.settings())
        self._store.say(said)

    def poll(self) -> None:
        """Save the settings once they have settled."""
        if self._changed_at is None or time.monotonic() - self._changed_at < SETTLE_SECONDS:
            return
        self._changed_at = None
        if not self._store.state.held:  # choices are saved as differences from the configuration
            if self._saving is not None:
                self._saving.withdraw()
            save = partial(preferences.save, self._file, self.preferences())
            self._saving = self._worker.submit(save, _nothing, self._not_saved)
        self._settled()

    def remember_now(self) -> None:
        """Save the settings before the program ends.

        Raises:
            OSError: the folder can't be written to.
        """
        if not self._store.state.held:
            preferences.save(self._file, self.preferences())

    def _changed(self, **more: object) -> None:
        self._changed_at = time.monotonic()
        self._store.change(settings=self._chosen.settings(), **more)

    def _not_saved(self, _error: Exception) -> None:
        self._store.say(NOT_REMEMBERED)


def _nothing(_value: object) -> None:
    """Do nothing: it worked."""
