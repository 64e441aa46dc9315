"""Pictures beside each other: the inversions of an image (figure 9), the channels of a class (figure 10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.render import heat_map

from .class_channels import EXAMPLES, ClassExplanation
from .explanation import ChannelExplanation
from .report import FULL, MASKED

TILE, GAP, CAPTION = 224, 6, 24  # pixels


def comparison(explanation: ChannelExplanation) -> Image.Image:
    """Return the image under its heat map, and the inversions of all channels and of the optimal mask's (figure 9)."""
    full, masked = (rgb_image(explanation.inversions[name]) for name in (FULL, MASKED))
    heat = explanation.frame.mask_to_image(heat_on_frame(explanation.saliency, explanation.frame.input_size))
    seen = heat_map(np.asarray(explanation.image), heat).crop(_inside(explanation))
    count, layer = round(float(explanation.optimal_mask.sum())), explanation.layer
    captions = (explanation.target.label, f"all {layer.channels} channels", f"the {count} of the mask")
    return _sheet([captions], [[seen, full, masked]])


def class_sheet(explanation: ClassExplanation) -> Image.Image:
    """Return a row for each top channel: its inversion, then the images that excite it most, with its heat."""
    captions, rows = [], []
    for one in explanation.channels:
        inversion = explanation.inversions.get(one.channel)
        row = [] if inversion is None else [rgb_image(inversion)]
        row += [
            heat_map(np.asarray(image), heat_on_frame(heat, (image.height, image.width)))
            for image, heat in explanation.examples[one.channel]
        ]
        shown = [f"mean {excited.activation:.2f}" for excited in one.images[:EXAMPLES]]
        title = f"channel {one.channel}, weight {one.weight:.2f}"
        captions.append([title, *shown] if inversion is not None else [f"{title}, {shown[0]}", *shown[1:]])
        rows.append(row)
    return _sheet(captions, rows)


def heat_on_frame(saliency: Tensor, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return a map of a layer, h x w, as heat in [0, 1] on the network's frame (H x W): its positive part, scaled."""
    positive = saliency.clamp_min(0)
    scaled = positive / positive.max().clamp_min(1e-12)
    heat: npt.NDArray[np.float32] = interpolate(scaled[None, None], size, mode="bilinear")[0, 0].numpy()
    return heat


def rgb_image(picture: Tensor) -> Image.Image:
    """Return RGB in [0, 1], 3 x H x W, as an 8-bit picture."""
    return Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy())


def _inside(explanation: ChannelExplanation) -> tuple[int, int, int, int]:
    """Return the part of the image that the network sees: left, top, right, bottom."""
    left, top, right, bottom = explanation.frame.box
    height, width = explanation.frame.image_size
    return max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom))


def _sheet(captions: Sequence[Sequence[str]], rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
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
