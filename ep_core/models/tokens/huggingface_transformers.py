"""transformers' ViT, DeiT, DINOv2, and the towers of images of CLIP and SigLIP."""

from __future__ import annotations

from typing import Any

from torch import nn

from .site import Averaged, TokenSite

LIBRARY = "transformers.models."
CLASS_TOKENS = {
    "vit.modeling_vit.ViTModel": 1,
    "deit.modeling_deit.DeiTModel": 2,
    "dinov2.modeling_dinov2.Dinov2Model": 1,
    "dinov2_with_registers.modeling_dinov2_with_registers.Dinov2WithRegistersModel": 1,
    "clip.modeling_clip.CLIPVisionModel": 1,
    "clip.modeling_clip.CLIPVisionTransformer": 1,
    "siglip.modeling_siglip.SiglipVisionModel": 0,
    "siglip.modeling_siglip.SiglipVisionTransformer": 0,
}
"""Of transformers, without registers. Between releases, the tower of CLIP and of SigLIP has changed its name."""
TYPES = tuple(LIBRARY + name for name in CLASS_TOKENS)


def site_of(trunk: Any, network: nn.Module) -> TokenSite:
    """Return the place in a transformer of a network."""
    name = f"{type(trunk).__module__}.{type(trunk).__name__}".removeprefix(LIBRARY)
    class_tokens = CLASS_TOKENS[name] + getattr(trunk.config, "num_register_tokens", 0)
    positioned = getattr(trunk, "pre_layrnorm", trunk.embeddings)
    return TokenSite(trunk, positioned, _patches(trunk.embeddings), class_tokens, _averaged(trunk, network))


def _patches(embeddings: Any) -> nn.Module:
    """Return the convolution that embeds the patches."""
    (found,) = [module for module in embeddings.modules() if isinstance(module, nn.Conv2d)]
    return found


def _averaged(trunk: Any, network: nn.Module) -> Averaged | None:
    """Return the mean that the head of a classifier around a transformer reads."""
    heads = {type(module).__name__ for module in network.modules()}
    if heads & {"Dinov2ForImageClassification", "Dinov2WithRegistersForImageClassification"}:
        return Averaged(trunk.layernorm, 1 + getattr(trunk.config, "num_register_tokens", 0))
    if "CLIPForImageClassification" in heads:
        return Averaged(trunk.encoder.layers[-1], 1)
    if "SiglipForImageClassification" in heads:
        return Averaged(trunk.post_layernorm, 0)
    return None
