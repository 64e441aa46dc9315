"""Image classifiers of transformers: ``AutoModelForImageClassification``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.sources.hub import shown
from ep_core.models.sources.interface import Built, Description
from ep_core.models.sources.model_list import ModelEntry

from .library import labels_of, load, refuse_texts, transformers
from .processor import read_preprocessing
from .task import Task


class Logits(nn.Module):
    """A network of transformers that gives its logits alone: N x 3 x H x W -> N x C, or N x C x h x w."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, before any softmax or sigmoid."""
        scores: Tensor = self.model(pixel_values=images).logits
        return scores


class ImageClassification(Task):
    """Networks that end in scores of fixed classes."""

    def takes(self, architecture: str) -> bool:
        """Return whether a class is an image classifier."""
        return "ForImageClassification" in architecture

    def describe(self, entry: ModelEntry, folder: Path, config: Any) -> Description:
        """Return the preprocessing of the image processor, and the labels of the config."""
        refuse_texts(entry)
        several = config.problem_type == "multi_label_classification"
        return Description(
            read_preprocessing(folder, entry.preprocessing),
            labels_of(config),
            shown(str(entry.huggingface), entry.revision),
            outputs="sigmoid" if several else None,
        )

    def build(self, entry: ModelEntry, folder: Path, config: Any, device: torch.device) -> Built:
        """Return the network with the folder's weights, or those of the entry's file."""
        with random_numbers:
            auto = transformers().AutoModelForImageClassification
            network = load(auto, folder, config, entry.file)
        return Built(Logits(network).eval())

    def bare(self, entry: ModelEntry, config: Any) -> nn.Module:
        """Return the network without trained weights."""
        return Logits(transformers().AutoModelForImageClassification.from_config(config))
