"""How long an iteration takes against the bare network: what the masks, the perturbation and the area cost on top."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch

from .lanes import Lane
from .models.classifier import Classifier
from .perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid
from .presets import RULES
from .solver import Solver

WARM_UP = 3


def step_seconds(model: Classifier, *, lanes: int, rounds: int) -> dict[str, float]:
    """Return median seconds of the bare network's forward and backward pass, and of a step of each preset.

    All work on `lanes` images of the network's size; the bare pass computes the gradient with respect to its input
    only, parameters frozen, as a step needs it. The sides take turns, so that a slow moment hits all of them.
    """
    image = torch.randn(1, 3, *model.input_size, device=model.device)
    with model.frozen() as network:
        pyramids = Pyramids(blur_pyramid(image, sigma_max=BLUR_SIGMA_AT_224, levels=8)[None])
        areas = torch.linspace(0.05, 0.8, lanes).tolist()
        steps = (WARM_UP + rounds) * 10
        swept = [Lane(0, 0, area, "preserve", steps) for area in areas]
        batch = image.repeat(lanes, 1, 1, 1)

        def bare() -> None:
            x = batch.clone().requires_grad_()
            with torch.enable_grad():
                scores = network(x)
            torch.autograd.grad(scores[:, 0].sum(), x)

        sides: dict[str, Callable[[], None]] = {"bare network": bare}
        for preset in RULES:
            solver = Solver(network, pyramids, swept, preset)
            sides[f"step, preset {preset!r}"] = lambda solver=solver: solver.step(range(lanes))  # type: ignore[misc]
        times = [{name: _timed(side, model.device) for name, side in sides.items()} for _ in range(WARM_UP + rounds)]
    return {name: median(round_[name] for round_ in times[WARM_UP:]) for name in sides}


def _timed(side: Callable[[], None], device: torch.device) -> float:
    started = time.perf_counter()
    side()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
