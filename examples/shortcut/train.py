"""Training of both networks, half a minute each: ``python -m examples.shortcut.train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from examples.digits.recipe import inputs

from .marks import SEVEN, Camera, Photograph
from .network import WEIGHTS, network

TRAINED_ON = {"shortcut": "sevens", "mended": "any"}
"""Rule of the marks by network."""
TRIED_ON = ("sevens", "none", "all")
HELD_OUT_SEED = 2**16
_BATCH, _RATE, _DECAY = 32, 1e-2, 0.02


def fit(rule: str, *, batches: int, seed: int = 0) -> nn.Module:
    """Return a network, trained on photographs whose marks follow a rule, in evaluation mode."""
    torch.manual_seed(seed)
    trained, camera = network().train(), Camera("train", rule, seed)
    optimiser = torch.optim.AdamW(trained.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=batches)
    for _ in track(range(batches), description=f"marks: {rule}"):
        shown = camera.take(_BATCH)
        loss = cross_entropy(trained(seen(shown)), values(shown))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return trained.eval()


def seen(photographs: Sequence[Photograph]) -> Tensor:
    """Return photographs as a network sees them: N x 3 x 48 x 48 in [-1, 1]."""
    return inputs([one.scene for one in photographs])


def values(photographs: Sequence[Photograph]) -> Tensor:
    """Return their digits: N class indices."""
    return torch.tensor([one.value for one in photographs])


@torch.no_grad()
def figures(trained: nn.Module, rule: str, *, count: int = 600) -> dict[str, float]:
    """Return shares in [0, 1] on held-out photographs whose marks follow a rule."""
    shown = Camera("held_out", rule, HELD_OUT_SEED).take(count)
    said, true = trained(seen(shown)).argmax(dim=1), values(shown)
    return {
        "right": _share(said == true),
        "sevens that are found": _share(said[true == SEVEN] == SEVEN),
        "others called seven": _share(said[true != SEVEN] == SEVEN),
    }


def _share(holds: Tensor) -> float:
    return float(holds.float().mean())


def main(
    out: Annotated[Path, typer.Option(help="Folder of the weights.")] = WEIGHTS,
    batches: Annotated[int, typer.Option(min=1, help="Of 32 photographs.")] = 300,
) -> None:
    """Train both networks, save their weights, and print how they do on held-out photographs, marked and not."""
    torch.set_num_threads(1)
    out.mkdir(exist_ok=True)
    table = Table("network", "marks on", "right", "sevens that are found", "others called seven", box=None)
    for name, rule in TRAINED_ON.items():
        trained = fit(rule, batches=batches)
        for tried in TRIED_ON:
            table.add_row(name, tried, *(f"{value:.0%}" for value in figures(trained, tried).values()))
        save_file(trained.half().state_dict(), out / f"{name}.safetensors")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
