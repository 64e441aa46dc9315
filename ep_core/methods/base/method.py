"""Interface of an attribution method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.classifier import Classifier, Scoring
from ep_core.schemas.specs import CompareSpec

OnShare = Callable[[float], None]
"""Called with the share of a method's work that is done, in [0, 1]; what it raises ends the work."""


def unwatched(_share: float) -> None:
    """Ignore progress."""


class MethodUnavailable(InvalidInput):
    """A method can't be used on this network, or needs a package that isn't installed; the text has the reason."""

    slug = "method-unavailable"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="methods")


@dataclass(frozen=True)
class AttributionRequest:
    """An image and the classes that a method explains."""

    model: Classifier
    x: Tensor
    """1 x 3 x H x W, the network's input, on its device; H x W need not be the model's own input size."""
    targets: tuple[int, ...]
    """T class indices, at least one."""
    spec: CompareSpec
    """Parameters of the methods; all random numbers depend on its seed."""
    on_share: OnShare = unwatched

    @property
    def network(self) -> nn.Module:
        """The network, N x 3 x H x W -> N x C; in evaluation mode and its parameters without gradients."""
        return self.model.network

    @property
    def device(self) -> torch.device:
        """Device of the network."""
        return self.x.device

    def probabilities_by(self, network: Scoring) -> Scoring:
        """Return a network that gives the probabilities that its scores stand for: N x 3 x H x W -> N x C in [0, 1].

        Args:
            network: N x 3 x H x W -> N x C, the scores of this request's own.

        Raises:
            MethodUnavailable: they stand for none.
        """
        try:
            return self.model.probabilities_by(network)
        except InvalidInput as error:
            raise MethodUnavailable(f"it weighs images by probabilities, and {error.detail}") from error

    def generator(self, k: int = 0) -> torch.Generator:
        """Return random numbers (of the CPU, the same for every device) for the k-th stream of this request."""
        return torch.Generator().manual_seed((self.spec.seed * 1_000_003 + k) % 2**63)


@dataclass(frozen=True)
class Method:
    """An attribution method."""

    title: str
    """Usual name of the method."""
    source: str
    """Publication: authors, title, venue."""
    attribute: Callable[[AttributionRequest], Tensor]
    """Returns T x H x W, on any device: how much each pixel speaks for each target, higher is more. Finite; constant
    where no pixel speaks for the target. Leaves the network as it was, also after an error.

    Raises:
        MethodUnavailable: the network's structure forbids the method.
    """
    layer: Callable[[Classifier, CompareSpec], str] | None = None
    """Returns the name of the layer that the map is read from: the spec's, else the default. None: it reads none.

    Raises:
        UnknownName: the model has no layer of the spec's name.
        MethodUnavailable: the spec names none, and none is the default.
    """
    random: bool = False
    """Whether the seed changes the map."""
    version: str = ""
    """Version of the maps beyond the request, where it has changed: logs of another version are refused."""
    passes: int = 3
    """About how many passes of an image through the network it takes, backward ones included: measures progress."""
    about: str = ""
    """A sentence for those who don't know it. Like `title` and `source` a literal: `schemas/methods.py` reads them."""
