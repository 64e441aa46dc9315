"""The engine against TorchRay, the authors' own library: the same images, the same network, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.engine import explain
from ep_core.extremal.explanation import Explanation
from ep_core.masks.perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid
from ep_core.masks.scores import masked_scores
from ep_core.models.classifier import Classifier
from ep_core.schemas.specs import ExtremalSpec

from . import torchray_side
from .torchray_side import TorchRayRequest

FULL_ITERATIONS = 800
"""TorchRay's default, to which its seconds are extrapolated."""


@dataclass(frozen=True)
class Pair:
    """One area of one image, both sides' masks of the same measured area, scored by the same code."""

    asked: float
    """The area requested of TorchRay."""
    area: float
    """The area that its mask has, which was requested of ours."""
    measured: float
    """The area that our mask has."""
    theirs: float
    """Phi(m x) of TorchRay's mask, by our pyramid."""
    ours: float
    """Phi(m x) of ours."""
    theirs_there: float
    """Phi(m x) of TorchRay's mask by TorchRay's pyramid."""
    ours_there: float
    """Phi(m x) of ours by TorchRay's pyramid."""


@dataclass(frozen=True)
class Comparison:
    """One image."""

    label: str
    original: float
    """Phi(x)."""
    pairs: list[Pair]
    seconds: float
    """Ours, for a sweep of as many areas."""
    iterations: int
    """Ours, per area."""
    torchray_seconds_per_iteration: float
    apart: tuple[float, float] | None
    """Largest differences of the streamed masks and of their gradients from TorchRay's own; None where not streamed."""

    @property
    def torchray_seconds(self) -> float:
        """TorchRay's seconds for its full number of iterations."""
        return self.torchray_seconds_per_iteration * FULL_ITERATIONS

    @property
    def gains(self) -> list[float]:
        """(our score - TorchRay's) / Phi(x), for each area."""
        return [(pair.ours - pair.theirs) / self.original for pair in self.pairs]

    @property
    def gains_there(self) -> list[float]:
        """The same by TorchRay's pyramid."""
        return [(pair.ours_there - pair.theirs_there) / self.original for pair in self.pairs]


def compare_with_torchray(
    model: Classifier,
    image: Image.Image,
    areas: Sequence[float],
    *,
    iterations: int,
    timed: int,
    streamed: bool,
    models_file: str | None = None,
) -> Comparison:
    """Compare both sides on one image's top class, `preset: "fast"` against TorchRay's defaults.

    Args:
        model: the classifier.
        image: the photograph.
        areas: requested of TorchRay. Of ours, the measured areas of its masks are requested.
        iterations: of TorchRay's run.
        timed: iterations of TorchRay that are timed apart from that; 0 times the run itself.
        streamed: whether the run's masks come from an equal, faster formula (`streamed.py`).
        models_file: the operator's model list, for TorchRay's process.
    """
    x, _ = model.preprocess(image)
    with model.frozen() as network, torch.no_grad():
        target = int(network(x).argmax())
    asked = tuple(sorted(areas))
    request = TorchRayRequest(
        model.name, models_file, str(model.device), x.cpu(), target, asked, iterations, timed, streamed
    )
    answer = torchray_side.run(request)
    theirs = answer.masks.to(model.device)
    order = theirs.mean(dim=(1, 2, 3)).argsort()
    theirs = theirs[order]
    explanation = timed_sweep = _ours(model, x, target, theirs.mean(dim=(1, 2, 3)).tolist())
    if iterations < FULL_ITERATIONS:  # its masks are far from their areas: our time is that for the requested ones
        timed_sweep = _ours(model, x, target, asked)
    with model.frozen() as network:
        pairs = list(_pairs(network, x, target, [asked[k] for k in order.tolist()], theirs, explanation))
    return Comparison(
        label=model.labels[target],
        original=explanation.scores.original,
        pairs=pairs,
        seconds=timed_sweep.timing.run_s,
        iterations=timed_sweep.timing.iterations,
        torchray_seconds_per_iteration=answer.seconds_per_iteration,
        apart=answer.apart,
    )


def _ours(model: Classifier, x: Tensor, target: int, areas: Sequence[float]) -> Explanation:
    return explain(model, x, ExtremalSpec(target=target, areas=tuple(areas)).masks_only())


def _pairs(
    network: nn.Module, x: Tensor, target: int, asked: Sequence[float], theirs: Tensor, ours: Explanation
) -> Iterator[Pair]:
    both = torch.cat([theirs, ours.masks.to(theirs.device)])
    sigma_max = BLUR_SIGMA_AT_224 * min(x.shape[2:]) / 224
    pyramids = Pyramids(blur_pyramid(x, sigma_max=sigma_max, levels=8)[None])
    with torch.no_grad():
        here = masked_scores(partial(pyramids.scores, network), both)[:, target].tolist()
    there = torchray_side.torchray_scores(network, x, both, target)
    count = len(theirs)
    for k, (area, point) in enumerate(zip(theirs.mean(dim=(1, 2, 3)).tolist(), ours.curve, strict=True)):
        yield Pair(
            asked=asked[k],
            area=area,
            measured=point.measured_area,
            theirs=here[k],
            ours=here[count + k],
            theirs_there=there[k],
            ours_there=there[count + k],
        )


@dataclass(frozen=True)
class Summary:
    """Summary over all images."""

    iteration_ratio: float
    """TorchRay's seconds per iteration over our seconds per step of all areas."""
    sweep_ratio: float
    """TorchRay's seconds for a sweep over ours."""
    mean_gain: float
    """Mean of (our score - TorchRay's) / Phi(x)."""
    share_at_least: float
    """Share of the pairs in which our score is at least TorchRay's."""
    mean_gain_there: float
    """The mean gain by TorchRay's pyramid."""


def summarise(comparisons: Sequence[Comparison]) -> Summary:
    """Return the means over all images."""
    return Summary(
        iteration_ratio=_mean(
            comparisons, lambda one: one.torchray_seconds_per_iteration / (one.seconds / max(one.iterations, 1))
        ),
        sweep_ratio=sum(one.torchray_seconds for one in comparisons) / sum(one.seconds for one in comparisons),
        mean_gain=fmean(gain for one in comparisons for gain in one.gains),
        share_at_least=fmean(float(gain >= 0) for one in comparisons for gain in one.gains),
        mean_gain_there=fmean(gain for one in comparisons for gain in one.gains_there),
    )


def _mean(comparisons: Sequence[Comparison], figure: Callable[[Comparison], float]) -> float:
    return fmean(figure(one) for one in comparisons)
