"""Files of whole networks as a source: programs of ``torch.export``, and TorchScript."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.export.passes import move_to_device_pass

from .checkpoint import whole_network_kind
from .interface import Built, NetworkSource
from .model_list import ModelEntry


class WholeNetwork(NetworkSource):
    """Networks whose architecture and weights are in one file: `file` of an entry, without an architecture."""

    def describe(self, entry: ModelEntry) -> None:
        """Return None: only the entry has labels and preprocessing."""

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network, read straight to `device`."""
        return Built(_load(Path(entry.file or ""), device))


def _load(file: Path, device: torch.device) -> nn.Module:
    if whole_network_kind(file) == "program":
        return move_to_device_pass(torch.export.load(file), device).module()
    network: nn.Module = torch.jit.load(file, map_location=device)
    return network.eval()
