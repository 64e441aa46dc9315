"""Tiny transformers of torchvision, timm and transformers: three classes, images of 32 pixels, patches of 8 or 4."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn

from ep_core.models.detector import Detector
from ep_core.models.sources.huggingface.classification import Logits
from ep_core.models.sources.huggingface.detection import Queries

SIDE = 32
WIDTH = 32
LAYERS = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
VISION = LAYERS | {"image_size": SIDE, "patch_size": 8}
"""Sizes of a ViT, by transformers' names."""


def torchvision_vit() -> nn.Module:
    network = torchvision.models.VisionTransformer(SIDE, 8, 2, 2, WIDTH, 64, num_classes=3)
    nn.init.normal_(network.heads.head.weight)
    return network


def torchvision_swin() -> nn.Module:
    return torchvision.models.SwinTransformer([4, 4], 16, [2, 2], [2, 2], [4, 4], num_classes=3)


def timm_vit(**options: object) -> nn.Module:
    made = pytest.importorskip("timm").models.VisionTransformer
    sizes = {"img_size": SIDE, "patch_size": 8, "embed_dim": WIDTH, "depth": 2, "num_heads": 2, "num_classes": 3}
    return made(**sizes | options)


def timm_registers() -> nn.Module:
    return timm_vit(reg_tokens=2)


def timm_pooled() -> nn.Module:
    return timm_vit(class_token=False, global_pool="avg")


def timm_swin() -> nn.Module:
    made = pytest.importorskip("timm").models.SwinTransformer
    return made(
        img_size=SIDE, patch_size=4, embed_dim=16, depths=(2, 2), num_heads=(2, 2), window_size=4, num_classes=3
    )


def transformer(architecture: str, config: str, **options: object) -> nn.Module:
    """Return a network of transformers, its weights spread so that scores differ."""
    transformers = pytest.importorskip("transformers")
    described = getattr(transformers, config)(**{"initializer_range": 0.2} | options)
    return getattr(transformers, architecture)(described)


def huggingface_vit() -> nn.Module:
    return Logits(transformer("ViTForImageClassification", "ViTConfig", **VISION, num_labels=3))


def huggingface_deit() -> nn.Module:
    return Logits(transformer("DeiTForImageClassification", "DeiTConfig", **VISION, num_labels=3))


def huggingface_dinov2() -> nn.Module:
    architecture, config = "Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersConfig"
    return Logits(transformer(architecture, config, **VISION, mlp_ratio=2, num_register_tokens=3, num_labels=3))


def huggingface_clip() -> nn.Module:
    return _averaging("CLIPForImageClassification", "CLIPConfig")


def huggingface_siglip() -> nn.Module:
    return _averaging("SiglipForImageClassification", "SiglipConfig")


def _averaging(architecture: str, config: str) -> nn.Module:
    """Return a classifier that averages the tokens of an image-text network's tower."""
    network = transformer(architecture, config, vision_config=VISION, text_config=LAYERS, num_labels=3)
    nn.init.normal_(network.classifier.weight)
    return Logits(network)


def open_clip_tower(**options: object) -> nn.Module:
    transformer = pytest.importorskip("open_clip").transformer
    return transformer.VisionTransformer(SIDE, 8, WIDTH, 2, 2, 2.0, output_dim=3, **options)


def huggingface_swin() -> nn.Module:
    sizes = {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 2], "window_size": 4}
    sizes |= {"image_size": SIDE, "patch_size": 4}
    return Logits(transformer("SwinForImageClassification", "SwinConfig", **sizes, num_labels=3))


def huggingface_yolos() -> nn.Module:
    return Detector(Queries(yolos(num_detection_tokens=20, num_labels=3)))


def yolos(**options: object) -> nn.Module:
    return transformer("YolosForObjectDetection", "YolosConfig", **VISION | {"image_size": [SIDE, SIDE]}, **options)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    make.__name__: make
    for make in (
        torchvision_vit,
        torchvision_swin,
        timm_vit,
        timm_registers,
        timm_pooled,
        timm_swin,
        huggingface_vit,
        huggingface_swin,
        huggingface_yolos,
    )
}
DEFAULTS = {
    "torchvision_vit": ("encoder.layers.encoder_layer_1.ln_1", 4, 1),
    "timm_vit": ("blocks.1.norm1", 4, 1),
    "timm_registers": ("blocks.1.norm1", 4, 3),
    "timm_pooled": ("blocks.1.norm1", 4, 0),
    "timm_swin": ("layers.1.blocks.1.norm1", 4, 0),
    "huggingface_vit": ("model.vit.layers.1.layernorm_before", 4, 1),
    "huggingface_swin": ("model.swin.encoder.layers.1.blocks.1.layernorm_before", 4, 0),
    "huggingface_yolos": ("model.vit.encoder.layer.1.layernorm_before", 4, 1),
}
"""Of those whose end is tokens: the default layer, the rows of its map, its class tokens."""


def made(name: str) -> nn.Module:
    """Return a network with seeded random weights, frozen."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS[name]().eval().requires_grad_(False)
