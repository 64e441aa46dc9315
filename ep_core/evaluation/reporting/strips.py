"""Pictures in rows and columns, with headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

GAP, HEADING, MARGIN = 4, 22, 8  # pixels: between tiles, above them, around names


def strip(pictures: Sequence[Image.Image], *, tile: int = 112) -> Image.Image:
    """Return pictures beside each other, each made `tile` pixels wide and high."""
    row = Image.new("RGB", (len(pictures) * (tile + GAP) - GAP, tile), "white")
    for k, picture in enumerate(pictures):
        row.paste(picture.resize((tile, tile), Image.Resampling.LANCZOS), (k * (tile + GAP), 0))
    return row


def strip_table(headings: Sequence[str], rows: Mapping[str, Image.Image]) -> Image.Image:
    """Return strips of as many tiles as there are headings below each other, with their names at the left.

    Args:
        headings: one a column.
        rows: strips by name, all of the same size; at least one. Without any name, nothing is left free for them.
    """
    width, height = next(iter(rows.values())).size
    font = ImageFont.load_default(12)
    longest = max(map(font.getlength, rows))
    left = round(longest) + 2 * MARGIN if longest else 0
    page = Image.new("RGB", (left + width, HEADING + len(rows) * (height + GAP) - GAP), "white")
    draw = ImageDraw.Draw(page)
    step = (width + GAP) / len(headings)
    for c, heading in enumerate(headings):
        middle = left + c * step + (step - GAP) / 2
        draw.text((middle, HEADING / 2), heading, fill="black", font=font, anchor="mm")
    for r, (name, row) in enumerate(rows.items()):
        top = HEADING + r * (height + GAP)
        draw.text((left - MARGIN, top + height / 2), name, fill="black", font=font, anchor="rm")
        page.paste(row, (left, top))
    return page
