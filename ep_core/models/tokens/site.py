"""Interface of a family of vision transformers: where in its networks tokens can be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import nn


class Averaged(NamedTuple):
    """A mean over tokens that a network's head reads."""

    module: nn.Module
    """Its output, N x (P + T) x D, is averaged."""
    first: int
    """Index of the first token in the mean: P, or 0 where class tokens count too."""


@dataclass(frozen=True)
class TokenSite:
    """The place where tokens can be left out: behind their positions, before any attention.

    Nothing behind it depends on how many tokens there are, or on which.
    """

    trunk: nn.Module
    """The transformer: takes images."""
    positioned: nn.Module
    """Its output is the tokens with their positions: N x (P + T) x D, class tokens and registers first."""
    embedding: nn.Module
    """Makes a token of each patch, row by row."""
    class_tokens: int
    """P: class tokens and registers, which are always kept."""
    averaged: Averaged | None = None
    """The mean that the head reads; None where the head reads class tokens, or attends to all."""

    @property
    def patch(self) -> tuple[int, int] | None:
        """Height and width of a patch, in pixels; None where tokens are made of more than a patch of their own."""
        if not isinstance(self.embedding, nn.Conv2d) or self.embedding.kernel_size != self.embedding.stride:
            return None
        height, width = self.embedding.stride
        return height, width

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the rows and columns of patches in a frame of a height and width."""
        height, width = self.patch or size
        return size[0] // height, size[1] // width
