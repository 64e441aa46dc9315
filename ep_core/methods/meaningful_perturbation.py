"""Meaningful perturbations (2017): the smallest smooth mask whose blur removes the class."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ep_core.masks.perturbation import gaussian_blur
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import pause
from ep_core.models.runtime.cuda_graph import Repeated
from ep_core.models.tuning.tune import tune

ITERATIONS = 300
LEARNING_RATE = 0.1
AREA_WEIGHT = 1e-4
VARIATION_WEIGHT = 1e-2
VARIATION_POWER = 3.0
SCALE = 8
"""Pixels per cell of the mask that is optimised."""
MASK_SIGMA = 5.0
IMAGE_SIGMA = 10.0
JITTER = 4
"""Most that the perturbed image is moved, in pixels."""


def penalty(masks: Tensor) -> Tensor:
    """Return the penalty of a mask for its area and its roughness (eq. 3, with the authors' weights): T.

    Args:
        masks: T x h x w, coarse; 1 keeps a cell, 0 blurs it.
    """
    down = F.pad(masks.diff(dim=1), (0, 0, 0, 1))
    across = F.pad(masks.diff(dim=2), (0, 1))
    slope = (down.square() + across.square()).clamp_min(1e-12)  # whose root has a gradient
    variation = slope.pow(VARIATION_POWER / 2).sum(dim=(1, 2))
    return AREA_WEIGHT * (1 - masks).abs().sum(dim=(1, 2)) + VARIATION_WEIGHT * variation


class BlurredByMask:
    """Images between a photograph and its blur, by a coarse mask."""

    def __init__(self, x: Tensor) -> None:
        """Take the network's input, 1 x 3 x H x W."""
        self._blurred = gaussian_blur(x, IMAGE_SIGMA)
        self._detail = x - self._blurred
        self._rows, self._columns = (_upsampling(side).to(x.device) for side in x.shape[2:])

    @property
    def coarse_size(self) -> tuple[int, int]:
        """Height and width of the coarse masks."""
        return self._rows.shape[1], self._columns.shape[1]

    def upsample(self, masks: Tensor) -> Tensor:
        """Return coarse masks T x h x w at the image's size, smoothed: T x H x W."""
        return self._rows @ masks @ self._columns.mT

    def images(self, masks: Tensor, shifts: Tensor) -> Tensor:
        """Return the perturbed images, each moved by its own shift; what comes in at an edge repeats it.

        Args:
            masks: T x h x w.
            shifts: T x 2, rows and columns, whole pixels.

        Returns:
            T x 3 x H x W.
        """
        rows, columns = (
            (torch.arange(len(ramp), device=masks.device) + shift[:, None]).clamp(0, len(ramp) - 1)
            for ramp, shift in ((self._rows, shifts[:, 0]), (self._columns, shifts[:, 1]))
        )
        moved = self._rows[rows] @ masks @ self._columns[columns].mT
        detail, blurred = (
            image[0].movedim(0, -1)[rows[:, :, None], columns[:, None, :]].movedim(-1, 1)
            for image in (self._detail, self._blurred)
        )
        return torch.addcmul(blurred, moved[:, None], detail)


def _upsampling(size: int) -> Tensor:
    """Return how a row of cells becomes a row of pixels, linearly and then blurred: size x cells."""
    cells = math.ceil(size / SCALE)
    row = F.interpolate(torch.eye(cells)[None], size=size, mode="linear", align_corners=False)
    return gaussian_blur(row[..., None], MASK_SIGMA)[0, :, :, 0].T.contiguous()


def _attribute(request: AttributionRequest) -> Tensor:
    """Return how much of each pixel has to go: ``1 - m`` of the deletion game, T x H x W in [0, 1].

    The mask minimises the target's probability under it plus `penalty`, by Adam from a mask of ones, as in the
    authors' code; of that, the start from circles that suppress the class is left out. Every target has its own
    mask, and its own random shifts. `iterations` of the request shortens the authors' 300.
    """
    iterations = min(request.spec.iterations or ITERATIONS, ITERATIONS)
    targets = torch.tensor(request.targets, device=request.device)[:, None]
    network = request.probabilities_by(tune(request.network, request.x))
    perturbed = BlurredByMask(request.x)
    shifts = torch.stack([_shifts(iterations, request.generator(target)) for target in request.targets], dim=1)
    shifts = shifts.to(request.device)
    taken = torch.zeros(1, dtype=torch.long, device=request.device)
    masks = torch.ones(len(targets), *perturbed.coarse_size, device=request.device, requires_grad=True)
    adam = torch.optim.Adam([masks], lr=LEARNING_RATE, capturable=masks.is_cuda)

    def step() -> None:
        images = perturbed.images(masks, shifts.index_select(0, taken)[0])
        probabilities = network(images).gather(1, targets)
        (masks.grad,) = torch.autograd.grad(probabilities.sum() + penalty(masks).sum(), masks)
        adam.step()
        with torch.no_grad():
            masks.clamp_(0, 1)
        taken.add_(1)

    repeated = Repeated(step, request.device, times=iterations)
    with torch.enable_grad():
        for k in range(iterations):
            repeated()
            pause(request, (k + 1) / iterations)
    return 1 - perturbed.upsample(masks.detach())


def _shifts(iterations: int, generator: torch.Generator) -> Tensor:
    return torch.randint(-JITTER, JITTER + 1, (iterations, 2), generator=generator)


METHOD = Method(
    title="Meaningful perturbation",
    about="The smallest smooth mask whose blur removes the class: the method of 2017.",
    source="Fong & Vedaldi, Interpretable Explanations of Black Boxes by Meaningful Perturbation, ICCV 2017",
    attribute=_attribute,
    random=True,
    passes=3 * ITERATIONS,
)
