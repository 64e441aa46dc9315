"""Where networks run."""

from __future__ import annotations

import torch

from ep_core.errors import InvalidInput


def pick_device(name: str | torch.device | None = None) -> torch.device:
    """Return the device called `name`, or without a name the GPU where there is one, else the CPU.

    Raises:
        InvalidInput: there is no such device here.
    """
    gpus = torch.cuda.device_count()
    if name is None:
        return torch.device("cuda" if gpus else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidInput(f"device '{name}' is unknown: use cpu, cuda or cuda:N", field="device") from error
    if device.type == "cuda" and (device.index or 0) >= gpus:
        known = f"only cuda:0 to cuda:{gpus - 1}" if gpus else "no GPU that it can use"
        raise InvalidInput(f"device '{name}' is not here, torch finds {known}: use another one, or cpu", field="device")
    return device
