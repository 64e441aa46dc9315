"""DINOv2's ViT-S in timm's architecture, with weights by transformers' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.models.sources.interface import missing_extra

ARCHITECTURE = "vit_small_patch14_dinov2"
SIZE, PATCH = 224, 14
_TRAINED_PATCHES = 37  # a side

_NAMES = {
    "embeddings.cls_token": "cls_token",
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "encoder.layer": "blocks",
    "attention.output.dense": "attn.proj",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
}
_PARTS = ("query", "key", "value")


def make_network(weights: Mapping[str, Tensor], num_classes: int = 0) -> Any:
    """Return timm's network for images of 224 x 224, in evaluation mode, its head untrained.

    Args:
        weights: of the backbone, as `onnx_file.named_weights` returns them.
        num_classes: of the head; 0 for none: the network returns features N x 384, those of the class token.

    Raises:
        ModelUnavailable: timm isn't installed.
    """
    try:
        import timm
    except ImportError as error:
        raise missing_extra("timm", "timm models") from error
    network = timm.create_model(ARCHITECTURE, pretrained=False, img_size=SIZE, num_classes=num_classes)
    missing, unexpected = network.load_state_dict(timm_weights(weights), strict=False)
    if unexpected or set(missing) - {"head.weight", "head.bias"}:
        raise ValueError(f"weights don't fit {ARCHITECTURE}: missing {missing}, unexpected {unexpected}")
    return network.eval()


def timm_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by timm's names: query, key and value are one matrix there, 1152 x 384."""
    renamed: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".attention.attention." in name:
            if ".query." in name:
                parts = [weights[name.replace("query", part)] for part in _PARTS]
                renamed[_timm_name(name).replace("attention.attention.query", "attn.qkv")] = torch.cat(parts)
        elif name == "embeddings.position_embeddings":
            renamed["pos_embed"] = interpolated_positions(weight, SIZE // PATCH)
        elif name.startswith("layernorm"):
            renamed[name.replace("layernorm", "norm")] = weight
        elif name != "embeddings.mask_token":
            renamed[_timm_name(name)] = weight
    return renamed


def _timm_name(name: str) -> str:
    for theirs, ours in _NAMES.items():
        name = name.replace(theirs, ours)
    return name


def interpolated_positions(positions: Tensor, patches: int) -> Tensor:
    """Return position embeddings for fewer patches a side, interpolated as transformers does it (bicubic).

    Args:
        positions: 1 x (1 + 37 * 37) x D, that of the class token first.
        patches: a side.

    Returns:
        1 x (1 + patches * patches) x D.
    """
    of_class, of_patches = positions[:, :1], positions[:, 1:]
    grid = of_patches.unflatten(1, (_TRAINED_PATCHES, _TRAINED_PATCHES)).permute(0, 3, 1, 2)
    smaller = interpolate(grid, size=(patches, patches), mode="bicubic", align_corners=False)
    return torch.cat([of_class, smaller.flatten(2).transpose(1, 2)], dim=1)
