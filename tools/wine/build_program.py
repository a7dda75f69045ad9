"""Runs build.py --cpu under Wine, with the one variable that the built program needs there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import build

_bare_environment = build.bare_environment


def bare_environment(home: str) -> dict[str, str]:
    """As build.py has it; common.sh says why Wine needs one more."""
    return {**_bare_environment(home), "KMP_AFFINITY": "disabled"}


if __name__ == "__main__":
    build.bare_environment = bare_environment
    sys.exit(build.main(["--cpu"]))
