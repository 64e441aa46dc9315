"""Interface of images that masks perturb."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from .patches import PatchLattice


class MaskedImages(ABC):
    """One or more images of the same size, and what a network says of them under masks."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Device of the images."""

    @property
    @abstractmethod
    def count(self) -> int:
        """Places for images, free ones included."""

    @property
    @abstractmethod
    def kind(self) -> Hashable:
        """What images have in common that can lie beside each other."""

    @abstractmethod
    def with_room(self, count: int) -> Self:
        """Return a copy with so many places: these images in the first ones, the others free."""

    @abstractmethod
    def put(self, place: int, other: Self, image: int) -> None:
        """Copy an image of others of this `kind` to a place."""

    @property
    def lattice(self) -> PatchLattice | None:
        """Patches that a mask is made of; None where masks are smooth."""
        return None

    @abstractmethod
    def scores(self, network: nn.Module, masks: Tensor, image_index: Tensor) -> Tensor:
        """Return a network's scores of all classes under masks, before the softmax.

        Args:
            network: N x 3 x H x W -> N x C.
            masks: N x 1 x H x W in [0, 1].
            image_index: N indices of the images that the masks belong to.

        Returns:
            N x C, differentiable with respect to the masks.
        """


@dataclass(frozen=True)
class MaskedScores:
    """Scores ``Phi(m (x) x)`` of all classes by one network, before the softmax."""

    network: nn.Module
    """N x 3 x H x W -> N x C."""
    images: MaskedImages

    def __call__(self, masks: Tensor, image_index: Tensor) -> Tensor:
        """Return the scores under N masks: see `MaskedImages.scores`."""
        return self.images.scores(self.network, masks, image_index)
