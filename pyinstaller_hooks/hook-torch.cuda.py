"""Collects what CUDA 13 opens by name; pyinstaller-hooks-contrib knows the folders of CUDA 12 only."""

from pathlib import Path

from PyInstaller.utils.hooks import get_package_paths

site_packages = Path(get_package_paths("torch")[0])
# the run-time compiler that cuDNN may call has its built-in functions in a library of its own
binaries = [
    (str(library), str(library.parent.relative_to(site_packages)))
    for library in site_packages.glob("nvidia/*/lib/libnvrtc-builtins.so*")
]
# the libraries look for each other beside themselves, which a link in another folder would mislead
bindepend_symlink_suppression = ["**/nvidia/*/lib/*.so*"]
