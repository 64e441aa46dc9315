"""A YOLOS that says which digits are where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.ops import box_convert, box_iou
from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessorPil

from .pretrained import YOLOS, renamed
from .recipe import HEAD, SHAPE, Recipe, inputs, shown
from .scenes import SIZE, Painter, Scene

QUERIES = 8
_FOUND = 0.5  # least probability of a detection, and least overlap (intersection over union) with a digit's box


class Yolos(Recipe):
    """Boxes of eight detection tokens, of classes zero to nine and "no object"."""

    from_vit = True
    rate = 1e-3
    steps = 5000
    processor_class = YolosImageProcessorPil
    processor_options: ClassVar = {"do_pad": False}

    def network(self, vit: nn.Module | None) -> YolosForObjectDetection:
        """Return a YOLOS of 0.4 million weights, its layers and patches those of the ViT, as the paper's are."""
        network = YolosForObjectDetection(
            YolosConfig(
                **SHAPE | {"image_size": [SIZE, SIZE]},
                **HEAD,
                num_detection_tokens=QUERIES,
                use_mid_position_embeddings=False,
            )
        )
        if vit:
            weights = renamed(vit, YOLOS)
            of_queries = network.vit.embeddings.position_embeddings[:, -QUERIES:]
            positions = "vit.embeddings.position_embeddings"
            weights[positions] = torch.cat([weights[positions], of_queries], dim=1)
            network.load_state_dict(weights, strict=False)
        return network

    def loss(self, network: YolosForObjectDetection, scenes: Sequence[Scene]) -> Tensor:
        """Return DETR's loss: each digit is matched with one token, the others are to say "no object"."""
        labels = [
            {"class_labels": _values(scene), "boxes": box_convert(_boxes(scene), "xyxy", "cxcywh") / SIZE}
            for scene in scenes
        ]
        return network(pixel_values=inputs(scenes), labels=labels).loss

    @torch.no_grad()
    def figures(self, network: YolosForObjectDetection, painter: Painter) -> dict[str, float]:
        """Return the share of digits that are found (recall), and of detections that are right (precision)."""
        scenes = shown(painter, 1000, self.counts)
        outputs = network(pixel_values=inputs(scenes))
        digits = detections = right = 0
        for scene, logits, boxes in zip(scenes, outputs.logits, outputs.pred_boxes, strict=True):
            best, said = logits.softmax(dim=-1)[:, :-1].max(dim=-1)
            overlaps = box_iou(box_convert(SIZE * boxes, "cxcywh", "xyxy"), _boxes(scene))
            hits = (best >= _FOUND)[:, None] & (overlaps >= _FOUND) & (said[:, None] == _values(scene))
            digits, detections = digits + len(scene.digits), detections + int((best >= _FOUND).sum())
            right += int(hits.any(dim=0).sum())
        return {"recall": right / digits, "precision": right / max(detections, 1)}


def _values(scene: Scene) -> Tensor:
    return torch.tensor([digit.value for digit in scene.digits])


def _boxes(scene: Scene) -> Tensor:
    """Return the digits' boxes, in pixels: D x 4."""
    return torch.tensor([digit.box for digit in scene.digits], dtype=torch.float32)
