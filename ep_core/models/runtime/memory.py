"""Memory of a device: how its end is told from other errors, how much torch holds, and giving it back."""

from __future__ import annotations

import gc

import torch

_POISONED = ("cuda error", "device-side assert", "illegal memory access", "unspecified launch failure")
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on the device or on the host."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error).casefold() for part in _OUT_OF_MEMORY)


def is_poisoned(error: BaseException) -> bool:
    """Return whether CUDA is beyond use in this process, as after a failed assertion on the device."""
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
    if not (torch.cuda.is_available() and torch.cuda.is_initialized()):
        return None
    return sum(torch.cuda.memory_reserved(k) for k in range(torch.cuda.device_count()))


def free_memory() -> None:
    """Give back the memory of what isn't referred to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
