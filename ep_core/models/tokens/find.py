"""Search of a network for the place where its tokens can be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from ep_core.errors import InvalidInput
from ep_core.schemas.perturbations import ANY_NETWORK, ANY_PATCHES, PerturbationKind, no_patches

from . import huggingface_transformers, open_clip_transformers, timm_transformers, torchvision_transformers
from .site import TokenSite

FAMILIES: dict[str, Callable[[Any, nn.Module], TokenSite | None]] = {
    timm_transformers.TYPE: timm_transformers.site_of,
    torchvision_transformers.TYPE: torchvision_transformers.site_of,
    open_clip_transformers.TYPE: open_clip_transformers.site_of,
    **dict.fromkeys(huggingface_transformers.TYPES, huggingface_transformers.site_of),
}
"""By the full name of a transformer's type, so that no library is imported. A subclass may compute something else."""


def find_site(network: nn.Module) -> TokenSite | None:
    """Return the place in a network where tokens can be left out; None where there is none, or are several."""
    trunks = [module for module in network.modules() if _type_of(module) in FAMILIES]
    if len(trunks) != 1:
        return None
    site = FAMILIES[_type_of(trunks[0])](trunks[0], network)
    return site if site is not None and site.patch is not None else None


def perturbations_of(network: nn.Module) -> tuple[PerturbationKind, ...]:
    """Return the perturbations that a network takes."""
    return ANY_NETWORK if find_site(network) is None else ANY_PATCHES


def require_site(network: nn.Module, size: tuple[int, int], *, model: str) -> TokenSite:
    """Return the place in a network where tokens can be left out.

    Args:
        network: N x 3 x H x W -> N x C.
        size: height and width of the frame, in pixels.
        model: its name, for the error.

    Raises:
        InvalidInput: there is none, or the frame is no whole number of patches.
    """
    site = find_site(network)
    if site is None or site.patch is None:
        raise no_patches(model)
    height, width = site.patch
    if size[0] % height or size[1] % width:
        raise InvalidInput(
            f"perturbation 'drop' needs a frame of whole patches: {size[0]} x {size[1]} pixels are no multiple of "
            f"{height} x {width}; give an image of the model's own size, or use 'blur' or 'fade'",
            field="perturbation",
        )
    return site


def _type_of(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"
