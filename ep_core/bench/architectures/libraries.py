"""Classifiers of the libraries, as they make them; those with a choice are made small."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from ep_core.models.checks.normalisation import IMAGENET_MEAN, IMAGENET_STD
from ep_core.models.registry import load_model
from ep_core.models.sources.image_text import ImageTextNetwork
from ep_core.models.sources.torchvision_library import torchvision
from ep_core.schemas.specs import DEFAULT_MODEL

from .architecture import SIDE, Architecture

CLASSES = 10
TOKENS = 64  # pixels a side, of networks that cut the image into patches
TEXTS = ("a cat", "a dog", "an empty street")


def torchvision_classifiers() -> list[Architecture]:
    """Return classifiers of torchvision: one of each family, the default model with its trained weights if possible."""
    names = (
        "googlenet",
        "resnet50",
        "densenet121",
        "squeezenet1_1",
        "mobilenet_v3_small",
        "shufflenet_v2_x0_5",
        "efficientnet_b0",
        "regnet_y_400mf",
    )
    rows = [Architecture(name, "torchvision", partial(_torchvision, name)) for name in names]
    return [
        _default_model(),
        Architecture("alexnet (narrow head)", "torchvision", partial(_narrow, "alexnet"), side=64),
        Architecture("vgg11 (narrow head)", "torchvision", partial(_narrow, "vgg11")),
        *rows,
        Architecture("vit (4 layers)", "torchvision", _small_vit, side=TOKENS),
        Architecture("swin (narrow)", "torchvision", _small_swin, side=TOKENS),
    ]


def _default_model() -> Architecture:
    return Architecture(
        DEFAULT_MODEL,
        "torchvision",
        partial(_torchvision, DEFAULT_MODEL),
        side=64,
        values=(IMAGENET_MEAN, IMAGENET_STD),
        trained=lambda: load_model(DEFAULT_MODEL, device="cpu").network,
    )


def _torchvision(name: str) -> nn.Module:
    kwargs = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    network: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **kwargs)
    return network


def _narrow(name: str) -> nn.Module:
    """Return a network whose fully connected layers are as large as a small network."""
    network: nn.Module = getattr(torchvision.models, name)(weights=None)
    network.avgpool = nn.AdaptiveAvgPool2d(2)
    width = 4 * (256 if name == "alexnet" else 512)
    network.classifier = nn.Sequential(nn.Linear(width, 64), nn.ReLU(inplace=True), nn.Linear(64, CLASSES))
    return network


def _small_vit() -> nn.Module:
    network: nn.Module = torchvision.models.VisionTransformer(
        image_size=TOKENS, patch_size=8, num_layers=4, num_heads=3, hidden_dim=96, mlp_dim=192, num_classes=CLASSES
    )
    return network


def _small_swin() -> nn.Module:
    network: nn.Module = torchvision.models.SwinTransformer(
        patch_size=[4, 4],
        embed_dim=24,
        depths=[1, 1, 2],
        num_heads=[2, 2, 4],
        window_size=[4, 4],
        num_classes=CLASSES,
    )
    return network


TIMM: dict[str, dict[str, Any]] = {
    "resnet18": {},
    "vit_tiny_patch16_224": {"img_size": TOKENS},
    "beit_base_patch16_224": {"img_size": TOKENS, "depth": 2},
    "cait_xxs24_224": {"img_size": TOKENS, "depth": 4},
    "xcit_nano_12_p16_224": {"img_size": TOKENS},
    "pvt_v2_b0": {},
    "levit_128s": {"img_size": TOKENS},
    "mixer_s32_224": {"img_size": TOKENS},
    "poolformer_s12": {},
    "convnextv2_atto": {},
    "mobilevit_xxs": {},
    "edgenext_xx_small": {},
    "efficientformerv2_s0": {"img_size": TOKENS},
    "ghostnet_050": {},
    "tf_efficientnet_lite0": {},
    "nf_regnet_b0": {},
    "repvgg_a0": {},
}
"""Arguments by name."""


def timm_classifiers() -> list[Architecture]:
    """Return classifiers of timm: convolutions, attention, mixers."""
    sides = {name: kwargs.get("img_size", SIDE) for name, kwargs in TIMM.items()}
    return [
        Architecture(name, "timm", partial(_timm, name, **kwargs), side=sides[name]) for name, kwargs in TIMM.items()
    ]


def _timm(name: str, **kwargs: Any) -> nn.Module:
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=CLASSES, **kwargs)
    return network


def hugging_face_classifiers() -> list[Architecture]:
    """Return classifiers of transformers, of few and narrow layers."""
    layers = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 96}
    tokens = layers | {"image_size": TOKENS, "patch_size": 8}
    configs: dict[str, dict[str, Any]] = {
        "ViT": tokens,
        "DeiT": tokens,
        "Dinov2": {name: value for name, value in tokens.items() if name != "intermediate_size"},
        "Swin": {"image_size": TOKENS, "window_size": 4, "embed_dim": 24, "depths": [1, 1, 1], "num_heads": [2, 2, 4]},
        "ConvNext": {"hidden_sizes": [16, 24, 32, 48], "depths": [1, 1, 2, 1]},
        "ResNet": {"hidden_sizes": [32, 48, 64, 96], "depths": [1, 1, 2, 1], "embedding_size": 16},
        "Segformer": {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]},
    }
    return [
        Architecture(f"{kind} (few layers)", "transformers", partial(_transformers, kind, **config), side=TOKENS)
        for kind, config in configs.items()
    ]


def _transformers(kind: str, **config: Any) -> nn.Module:
    import transformers

    described = getattr(transformers, f"{kind}Config")(num_labels=CLASSES, **config)
    network: nn.Module = getattr(transformers, f"{kind}ForImageClassification")(described)
    return network


def image_text_networks() -> list[Architecture]:
    """Return networks of open_clip that compare images with texts."""
    makes: dict[str, Callable[[], nn.Module]] = {name: partial(_open_clip, name) for name in ("RN50", "ViT-S-32-alt")}
    return [Architecture(name, "open_clip", make, side=_side(name)) for name, make in makes.items()]


def _side(name: str) -> int:
    return 128 if name.startswith("ViT") else TOKENS


def _open_clip(name: str) -> nn.Module:
    import open_clip

    model = open_clip.create_model(name, force_image_size=_side(name)).eval().requires_grad_(False)
    tokenizer = open_clip.get_tokenizer(name)
    return ImageTextNetwork(
        model.visual, lambda texts: model.encode_text(tokenizer(list(texts))), TEXTS, scale=100.0, bias=None
    )
