"""Check of a network's outputs: scores of classes for any number of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.models.heads import OutputKey
from ep_core.models.runtime.memory import is_of_device
from ep_core.models.tuning.adapted import adapt

from .brief import brief
from .probes import probe_images

if TYPE_CHECKING:
    from ep_core.models.classifier import Classifier

IMAGES = 2  # not 1: shows a network that was traced for single images


def adapted_network(model: Classifier, output: OutputKey | None, *, assumed: bool) -> tuple[nn.Module, int]:
    """Return a model's network as the engine can use it, and C, its number of scores.

    Args:
        model: the classifier.
        output: key of the scores among several outputs; None finds it.
        assumed: whether the preprocessing is assumed, for the message.

    Raises:
        InvalidInput: the network fails on two images, or gives no scores N x C for them.
    """
    channels = model.preprocessing.channels
    try:
        with model.tried() as network, torch.no_grad():
            network, scores = adapt(network, probe_images(model.preprocessing, model.device), output)
    except InvalidInput as error:
        raise InvalidInput(f"model {model.name!r}: {error.detail}", field="model") from error
    except Exception as error:
        if is_of_device(error):
            raise
        shape = " x ".join(map(str, (IMAGES, channels, *model.input_size)))
        whose = " (ImageNet's, as there is no preprocessing)" if assumed else ""
        raise InvalidInput(
            f"model {model.name!r} fails on an input of {shape}{whose}: {brief(error)}", field="model"
        ) from error
    if scores.ndim != 2 or len(scores) != IMAGES or scores.shape[1] == 0:
        raise InvalidInput(
            f"model {model.name!r} must turn N x {channels} x H x W into N x C scores; for N = {IMAGES} it gives "
            f"{tuple(scores.shape)}. Any other output can be explained by a `target`, a function of it",
            field="model",
        )
    return network, scores.shape[1]
