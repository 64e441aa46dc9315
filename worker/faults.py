"""Telling apart what the engine can fail with: too little memory, a device beyond use, or a plain bug."""

from __future__ import annotations

import torch

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_POISONED = ("cuda error", "device-side assert", "illegal memory access", "unspecified launch failure")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on the device or on the host."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and _says(error, _OUT_OF_MEMORY)


def is_poisoned(error: BaseException) -> bool:
    """Return whether CUDA is beyond use in this process, as after a failed assertion on the device."""
    if is_out_of_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or (isinstance(error, RuntimeError) and _says(error, _POISONED))


def _says(error: BaseException, parts: tuple[str, ...]) -> bool:
    text = str(error).casefold()
    return any(part in text for part in parts)
