"""Lies in the site-packages of the Python under Wine 8 and mends what Python 3.12 expects of Windows."""

import _winapi
import os

# kernel32.CopyFile2, which shutil.copy2 would call, is missing; without it shutil copies as before 3.12
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2


def symlink(src, dst, target_is_directory=False, *, dir_fd=None):
    """Wine makes nothing and reports success; this is what a Windows says to whoever may not make links."""
    raise OSError(None, "A required privilege is not held by the client", src, 1314, dst)


os.symlink = symlink
