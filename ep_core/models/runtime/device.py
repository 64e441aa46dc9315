"""Device that networks run on."""

from __future__ import annotations

import torch

from ep_core.errors import InvalidInput

_KNOWN = "use cpu, cuda, cuda:N or, on a Mac that has it, mps"


def pick_device(name: str | torch.device | None = None) -> torch.device:
    """Return the device called `name`, or without a name the GPU where there is one, else the CPU.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` (Apple's GPUs; it is never picked without being named).

    Raises:
        InvalidInput: there is no such device here, or networks can't be explained on it.
    """
    gpus = torch.cuda.device_count()
    if name is None:
        return torch.device("cuda" if gpus else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise InvalidInput(f"device '{name}' is unknown: {_KNOWN}", field="device") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise InvalidInput(f"device '{name}' can't be used: {_KNOWN}", field="device")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InvalidInput(f"device '{name}' is not here: {_KNOWN}", field="device")
    if device.type == "cuda" and (device.index or 0) >= gpus:
        known = f"only cuda:0 to cuda:{gpus - 1}" if gpus else "no GPU that it can use"
        raise InvalidInput(f"device '{name}' is not here, torch finds {known}: use another one, or cpu", field="device")
    return device
