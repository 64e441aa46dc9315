"""Memory that requests have left: looked for now and then, and given back."""

from __future__ import annotations

import gc
import threading

from ep_core.memory import give_back_freed_memory, resident_bytes

LOOK_S = 10.0
GROWTH_BYTES = 16_000_000


def run_tidier(stopping: threading.Event) -> None:
    """Give back memory until `stopping`: of what a request held in cycles, Python's search for garbage comes late."""
    smallest = resident_bytes()
    while not stopping.wait(LOOK_S):
        if resident_bytes() - smallest > GROWTH_BYTES:
            gc.collect()
            give_back_freed_memory()
            smallest = resident_bytes()
