"""Networks held still: evaluation mode, uncompiled, no gradients for parameters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

_guard = threading.Lock()
_held = WeakIdKeyDictionary()
"""By module or parameter, its `_Own`."""


@dataclass
class _Own:
    """A module's or a parameter's own values, while it is held still."""

    values: dict[str, Any]
    holders: int = 0


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Turn compiled calls, training and the parameters' gradients off; afterwards on again where they were on.

    Threads may be in at once, each with its turn (`turns.aside`): the last one out puts everything back.
    """
    parts: list[nn.Module | Tensor] = [*network.modules(), *network.parameters()]
    held: list[nn.Module | Tensor] = []
    try:
        for part in parts:
            _hold(part)
            held.append(part)
        yield
    finally:
        for part in held:
            _let_go(part)


def _hold(part: nn.Module | Tensor) -> None:
    values = _still_values(part)
    with _guard:
        own = _held.setdefault(part, _Own({name: getattr(part, name) for name in values}))
        own.holders += 1
    _set(part, values)


def _let_go(part: nn.Module | Tensor) -> None:
    with _guard:
        own = _held[part]
        own.holders -= 1
        if own.holders:
            return
        del _held[part]
    _set(part, own.values)


def _still_values(part: nn.Module | Tensor) -> dict[str, Any]:
    if not isinstance(part, nn.Module):  # of a scripted network, parameters are bare tensors
        return {"requires_grad": False}
    compiled = {"_compiled_call_impl": None} if part._compiled_call_impl is not None else {}
    return {**compiled, "training": False}  # by `module.compile()`: such a call may not heed hooks


def _set(part: nn.Module | Tensor, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(part, name, value)
