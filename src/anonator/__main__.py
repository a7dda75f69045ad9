"""python -m anonator: the same as the anonator command."""

from __future__ import annotations

import sys

from anonator.main import main

if __name__ == "__main__":
    sys.exit(main())
