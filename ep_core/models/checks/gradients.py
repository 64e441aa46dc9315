"""Check of a network by a perturbed forward and a backward pass: whether masks can be found by its gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ep_core.errors import ModelUnavailable
from ep_core.models.runtime.memory import is_of_device

from .brief import brief
from .probes import probe_images

if TYPE_CHECKING:
    from ep_core.models.classifier import Classifier

SEEDS = range(4)
"""Of the images that are tried before a network is said to have no gradient, or the same scores for all of them."""
ROUNDING = 1e-6
"""Most that scores that are the same differ by, as a share of the largest."""
COMPANY = 0.1
"""Most that an image's scores may differ by, alone and in a batch, as a share of what its blur changes.

What batch norm without running statistics changes is 0.5 of that, and float32's rounding below 1e-4.
"""
HALF = 3e-3
"""The same as a share of the largest score: half precision rounds to that."""

Probes = Callable[[int], Tensor]
"""Returns an image and its blur for a seed: 2 x 3 x H x W."""

_NO_GRADIENT = (
    "its scores carry no gradient. Something inside leaves torch (numpy, ONNX), computes in integers or cuts gradients "
    "off (detach, no_grad): use torch's own operations, in floating point"
)


def check_network(model: Classifier) -> None:
    """Try a model's network on an image and its blur, forwards and backwards; it and torch's random numbers stay as is.

    Raises:
        ModelUnavailable: masks found by its gradient would mean nothing; names the cause.
    """
    probes = partial(probe_images, model.preprocessing, model.device)
    with model.tried() as network:
        try:
            _check(network, probes)
        except _Fault as fault:
            raise ModelUnavailable(f"model {model.name!r} can't be explained: {fault}") from fault.__cause__


class _Fault(Exception):
    """Reason why a network can't be explained."""


def _check(network: nn.Module, probes: Probes) -> None:
    images = probes(0)
    together = _scores(network, images)
    x, alone = _differentiable(network, images[1:])  # the blur: what is normalised over a batch has another range then
    if not isinstance(alone, Tensor) or alone.shape != (1, together.shape[1]):
        raise _Fault(f"for a single image it must give 1 x {together.shape[1]} scores, not {_shape(alone)}")
    for scores in (together, alone):
        _require_finite(scores.detach())
    _require_independence(network, images[1:], together, alone.detach())
    if _same(together) and all(_same(_scores(network, probes(seed))) for seed in SEEDS[1:]):
        raise _Fault(
            "its scores are the same whatever the image shows. Check its weights (untrained networks can do that), and "
            "that its scores are those before the softmax"
        )
    if not _gradient(x, alone).any() and not any(
        _gradient(*_differentiable(network, probes(seed)[:1])).any() for seed in SEEDS[1:]
    ):
        raise _Fault(
            "its gradient is zero everywhere. Something inside is flat, such as rounding, quantisation, or scores "
            "saturated by a softmax or by half precision: list a version without it, in float32"
        )


def _shape(output: object) -> str:
    return " x ".join(map(str, output.shape)) if isinstance(output, Tensor) else type(output).__name__


@torch.no_grad()
def _scores(network: nn.Module, images: Tensor) -> Tensor:
    """Return N x C, or raise `_Fault` where the network fails."""
    try:
        scores: Tensor = network(images)
    except Exception as error:
        raise _failure(f"it fails on an input of {_shape(images)}", error) from error
    return scores


def _differentiable(network: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """Return a copy of an image (1 x 3 x H x W) that requires a gradient, and its scores (1 x C)."""
    x = image.clone().requires_grad_()
    try:
        with torch.enable_grad():
            return x, network(x)
    except Exception as error:
        fault = _failure("it fails where its input asks for a gradient", error)
        _scores(network, image)  # may fail on a single image as such
        raise fault from error


def _failure(what: str, error: Exception) -> _Fault:
    """Return the fault of an error of a network's own code; errors of the device pass through."""
    if is_of_device(error):
        raise error
    return _Fault(f"{what}: {brief(error)}")


def _require_finite(scores: Tensor) -> None:
    """Refuse NaN and infinity; minus infinity is how some networks rule a class out."""
    if not (scores.isfinite() | scores.isneginf()).all() or not scores.isfinite().all(dim=0).any():
        wrong = float(scores[~scores.isfinite()][0])
        raise _Fault(
            f"an ordinary image has the score {wrong}, not a finite number. Check its weights, its preprocessing (mean "
            "and std), and whether half precision is too small for its numbers"
        )


def _require_independence(network: nn.Module, image: Tensor, together: Tensor, alone: Tensor) -> None:
    """Refuse a network whose scores of the second image depend on the first one, or on chance.

    Args:
        network: N x 3 x H x W -> N x C.
        image: the second one, 1 x 3 x H x W.
        together: the scores of both, 2 x C.
        alone: those of the second one by itself, 1 x C.
    """
    finite = together.isfinite().all(dim=0)
    whole, in_company = together[:, finite]
    most = COMPANY * (in_company - whole).abs().max() + HALF * in_company.abs().max()

    def apart(one: Tensor, other: Tensor) -> bool:
        return bool((one - other).abs().max() > most)

    by_itself = alone[0, finite]
    if not apart(by_itself, in_company):
        return
    if apart(by_itself, _scores(network, image)[0, finite]):
        raise _Fault(
            "its scores of one image differ from pass to pass. Dropout or noise is on inside, also in evaluation"
        )
    raise _Fault(
        "an image's scores depend on the other images in its batch. Batch norm without running statistics "
        "(track_running_stats=False) does that, and so does what is normalised over a whole batch"
    )


def _same(scores: Tensor) -> bool:
    """Return whether the scores of two images (2 x C) are the same but for rounding."""
    image, blur = scores[:, scores.isfinite().all(dim=0)]
    return bool((image - blur).abs().max() <= ROUNDING * image.abs().max())


def _gradient(x: Tensor, scores: Tensor) -> Tensor:
    """Return the gradient of a mix of all classes' scores, 1 x 3 x H x W: their sum may be the same for all images."""
    weights = torch.randn(scores.shape, generator=torch.Generator().manual_seed(0)).to(x)
    mixed = (scores * weights)[scores.isfinite()].sum()
    try:
        (gradient,) = torch.autograd.grad(mixed, x, allow_unused=True) if mixed.requires_grad else (None,)
    except Exception as error:
        raise _failure("its backward pass fails", error) from error
    if gradient is None:
        raise _Fault(_NO_GRADIENT)
    if not gradient.isfinite().all():
        raise _Fault("its gradient is NaN or infinite on an ordinary image. Roots and divisions at 0 do that")
    return gradient
