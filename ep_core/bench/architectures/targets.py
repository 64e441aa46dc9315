"""Scores of detectors and segmenters: functions of their outputs, differentiable, that are there for every image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import box_iou


class MapMean:
    """Mean score of a class over the pixels of a segmenter, before the softmax.

    Args:
        index: of the class.
        key: of the maps (N x C x h x w) among several outputs.
    """

    def __init__(self, index: int, key: str | None = None) -> None:
        self._index, self._key = index, key

    def __call__(self, outputs: Any) -> Tensor:
        """Return the means of N images."""
        maps: Tensor = outputs if self._key is None else outputs[self._key]
        return maps[:, self._index].mean(dim=(1, 2))


class MatchingDetection:
    """Best score among the detections near a place, each times its overlap with the box there.

    A detector that drops its weak detections has no score, and no gradient, where a perturbation has weakened all of
    them: build it with a threshold of 0 (`box_score_thresh`, `score_thresh`). Where no box overlaps, the score is 0.

    Args:
        box: left, top, right and bottom in pixels of the network's input.
        label: index of the class; None takes any.
    """

    def __init__(self, box: tuple[float, float, float, float], label: int | None = None) -> None:
        self._box = torch.tensor([box])
        self._label = label

    def __call__(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the score of one image, from its boxes (D x 4), labels and scores (D)."""
        boxes, scores = outputs["boxes"], outputs["scores"]
        matches = scores * box_iou(self._box.to(boxes), boxes)[0]
        if self._label is not None:
            matches = matches[outputs["labels"] == self._label]
        return matches.max() if len(matches) else boxes.sum() * 0


class QueryMean:
    """Mean logit of a class over a detector's queries, as of DETR and YOLOS: smooth, and there for every image.

    Args:
        index: of the class.
    """

    def __init__(self, index: int) -> None:
        self._index = index

    def __call__(self, outputs: Any) -> Tensor:
        """Return the means of N images, from their logits (N x Q x C)."""
        logits: Tensor = outputs.logits
        return logits[:, :, self._index].mean(dim=1)
