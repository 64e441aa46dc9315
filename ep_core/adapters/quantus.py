"""Quantus's interface: a function that its metrics take as `explain_func`.

>>> from ep_core.adapters.quantus import explain
>>> metric(model=network, x_batch=x, y_batch=y, explain_func=explain, explain_func_kwargs={"areas": (0.1, 0.2)})
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ep_core.models.classifier import Classifier

from .arguments import given_batch, given_targets
from .saliency import saliency


def explain(
    model: nn.Module | Classifier,
    inputs: npt.NDArray[Any] | Tensor,
    targets: npt.NDArray[np.integer[Any]] | Tensor | int,
    *,
    device: Any = None,
    **options: Any,
) -> npt.NDArray[np.float32]:
    """Return the saliency of each image: the share of the areas whose mask covers a pixel.

    The network is left as it was found: mode, gradients, device.

    Args:
        model: N x 3 x H x W -> N x C scores.
        inputs: B x 3 x H x W, preprocessed.
        targets: class indices, one for each image or one for all.
        device: ignored. Quantus passes it on; masks are found on the network's own.
        options: fields of `ep_core.ExtremalSpec` (`areas`, `preset`, `iterations`, `seed`, ...), `max_lanes` and
            `on_progress`: Quantus's `explain_func_kwargs`.

    Returns:
        B x 1 x H x W in [0, 1], float32.

    Raises:
        InvalidInput: an argument can't be used; the message says what to give.
        ModelUnavailable: no mask can be found by the network's gradient.
    """
    batch = torch.from_numpy(np.ascontiguousarray(inputs)) if isinstance(inputs, np.ndarray) else inputs
    images = given_batch(batch, field="inputs")
    return saliency(model, images, given_targets(targets, len(images), field="targets"), options).numpy()
