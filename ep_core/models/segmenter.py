"""Segmenters: networks that give each pixel a class, as classifiers, and the score of a region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, logsigmoid

from ep_core.schemas.model_card import SEGMENT_TARGETS, Head, TargetKind

from .log_odds import from_log
from .scalar import OneScore, Scored


class Segmenter(Scored):
    """A segmenter as a classifier: N x 3 x H x W -> N x C, of each class the log-odds of its share of the image.

    The share is the mean of the softmax over the pixels: that of a class grows with the pixels that it gets. The mean
    of a class's logit would be ruled by the pixels where it is absent.

    Args:
        network: N x 3 x H x W -> N x D x h x w, logits of D classes at each pixel, before the softmax. Of a single one
            they are before the sigmoid.
        classes: the C of the D that can be explained, in the order of the labels: all but the background.
    """

    outputs: ClassVar[Head | None] = "sigmoid"
    targets: ClassVar[tuple[TargetKind, ...]] = SEGMENT_TARGETS

    def __init__(self, network: nn.Module, classes: Sequence[int]) -> None:
        super().__init__(network)
        self._classes = tuple(classes)

    def around(self, network: nn.Module) -> Segmenter:
        """Return the same scores by another network."""
        return Segmenter(network, self._classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return log-odds: their sigmoids are the shares."""
        maps = self.network(images).float()  # sums over pixels overflow half precision
        log_p = (logsigmoid(maps) if maps.shape[1] == 1 else maps.log_softmax(dim=1))[:, self._classes]
        return from_log(log_p.flatten(2).logsumexp(dim=2) - math.log(log_p[0, 0].numel()))

    def region_score(self, index: int, region: Tensor) -> RegionScore:
        """Return the network of a class's score in a region (1 x 1 x H x W): see `RegionScore`."""
        return RegionScore(self.network, self._classes[index], region)

    def assigned(self, images: Tensor) -> Tensor:
        """Return the class of each pixel: N x h x w, by index; -1 is background, or none."""
        maps: Tensor = self.network(images)
        found = maps.argmax(dim=1) if maps.shape[1] > 1 else (maps[:, 0] <= 0).long()
        assigned = torch.full_like(found, -1)
        for index, place in enumerate(self._classes):
            assigned[found == place] = index
        return assigned


class RegionScore(OneScore):
    """A class in a region: the mean of its log-odds over the region's pixels.

    Args:
        network: N x 3 x H x W -> N x D x h x w, as for `Segmenter`.
        place: the class among the D.
        region: 1 x 1 x H x W in [0, 1], not all 0. For maps of another size it is averaged.
    """

    def __init__(self, network: nn.Module, place: int, region: Tensor) -> None:
        super().__init__(network)
        self._place = place
        self.region = nn.Buffer(region, persistent=False)

    def around(self, network: nn.Module) -> RegionScore:
        """Return the same score by another network."""
        return RegionScore(network, self._place, self.region)

    def forward(self, images: Tensor) -> Tensor:
        """Return the score: N x 3 x H x W -> N x 1."""
        odds = self._log_odds(self.network(images).float())
        weights = adaptive_avg_pool2d(self.region, (odds.shape[1], odds.shape[2]))[0].to(odds)
        return ((odds * weights).sum(dim=(1, 2)) / weights.sum())[:, None]

    def _log_odds(self, maps: Tensor) -> Tensor:
        """Return those of the class at each pixel, N x h x w, as `log_odds` does: of one class it costs less."""
        own = maps[:, self._place]
        if maps.shape[1] == 1:
            return own
        others = torch.cat([maps[:, : self._place], maps[:, self._place + 1 :]], dim=1)
        return own - others.logsumexp(dim=1)
