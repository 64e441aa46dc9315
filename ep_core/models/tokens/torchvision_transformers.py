"""torchvision's `VisionTransformer`."""

from __future__ import annotations

from typing import Any

from torch import nn

from .site import TokenSite

TYPE = "torchvision.models.vision_transformer.VisionTransformer"


def site_of(trunk: Any, _network: nn.Module) -> TokenSite:
    """Return the place in a transformer, behind the dropout that follows the positions."""
    return TokenSite(trunk, trunk.encoder.dropout, trunk.conv_proj, class_tokens=1)
