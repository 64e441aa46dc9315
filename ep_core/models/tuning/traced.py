"""Networks as torch.fx graphs that are freed, with all of their weights, as soon as nothing uses them.

As torch.fx makes them they lie in cycles of references and wait for Python's search for garbage, which seldom comes.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import fx, nn
from torch.fx.experimental.optimization import fuse

from ep_core.models.runtime.backend_flags import tracing


class Tracer(fx.Tracer):
    """Traces for the thread that makes it; what other threads' networks compute meanwhile is left as it is.

    torch.fx exchanges ``nn.Module.__call__`` and ``__getattr__`` for the whole process.
    """

    _thread: int | None = None  # what is left of it in a tracer that is done, and that another thread still calls

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Return a module's output: a proxy, or in another thread a tensor."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Return a module's attribute: a proxy of a parameter, or in another thread the parameter."""
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def finish(self) -> None:
        """Release the network: a local function of `trace` that calls itself holds the tracer."""
        vars(self).clear()
        self._autowrap_function_ids = set()  # read by calls of other threads that have begun


def trace(network: nn.Module, tracer: Tracer | None = None) -> fx.GraphModule:
    """Return a network as a graph of its own modules, by a plain `Tracer` unless one is given, to be used once.

    The graph is to be given to `release` when it is finished.

    Raises:
        Exception: of many kinds, where torch.fx can't trace the network.
    """
    tracer = tracer or Tracer()
    try:
        with tracing:
            graph = tracer.trace(network)
    finally:
        tracer.finish()
    return fx.GraphModule(network, graph, type(network).__name__)


def folded(
    network: nn.Module, tracer: Tracer | None = None, prepare: Callable[[fx.GraphModule], None] | None = None
) -> fx.GraphModule:
    """Return a copy of a frozen network as a graph, batch norm folded into the convolutions before it.

    Args:
        network: what is copied.
        tracer: as for `trace`.
        prepare: may change the graph before anything is folded.

    Raises:
        Exception: as for `trace`.
    """
    own = copy.deepcopy(network)
    traced = trace(own, tracer)
    if prepare is not None:
        prepare(traced)
    copied = cast("fx.GraphModule", fuse(traced, inplace=True, no_trace=True))  # else it traces a copy by itself
    for part in (traced, *own.modules()):
        if isinstance(part, fx.GraphModule):
            release(part)
    return copied


def opaque(network: nn.Module) -> str | None:
    """Return the kind of a network, or part of it, that doesn't show its layers; None where all of them are modules."""
    for module in network.modules():
        if isinstance(module, torch.jit.ScriptModule):
            return "TorchScript"
        if isinstance(module, fx.GraphModule) and any(
            isinstance(node.target, torch._ops.OpOverload) for node in module.graph.nodes
        ):
            return "an exported program"
    return None


def release(network: fx.GraphModule) -> None:
    """Let a finished graph not refer to its network any more."""
    network.graph.owning_module = None
