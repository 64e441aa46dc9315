"""One architecture to try: how it is made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import torch
from torch import nn

from ep_core.errors import ModelUnavailable
from ep_core.models.checks.probes import probe_images
from ep_core.models.classifier import Classifier
from ep_core.models.preprocessing import Preprocessing

from .random_weights import seeded, wake

SIDE = 48  # pixels, of networks without a size of their own
RGB = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
GREY = (0.5,), (0.25,)


@dataclass(frozen=True)
class Architecture:
    """A network of a library, or of one's own."""

    name: str
    source: str
    """Library."""
    make: Callable[[], nn.Module]
    """Returns it with the random weights of its own initialiser."""
    side: int = SIDE
    """Height and width of its input, in pixels: small, so that all are tried in minutes."""
    values: tuple[tuple[float, ...], tuple[float, ...]] = RGB
    """Mean and std."""
    finish: Callable[[nn.Module], nn.Module] = field(default=lambda network: network)
    """Returns the network to try, made of the one that has its weights."""
    trained: Callable[[], nn.Module] | None = None
    """Returns it with trained weights, or raises `ModelUnavailable` where they can't be had; None: only random ones."""

    @property
    def preprocessing(self) -> Preprocessing:
        """The one of its pictures."""
        mean, std = self.values
        return Preprocessing((self.side, self.side), mean=mean, std=std)

    def network(self) -> tuple[nn.Module, bool]:
        """Return the network on the CPU, and whether its weights are trained."""
        if self.trained is not None:
            with suppress(ModelUnavailable):
                return self.trained(), True
        network = seeded(self.make)
        images = torch.cat([probe_images(self.preprocessing, torch.device("cpu"), seed) for seed in range(4)])
        wake(network, images)
        return self.finish(network), False

    def classifier(self, device: torch.device) -> tuple[Classifier, bool]:
        """Return it as a classifier, on a device, and whether its weights are trained.

        Raises:
            ImportError: its library isn't installed.
            InvalidInput, ModelUnavailable: as for `Classifier`. What its own code raises passes through.
        """
        network, is_trained = self.network()
        return Classifier(network.to(device), name=self.name, preprocessing=self.preprocessing), is_trained
