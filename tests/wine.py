"""What tests have to know where Windows is Wine, which tools/wine makes of a Debian."""

from __future__ import annotations

import sys


def under_wine() -> bool:
    """Whether this Windows is Wine."""
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.windll.ntdll, "wine_get_version")


NEEDED = {"KMP_AFFINITY": "disabled"} if under_wine() else {}
"""Environment without which torch does not start there: Wine 8 has no GetNumaNodeProcessorMaskEx."""
