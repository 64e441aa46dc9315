"""CLIP and SigLIP of transformers: images against texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.sources.hub import shown
from ep_core.models.sources.image_text import TEXT_TARGETS, ImageTextNetwork, class_names, class_texts
from ep_core.models.sources.interface import Built, Description
from ep_core.models.sources.model_list import ModelEntry
from ep_core.models.sources.weights import state_digest

from .library import load, transformers
from .processor import read_preprocessing
from .task import Task


class ImageTower(nn.Module):
    """The tower of images of a CLIP or SigLIP: N x 3 x H x W -> N x D."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision_model = model.vision_model
        self.projection = getattr(model, "visual_projection", nn.Identity())  # SigLIP has none

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings of images, of any length."""
        embeddings: Tensor = self.projection(self.vision_model(pixel_values=images).pooler_output)
        return embeddings


class ImageText(Task):
    """Networks that compare an image with texts; an entry's texts are their classes."""

    def takes(self, architecture: str) -> bool:
        """Return whether a class is CLIP or SigLIP, with both towers."""
        return architecture in ("CLIPModel", "SiglipModel")

    def describe(self, entry: ModelEntry, folder: Path, config: Any) -> Description:
        """Return the preprocessing of the image processor, and the entry's classes."""
        return Description(
            read_preprocessing(folder, entry.preprocessing),
            class_names(entry),
            shown(str(entry.huggingface), entry.revision),
            outputs="sigmoid" if config.model_type == "siglip" else None,  # trained pair by pair
            targets=TEXT_TARGETS,
        )

    def build(self, entry: ModelEntry, folder: Path, config: Any, device: torch.device) -> Built:
        """Return the network of an entry's texts. Its digest is of the tower of images and the texts' embeddings."""
        with random_numbers:
            auto = transformers().AutoModelForZeroShotImageClassification
            model = load(auto, folder, config, entry.file)
        model = model.requires_grad_(False).to(device)
        bias = getattr(model, "logit_bias", None)
        network = ImageTextNetwork(
            ImageTower(model),
            _encoder(model, folder, config),
            class_texts(entry),
            scale=float(model.logit_scale.exp()),
            bias=None if bias is None else float(bias),
        ).eval()
        return Built(network, state_digest(network))

    def bare(self, entry: ModelEntry, config: Any) -> nn.Module:
        """Return the network without trained weights, and with as many random texts."""
        model = transformers().AutoModelForZeroShotImageClassification.from_config(config)
        width = getattr(config, "projection_dim", config.vision_config.hidden_size)  # SigLIP has no projection
        bias = 0.0 if config.model_type == "siglip" else None
        return ImageTextNetwork(
            ImageTower(model),
            lambda texts: torch.rand(len(texts), width),
            class_texts(entry),
            scale=1,
            bias=bias,
        )


def _encoder(model: Any, folder: Path, config: Any) -> Callable[[Sequence[str]], Tensor]:
    """Return a function that gives the embeddings of texts, C x D, of any length."""
    tokenizer = transformers().AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    length = config.text_config.max_position_embeddings
    padding = "max_length" if config.model_type == "siglip" else True  # as each was trained

    def encode(texts: Sequence[str]) -> Tensor:
        tokens = tokenizer(list(texts), padding=padding, truncation=True, max_length=length, return_tensors="pt")
        if config.model_type == "siglip":
            tokens.pop("attention_mask", None)  # it was trained to read the padding, too
        embeddings: Tensor = model.get_text_features(**tokens.to(model.device)).pooler_output
        return embeddings

    return encode
