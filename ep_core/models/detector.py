"""Detectors: networks that find boxes, as classifiers, and the score of one detection."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from ep_core.schemas.model_card import BOX_TARGETS, Head, TargetKind

from .frame import Box
from .log_odds import from_log
from .scalar import OneScore, Scored

LEAST_OVERLAP = 1e-3
"""IoU that every detection is counted with at least: where none overlaps the box, the score is finite and still has a
gradient."""


class Detections(NamedTuple):
    """Detections of N images by Q queries (or anchors, or proposals), before any threshold and suppression."""

    boxes: Tensor
    """N x Q x K x 4: left, top, right and bottom as shares of the frame's width and height, so that they are the same
    at any size of it. K is C for detectors that fit a box for each class, else 1."""
    scores: Tensor
    """N x Q x C: log-odds of the confidence in each class, nothing and background left out (`log_odds`)."""

    def of_class(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the boxes N x Q x 4 and the scores N x Q of a class."""
        return self.boxes[:, :, index if self.boxes.shape[2] > 1 else 0], self.scores[:, :, index]

    def matches(self, box: Box, index: int) -> Tensor:
        """Return how well each detection of a class matches a box of the frame: N x Q, log of confidence times IoU."""
        boxes, scores = self.of_class(index)
        return logsigmoid(scores) + overlaps(boxes, boxes.new_tensor(box)).clamp_min(LEAST_OVERLAP).log()


class Detector(Scored):
    """A detector as a classifier: N x 3 x H x W -> N x C, of each class the score of its best detection.

    Args:
        network: N x 3 x H x W -> `Detections`, differentiable, Q > 0 for every image.
    """

    outputs: ClassVar[Head | None] = "sigmoid"
    targets: ClassVar[tuple[TargetKind, ...]] = BOX_TARGETS

    def around(self, network: nn.Module) -> Detector:
        """Return the same scores by another network."""
        return Detector(network)

    def forward(self, images: Tensor) -> Tensor:
        """Return log-odds: their sigmoids are the detector's own confidences."""
        found: Detections = self.network(images)
        return found.scores.amax(dim=1)


class BoxScore(OneScore):
    """The detection that matches a box: log-odds of the most that confidence times IoU is over the queries.

    The product is the match of D-RISE (Petsiuk et al. 2021), between a box with a label and a detection.

    Args:
        network: N x 3 x H x W -> `Detections`.
        box: the one to match, as shares of the frame.
        index: of its class.
    """

    def __init__(self, network: nn.Module, box: Box, index: int) -> None:
        super().__init__(network)
        self._box, self._index = box, index

    def around(self, network: nn.Module) -> BoxScore:
        """Return the same score by another network."""
        return BoxScore(network, self._box, self._index)

    def forward(self, images: Tensor) -> Tensor:
        """Return the score: N x 3 x H x W -> N x 1. Its sigmoid is confidence times IoU."""
        found: Detections = self.network(images)
        return from_log(found.matches(self._box, self._index).amax(dim=1, keepdim=True))


def overlaps(boxes: Tensor, box: Tensor) -> Tensor:
    """Return the intersections over union of boxes (... x 4) with one box (4): numbers in [0, 1]."""
    sides = torch.minimum(boxes[..., 2:], box[2:]) - torch.maximum(boxes[..., :2], box[:2])
    shared = sides.clamp_min(0).prod(dim=-1)
    return shared / (_area(boxes) + _area(box) - shared)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(dim=-1)
