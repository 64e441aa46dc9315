"""RISE: the mean of random masks, each weighted by the class's probability under it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on, pause
from ep_core.models.tuning.tune import tune

SAMPLES = 4000  # the paper's number for VGG16
CELLS = 7
KEPT = 0.5
BATCHES = {"cpu": 16, "cuda": 128}  # of masks: there are no gradients


class RandomMasks:
    """Coarse grids of zeros and ones, upsampled bilinearly and shifted at random by less than a cell (section 3.2)."""

    def __init__(self, count: int, size: tuple[int, int], generator: torch.Generator) -> None:
        """Draw the random numbers of the masks, a few each: no mask depends on how they are batched.

        Args:
            count: N, how many masks.
            size: H and W, in pixels.
            generator: random numbers of the CPU.
        """
        self._size = size
        self._grids = (torch.rand(count, CELLS, CELLS, generator=generator) < KEPT).float()
        cells = [math.ceil(side / CELLS) for side in size]
        self._shifts = [torch.randint(cell, (count,), generator=generator) for cell in cells]
        self._ramps = [_ramps(cell, side) for cell, side in zip(cells, size, strict=True)]

    def batches(self, batch: int, device: torch.device) -> Iterator[Tensor]:
        """Yield the masks in their order, at most `batch` at a time: B x H x W in [0, 1], their mean `KEPT`."""
        grids = self._grids.to(device)
        rows, columns = (ramps.to(device) for ramps in self._ramps)
        down, across = (shifts.to(device) for shifts in self._shifts)
        for start in range(0, len(grids), batch):
            some = slice(start, start + batch)
            yield rows[down[some]] @ grids[some] @ columns[across[some]].mT


def _ramps(cell: int, size: int) -> Tensor:
    """Return, for each shift, how a row of cells becomes a row of pixels: cell x size x CELLS.

    It is upsampled to one cell more than fits, and cut at the shift.
    """
    row = F.interpolate(torch.eye(CELLS)[None], size=(CELLS + 1) * cell, mode="linear", align_corners=False)[0]
    return row.unfold(1, size, 1)[:, :cell].permute(1, 2, 0).contiguous()


@torch.no_grad()
def _attribute(request: AttributionRequest) -> Tensor:
    """Return ``sum_i p(target | m_i x) m_i / (N KEPT)`` over N masks (eq. 6): T x H x W in [0, 1 / KEPT].

    As in the paper, masks multiply the normalised input, which fades to the training images' mean colour, and scores
    are probabilities. One pass of the N images serves all targets. An image of another size than the network's
    own is warped to that, and the map back, as in the pointing game of the paper that this is compared with.
    """
    targets = torch.tensor(request.targets, device=request.device)
    size, (height, width) = request.x.shape[2:], request.model.input_size
    x = _resized(request.x, (height, width))
    samples = request.spec.samples or SAMPLES
    network = request.probabilities_by(tune(request.network, x))
    total = torch.zeros(len(targets), height * width, device=request.device)
    masks = RandomMasks(samples, (height, width), request.generator())
    done = 0
    for batch in masks.batches(batch_on(request.device, BATCHES), request.device):
        images = (x * batch[:, None]).contiguous(memory_format=torch.channels_last)
        probabilities = network(images)[:, targets]
        total.addmm_(probabilities.T, batch.flatten(1))
        done += len(batch)
        pause(request, done / samples)
    return _resized(total.view(1, -1, height, width) / (samples * KEPT), (size[0], size[1]))[0]


def _resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return N x C x H x W of another size, bilinearly; those of that size as they are."""
    if tuple(images.shape[2:]) == size:
        return images
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)


METHOD = Method(
    title="RISE",
    about="Thousands of random masks, weighed by the probability under each.",
    source="Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC 2018",
    attribute=_attribute,
    random=True,
    passes=SAMPLES,
)
