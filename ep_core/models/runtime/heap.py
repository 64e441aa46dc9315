"""The C library's heap: when it gives memory back to the system, and how much the process holds. Needs no torch."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_KEPT_BYTES = 2**30
_LARGE_BYTES = 2**18
_ARENAS = 2


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next step, instead of giving it back to the system.

    A network's activations are freed and taken again in each step; fetching them from the system every time, page by
    page, doubled a step's time. The process stays as large as it ever was, until `give_back_freed_memory`. All threads
    share one heap: those of further ones are of 64 MB at most, and given back whole. Where the C library isn't glibc,
    nothing is changed.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back_memory_at_once() -> None:
    """Let the C library give large pieces back to the system as soon as they are freed; to be called before any thread.

    Left alone, it keeps them in a heap for each thread once pieces of that size have been freed: an API process that
    had some uploads of 20 MB stays hundreds of megabytes large. Where the C library isn't glibc, nothing is changed.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def give_back_freed_memory() -> None:
    """Give what is freed back to the system, all whole pages of it; where the C library isn't glibc, do nothing."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def resident_bytes(pid: int | None = None) -> int:
    """Return the bytes of memory that a process holds, by default this one; 0 where the system isn't Linux."""
    if sys.platform != "linux":
        return 0
    return int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _of_glibc(name: str) -> Callable[..., int] | None:
    function: Callable[..., int] | None = None
    if sys.platform == "linux":
        function = getattr(ctypes.CDLL(None), name, None)
    return function
