"""Networks that compare images with texts (CLIP, SigLIP) as classifiers whose classes are texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ep_core.models.reads_texts import ReadsTexts
from ep_core.schemas.model_card import CLASS_TARGETS, TargetKind

from .model_list import ModelEntry
from .torchvision_zoo import imagenet_labels

TEXT_TARGETS: tuple[TargetKind, ...] = (*CLASS_TARGETS, "text", "similar")
DEFAULT_TEMPLATE = "a photo of a {}"
_TEXTS_AT_ONCE = 64


class ImageTextNetwork(ReadsTexts):
    """The tower of images and a linear head of texts: N x 3 x H x W -> N x C, C the number of texts.

    A score is scale * cos(image, text) + bias, as the library of the network computes it. The tower of texts is no part
    of the module: it has computed the head, and `text_embeddings` computes others by it.
    """

    def __init__(
        self,
        tower: nn.Module,
        encode: Callable[[Sequence[str]], Tensor],
        texts: Sequence[str],
        *,
        scale: float,
        bias: float | None,
    ) -> None:
        """Compute the head.

        Args:
            tower: N x 3 x H x W -> N x D, embeddings of images of any length.
            encode: embeddings of up to 64 texts, C x D of any length, on any device.
            texts: one per class.
            scale: of the cosines.
            bias: of all scores; None for none.
        """
        super().__init__()
        self.tower = tower
        self._encode, self._scale, self._bias = encode, scale, bias
        embeddings = self.text_embeddings(texts)
        self.head = nn.Linear(embeddings.shape[1], len(texts), bias=bias is not None, device="meta")
        self.head.weight = nn.Parameter(scale * embeddings)
        if bias is not None:
            self.head.bias = nn.Parameter(torch.full((len(texts),), bias, device=embeddings.device))

    def with_texts(self, texts: Sequence[str]) -> ImageTextNetwork:
        """Return the same tower of images with a head of other texts, in evaluation mode."""
        network = ImageTextNetwork(self.tower, self._encode, texts, scale=self._scale, bias=self._bias)
        return network.train(self.training)

    def without_texts(self) -> ImageEmbedding:
        """Return the same tower of images alone, its mode kept."""
        return ImageEmbedding(self.tower).train(self.training)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of images for each text: N x 3 x H x W -> N x C."""
        scores: Tensor = self.head(normalize(self.tower(images), dim=-1))
        return scores

    @torch.no_grad()
    def text_embeddings(self, texts: Sequence[str]) -> Tensor:
        """Return the embeddings of texts, of length 1: C x D, float32, on the device of the tower of texts."""
        batches = [texts[k : k + _TEXTS_AT_ONCE] for k in range(0, len(texts), _TEXTS_AT_ONCE)]
        return normalize(torch.cat([self._encode(batch) for batch in batches]).float(), dim=-1)


class ImageEmbedding(nn.Module):
    """The tower of images by itself, its layers named as in `ImageTextNetwork`: N x 3 x H x W -> N x D.

    Args:
        tower: N x 3 x H x W -> N x D, embeddings of images of any length.
    """

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings of images, of any length."""
        embeddings: Tensor = self.tower(images)
        return embeddings


def class_names(entry: ModelEntry) -> tuple[str, ...]:
    """Return the names of an entry's classes: its labels, else its texts, else ImageNet's 1000 classes."""
    if isinstance(entry.labels, tuple):
        return entry.labels
    if entry.texts and entry.labels is None:
        return entry.texts
    return imagenet_labels()


def class_texts(entry: ModelEntry) -> tuple[str, ...]:
    """Return the texts that an entry's images are compared with, one per class: its own, else from the template."""
    template = entry.template or DEFAULT_TEMPLATE
    return entry.texts or tuple(template.replace("{}", name) for name in class_names(entry))
