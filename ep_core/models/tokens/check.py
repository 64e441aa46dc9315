"""Check of a network on some of its patches: whether what stands around the transformer can do without the others."""

from __future__ import annotations

import logging
from functools import partial

import torch
from torch import Tensor, nn

from ep_core.models.runtime.memory import is_of_device
from ep_core.schemas.perturbations import no_patches

from .kept import kept_scores, tokens_of
from .site import TokenSite

TOLERANCE = 1e-2
"""Most that equal scores may differ by, as a share of the largest: half precision rounds to that."""
NOTHING = 1e-6  # weight of a patch that is as good as left out

log = logging.getLogger(__name__)


@torch.no_grad()
def check_site(network: nn.Module, site: TokenSite, x: Tensor, *, model: str) -> None:
    """Compare the scores of all patches with the network's own, and those without every other patch with small weights.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
        site: of its tokens.
        x: 1 x 3 x H x W.
        model: its name, for the error.

    Raises:
        InvalidInput: they differ, or the network fails: something around the transformer needs the whole image.
    """
    try:
        apart = _apart(network, site, x)
    except Exception as error:
        if is_of_device(error):
            raise
        log.info("%s needs all of its patches: %s: %s", model, type(error).__name__, error)
        raise no_patches(model) from error
    if not apart <= TOLERANCE:
        log.info("%s without some of its patches: scores are %.2g apart", model, apart)
        raise no_patches(model)


def _apart(network: nn.Module, site: TokenSite, x: Tensor) -> float:
    """Return the larger difference of both comparisons, as a share of the largest score."""
    tokens = tokens_of(network, site, x)
    count = tokens.shape[1] - site.class_tokens
    everything = torch.arange(count, device=x.device)[None]
    weights = torch.ones(1, count, device=x.device)
    weights[:, 1::2] = NOTHING
    own = network(x)
    kept = partial(kept_scores, network, site, x, tokens)
    pairs = ((kept(everything), own), (kept(everything, weights), kept(everything[:, ::2])))
    return max(float((one - other).abs().max()) for one, other in pairs) / max(float(own.abs().max()), 1e-12)
