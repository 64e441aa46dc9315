"""Benchmark of a step's time against the bare network's: the cost of masks, perturbation and area constraint."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ep_core.extremal.masking import spatial_solver
from ep_core.masks.perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid
from ep_core.models.classifier import Classifier
from ep_core.models.tuning.tune import tune
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.optimiser.scheduler import Scheduler
from ep_core.optimiser.solver import Solver

from .timing import WARM_UP, median_seconds

BARE, TUNED = "bare network", "bare network, tuned"


def step_seconds(model: Classifier, *, lanes: int, rounds: int) -> dict[str, float]:
    """Return median seconds of the bare network's forward and backward pass, and of a step of each preset.

    All work on `lanes` images of the network's size; the bare pass computes the gradient with respect to its input
    only, parameters frozen, as a step needs it. The network comes as it is, and as the engine uses it (`tune`).
    """
    image = torch.randn(1, model.preprocessing.channels, *model.input_size, device=model.device)
    with model.frozen() as network:
        pyramid = blur_pyramid(image, sigma_max=BLUR_SIGMA_AT_224, levels=8)
        tuned = tune(network, pyramid[[0, -1]])
        areas = torch.linspace(0.05, 0.8, lanes).tolist()
        swept = [Lane(0, 0, area, "preserve", end=10 * (WARM_UP + rounds), arrival=1) for area in areas]
        batch = image.repeat(lanes, 1, 1, 1)
        sides: dict[str, Callable[[], object]] = {
            BARE: _pass(network, batch),
            TUNED: _pass(tuned, batch.contiguous(memory_format=torch.channels_last)),
        }
        for preset in SPATIAL_PRESETS:
            solver = spatial_solver(tuned, Pyramids(pyramid[None]), swept, preset, max_lanes=lanes)
            sides[f"step, preset {preset!r}"] = step_of(solver)
        return median_seconds(sides, rounds=rounds, device=model.device)


def step_of(solver: Solver) -> Callable[[], None]:
    """Return a step of all of a solver's lanes."""
    scheduler = Scheduler(shared=False)
    scheduler.admit(solver)
    return scheduler.step


def _pass(network: nn.Module, batch: Tensor) -> Callable[[], None]:
    def run() -> None:
        x = batch.clone(memory_format=torch.preserve_format).requires_grad_()
        with torch.enable_grad():
            scores = network(x)
        torch.autograd.grad(scores[:, 0].sum(), x)

    return run
