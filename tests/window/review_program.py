"""The program with an engine that takes bright spots for faces, to be driven from outside."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from window.review_bench import SpotEngine

from anonator.core import process_setup
from anonator.ui import main_window

if __name__ == "__main__":
    process_setup.prepare_window()
    make = main_window.MainWindow
    main_window.MainWindow = lambda **more: make(engine=SpotEngine(), **more)  # type: ignore[assignment,misc,arg-type]
    sys.exit(main_window.run([Path(name) for name in sys.argv[1:]]))
