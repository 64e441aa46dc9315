"""open_clip's own tower of images; its towers from timm are timm's."""

from __future__ import annotations

from typing import Any

from torch import nn

from .site import Averaged, TokenSite

TYPE = "open_clip.transformer.VisionTransformer"


def site_of(trunk: Any, _network: nn.Module) -> TokenSite | None:
    """Return the place in a tower; None where queries of its own read the tokens, as CoCa's do."""
    if trunk.attn_pool is not None or trunk.pool_type not in ("tok", "avg"):
        return None
    averaged = None
    if trunk.pool_type == "avg":
        averaged = Averaged(trunk.transformer if trunk.final_ln_after_pool else trunk.ln_post, 1)
    return TokenSite(trunk, trunk.ln_pre, trunk.conv1, 1, averaged)
