"""torchvision's detectors with all that they find, before any threshold and suppression."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.models.detector import Detections, Detector
from ep_core.models.log_odds import from_log, log_odds
from ep_core.models.preprocessing import Preprocessing

from .torchvision_library import torchvision

_SIDE = 800  # pixels, of the shorter side of pictures in training
_OWN = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": Preprocessing((320, 320)),
    "ssd300_vgg16": Preprocessing((300, 300), mean=(0.48235, 0.45882, 0.40784), std=(1 / 255,) * 3),
    "ssdlite320_mobilenet_v3_large": Preprocessing((320, 320), mean=(0.5,) * 3, std=(0.5,) * 3),
}


def detector_preprocessing(name: str) -> Preprocessing:
    """Return the preprocessing that torchvision's detectors do themselves, in a square frame.

    Theirs keeps the proportions of a picture, but for SSD's. Here a picture is stretched to their shorter side.
    """
    return _OWN.get(name, Preprocessing((_SIDE, _SIDE)))


def detector(model: Any, classes: Sequence[int]) -> Detector:
    """Return one of torchvision's detectors as a `Detector`.

    Args:
        model: Faster, Mask or Keypoint R-CNN, RetinaNet, FCOS, SSD or SSDlite.
        classes: those of its classes that are objects, in the order of the labels.
    """
    return Detector((Proposals if hasattr(model, "roi_heads") else Anchors)(model, classes))


class _Found(nn.Module, ABC):
    """All detections of a detector, which gets pictures that are resized and normalised: N x 3 x H x W -> `Detections`.

    Args:
        model: the detector. Its own `transform`, thresholds and suppression are left out.
        classes: those of its classes that are objects.
    """

    def __init__(self, model: Any, classes: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self._classes = tuple(classes)

    @abstractmethod
    def _find(self, images: Any, features: dict[str, Tensor]) -> Detections:
        """Return the detections of all classes, their boxes in pixels.

        Args:
            images: torchvision's ``ImageList``.
            features: maps of the backbone, by level.
        """

    def forward(self, images: Tensor) -> Detections:
        """Return the detections."""
        height, width = images.shape[2:]
        together = torchvision.models.detection.image_list.ImageList(images, [(height, width)] * len(images))
        boxes, scores = self._find(together, self.model.backbone(images))
        boxes = boxes if boxes.shape[2] == 1 else boxes[:, :, self._classes]
        shares = boxes / boxes.new_tensor([width, height, width, height])
        return Detections(shares.clamp(0, 1), scores[..., self._classes])


class Anchors(_Found):
    """Detectors of one stage: a box and scores at each of A anchors. Boxes are N x A x 1 x 4."""

    def _find(self, images: Any, features: dict[str, Tensor]) -> Detections:
        maps = list(features.values())
        heads = self.model.head(maps)
        boxes = heads["bbox_regression"].float()
        if not boxes.is_meta:  # there, anchors have no values
            boxes = self._decoded(boxes, self.model.anchor_generator(images, maps))
        return Detections(boxes[:, :, None], self._scores(heads))

    def _decoded(self, regression: Tensor, anchors: list[Tensor]) -> Tensor:
        """Return boxes N x A x 4 in pixels."""
        coder = self.model.box_coder
        decode = coder.decode_single if hasattr(coder, "decode_single") else coder.decode  # FCOS has another coder
        boxes: Tensor = decode(regression.flatten(0, 1), torch.cat(anchors))
        return boxes.view(regression.shape)

    def _scores(self, heads: dict[str, Tensor]) -> Tensor:
        """Return scores N x A x C."""
        logits = heads["cls_logits"].float()
        if isinstance(self.model, torchvision.models.detection.ssd.SSD):
            return log_odds(logits)
        if "bbox_ctrness" not in heads:
            return logits
        both = nn.functional.logsigmoid(logits) + nn.functional.logsigmoid(heads["bbox_ctrness"].float())
        return from_log(both / 2)  # FCOS: the root of the product with how central a box is


class Proposals(_Found):
    """Detectors of two stages: a box for each class and scores at each of P proposals. Boxes are N x P x C x 4."""

    def _find(self, images: Any, features: dict[str, Tensor]) -> Detections:
        heads = self.model.roi_heads
        proposals = self._proposals(images, features)
        logits, boxes = heads.box_predictor(heads.box_head(self._pooled(images, features, proposals)))
        if not boxes.is_meta:
            boxes = heads.box_coder.decode(boxes.float(), proposals)
        count, classes = len(proposals), logits.shape[1]
        scores = log_odds(logits.float())
        return Detections(boxes.view(count, -1, classes, 4), scores.view(count, -1, classes))

    @torch.no_grad()
    def _proposals(self, images: Any, features: dict[str, Tensor]) -> list[Tensor]:
        """Return P proposals of each image (P x 4, in pixels), as many as there may be; what lacks is the frame."""
        count = self.model.rpn.post_nms_top_n()
        height, width = images.tensors.shape[2:]
        frame = images.tensors.new_tensor([[0, 0, width, height]])
        if frame.is_meta:  # nothing is suppressed where there are no values
            self.model.rpn.head(list(features.values()))
            return [frame.expand(count, 4)] * len(images.tensors)
        found, _ = self.model.rpn(images, features)
        return [torch.cat([one, frame.expand(count - len(one), 4)]) for one in found]

    def _pooled(self, images: Any, features: dict[str, Tensor], proposals: list[Tensor]) -> Tensor:
        """Return the features of all proposals: N P x K x h x w."""
        pool = self.model.roi_heads.box_roi_pool
        if images.tensors.is_meta:
            count = sum(map(len, proposals))
            return images.tensors.new_empty(count, self.model.backbone.out_channels, *pool.output_size)
        pooled: Tensor = pool(features, proposals, images.image_sizes)
        return pooled
