"""Graph of a network for propagating relevance: its weights in modules, batch norm folded."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from ep_core.models.runtime.backend_flags import quietly
from ep_core.models.tuning.traced import Tracer, folded, release


@dataclass(frozen=True)
class RelevanceGraph:
    """A network's graph, and where in it a module's output is found."""

    module: fx.GraphModule
    _outputs: Mapping[str, str]
    """By a module's name: the node that was its output before anything was folded."""
    _sources: Mapping[str, str]
    """By node: the node that it took its first input from, before anything was folded."""

    def output_of(self, layer: str) -> fx.Node | None:
        """Return the node that is a module's output; that of a folded batch norm is its convolution."""
        nodes = {node.name: node for node in self.module.graph.nodes}
        name = self._outputs.get(layer)
        while name is not None and name not in nodes:
            name = self._sources.get(name)
        return None if name is None else nodes[name]


def relevance_graph(network: nn.Module) -> RelevanceGraph:
    """Return a copy of a frozen network as a graph.

    Convolutions, fully connected layers and batch norms that are called as functions become modules, so that they are
    folded, and followed, as those are.

    Raises:
        Exception: of many kinds, where torch.fx can't trace the network.
    """
    outputs: dict[str, str] = {}
    sources: dict[str, str] = {}

    def prepare(traced: fx.GraphModule) -> None:
        _functions_to_modules(traced)
        nodes = (node for node in traced.graph.nodes if node.all_input_nodes)
        sources.update({node.name: node.all_input_nodes[0].name for node in nodes})

    with quietly():
        copy = folded(network, _OutputTracer(outputs), prepare)
    release(copy)
    return RelevanceGraph(copy, outputs, sources)


class _OutputTracer(Tracer):
    """Notes which node each module's output is."""

    def __init__(self, outputs: dict[str, str]) -> None:
        super().__init__()
        self._outputs = outputs

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Trace a module."""
        output = super().call_module(m, forward, args, kwargs)
        if isinstance(output, fx.Proxy):
            self._outputs[self.path_of_module(m)] = output.node.name
        return output


def _functions_to_modules(traced: fx.GraphModule) -> None:
    """Put a module in the place of each function whose weights are known; the node keeps its name."""
    for node in traced.graph.nodes:
        if node.op != "call_function" or node.target not in _MAKERS:
            continue
        given = _arguments(node)
        tensors = _tensors(traced, given)
        module = None if tensors is None else _MAKERS[node.target](given | tensors)
        if module is not None:
            name = f"relevance_{node.name}"
            traced.add_submodule(name, module.eval().requires_grad_(False))
            node.op, node.target, node.args, node.kwargs = "call_module", name, (given["input"],), {}
    traced.graph.eliminate_dead_code()
    traced.recompile()


_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_BATCH_NORM = tuple(inspect.signature(F.batch_norm).parameters)
_NAMES: dict[Any, tuple[str, ...]] = {
    F.conv2d: _CONVOLUTION,
    F.linear: _CONVOLUTION[:3],
    F.batch_norm: _BATCH_NORM,
}
_TENSORS = ("weight", "bias", "running_mean", "running_var")


def _arguments(node: fx.Node) -> dict[str, Any]:
    """Return the arguments of a function by name."""
    return dict(zip(_NAMES[node.target], node.args, strict=False)) | dict(node.kwargs)


def _tensors(traced: fx.GraphModule, given: Mapping[str, Any]) -> dict[str, Tensor | None] | None:
    """Return a function's weights; None where one of its arguments depends on the image."""
    others = [value for name, value in given.items() if name not in (*_TENSORS, "input")]
    if any(isinstance(value, fx.Node) for value in others):
        return None
    try:
        return {name: _constant(traced, given.get(name)) for name in _TENSORS}
    except _DependsOnImageError:
        return None


class _DependsOnImageError(Exception):
    pass


@torch.no_grad()
def _constant(traced: fx.GraphModule, value: Any) -> Any:
    """Return a value that is computed from weights alone, such as standardised ones."""
    if not isinstance(value, fx.Node):
        return value
    if value.op == "placeholder":
        raise _DependsOnImageError
    args, kwargs = (fx.map_arg(part, lambda node: _constant(traced, node)) for part in (value.args, value.kwargs))
    return getattr(fx.Interpreter(traced), value.op)(value.target, args, kwargs)


def _convolution(given: Mapping[str, Any]) -> nn.Module:
    weight, groups = given["weight"], given.get("groups", 1)
    options = {name: given[name] for name in ("stride", "padding", "dilation") if name in given}
    channels = weight.shape[1] * groups, weight.shape[0]
    module = nn.Conv2d(*channels, weight.shape[2:], groups=groups, bias=False, device="meta", **_as_tuples(options))
    return _with_weights(module, given)


def _as_tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


def _dense(given: Mapping[str, Any]) -> nn.Module:
    outputs, inputs = given["weight"].shape
    return _with_weights(nn.Linear(inputs, outputs, bias=False, device="meta"), given)


def _batch_norm(given: Mapping[str, Any]) -> nn.Module | None:
    """Return what a batch norm with fixed statistics does; None where it takes those of the batch."""
    mean, variance = given["running_mean"], given["running_var"]
    if given.get("training") or mean is None or variance is None:
        return None
    module = nn.BatchNorm2d(len(mean), eps=given.get("eps", 1e-5), device="meta")
    module.running_mean, module.running_var = mean, variance
    whole = {"weight": torch.ones_like(mean), "bias": torch.zeros_like(mean)}
    return _with_weights(module, whole | {name: given[name] for name in whole if given[name] is not None})


def _with_weights(module: nn.Module, given: Mapping[str, Any]) -> nn.Module:
    for name in ("weight", "bias"):
        value = given[name]
        setattr(module, name, None if value is None else nn.Parameter(value, requires_grad=False))
    return module


_MAKERS: dict[Any, Callable[[Mapping[str, Any]], nn.Module | None]] = {
    F.conv2d: _convolution,
    F.linear: _dense,
    F.batch_norm: _batch_norm,
}
