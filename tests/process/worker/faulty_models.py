"""Networks that misbehave as soon as they see a picture; reached through a model list, as a user's own are."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import nn

STEP_S = 0.05
"""Seconds that each step of a network waits while its gate is shut: a job of hundreds of steps takes many seconds."""


class Faulty(nn.Module):
    """Average colour to two scores; `fault` says what happens to any image but those that it is tried on first.

    Args:
        fault: its name.
        gate: a file; as long as it isn't there, the fault "waits" takes `STEP_S` a step and computes nothing.
    """

    def __init__(self, fault: str, gate: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.gate = Path(gate)
        self.head = nn.Linear(3, 2)
        self.harmless: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        images = list(x.detach())
        self.harmless = self.harmless or [*images, torch.zeros_like(images[0])]  # layers are sought with zeros
        if not all(any(torch.equal(image, one) for one in self.harmless) for image in images):
            self._fail()
        return self.head(x.mean((2, 3)))

    def _fail(self) -> None:
        if self.fault == "raises":
            raise RuntimeError("secret of the network")
        if self.fault == "hungry":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 80.00 GiB")
        if self.fault == "poisons":
            raise RuntimeError("CUDA error: device-side assert triggered")
        if self.fault == "hangs":
            time.sleep(3600)
        if self.fault == "waits" and not self.gate.exists():
            time.sleep(STEP_S)
