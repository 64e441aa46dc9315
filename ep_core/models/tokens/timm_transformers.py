"""timm's `VisionTransformer`: ViT, DeiT, DINOv2, SigLIP's tower, with or without registers."""

from __future__ import annotations

from typing import Any

from torch import nn

from .site import Averaged, TokenSite

TYPE = "timm.models.vision_transformer.VisionTransformer"
POOLS = ("token", "avg", "map")
"""Ways to pool that know how many tokens there are only through weights; a maximum doesn't."""


def site_of(trunk: Any, _network: nn.Module) -> TokenSite | None:
    """Return the place in a transformer; None where its head reads tokens in another way."""
    if trunk.global_pool not in POOLS or type(trunk.patch_embed).__name__ != "PatchEmbed":  # others look further
        return None
    averaged = None
    if trunk.global_pool == "avg":
        averaged = Averaged(trunk.norm, 0 if trunk.pool_include_prefix else trunk.num_prefix_tokens)
    return TokenSite(trunk, trunk.norm_pre, trunk.patch_embed.proj, trunk.num_prefix_tokens, averaged)
