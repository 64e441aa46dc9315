"""The perturbation `drop`: a vision transformer without the patches outside the mask (Jain et al. 2022).

Patches are left out, not painted over: the network computes nothing of them, so that a pass costs in proportion to the
area, and no fill can be mistaken for content.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from copy import copy
from typing import Self

import torch
from torch import Tensor, nn

from ep_core.models.tokens.kept import kept_scores, tokens_of
from ep_core.models.tokens.site import TokenSite

from .masked_images import MaskedImages
from .patches import PatchLattice

CANDIDATES = 0.25, 4
"""Patches that a search sees beside the area's own, as a share of those, and as a number."""
COUNTS = 4
"""Counts of patches are rounded up to its multiples, so that masks of about one area share a batch."""
LEAST = 0.03
"""Weight of a candidate: next to nothing in the score. Nearer to 0, its slope says less about the whole patch."""


class TokenImages(MaskedImages):
    """Images as the tokens of a vision transformer."""

    def __init__(self, network: nn.Module, site: TokenSite, images: Tensor, left: Tensor | None = None) -> None:
        """Compute the tokens.

        Args:
            network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
            site: of its tokens.
            images: N x 3 x H x W, H and W whole numbers of patches.
            left: 1 x 1 x h x w of ones and zeros: the patches of all images that may be kept; None: all.
        """
        self._site = site
        self._image = images[:1]
        self._tokens = tokens_of(network, site, images)
        size = (images.shape[2], images.shape[3])
        self._lattice = PatchLattice(size, site.grid(size), left)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self._lattice.size

    @property
    def device(self) -> torch.device:
        """Device of the images."""
        return self._image.device

    @property
    def count(self) -> int:
        """Places for images, free ones included."""
        return len(self._tokens)

    @property
    def kind(self) -> Hashable:
        """What images have in common that can lie beside each other."""
        return self._tokens.shape[1:], self._tokens.device, self._tokens.dtype, self._lattice.kind

    def with_room(self, count: int) -> Self:
        """Return a copy with so many places; see `MaskedImages`."""
        copied = copy(self)
        copied._tokens = torch.cat([self._tokens, self._tokens.new_zeros(count - self.count, *self._tokens.shape[1:])])
        return copied

    def put(self, place: int, other: Self, image: int) -> None:
        """Copy an image of others to a place; see `MaskedImages`."""
        self._tokens[place] = other._tokens[image]

    @property
    def lattice(self) -> PatchLattice:
        """Patches that a mask is made of."""
        return self._lattice

    def scores(self, network: nn.Module, masks: Tensor, image_index: Tensor) -> Tensor:
        """Return a network's scores of the patches that masks keep, before the softmax.

        Those count whose mean is above one half. Where masks have a gradient, it is that of the patches' weights in
        attention: of the kept ones at 1, of the next ones near 0, and none of the rest.

        Args:
            network: the network of the tokens, or one around it.
            masks: N x 1 x H x W in [0, 1].
            image_index: N indices of the images that the masks belong to.

        Returns:
            N x C.
        """
        means = self._lattice.means(masks)
        searched = torch.is_grad_enabled() and masks.requires_grad
        found, rows = [], []
        for alike, count in _alike(_counts(means, searched=searched)):
            places = means[alike].topk(count, dim=1).indices.sort(dim=1).values
            weights = _weights(means[alike].gather(1, places)) if searched else None
            tokens = self._tokens[image_index[alike]]
            found.append(kept_scores(network, self._site, self._image, tokens, places, weights))
            rows.append(alike)
        return torch.cat(found)[torch.cat(rows).argsort()]


def _counts(means: Tensor, *, searched: bool) -> list[int]:
    """Return how many patches each of N masks needs."""
    if not searched:
        return (means > 0.5).sum(dim=1).tolist()
    most = means.shape[1]
    share, more = CANDIDATES
    wanted = [(1 + share) * area + more for area in means.detach().sum(dim=1).tolist()]
    return [min(COUNTS * math.ceil(count / COUNTS), most) for count in wanted]


def _alike(counts: list[int]) -> Iterator[tuple[Tensor, int]]:
    """Yield the rows of each count, and the count."""
    for count in sorted(set(counts)):
        yield torch.tensor([row for row, one in enumerate(counts) if one == count]), count


def _weights(means: Tensor) -> Tensor:
    """Return what enters attention: 1 for the patches of the mask, `LEAST` for candidates, with the means' slope."""
    weights = (means.detach() > 0.5).to(means).clamp_min(LEAST)
    return weights + means - means.detach()
