"""Interface of a small network's training, and the loop that all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from rich.progress import track
from torch import Tensor, nn

from .scenes import SIZE, WORDS, Painter, Scene

PATCH, WIDTH = 8, 64
SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "image_size": SIZE,
    "patch_size": PATCH,
}
"""Of the transformers over patches."""
SPREAD = 0.1
"""Standard deviation of their first weights: the usual 0.02 is meant for twelve times as many features."""
HEAD: dict[str, Any] = {"id2label": dict(enumerate(WORDS)), "initializer_range": SPREAD}
"""Of those whose classes are the digits."""

_FRAME = {"height": SIZE, "width": SIZE}
_MEAN = _STD = (0.5, 0.5, 0.5)

_BATCH = 32
_WARM_UP = 0.05
_DECAY = 0.05


class Recipe(ABC):
    """The architecture, the loss and the held-out figures of one kind of network."""

    counts: Sequence[int] = (1, 2)
    """Digits in a scene that it is trained on."""
    from_vit: bool = False
    """True for one that starts with the layers of the trained ViT."""
    rate: float = 1.5e-3
    """Highest step size of AdamW."""
    steps: int
    """Batches of 32 scenes."""
    processor_class: ClassVar[type[Any]]
    processor_options: ClassVar[Mapping[str, Any]] = {}
    """Of the image processor, beside the frame and the normalisation."""

    @abstractmethod
    def network(self, vit: nn.Module | None) -> Any:
        """Return the network before its training, with random weights or, for `from_vit`, those of the ViT."""

    def parameters(self, network: nn.Module) -> Iterable[nn.Parameter]:
        """Return what is trained."""
        return network.parameters()

    @abstractmethod
    def loss(self, network: Any, scenes: Sequence[Scene]) -> Tensor:
        """Return the loss of a batch, a scalar."""

    @abstractmethod
    def figures(self, network: Any, painter: Painter) -> dict[str, float]:
        """Return shares in [0, 1] of how well it does on scenes that it was not trained on."""

    def processor(self) -> Any:
        """Return the image processor that is saved with it: it stretches pictures to 48 x 48."""
        return self.processor_class(size=_FRAME, image_mean=_MEAN, image_std=_STD, **self.processor_options)

    def save(self, network: Any, folder: Path) -> None:
        """Write a folder as Hugging Face's libraries do, its weights in float16."""
        network.half().save_pretrained(folder)
        self.processor().save_pretrained(folder)


def inputs(scenes: Iterable[Scene]) -> Tensor:
    """Return scenes as networks see them: N x 3 x 48 x 48 in [-1, 1]."""
    pixels = torch.from_numpy(np.stack([scene.pixels for scene in scenes])).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1


def shown(painter: Painter, scenes: int, counts: Sequence[int]) -> list[Scene]:
    """Return scenes to measure a network by."""
    return [painter.paint(counts) for _ in range(scenes)]


def fit(recipe: Recipe, painter: Painter, *, steps: int, seed: int, vit: nn.Module | None = None) -> Any:
    """Return a network, trained on scenes, in evaluation mode.

    Args:
        recipe: of its kind.
        painter: of the scenes.
        steps: batches.
        seed: of the weights.
        vit: the trained ViT, where the recipe starts from it.
    """
    torch.manual_seed(seed)
    network = recipe.network(vit).train()
    optimiser = torch.optim.AdamW(recipe.parameters(network), lr=recipe.rate, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=steps, pct_start=_WARM_UP, cycle_momentum=False
    )
    for _ in track(range(steps), description=type(recipe).__name__):
        loss = recipe.loss(network, shown(painter, _BATCH, recipe.counts))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network.eval()
