"""Networks of transformers without a head: embeddings of images, such as DINOv2's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.sources.hub import shown
from ep_core.models.sources.interface import Built, Description
from ep_core.models.sources.model_list import ModelEntry

from .library import load, transformers
from .processor import read_preprocessing
from .task import Task

CLASS_TOKEN = ("ViTModel", "DeiTModel", "Dinov2Model", "Dinov2WithRegistersModel", "DINOv3ViTModel")
"""Networks of tokens, the first of which stands for the image."""
POOLED = ("ConvNextModel", "ConvNextV2Model", "DINOv3ConvNextModel", "ResNetModel", "RegNetModel", "SwinModel")
"""Networks whose features are averaged over the image."""
_POOLER = "pooler."


class ClassToken(nn.Module):
    """A network of tokens that gives its class token alone: N x 3 x H x W -> N x D.

    The pooler of ViT and DeiT, a layer that many weights were saved without, is taken off.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        if hasattr(model, "pooler"):
            model.pooler = None

    def forward(self, images: Tensor) -> Tensor:
        """Return the class tokens after the last norm."""
        tokens: Tensor = self.model(pixel_values=images).last_hidden_state
        return tokens[:, 0]


class PooledFeatures(nn.Module):
    """A network that gives its averaged features alone: N x 3 x H x W -> N x D."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the averages over the image."""
        pooled: Tensor = self.model(pixel_values=images).pooler_output
        return pooled.flatten(1)


class Embedding(Task):
    """Networks that end in a vector that stands for the image."""

    gives_embeddings = True

    def takes(self, architecture: str) -> bool:
        """Return whether a class is a network of images without a head."""
        return architecture in CLASS_TOKEN + POOLED

    def describe(self, entry: ModelEntry, folder: Path, config: Any) -> Description:
        """Return the preprocessing of the image processor."""
        if entry.labels or entry.texts or entry.template or entry.outputs not in (None, "embedding"):
            raise InvalidInput(
                f"{entry.huggingface} has no head, its outputs are embeddings: labels, texts, template and other "
                "outputs go with networks that have one",
                field="model",
            )
        return Description(
            read_preprocessing(folder, entry.preprocessing),
            labels=(),
            weights=shown(str(entry.huggingface), entry.revision),
            outputs="embedding",
        )

    def build(self, entry: ModelEntry, folder: Path, config: Any, device: torch.device) -> Built:
        """Return the network with the folder's weights, or those of the entry's file."""
        with random_numbers:
            network = load(transformers().AutoModel, folder, config, entry.file, unused=_unused(config))
        return Built(_alone(network, config).eval())

    def bare(self, entry: ModelEntry, config: Any) -> nn.Module:
        """Return the network without trained weights."""
        return _alone(transformers().AutoModel.from_config(config), config)


def _alone(network: nn.Module, config: Any) -> nn.Module:
    return ClassToken(network) if config.architectures[0] in CLASS_TOKEN else PooledFeatures(network)


def _unused(config: Any) -> str | None:
    return _POOLER if config.architectures[0] in CLASS_TOKEN else None
