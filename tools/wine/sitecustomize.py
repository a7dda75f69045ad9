"""Lies in the site-packages of the Python under Wine 8, which lacks a function that Python 3.12 calls."""

import _winapi

# kernel32.CopyFile2, which shutil.copy2 would call; without it shutil reads and writes as before 3.12
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
