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
    patches: nn.Module
    """Embeds the patches, row by row: a convolution whose stride is its kernel, so that patches don't overlap."""
    class_tokens: int
    """P: class tokens and registers, which are always kept."""
    averaged: Averaged | None = None
    """The mean that the head reads; None where the head reads class tokens, or attends to all."""

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the rows and columns of patches in a frame of a height and width."""
        rows, columns = self.patches.stride
        return size[0] // int(rows), size[1] // int(columns)

    @property
    def has_patches(self) -> bool:
        """Whether each token is made of its own pixels alone."""
        return isinstance(self.patches, nn.Conv2d) and self.patches.kernel_size == self.patches.stride
