"""Networks held still: evaluation mode, uncompiled, no gradients for parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Turn compiled calls, training and the parameters' gradients off; afterwards on again where they were on."""
    modes = [(module, module.training) for module in network.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    compiled = [(one, one._compiled_call_impl) for one, _ in modes if one._compiled_call_impl is not None]
    try:
        for module, _ in compiled:  # by `module.compile()`: such a call may not heed hooks
            module._compiled_call_impl = None
        for module, _ in modes:
            module.training = False
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, call in compiled:
            module._compiled_call_impl = call
        for module, training in modes:
            module.training = training
        for parameter, requires_grad in flags:
            parameter.requires_grad_(requires_grad)
