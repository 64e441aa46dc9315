"""Superpixels: the regions of an image that LIME and the searches over regions keep or remove."""

from __future__ import annotations

import numpy as np
import torch
from skimage.segmentation import slic
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest


def superpixels(request: AttributionRequest, count: int, *, adaptive: bool = False) -> Tensor:
    """Return the number of each pixel's superpixel (SLIC), from 0: H x W, on the request's device.

    Args:
        request: whose image.
        count: about how many superpixels there are; without `adaptive`, often fewer.
        adaptive: whether each superpixel's compactness follows its colours (SLICO).
    """
    picture = np.asarray(request.model.preprocessing.to_image(request.x))
    labels = slic(picture, n_segments=count, start_label=0, slic_zero=adaptive)
    return torch.from_numpy(labels).to(request.device, torch.long)
