"""Contact sheet: pictures beside each other, each with its caption."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

TILE, GAP, CAPTION = 224, 6, 24  # pixels


def contact_sheet(captions: Sequence[Sequence[str]], rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Return rows of square pictures, each with its caption above."""
    columns, step = max(map(len, rows)), TILE + GAP
    sheet = Image.new("RGB", (columns * step - GAP, len(rows) * (step + CAPTION) - GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for r, (texts, pictures) in enumerate(zip(captions, rows, strict=True)):
        for c, (text, picture) in enumerate(zip(texts, pictures, strict=True)):
            left, top = c * step, r * (step + CAPTION)
            draw.text((left + TILE // 2, top + CAPTION // 2), text, fill="black", font=font, anchor="mm")
            sheet.paste(picture.resize((TILE, TILE), Image.Resampling.LANCZOS), (left, top + CAPTION))
    return sheet
