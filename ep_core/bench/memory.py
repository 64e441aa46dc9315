"""Benchmark of a sweep's memory against the bare network's: peaks, each side in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import torch

from ep_core.engine import explain
from ep_core.models import load_model
from ep_core.models.classifier import Classifier
from ep_core.models.runtime.heap import keep_freed_memory
from ep_core.models.runtime.threads import spin_briefly
from ep_core.schemas.specs import DEFAULT_AREAS, ExtremalSpec

SIDES = ("bare network", "sweep")


def peak_megabytes(model: str, *, models_file: Path | None = None, device: str | None = None) -> dict[str, float]:
    """Return the most memory that each side takes beyond the loaded model, in MB.

    The bare network's side is a forward and backward pass of as many images as the sweep has areas; the sweep is the
    default one. On a GPU its memory is measured, else the process's.
    """
    peaks = {}
    for side in SIDES:
        command = [sys.executable, "-m", "ep_core.bench.memory", side, model, str(models_file or ""), device or ""]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[side] = float(json.loads(done.stdout))
    return peaks


def _peak(side: str, model: Classifier) -> float:
    images = torch.rand(len(DEFAULT_AREAS), model.preprocessing.channels, *model.input_size, device=model.device)
    rest = _resident(model.device)
    if side == SIDES[0]:
        with model.frozen() as network:
            for _ in range(3):
                x = images.clone().requires_grad_()
                torch.autograd.grad(network(x)[:, 0].sum(), x)
    else:
        explain(model, images[:1], ExtremalSpec(areas=DEFAULT_AREAS, iterations=20).masks_only())
    return _resident(model.device) - rest


def _resident(device: torch.device) -> float:
    """Return the most memory in use so far, in MB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    # Not getrusage: what it tells begins with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return float(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) / 1e3


if __name__ == "__main__":
    spin_briefly()
    keep_freed_memory()
    wanted, name, listed, place = sys.argv[1:]
    loaded = load_model(name, models_file=Path(listed) if listed else None, device=place or None)
    print(json.dumps(_peak(wanted, loaded)))
