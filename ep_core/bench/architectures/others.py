"""Detectors, segmenters and networks of one's own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from ep_core.models.detector import Detector
from ep_core.models.segmenter import Segmenter
from ep_core.models.sources.huggingface.classification import Logits
from ep_core.models.sources.huggingface.detection import Queries
from ep_core.models.sources.torchvision_detectors import detector
from ep_core.models.sources.torchvision_library import torchvision
from ep_core.models.sources.torchvision_source import Maps

from .architecture import GREY, Architecture

SIDE = 64
CLASSES = 5
_NO_WEIGHTS = {"weights": None, "weights_backbone": None, "num_classes": CLASSES}


def detectors_and_segmenters() -> list[Architecture]:
    """Return networks that find objects or give each pixel a class, as classifiers of what they find."""
    segmenters = ("fcn_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large")
    detectors = (
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "retinanet_resnet50_fpn",
        "fcos_resnet50_fpn",
        "ssdlite320_mobilenet_v3_large",
    )
    return [
        *(Architecture(name, "torchvision", partial(_segmenter, name)) for name in segmenters),
        *(Architecture(name, "torchvision", partial(_detector, name), side=SIDE) for name in detectors),
        Architecture("YOLOS (few layers)", "transformers", _yolos, side=SIDE),
        Architecture("Segformer, segmentation (few layers)", "transformers", _segformer, side=SIDE),
    ]


def _segmenter(name: str) -> nn.Module:
    return Segmenter(Maps(torchvision.models.get_model(name, **_NO_WEIGHTS)), range(1, CLASSES))


def _detector(name: str) -> nn.Module:
    return detector(torchvision.models.get_model(name, **_NO_WEIGHTS), range(1, CLASSES))


def _yolos() -> nn.Module:
    import transformers

    config = transformers.YolosConfig(
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=96,
        image_size=[SIDE, SIDE],
        patch_size=8,
        num_detection_tokens=10,
        num_labels=CLASSES,
    )
    return Detector(Queries(transformers.YolosForObjectDetection(config)))


def _segformer() -> nn.Module:
    import transformers

    config = transformers.SegformerConfig(
        hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], decoder_hidden_size=32, num_labels=CLASSES
    )
    return Segmenter(Logits(transformers.SegformerForSemanticSegmentation(config)), range(CLASSES))


class Branches(nn.Module):
    """A network of several outputs, of which one are the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.aside = _body(3), nn.Linear(32, 4), nn.Linear(32, 7)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return scores N x 4 and embeddings N x 7."""
        features = self.body(images)
        return {"logits": self.head(features), "embeddings": self.aside(features)}


def _body(channels: int) -> nn.Sequential:
    sizes = (channels, 16, 24, 32)
    blocks = [
        nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU())
        for before, after in pairwise(sizes)
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _plain(channels: int = 3, classes: int = 4) -> nn.Module:
    return nn.Sequential(*_body(channels), nn.Linear(32, classes))


def own_networks() -> list[Architecture]:
    """Return small networks as people write and save them."""
    one_row: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module], nn.Module]]] = {
        "float16": (_plain, lambda network: network.half()),
        "bfloat16": (_plain, lambda network: network.bfloat16()),
        "several outputs": (Branches, lambda network: network),
        "one logit": (partial(_plain, classes=1), lambda network: network),
        "torch.compile": (_plain, _compiled),
        "TorchScript": (_plain, torch.jit.script),
        "torch.export": (_plain, _exported),
    }
    grey = Architecture("grey", "own", partial(_plain, 1), side=SIDE, values=GREY)
    return [
        grey,
        replace(grey, name="grey, float16", finish=lambda network: network.half()),
        *(Architecture(name, "own", make, side=SIDE, finish=finish) for name, (make, finish) in one_row.items()),
    ]


def _compiled(network: nn.Module) -> nn.Module:
    compiled: nn.Module = torch.compile(network)  # type: ignore[assignment]
    return compiled


def _exported(network: nn.Module) -> nn.Module:
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(copy.deepcopy(network), (torch.zeros(2, 3, SIDE, SIDE),), dynamic_shapes=(batch,))
    return program.module()
