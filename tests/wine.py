"""What tests have to know where Windows is Wine, which tools/wine makes of a Debian."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def under_wine() -> bool:
    """Whether this Windows is Wine."""
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.windll.ntdll, "wine_get_version")


NEEDED = {"KMP_AFFINITY": "disabled"} if under_wine() else {}
"""Environment without which torch does not start there: Wine 8 has no GetNumaNodeProcessorMaskEx."""


STICK = Path("C:/stick")
"""What drive R: shows there; tools/wine/setup has made the link."""


def skip_under_wine(reason: str) -> pytest.MarkDecorator:
    """Leave a test out there; every other Windows runs it."""
    return pytest.mark.skipif(under_wine(), reason=f"under Wine: {reason}")
