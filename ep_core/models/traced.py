"""Networks as graphs by torch.fx that are freed, with all of their weights, as soon as nothing uses them.

As torch.fx makes them they lie in cycles of references and wait for Python's search for garbage, which seldom comes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import cast

from torch import fx, nn
from torch.fx.experimental.optimization import fuse

from ep_core.process_wide import tracing


def trace(network: nn.Module, tracer: fx.Tracer | None = None) -> fx.GraphModule:
    """Return a network as a graph of its own modules, by `fx.Tracer` unless another one is given, to be used once.

    The graph is to be given to `release` when it is finished.

    Raises:
        Exception: of many kinds, where torch.fx can't trace the network.
    """
    tracer = tracer or fx.Tracer()
    try:
        with tracing():
            graph = tracer.trace(network)
    finally:
        vars(tracer).clear()  # a local function of `trace` that calls itself holds the tracer, and so the network
    return fx.GraphModule(network, graph, type(network).__name__)


def folded(
    network: nn.Module, tracer: fx.Tracer | None = None, prepare: Callable[[fx.GraphModule], None] | None = None
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


def release(network: fx.GraphModule) -> None:
    """Let a finished graph not refer to its network any more."""
    network.graph.owning_module = None
