"""Draws the program's icon, a face whose eyes are covered by a bar, as .png and .ico."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

SIDE, OVERSAMPLE = 256, 4
BLACK, WHITE, ACCENT = "#000000", "#ffffff", "#3dc8ff"
ASSETS = Path(__file__).parent.parent / "src" / "anonator" / "ui" / "assets"


def draw() -> Image.Image:
    """The icon, 256 x 256, drawn larger and scaled down for smooth edges."""
    side = SIDE * OVERSAMPLE
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)

    def box(*parts: float) -> tuple[float, ...]:
        return tuple(part * side for part in parts)

    pen.rounded_rectangle(
        box(0.02, 0.02, 0.98, 0.98), 0.22 * side, fill=BLACK, outline=ACCENT, width=round(0.03 * side)
    )
    pen.ellipse(box(0.35, 0.17, 0.65, 0.53), fill=WHITE)
    pen.pieslice(box(0.2, 0.57, 0.8, 1.17), 180, 360, fill=WHITE)
    pen.rounded_rectangle(box(0.22, 0.27, 0.78, 0.42), 0.03 * side, fill=ACCENT)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main() -> None:
    """Write both files."""
    ASSETS.mkdir(exist_ok=True)
    icon = draw()
    icon.save(ASSETS / "icon.png", optimize=True)
    icon.save(ASSETS / "icon.ico", sizes=[(side, side) for side in (16, 24, 32, 48, 64, 128, 256)])


if __name__ == "__main__":
    main()
