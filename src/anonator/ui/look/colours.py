"""The colours: black, white, greys between them, and one accent."""

BLACK = "#000000"
SURFACE = "#0e1012"
RAISED = "#1b1e22"
HOVER = "#2a2f35"
LINE = "#343a41"
WHITE = "#ffffff"
DIM = "#aab2bb"
FAINT = "#757d86"
ACCENT = "#3dc8ff"
ACCENT_DARK = "#0d3445"
ACCENT_LIGHT = "#86dfff"

TRACKS = (
    "#ff8a3d", "#4fd18b", "#ff6fae", "#ffd84d", "#b18cff", "#4fe0d8", "#ff5d5d", "#a8e05f", "#6ea8ff",
)  # fmt: skip
"""Of outlines in the review, told apart on black and on pictures."""


def track_colour(id: int) -> str:
    """The colour of a track, the same wherever it is drawn."""
    return TRACKS[id % len(TRACKS)]
