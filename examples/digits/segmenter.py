"""A SegFormer that says which digit each pixel is of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate
from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessorPil

from .recipe import SPREAD, Recipe, inputs, shown
from .scenes import WORDS, Painter, Scene

CLASSES = ("background", *WORDS)
_BACKGROUND_WEIGHT = 0.2


class Segformer(Recipe):
    """Classes background and zero to nine, in maps of 12 x 12."""

    steps = 2000
    rate = 2e-3
    processor_class = SegformerImageProcessorPil

    def network(self, vit: nn.Module | None) -> SegformerForSemanticSegmentation:
        """Return a SegFormer of 0.3 million weights."""
        return SegformerForSemanticSegmentation(
            SegformerConfig(
                depths=[1, 1, 1, 1],
                hidden_sizes=[16, 32, 64, 96],
                num_attention_heads=[1, 1, 2, 3],
                sr_ratios=[4, 2, 1, 1],
                mlp_ratios=[2, 2, 2, 2],
                decoder_hidden_size=64,
                classifier_dropout_prob=0.0,
                drop_path_rate=0.0,
                initializer_range=SPREAD,
                id2label=dict(enumerate(CLASSES)),
            )
        )

    def loss(self, network: SegformerForSemanticSegmentation, scenes: Sequence[Scene]) -> Tensor:
        """Return the cross-entropy of the pixels; those of digits, a tenth of all, weigh more."""
        weights = torch.tensor([_BACKGROUND_WEIGHT] + [1.0] * len(WORDS))
        return cross_entropy(_maps(network, scenes), _classes(scenes), weight=weights)

    @torch.no_grad()
    def figures(self, network: SegformerForSemanticSegmentation, painter: Painter) -> dict[str, float]:
        """Return the mean intersection over union of the digits, and the share of pixels whose class is right."""
        scenes = shown(painter, 1000, self.counts)
        said, true = _maps(network, scenes).argmax(dim=1), _classes(scenes)
        both = torch.stack([((said == k) & (true == k)).sum() for k in range(1, len(CLASSES))])
        either = torch.stack([((said == k) | (true == k)).sum() for k in range(1, len(CLASSES))])
        return {"mIoU of the digits": float((both / either).mean()), "pixels": float((said == true).float().mean())}


def _maps(network: SegformerForSemanticSegmentation, scenes: Sequence[Scene]) -> Tensor:
    """Return the scores of the classes at each pixel: N x 11 x 48 x 48."""
    return interpolate(network(pixel_values=inputs(scenes)).logits, scale_factor=4.0, mode="bilinear")


def _classes(scenes: Sequence[Scene]) -> Tensor:
    return torch.from_numpy(np.stack([scene.classes for scene in scenes]))
