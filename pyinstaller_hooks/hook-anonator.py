"""Collects the program itself: every module, its data, and the metadata that --version reads."""

from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

# modules are imported when a job starts, some by name: none may be missed, a new one neither
hiddenimports = collect_submodules("anonator")
datas = collect_data_files("anonator")
# the rest of the folder names places on the computer that built the program
datas += [(str(Path(folder) / "METADATA"), target) for folder, target in copy_metadata("anonator")]
