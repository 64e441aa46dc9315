"""Pictures beside each other: the inversions of an image (figure 9), the channels of a class (figure 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.pictures.contact_sheet import contact_sheet
from ep_core.pictures.heat import heat_map
from ep_core.schemas.reports.channels import EXAMPLES, FULL, MASKED

if TYPE_CHECKING:
    from .class_channels import ClassExplanation
    from .explanation import ChannelExplanation


def inversion_sheet(explanation: ChannelExplanation) -> Image.Image:
    """Return the image under its heat map, and the inversions of all channels and of the optimal mask's (figure 9)."""
    full, masked = (rgb_image(explanation.inversions[name]) for name in (FULL, MASKED))
    heat = explanation.frame.mask_to_image(heat_on_frame(explanation.saliency, explanation.frame.input_size))
    seen = heat_map(np.asarray(explanation.image), heat).crop(explanation.frame.visible_box)
    count, layer = round(float(explanation.optimal_mask.sum())), explanation.layer
    captions = (explanation.target.label, f"all {layer.channels} channels", f"the {count} of the mask")
    return contact_sheet([captions], [[seen, full, masked]])


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
    return contact_sheet(captions, rows)


def heat_on_frame(saliency: Tensor, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return a map of a layer, h x w, as heat in [0, 1] on the network's frame (H x W): its positive part, scaled."""
    positive = saliency.clamp_min(0)
    scaled = positive / positive.max().clamp_min(1e-12)
    heat: npt.NDArray[np.float32] = interpolate(scaled[None, None], size, mode="bilinear")[0, 0].numpy()
    return heat


def rgb_image(picture: Tensor) -> Image.Image:
    """Return RGB in [0, 1], 3 x H x W, as an 8-bit picture."""
    return Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy())
