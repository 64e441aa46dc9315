"""Linear head on the features of a frozen network (a linear probe)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ep_core.models.preprocessing import Preprocessing

_BATCH = 16
_STEPS = 200


@torch.no_grad()
def features(network: nn.Module, images: Sequence[Image.Image], preprocessing: Preprocessing) -> Tensor:
    """Return what a network computes of pictures: N x D, on the CPU."""
    inputs = (
        torch.cat([preprocessing.preprocess(image)[0] for image in images[start : start + _BATCH]])
        for start in range(0, len(images), _BATCH)
    )
    return torch.cat([network(batch) for batch in inputs])


def fit_head(found: Tensor, classes: Tensor, *, decay: float = 1e-2) -> nn.Linear:
    """Return the head with the least cross-entropy and weights, each class with the same weight: D -> C.

    Args:
        found: features, N x D. They are standardised for the fit; the head takes them as they are.
        classes: N, from 0 to C - 1.
        decay: of the squares of the weights, beside the mean cross-entropy.
    """
    mean, spread = found.mean(dim=0), found.std(dim=0) + 1e-6
    standard, count = (found - mean) / spread, int(classes.max()) + 1
    weight = torch.zeros(count, found.shape[1], requires_grad=True)
    bias = torch.zeros(count, requires_grad=True)
    shares = 1 / torch.bincount(classes, minlength=count).clamp(min=1).float()
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = cross_entropy(standard @ weight.T + bias, classes, weight=shares) + decay * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    head = nn.Linear(found.shape[1], count)
    with torch.no_grad():
        head.weight.copy_(weight / spread)
        head.bias.copy_(bias - (weight / spread) @ mean)
    return head


@torch.no_grad()
def accuracies(head: nn.Module, found: Tensor, classes: Tensor) -> tuple[float, float]:
    """Return the share of features, N x D, whose highest score is that of their class: of all, and mean of classes."""
    right = head(found).argmax(dim=1) == classes
    of_classes = torch.stack([right[classes == k].float().mean() for k in classes.unique()])
    return float(right.float().mean()), float(of_classes.mean())
