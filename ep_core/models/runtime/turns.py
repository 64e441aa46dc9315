"""Locks of networks: one thread at a time uses a network's mode, flags and hooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

Lock = AbstractContextManager[bool]

_guard = threading.Lock()
_locks = WeakIdKeyDictionary()
"""By module, the lock of the first network that it was seen in."""
_gpu = threading.RLock()


@contextmanager
def one_thread(network: nn.Module) -> Iterator[None]:
    """Wait until no other thread uses a network, or one that shares modules with it.

    On a GPU all networks take turns: while a CUDA graph is captured, no other thread may call the driver. The
    thread that is in may enter again. A thread inside must not wait for one about to enter: both would wait for ever.
    """
    with ExitStack() as held:
        for lock in _locks_of(network):
            held.enter_context(lock)
        yield


def _locks_of(network: nn.Module) -> list[Lock]:
    """Return what has to be held, in an order that is the same for all threads."""
    modules = list(network.modules())
    with _guard:
        known = {id(lock): lock for module in modules if (lock := _locks.get(module)) is not None}
        own = next(iter(known.values()), None) or threading.RLock()
        for module in modules:
            _locks.setdefault(module, own)
    ordered = [lock for _, lock in sorted(({id(own): own} | known).items())]
    on_gpu = any(parameter.is_cuda for parameter in network.parameters())
    return [_gpu, *ordered] if on_gpu else ordered
