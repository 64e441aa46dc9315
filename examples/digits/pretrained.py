"""Layers of the trained ViT as the first weights of other transformers over the same patches."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

YOLOS = {
    r"^vit\.layers\.": "vit.encoder.layer.",
    r"attention\.q_proj": "attention.attention.query",
    r"attention\.k_proj": "attention.attention.key",
    r"attention\.v_proj": "attention.attention.value",
    r"attention\.o_proj": "attention.output.dense",
    r"mlp\.fc1": "intermediate.dense",
    r"mlp\.fc2": "output.dense",
}
CLIP = {
    r"^vit\.layers\.": "vision_model.encoder.layers.",
    r"^vit\.layernorm": "vision_model.post_layernorm",
    r"attention\.o_proj": "self_attn.out_proj",
    r"attention\.(?=[qkv]_proj)": "self_attn.",
    r"layernorm_before": "layer_norm1",
    r"layernorm_after": "layer_norm2",
}
"""Patterns in the names of `ViTForImageClassification`, and what takes their place."""


def renamed(vit: nn.Module, names: Mapping[str, str]) -> dict[str, Tensor]:
    """Return the weights of a ViT by the names of another architecture, without its head."""
    weights = {}
    for name, weight in vit.state_dict().items():
        for pattern, other in names.items():
            name = re.sub(pattern, other, name)
        weights[name] = weight
    return {name: weight for name, weight in weights.items() if not name.startswith("classifier.")}
