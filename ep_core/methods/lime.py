"""LIME: a linear model of the score, fitted to images in which random superpixels are removed."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on, watched
from ep_core.methods.superpixels.segments import superpixels
from ep_core.models.tuning.tune import tune

SAMPLES = 1000
SEGMENTS = 50  # about
KERNEL_WIDTH = 0.25  # this and the penalty are those of the authors' code
PENALTY = 1.0


def _attribute(request: AttributionRequest) -> Tensor:
    """Return each superpixel's weight in the linear model of a target's score, at its pixels: T x H x W.

    Superpixels (SLIC) that are left out are filled with 0, the normalisation's mean colour: grey. Each image is scored
    once, for all targets, which so share the superpixels drawn; the first one has them all.
    """
    segments = superpixels(request, SEGMENTS)
    samples = request.spec.samples or SAMPLES
    kept = torch.rand(samples, int(segments.max()) + 1, generator=request.generator()) < 0.5
    kept[0] = True
    weights = fit_surrogate(kept, _scores(request, segments, kept))
    return weights.to(request.device)[:, segments]


def fit_surrogate(kept: Tensor, scores: Tensor) -> Tensor:
    """Return the weights of a ridge regression of scores on superpixels (section 3.4).

    An image counts ``exp(-d^2 / (2 width^2))``, d being the cosine distance of its superpixels to those of the whole.

    Args:
        kept: S x F, whether an image has a superpixel.
        scores: S x T.

    Returns:
        T x F, float32, on the CPU.
    """
    distance = 1 - kept.double().mean(dim=1).sqrt()
    similarity = (-(distance / KERNEL_WIDTH).square() / 2).exp()
    surrogate = Ridge(alpha=PENALTY).fit(
        kept.double().numpy(), scores.double().numpy(), sample_weight=similarity.numpy()
    )
    return torch.from_numpy(np.asarray(surrogate.coef_, dtype=np.float32)).view(scores.shape[1], -1)


@torch.no_grad()
def _scores(request: AttributionRequest, segments: Tensor, kept: Tensor) -> Tensor:
    """Return the targets' scores of the images that have the superpixels kept, S x T, on the CPU."""
    forward = watched(request, len(kept), tune(request.network, request.x))
    masks = (chosen.to(request.x)[:, None, segments] for chosen in kept.split(batch_on(request.device)))
    return torch.cat([forward(mask * request.x)[:, list(request.targets)].cpu() for mask in masks])


METHOD = Method(
    title="LIME",
    about="A simple model of which patches matter, fitted to random removals.",
    source="Ribeiro, Singh and Guestrin, “Why Should I Trust You?” Explaining the Predictions of Any Classifier, "
    "KDD 2016",
    attribute=_attribute,
    random=True,
    passes=SAMPLES,
)
