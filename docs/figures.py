"""Make the pictures and figures of README and docs from real results: `make figures`.

It takes some minutes. With ``--check`` nothing is written: the figures in the texts are compared with what a user gets
now. Tables of docs/results.md are made from recorded results. At the end, and at once with ``--ages``, it lists how old
each figure is, and which code has changed since. ``--signs`` names a folder of photographs
(docs/images/ATTRIBUTION.md lists them) for the picture of a class's channels, which stays as it is without.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image, ImageDraw, ImageFont

from . import ages, scale, scale_curve
from .quoted import FIGURES, ROOT, TEXTS, rewrite
from .recorded import recorded

IMAGES = ROOT / "docs" / "images"
NAMES = ("black_bear", "school_bus", "goose")
AREAS = ("0.05", "0.1", "0.2", "0.4")
WIDTH, GAP, CAPTION = 300, 6, 26
CHANNELS = "channels"
QUOTED = {run for run, _ in FIGURES.values()}


def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 where a figure differs.")] = False,
    only_ages: Annotated[bool, typer.Option("--ages", help="Only list how old the figures are.")] = False,
    signs: Annotated[Path | None, typer.Option(help="Folder of photographs of street signs.")] = None,
) -> None:
    """Make pictures and figures from real results."""
    if only_ages:
        print(ages.listing())
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results: dict[str, Any] = recorded()
        results |= {one: _explained(folder, one) for one in NAMES if not check or one in QUOTED}
        results[CHANNELS] = _channels(folder)
        if check:
            code = _differences(results)
            print(ages.listing())
            raise typer.Exit(code)
        _masks(folder)
        _beside(folder / "compared")
        _inside(folder, signs)
        scale_curve.PICTURE.write_text(scale_curve.draw(scale.read()), encoding="utf-8")
    for text in TEXTS:
        text.write_text(rewrite(text.read_text(), results))
    ages.note([one.file for one in ages.FIGURES if one.command == "make figures" or (signs and "signs" in one.command)])
    print(ages.listing())


def _explained(folder: Path, name: str) -> dict[str, Any]:
    return _result("explain", ROOT / "samples" / f"{name}.jpg", folder / name)


def _channels(folder: Path) -> dict[str, Any]:
    options = ("--layer", "features.18", "--invert")
    return _result("channels", ROOT / "samples" / "goose.jpg", folder / CHANNELS, *options)


def _result(command: str, image: Path, out: Path, *options: str) -> dict[str, Any]:
    """Run a command of `ep`, and return its output."""
    subprocess.run(["ep", command, image, "--out", out, *options], check=True)
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    return result


def _differences(results: dict[str, dict[str, Any]]) -> int:
    """Print the texts whose figures differ from the results; return the exit code."""
    wrong = [text for text in TEXTS if rewrite(text.read_text(), results) != text.read_text()]
    for text in wrong:
        print(f"{text.relative_to(ROOT)} has figures that a user doesn't get: make figures")
    return int(bool(wrong))


def _masks(folder: Path) -> None:
    """Lay the overlays of the samples out in a row each; keep the bear's curve and film."""
    rows = [_row(name, folder / name) for name in NAMES]
    (IMAGES / "black_bear_curve.svg").write_bytes((folder / "black_bear" / "curve.svg").read_bytes())
    (IMAGES / "reveal.webp").write_bytes((folder / "black_bear" / "reveal.webp").read_bytes())
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


def _inside(folder: Path, signs: Path | None) -> None:
    """Make the pictures of section 5: an image's inversions, and a class's channels."""
    inversions = Image.open(folder / CHANNELS / "inversions" / "comparison.png")
    inversions.save(IMAGES / "goose_inversions.jpg", quality=90)
    if signs is not None:
        options = ("--target", "street sign", "--top", "3", "--out", folder / "class")
        subprocess.run(["ep", "class-channels", signs, *options], check=True)
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
    typer.run(main)
