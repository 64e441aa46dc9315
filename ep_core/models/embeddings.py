"""Embeddings of images: the network of them inside another one, and the likeness of two images as a score."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize

from ep_core.errors import InvalidInput
from ep_core.models.runtime.stillness import still
from ep_core.models.tuning.adapted import adapt, inner_network
from ep_core.pictures.given_image import Picture
from ep_core.schemas.specs import Fit

from .heads import BinaryNetwork
from .reads_texts import ReadsTexts
from .scalar import OneScore

if TYPE_CHECKING:
    from .classifier import Classifier

LIKENESS = "similar to the second picture"
"""Name of a likeness in results, where the second picture has none."""


class LikenessNetwork(OneScore):
    """The likeness of images to another one, the cosine of the embeddings: ``<e(x), e(y)> / (|e(x)| |e(y)|)``.

    Args:
        network: e, N x 3 x H x W -> N x D.
        other: e(y), 1 x D, not 0.
    """

    def __init__(self, network: nn.Module, other: Tensor) -> None:
        super().__init__(network)
        self._other = normalize(other.detach().float(), dim=1)

    def around(self, network: nn.Module) -> LikenessNetwork:
        """Return the likeness to the same image by another network."""
        return LikenessNetwork(network, self._other)

    def forward(self, images: Tensor) -> Tensor:
        """Return the cosines: N x 3 x H x W -> N x 1, in [-1, 1]; 0 for an embedding that is 0."""
        embeddings = normalize(self.network(images).float(), dim=1)
        return (embeddings * self._other).sum(dim=1, keepdim=True)  # no product of matrices: a GPU would round it


def has_embeddings(network: nn.Module) -> bool:
    """Return whether it is certain where a network of scores embeds an image."""
    return isinstance(network, ReadsTexts) or leaves_head_out(type(network))


@torch.no_grad()
def body_of(network: nn.Module) -> nn.Module:
    """Return the network within an `Adapted` and a `BinaryNetwork`, which embeds images if any of these does."""
    network = inner_network(network)
    return inner_network(network.network) if isinstance(network, BinaryNetwork) else network


def embedded(model: Classifier, picture: Picture, fit: Fit) -> tuple[nn.Module, Tensor]:
    """Return a model's network of embeddings, N x 3 x H x W -> N x D, and its embedding of a picture, 1 x D.

    Args:
        model: the model; it is left as it is.
        picture: the picture, or a 1 x 3 x H x W tensor that is already preprocessed.
        fit: how a picture is fitted to the network's frame.

    Raises:
        InvalidInput: the model gives no embeddings, or none of this picture; or it is too elongated to be cropped.
    """
    network = model.network if model.head == "embedding" else body_of(model.network)
    if model.head != "embedding":
        if not has_embeddings(network):
            raise InvalidInput(f"model {model.name!r} gives no embeddings", field="target")
        network = embedding_network(network)
    x = model.preprocess(picture, fit)[0] if isinstance(picture, Image.Image) else picture.to(model.device)
    with model.tried(), still(network):
        network, embedding = adapt(network, x)
    if not (embedding.isfinite().all() and embedding.any()):
        raise InvalidInput(f"model {model.name!r} gives no embedding of the second picture", field="target_image")
    return network, embedding


def embedding_network(network: nn.Module) -> nn.Module:
    """Return the part of a network with `has_embeddings` that embeds images: N x 3 x H x W -> N x D.

    Its layers are those of the network, by the same names.
    """
    if isinstance(network, ReadsTexts):
        return network.without_texts()
    part = copy.copy(network)  # its modules are shared
    kind = type(network)
    told = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}  # by these its tokens are found
    part.__class__ = type(kind.__name__, (_WithoutHead, kind), told)
    return part


def leaves_head_out(kind: type) -> bool:
    """Return whether a class is one of timm's that can leave its head out: ``forward_head(x, pre_logits=True)``."""
    head = getattr(kind, "forward_head", None)
    ours = kind.__module__.startswith("timm.models.") and hasattr(kind, "forward_features")
    return ours and head is not None and "pre_logits" in inspect.signature(head).parameters


class _WithoutHead:
    """Forward pass of one of timm's networks up to its head."""

    def forward(self: Any, images: Tensor) -> Tensor:
        """Return the features that the last layer classifies: N x 3 x H x W -> N x D."""
        embeddings: Tensor = self.forward_head(self.forward_features(images), pre_logits=True)
        return embeddings
