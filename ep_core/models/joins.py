"""Sequences of tokens that a network joins: class tokens, places of the image, queries."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class JoinsSeen(TorchDispatchMode):
    """Notes, while it is entered, of which pieces sequences N x T x K are joined along T."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths: dict[int, tuple[int, ...]] = {}
        """Lengths of the pieces by their sum, of the last join that had it."""

    def lengths(self, count: int) -> tuple[int, ...]:
        """Return the lengths of the pieces of a sequence of so many tokens; none where there was no such join."""
        return self._lengths.get(count, ())

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: torch would import its compiler, to keep it out of `__torch_dispatch__`."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, and note it if it joins."""
        joined = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.cat.default and joined.ndim == 3 and len(args) > 1 and args[1] % 3 == 1:
            self._lengths[joined.shape[1]] = tuple(piece.shape[1] for piece in args[0])
        return joined
