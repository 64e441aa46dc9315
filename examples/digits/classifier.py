"""A ViT that says which digits are in a scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, unfold
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from .recipe import HEAD, PATCH, SHAPE, WIDTH, Recipe, inputs, shown
from .scenes import WORDS, Painter, Scene

_PATCH_SPREAD = 0.25  # standard deviation of the embeddings of patches, beside that of the position embeddings


class Vit(Recipe):
    """Classes zero to nine by a softmax: a scene of two digits is of each by a half."""

    counts = (1, 2)
    steps = 4000
    rate = 2e-3
    processor_class = ViTImageProcessorPil

    def network(self, vit: nn.Module | None) -> ViTForImageClassification:
        """Return a ViT of 0.15 million weights."""
        network = ViTForImageClassification(ViTConfig(**SHAPE, **HEAD))
        whiten(network.vit.embeddings.patch_embeddings.projection, shown(Painter("train", 0), 300, self.counts))
        self._of_patches = nn.Linear(WIDTH, len(WORDS) + 1)
        return network

    def parameters(self, network: nn.Module) -> list[nn.Parameter]:
        """Return the network's, and those of the layer that reads patches, which isn't saved."""
        return [*network.parameters(), *self._of_patches.parameters()]

    def loss(self, network: ViTForImageClassification, scenes: Sequence[Scene]) -> Tensor:
        """Return the cross-entropy with the digits that are there, and that of each patch with those that it shows.

        Labels of patches (token labelling, Jiang et al., 2021) make a small ViT learn in minutes.
        """
        tokens = network.vit(pixel_values=inputs(scenes)).last_hidden_state
        of_scenes = cross_entropy(network.classifier(tokens[:, 0]), present(scenes))
        return of_scenes + cross_entropy(
            self._of_patches(tokens[:, 1:]).flatten(0, 1), in_patches(scenes).flatten(0, 1)
        )

    @torch.no_grad()
    def figures(self, network: ViTForImageClassification, painter: Painter) -> dict[str, float]:
        """Return the accuracy on scenes of one digit, and how often the two highest classes are those of two."""
        found = {}
        for count, name in ((1, "accuracy, one digit"), (2, "both of two digits")):
            scenes = shown(painter, 1000, [count])
            highest = network(pixel_values=inputs(scenes)).logits.topk(count).indices
            found[name] = float(present(scenes).gather(1, highest).bool().all(dim=1).float().mean())
        return found


def present(scenes: Sequence[Scene]) -> Tensor:
    """Return the digits of scenes as shares: N x 10, each row sums to 1."""
    shares = torch.zeros(len(scenes), len(WORDS))
    for row, scene in zip(shares, scenes, strict=True):
        row[[digit.value for digit in scene.digits]] = 1 / len(scene.digits)
    return shares


def in_patches(scenes: Sequence[Scene]) -> Tensor:
    """Return the classes of each patch's pixels as shares: N x 36 x 11, over background and digits."""
    classes = one_hot(torch.from_numpy(np.stack([scene.classes for scene in scenes])), len(WORDS) + 1).float()
    cells = classes.unflatten(2, (-1, PATCH)).unflatten(1, (-1, PATCH))  # N x 6 x 8 x 6 x 8 x 11
    return cells.mean(dim=(2, 4)).flatten(1, 2)


@torch.no_grad()
def whiten(projection: nn.Conv2d, scenes: Sequence[Scene]) -> None:
    """Set the first weights of a layer of patches so that its outputs on scenes are uncorrelated and of equal variance.

    Patches of photographs differ most in brightness: without this, details are a small part of the first outputs.
    """
    patches = unfold(inputs(scenes), PATCH, stride=PATCH).transpose(1, 2).flatten(0, 1)  # M x 192
    variances, directions = torch.linalg.eigh(torch.cov(patches.T))  # in increasing order
    rows = directions[:, -WIDTH:].T * (_PATCH_SPREAD / variances[-WIDTH:].sqrt())[:, None]
    projection.weight.copy_(rows.view_as(projection.weight))
    projection.bias.copy_(-rows @ patches.mean(dim=0))
