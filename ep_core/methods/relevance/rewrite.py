"""Networks with each ReLU as a module of its own, for the methods that change the backward rule of ReLUs.

captum's deconvnet and guided backprop hook modules of type `nn.ReLU`. Networks also call ReLUs as functions, call one
module several times, compute in place, or clip at 6; a hook misses those, or mixes up their gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn.modules import activation, rnn, transformer

from ep_core.methods.base.method import MethodUnavailable
from ep_core.models.runtime.backend_flags import quietly
from ep_core.models.tuning.observers import observed_alike
from ep_core.models.tuning.traced import opaque, release, trace
from ep_core.models.tuning.tune import TOLERANCE

_DEFINED_FOR = "deconvnet and guided backprop are defined for networks of ReLUs"
_NON_LINEARITIES = {
    name.lower() for name in (*activation.__all__, *rnn.__all__, *transformer.__all__, "ScaledDotProductAttention")
}


def with_relu_modules(network: nn.Module, example: Tensor) -> nn.Module:
    """Return a copy of a network in which each ReLU is an `nn.ReLU` module, called once, out of place.

    A ReLU6 becomes such a module followed by ``min(., 6)``, which is the same function. Every ReLU reads a tensor that
    nothing else reads, so that a hook on it sees the gradient that passes through this ReLU alone. All other modules,
    and so the weights, are the network's own.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode. It is left alone.
        example: N x 3 x H x W, on which both must agree.

    Raises:
        MethodUnavailable: the network doesn't show its layers, torch.fx can't trace it, it has non-linearities other
            than ReLUs, or the copy scores differently (a ReLU in place changed what was read elsewhere).
    """
    if hidden := opaque(network):
        raise MethodUnavailable(f"{_DEFINED_FOR}, and need to see them: {hidden} doesn't show its layers")
    copy = _traced(network)
    modules = dict(copy.named_modules())
    others = sorted({name for node in copy.graph.nodes if (name := _other_non_linearity(node, modules))})
    if others:
        raise MethodUnavailable(f"{_DEFINED_FOR}; this one has {', '.join(others)}")
    order = {node: k for k, node in enumerate(copy.graph.nodes)}
    for node in order:
        if relu := _as_relu(node, modules):
            _replace(copy, node, relu, order)
    copy.delete_all_unused_submodules()
    copy.recompile()
    release(copy)
    _check(network, copy, example)
    observed_alike(copy, network)
    return copy


def _traced(network: nn.Module) -> fx.GraphModule:
    try:
        with quietly():
            return trace(network)
    except Exception as error:  # control flow, compiled and exported networks: each fails in its own way
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise MethodUnavailable(
            f"{_DEFINED_FOR}, each a module; this one can't be rewritten so, as torch.fx can't trace it ({reason})"
        ) from error


@dataclass(frozen=True)
class _ReLU:
    """Description of a ReLU, from which it is rebuilt as a module."""

    ceiling: float | None
    in_place: bool


def _as_relu(node: fx.Node, modules: dict[str, nn.Module]) -> _ReLU | None:
    """Return which ReLU a node is; None where it isn't one."""
    module = modules.get(str(node.target)) if node.op == "call_module" else None
    if isinstance(module, nn.ReLU):
        return _ReLU(None, module.inplace)
    if isinstance(module, nn.Hardtanh) and module.min_val == 0:  # ReLU6 is one
        return _ReLU(module.max_val, module.inplace)
    name = _name(node, modules)
    if module is None and name.rstrip("_") in ("relu", "relu6"):
        return _ReLU(6.0 if name == "relu6" else None, name.endswith("_") or bool(node.kwargs.get("inplace")))
    return None


def _other_non_linearity(node: fx.Node, modules: dict[str, nn.Module]) -> str | None:
    """Return the name of a node's non-linearity; None where it has none, or is a ReLU."""
    name = _name(node, modules)
    return name if name.replace("_", "").lower() in _NON_LINEARITIES and not _as_relu(node, modules) else None


def _name(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    """Return the name of a node's module class, function or method; empty for inputs, constants and the output."""
    if node.op == "call_module":
        return type(modules[str(node.target)]).__name__
    if node.op == "call_function":
        return getattr(node.target, "__name__", "")
    return str(node.target) if node.op == "call_method" else ""


def _replace(copy: fx.GraphModule, node: fx.Node, relu: _ReLU, order: dict[fx.Node, int]) -> None:
    """Put a module of its own in a ReLU's place; `order` gives the nodes that come after it."""
    source = node.all_input_nodes[0]
    name = f"relu_module_{order[node]}"
    copy.add_submodule(name, nn.ReLU().train(copy.training))
    with copy.graph.inserting_before(node):
        result = copy.graph.call_module(name, (copy.graph.call_function(torch.clone, (source,)),))
        if relu.ceiling is not None:
            result = copy.graph.call_function(torch.clamp, (result,), {"max": relu.ceiling})
    if relu.in_place:  # what reads the source later reads the ReLU's result
        source.replace_all_uses_with(result, delete_user_cb=lambda user: order.get(user, -1) > order[node])
    node.replace_all_uses_with(result)
    copy.graph.erase_node(node)


@torch.no_grad()
def _check(network: nn.Module, copy: nn.Module, example: Tensor) -> None:
    expected = network(example)
    apart = (copy(example) - expected).abs().max() / expected.abs().max().clamp_min(1e-12)
    if not apart <= TOLERANCE:
        raise MethodUnavailable(f"{_DEFINED_FOR}, each a module; rewritten so, this one's scores differ")
