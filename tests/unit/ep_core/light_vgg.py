"""VGGs of real convolutions and narrow dense layers: the hundred million weights of the dense ones take seconds."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models.vgg import VGG, cfgs, make_layers

CONFIGURATIONS = {"vgg11": "A", "vgg16": "D"}
WIDTH = 32
"""Of the dense layers, 4096 in the paper's."""


def light_vgg(name: str, classes: int) -> VGG:
    """Return a VGG, untrained, with all of its layers under their names."""
    with torch.device("meta"):  # its own dense layers are never made
        network = VGG(nn.Identity(), init_weights=False)
    network.features = make_layers(cfgs[CONFIGURATIONS[name]])
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    network.classifier = nn.Sequential(
        *(nn.Linear(512 * 7 * 7, WIDTH), nn.ReLU(True), nn.Dropout()),
        *(nn.Linear(WIDTH, WIDTH), nn.ReLU(True), nn.Dropout()),
        nn.Linear(WIDTH, classes),
    )
    return network
