"""Forward functions as networks: captum also takes plain functions, with further arguments beside the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.classifier import Classifier

ForwardFunction = Callable[..., Any] | nn.Module | Classifier


def given_extra(extra: Any, count: int) -> tuple[Any, ...]:
    """Return the further arguments of a forward function.

    Args:
        extra: None, one argument, or a tuple of them.
        count: of the images.

    Raises:
        InvalidInput: a tensor has no row for each image.
    """
    given = extra if isinstance(extra, tuple) else () if extra is None else (extra,)
    for one in given:
        if isinstance(one, Tensor) and (one.ndim == 0 or len(one) != count):
            raise InvalidInput(
                f"a tensor of additional_forward_args has a row for each of the {count} images, this one is "
                f"{tuple(one.shape)}: repeat it, or give what is shared as a number or by functools.partial",
                field="additional_forward_args",
            )
    return given


def alike(extra: Sequence[Any], count: int) -> list[list[int]]:
    """Return the places of the images that have the same further arguments: each its own where one is a tensor."""
    own = any(isinstance(one, Tensor) for one in extra)
    return [[place] for place in range(count)] if own else [list(range(count))]


def rows(extra: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Return further arguments for images that share them, a tensor's first row of these alone: 1 x ..."""
    return [one[places[0] : places[0] + 1] if isinstance(one, Tensor) else one for one in extra]


def as_network(function: ForwardFunction, extra: Sequence[Any], device: torch.device) -> nn.Module | Classifier:
    """Return a forward function as a network of the images alone.

    Args:
        function: a module, a classifier, or any function of N x 3 x H x W and the further arguments.
        extra: those; tensors are 1 x ...
        device: of the images, where a function that isn't a module's has its weights.
    """
    if isinstance(function, nn.Module | Classifier) and not extra:
        return function
    return _Forward(function.network if isinstance(function, Classifier) else function, extra, device)


class _Forward(nn.Module):
    def __init__(self, function: Callable[..., Any], extra: Sequence[Any], device: torch.device) -> None:
        super().__init__()
        self.function = function
        self.owner = getattr(function, "__self__", None)  # of `network.forward`: its mode and weights are this one's
        self.extra = tuple(extra)
        if not any(True for _ in self.parameters()):
            self.place = nn.Parameter(torch.zeros(1, device=device), requires_grad=False)

    def forward(self, images: Tensor) -> Any:
        """Return the function's outputs for N x 3 x H x W."""
        return self.function(images, *(_for_each(one, images) for one in self.extra))


def _for_each(argument: Any, images: Tensor) -> Any:
    if not isinstance(argument, Tensor):
        return argument
    return argument.to(images.device).expand(len(images), *argument.shape[1:])
