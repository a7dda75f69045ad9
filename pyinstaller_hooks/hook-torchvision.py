"""Replaces the hook of pyinstaller-hooks-contrib, which knows torchvision's libraries by old names only."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from PyInstaller.utils.hooks import get_package_paths

# the sources are read when torch registers operators
module_collection_mode = "pyz+py"

# nms fails at run time without them; torchvision 0.29 renamed _C to _C_stable and image to image_stable
folder = Path(get_package_paths("torchvision")[1])
hiddenimports = [
    f"torchvision.{name}"
    for name in ("_C", "_C_stable", "image", "image_stable")
    if any((folder / f"{name}{suffix}").is_file() for suffix in EXTENSION_SUFFIXES)
]
