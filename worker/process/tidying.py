"""Release of memory between jobs."""

from __future__ import annotations

import gc
import linecache

from torch.fx import graph_module

from ep_core.models.runtime.heap import give_back_freed_memory, resident_bytes

GROWTH_BYTES = 64 * 2**20  # less isn't worth a search for garbage, which takes tenths of a second


def settle() -> None:
    """Take what is loaded so far out of all later searches for garbage, to be called once, before the first job.

    These are most of all objects: searches take a fraction of the time then, and Python makes them more often.
    """
    gc.collect()
    gc.freeze()


class Tidier:
    """Gives memory back to the system after jobs, where the process has grown since the last time."""

    def __init__(self) -> None:
        """Take the process's present size as the one to return to."""
        self._kept = resident_bytes()

    def tidy(self) -> None:
        """Free what nothing refers to any more, and give it back; at once where little has been added."""
        if resident_bytes() - self._kept < GROWTH_BYTES:
            return
        gc.collect()
        _forget_sources()
        give_back_freed_memory()
        self._kept = resident_bytes()


def _forget_sources() -> None:
    """Drop the source text of all networks that torch.fx has made, which it keeps for ever, for tracebacks."""
    sources = graph_module._loader.eval_cache
    for name in list(sources):
        linecache.cache.pop(name, None)
    sources.clear()
