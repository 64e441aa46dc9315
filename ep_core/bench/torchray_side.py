"""TorchRay's side of the comparison: a process of its own, as its users run it, without any of the engine's tuning.

`python -m ep_core.bench.torchray_side REQUEST ANSWER` reads a `TorchRayRequest` and writes `Answer`s; `run` does both.
Nothing of TorchRay is copied: the package is installed beside (the extra `bench`) and called.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.errors import ModelUnavailable

MISSING = "TorchRay isn't installed: pip install 'extremal-perturbations[bench]'"


@dataclass(frozen=True)
class TorchRayRequest:
    """TorchRayRequest to TorchRay's process."""

    model: str
    models_file: str | None
    device: str
    image: Tensor
    """1 x 3 x H x W, preprocessed."""
    target: int
    areas: tuple[float, ...]
    iterations: int
    timed: int
    """Iterations that are timed with TorchRay's own masks; 0 times the run itself."""
    streamed: bool
    """Whether the run's masks come from an equal, faster formula (`streamed.py`)."""


@dataclass(frozen=True)
class Answer:
    """Answer of TorchRay's process."""

    masks: Tensor
    """K x 1 x H x W."""
    seconds_per_iteration: float
    apart: tuple[float, float] | None
    """Largest differences of the streamed masks and of their gradients from TorchRay's own."""


def run(request: TorchRayRequest) -> Answer:
    """Run TorchRay in a process of its own.

    Raises:
        ModelUnavailable: TorchRay isn't installed, or fails.
    """
    tuning = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}  # the engine's own; TorchRay gets the defaults
    environment = {name: value for name, value in os.environ.items() if name not in tuning}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "request.pt", Path(folder) / "answer.pt"
        torch.save(vars(request), asked)
        command = [sys.executable, "-m", "ep_core.bench.torchray_side", str(asked), str(answered)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ModelUnavailable(f"TorchRay fails: {done.stderr.strip().splitlines()[-1] if done.stderr else '?'}")
        return Answer(**torch.load(answered, weights_only=True))


def import_torchray() -> Any:
    """Return TorchRay's module of extremal perturbations, made to load on current versions of what it needs.

    Raises:
        ModelUnavailable: it isn't installed.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")  # it loads pyplot
    warnings.filterwarnings("ignore", module="torch.*")
    try:
        from torchray.attribution import extremal_perturbation
    except ImportError as error:
        raise ModelUnavailable(f"{MISSING} ({error})") from error
    return extremal_perturbation


def torchray_scores(network: nn.Module, image: Tensor, masks: Tensor, target: int) -> list[float]:
    """Return Phi(m x) by TorchRay's own pyramid, which darkens borders: one score per mask (K x 1 x H x W)."""
    perturbation = import_torchray().Perturbation(image).to(image.device)
    with torch.no_grad():
        scores: list[float] = network(perturbation.apply(masks.to(image.device)))[:, target].tolist()
    return scores


def _answer(request: TorchRayRequest) -> Answer:
    from ep_core.models import load_model

    from .streamed import differences, streamed_generator

    torchray = import_torchray()
    models_file = Path(request.models_file) if request.models_file else None
    network = load_model(request.model, models_file=models_file, device=request.device).network.eval()
    image = request.image.to(request.device)
    original = torchray.MaskGenerator

    def optimise(iterations: int) -> tuple[Tensor, float]:
        started = time.perf_counter()
        masks, _ = torchray.extremal_perturbation(
            network, image, request.target, areas=list(request.areas), max_iter=iterations
        )
        return masks.detach().cpu(), (time.perf_counter() - started) / iterations

    timed = optimise(request.timed)[1] if request.timed else None
    apart = None
    if request.streamed:
        apart = differences(original, (image.shape[2], image.shape[3]))
        torchray.MaskGenerator = streamed_generator(original)
    masks, seconds = optimise(request.iterations)
    return Answer(masks, timed or seconds, apart)


if __name__ == "__main__":
    try:
        answer = _answer(TorchRayRequest(**torch.load(sys.argv[1], weights_only=True)))
    except ModelUnavailable as unavailable:
        sys.exit(str(unavailable))
    torch.save(vars(answer), sys.argv[2])
