"""Interface of networks that compare images with texts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import nn


class ReadsTexts(nn.Module):
    """A network whose scores are of texts: N x 3 x H x W -> N x C, C the number of texts."""

    @abstractmethod
    def with_texts(self, texts: Sequence[str]) -> nn.Module:
        """Return the same network with other texts, its layers shared."""

    @abstractmethod
    def without_texts(self) -> nn.Module:
        """Return the network of the images' embeddings, N x 3 x H x W -> N x D; its layers are shared, and so named."""
