"""What torch keeps for the whole process, for processes in which several threads run networks. Imports no torch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

random_numbers = threading.RLock()
"""Held by who seeds or draws from torch's global random numbers: making a network draws, for weights not loaded yet."""

_tracing = threading.RLock()
_traces = 0


@contextmanager
def tracing() -> Iterator[None]:
    """Hold this while torch.fx traces a network: until it is done, a call of another thread's network fails.

    torch.fx exchanges ``nn.Module.__call__`` itself. It waits for nobody: see `undisturbed`.
    """
    global _traces
    with _tracing:
        _traces += 1
        yield


def undisturbed(call: Callable[[], T]) -> T:
    """Return what `call`, which runs a network beside another thread's work, returns when no trace gets in its way.

    A call that failed while a network was traced is made again after that.
    """
    while True:
        with _tracing:
            before = _traces
        try:
            return call()
        except Exception:
            if _traces == before:
                raise
