"""Interface of images that masks perturb."""

from __future__ import annotations

from abc import ABC, abstractmethod

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
