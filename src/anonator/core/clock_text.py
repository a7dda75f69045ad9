"""Times as people read them on a clock."""

from __future__ import annotations

from fractions import Fraction


def clock_text(seconds: Fraction | float, decimals: int = 2) -> str:
    """A time such as "0:05.12" or "1:02:03.40"; below zero counts as zero.

    Args:
        seconds: since the beginning.
        decimals: of the seconds, 0 for none.
    """
    parts = 10**decimals
    whole, fraction = divmod(round(max(0.0, float(seconds)) * parts), parts)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"
    return f"{text}.{fraction:0{decimals}d}" if decimals else text
