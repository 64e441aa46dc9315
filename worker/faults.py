"""Telling apart what the engine can fail with: a device beyond use, or a plain bug."""

from __future__ import annotations

import torch

from ep_core.memory import is_out_of_memory

_POISONED = ("cuda error", "device-side assert", "illegal memory access", "unspecified launch failure")


def is_poisoned(error: BaseException) -> bool:
    """Return whether CUDA is beyond use in this process, as after a failed assertion on the device."""
    if is_out_of_memory(error):
        return False
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error).casefold() for part in _POISONED)
