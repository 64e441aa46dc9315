"""Memory: settings of the allocator, and recognition of out-of-memory errors. Loads torch only where it's there."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_KEPT_BYTES = 2**30
_LARGE_BYTES = 2**18
_ARENAS = 2
_POISONED = ("cuda error", "device-side assert", "illegal memory access", "unspecified launch failure")
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next step, instead of giving it back to the system.

    A network's activations are freed and taken again in each step; fetching them from the system every time, page by
    page, doubled a step's time. The process stays as large as it ever was, until `give_back_freed_memory`. Where the C
    library isn't glibc, nothing is changed.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
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


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on the device or on the host."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error).casefold() for part in _OUT_OF_MEMORY)


def is_poisoned(error: BaseException) -> bool:
    """Return whether CUDA is unusable in this process, as after a failed assertion on the device."""
    import torch

    if is_out_of_memory(error):
        return False
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error).casefold() for part in _POISONED)


def is_of_device(error: BaseException) -> bool:
    """Return whether an error is the machine's and no network's: memory ran out, or CUDA is unusable."""
    return is_out_of_memory(error) or is_poisoned(error)


def device_bytes() -> int | None:
    """Return the bytes of GPU memory that torch holds in this process; None without a GPU in use."""
    import torch

    if not (torch.cuda.is_available() and torch.cuda.is_initialized()):
        return None
    return sum(torch.cuda.memory_reserved(k) for k in range(torch.cuda.device_count()))


def free_memory() -> None:
    """Give back the memory of what isn't referred to any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _of_glibc(name: str) -> Callable[..., int] | None:
    function: Callable[..., int] | None = None
    if sys.platform == "linux":
        function = getattr(ctypes.CDLL(None), name, None)
    return function
