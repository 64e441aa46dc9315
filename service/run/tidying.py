"""Memory that requests have left: looked for now and then, and given back."""

from __future__ import annotations

import gc
import threading

from ep_core.models.runtime.memory import give_back_freed_memory, resident_bytes

LOOK_S = 20.0
GROWTH_BYTES = 16_000_000


def run_tidier(stopping: threading.Event) -> None:
    """Give back memory until `stopping`: of what a request held in cycles, Python's search for garbage comes late.

    It takes milliseconds, as `gc.freeze` has spared most objects, and is done as long as the process is larger than at
    its start: amid many requests it finds little, after them the rest.
    """
    first = resident_bytes()
    while not stopping.wait(LOOK_S):
        if resident_bytes() - first > GROWTH_BYTES:
            gc.collect()
            give_back_freed_memory()
