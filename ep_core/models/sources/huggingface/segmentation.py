"""Segmenters of transformers: ``AutoModelForSemanticSegmentation``, such as SegFormer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.segmenter import Segmenter
from ep_core.models.sources.hub import shown
from ep_core.models.sources.interface import Built, Description
from ep_core.models.sources.model_list import ModelEntry
from ep_core.models.sources.objects import object_classes, object_labels
from ep_core.schemas.model_card import SEGMENT_TARGETS

from .classification import Logits
from .library import labels_of, load, refuse_texts, transformers
from .processor import read_preprocessing
from .task import Task


class Segmentation(Task):
    """Networks that give each pixel one of fixed classes."""

    def takes(self, architecture: str) -> bool:
        """Return whether a class is a semantic segmenter."""
        return architecture.endswith("ForSemanticSegmentation")

    def describe(self, entry: ModelEntry, folder: Path, config: Any) -> Description:
        """Return the preprocessing of the image processor, and the labels of the config but the background."""
        refuse_texts(entry)
        return Description(
            read_preprocessing(folder, entry.preprocessing),
            object_labels(labels_of(config)),
            shown(str(entry.huggingface), entry.revision),
            outputs=Segmenter.outputs,
            targets=SEGMENT_TARGETS,
        )

    def build(self, entry: ModelEntry, folder: Path, config: Any, device: torch.device) -> Built:
        """Return the network with the folder's weights, or those of the entry's file."""
        with random_numbers:
            network = load(transformers().AutoModelForSemanticSegmentation, folder, config, entry.file)
        return Built(_segmenter(network, config).eval())

    def bare(self, entry: ModelEntry, config: Any) -> nn.Module:
        """Return the network without trained weights."""
        return _segmenter(transformers().AutoModelForSemanticSegmentation.from_config(config), config)


def _segmenter(network: nn.Module, config: Any) -> Segmenter:
    return Segmenter(Logits(network), object_classes(labels_of(config)))
