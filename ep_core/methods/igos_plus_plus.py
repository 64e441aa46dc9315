"""iGOS++: a mask whose complement deletes the class and keeps it, by integrated gradients and line search."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on, pause
from ep_core.models.sources.torchvision_library import torchvision
from ep_core.models.tuning.tune import tune

ITERATIONS = 20  # this and what follows are the defaults of the authors' code
STEPS = 20
"""Points of the path from the perturbed image, evenly spaced, at which gradients are taken."""
CELLS = 28
AREA_WEIGHT = 10.0
VARIATION_WEIGHT = 20.0
EDGE_WIDTH = 0.01
"""Squared difference of neighbouring pixels' normalised colours at which they count 1/e."""
NOISE = 0.2
BLUR_WINDOW = 51
BLUR_SIGMA = 50.0
FIRST_STEP = 1000.0
LAST_STEP = 1e-5
SHRINKING = 0.2
SUFFICIENT = 1e-4
"""Share of the decrease that the gradient promises from which a step is taken (Armijo)."""
_PASSES = ITERATIONS * 4 * STEPS * 5
"""At least: three for each gradient, one for where its line search starts, and one for each try."""


class Objective:
    """Joint cost of a deletion and an insertion mask (section 3.2); both are 1 where the image stays.

    With m the product of both, and s the mean score along the path: ``s(delete by m) - s(insert by m) + s(delete by
    m_d) - s(insert by m_i)``, and `penalty` of m.
    """

    def __init__(self, network: Callable[[Tensor], Tensor], x: Tensor, target: int, generator: torch.Generator) -> None:
        """Set the network, image and target.

        Args:
            network: N x 3 x H x W -> N x C, probabilities.
            x: 1 x 3 x H x W.
            target: class index.
            generator: of the noise that is added to every image, on the CPU.
        """
        self._network = network
        self._x = x
        self._blurred = blurred(x)
        self._target = target
        self._generator = generator
        self._weights = edge_weights(x)

    def upsample(self, masks: Tensor) -> Tensor:
        """Return masks N x h x w at the image's size, bilinearly, corners on corners: N x H x W."""
        size = list(self._x.shape[2:])
        return F.interpolate(masks[:, None], size, mode="bilinear", align_corners=True)[:, 0]

    def penalty(self, masks: Tensor) -> Tensor:
        """Return area and bilateral variation of the product of the masks 2 x h x w, weighted."""
        both = masks.prod(dim=0)
        variation = (mean_slope(both, None) + mean_slope(self.upsample(both[None])[0], self._weights)) / 2
        return AREA_WEIGHT * (1 - both).abs().mean() + VARIATION_WEIGHT * variation

    @torch.no_grad()
    def value(self, masks: Tensor) -> float:
        """Return the cost of masks, 2 x h x w, with fresh noise."""
        paths = (float(path) for term in range(4) for path in self._paths(masks, term))
        return sum(paths) + float(self.penalty(masks))

    def gradient(self, masks: Tensor) -> Tensor:
        """Return the direction of descent for masks 2 x h x w: the paths' gradients halved, and the penalty's."""
        leaves = masks.detach().requires_grad_()
        with torch.enable_grad():
            (total,) = torch.autograd.grad(self.penalty(leaves), leaves)
            for term in range(4):
                for path in self._paths(leaves, term):
                    total += torch.autograd.grad(path, leaves)[0] / 2
        return total

    def _paths(self, masks: Tensor, term: int) -> Iterator[Tensor]:
        """Yield a term of the objective in parts, of a batch of the path's points each."""
        deletes = term % 2 == 0
        start, end = (self._blurred, self._x) if deletes else (self._x, self._blurred)
        for shares in (torch.arange(1, STEPS + 1) / STEPS).to(masks).split(batch_on(masks.device)):
            large = self.upsample(masks)
            mask = large.prod(dim=0) if term < 2 else large[0 if deletes else 1]
            images = start + shares[:, None, None, None] * mask * (end - start)
            noise = torch.randn(images.shape, generator=self._generator).to(images) * NOISE
            scores = self._network(images + noise)[:, self._target].sum() / STEPS
            yield scores if deletes else -scores


def blurred(x: Tensor) -> Tensor:
    """Return the image's blur, mirrored at its borders; the window is smaller on images too small for it."""
    window = [min(BLUR_WINDOW, 2 * side - 1) for side in (x.shape[3], x.shape[2])]
    return torchvision.transforms.functional.gaussian_blur(x, window, [BLUR_SIGMA, BLUR_SIGMA])


def edge_weights(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the similarity of neighbours, one below the other and side by side: (H - 1) x W and H x (W - 1) in (0, 1].

    The mean over the colours of ``exp(-difference^2 / EDGE_WIDTH)``.
    """
    down, across = ((-x[0].diff(dim=dim).square() / EDGE_WIDTH).exp().mean(dim=0) for dim in (1, 2))
    return down, across


def mean_slope(mask: Tensor, weights: tuple[Tensor, Tensor] | None) -> Tensor:
    """Return the mean squared difference of neighbours, weighted, down plus across; None weights all alike."""
    down, across = mask.diff(dim=0).square(), mask.diff(dim=1).square()
    if weights is not None:
        down, across = down * weights[0], across * weights[1]
    return down.mean() + across.mean()


def line_search(objective: Callable[[Tensor], float], masks: Tensor, gradient: Tensor) -> Tensor:
    """Return the masks one step further, clamped to [0, 1].

    The step is the first of ``FIRST_STEP * SHRINKING^k`` that lowers the objective by `SUFFICIENT` of what the gradient
    promises, or the first below `LAST_STEP`.
    """
    step, promised = FIRST_STEP, float(gradient.square().sum())
    before = objective(masks)
    while True:
        moved = (masks - step * gradient).clamp(0, 1)
        if objective(moved) <= before - SUFFICIENT * step * promised or step < LAST_STEP:
            return moved
        step *= SHRINKING


def _attribute(request: AttributionRequest) -> Tensor:
    """Return how much of each pixel has to go, ``1 - m_d m_i``: T x H x W in [0, 1].

    As in the authors' code, masks of 28 x 28 start from ones, and every target has its own. `iterations` of the request
    shortens the authors' 20.
    """
    network = request.probabilities_by(tune(request.network, request.x))
    iterations = min(request.spec.iterations or ITERATIONS, ITERATIONS)
    maps = []
    for k, target in enumerate(request.targets):
        objective = Objective(network, request.x, target, request.generator(target))
        masks = torch.ones(2, CELLS, CELLS, device=request.device)
        for done in range(iterations):
            masks = line_search(objective.value, masks, objective.gradient(masks))
            pause(request, (k + (done + 1) / iterations) / len(request.targets))
        maps.append(1 - objective.upsample(masks.prod(dim=0, keepdim=True))[0])
    return torch.stack(maps)


METHOD = Method(
    title="iGOS++",
    about="A mask that keeps the class, and whose complement removes it; takes the longest.",
    source="Khorram, Lawson and Fuxin, iGOS++: Integrated Gradient Optimized Saliency by Bilateral Perturbations, "
    "CHIL 2021",
    attribute=_attribute,
    random=True,
    passes=_PASSES,
)
