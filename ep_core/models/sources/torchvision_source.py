"""torchvision's classifiers as a source."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ep_core.models.preprocessing import from_torchvision
from ep_core.models.runtime.backend_flags import random_numbers

from .interface import Built, Description, NetworkSource, built
from .model_list import ModelEntry
from .torchvision_library import torchvision
from .torchvision_zoo import pick_weights
from .weights import cached_file, file_digest, weights_only


class Torchvision(NetworkSource):
    """Networks of torchvision: `torchvision` of an entry, and `weights`."""

    def describe(self, entry: ModelEntry) -> Description:
        """Return the description of the weights."""
        weights = _weights(entry)
        labels = tuple(weights.meta["categories"])
        return Description(from_torchvision(weights.transforms()), labels, weights.name)

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network with torchvision's weights, their hash checked, or with those of the entry's file."""
        if entry.file:
            return built(lambda: self.bare(entry), entry.file)
        weights = _weights(entry)
        file = cached_file(weights.url)
        with random_numbers, weights_only():
            network = torchvision.models.get_model(entry.torchvision, weights=weights, **entry.kwargs)
        return Built(network.eval(), file_digest(file))

    def bare(self, entry: ModelEntry) -> nn.Module:
        """Return the architecture without trained weights."""
        network: nn.Module = torchvision.models.get_model(entry.torchvision, weights=None, **entry.kwargs)
        return network


def _weights(entry: ModelEntry) -> Any:
    return pick_weights(str(entry.torchvision), entry.weights)
