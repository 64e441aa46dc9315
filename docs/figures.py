"""Make the pictures of the README and the docs from real results: `python docs/figures.py [STREET_SIGNS]`.

It takes a few minutes. STREET_SIGNS is a folder of photographs (docs/images/ATTRIBUTION.md names them) for the picture
of a class's channels, which stays as it is without.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
NAMES = ("black_bear", "school_bus", "goose")
AREAS = ("0.05", "0.1", "0.2", "0.4")
WIDTH, GAP, CAPTION = 300, 6, 26


def main() -> None:
    """Explain the samples and lay the overlays out in a row each."""
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            out = Path(folder) / name
            subprocess.run(["ep", "explain", ROOT / "samples" / f"{name}.jpg", "--out", out], check=True)
        rows = [_row(name, Path(folder) / name) for name in NAMES]
        (IMAGES / "black_bear_curve.svg").write_bytes((Path(folder) / "black_bear" / "curve.svg").read_bytes())
        _beside(Path(folder) / "compared")
        _inside(Path(folder))
    sheet = Image.new("RGB", (rows[0].width, sum(row.height + GAP for row in rows) + CAPTION), "white")
    _captions(sheet)
    top = CAPTION
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + GAP
    sheet.save(IMAGES / "masks.jpg", quality=88)


def _beside(out: Path) -> None:
    """Make the picture of all methods (figure 2)."""
    subprocess.run(["ep", "compare", ROOT / "samples" / "black_bear.jpg", "--out", out], check=True)
    Image.open(out / "comparison.png").save(IMAGES / "comparison.jpg", quality=88)


def _inside(folder: Path) -> None:
    """Make the pictures of section 5: an image's inversions, and a class's channels."""
    goose = ROOT / "samples" / "goose.jpg"
    subprocess.run(
        ["ep", "channels", goose, "--layer", "features.18", "--invert", "--out", folder / "channels"], check=True
    )
    inversions = Image.open(folder / "channels" / "inversions" / "comparison.png")
    inversions.save(IMAGES / "goose_inversions.jpg", quality=90)
    if len(sys.argv) > 1:
        signs = ("--target", "street sign", "--top", "3", "--out", folder / "class")
        subprocess.run(["ep", "class-channels", sys.argv[1], *signs], check=True)
        Image.open(folder / "class" / "channels.png").save(IMAGES / "class_channels.jpg", quality=88)


def _row(name: str, out: Path) -> Image.Image:
    paths = [
        ROOT / "samples" / f"{name}.jpg",
        *(out / "overlays" / f"{area}.png" for area in AREAS),
        out / "saliency.png",
    ]
    pictures = [Image.open(path).convert("RGB") for path in paths]
    height = round(WIDTH * pictures[0].height / pictures[0].width)
    row = Image.new("RGB", (len(pictures) * (WIDTH + GAP) - GAP, height), "white")
    for k, picture in enumerate(pictures):
        row.paste(picture.resize((WIDTH, height), Image.Resampling.LANCZOS), (k * (WIDTH + GAP), 0))
    return row


def _captions(sheet: Image.Image) -> None:
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    captions = ("photograph", *(f"best {float(area):.0%} of the image" for area in AREAS), "saliency: all masks")
    for k, caption in enumerate(captions):
        draw.text((k * (WIDTH + GAP) + WIDTH // 2, CAPTION // 2), caption, fill="black", font=font, anchor="mm")


if __name__ == "__main__":
    main()
