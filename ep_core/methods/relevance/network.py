"""Relevance through a whole network: torch.fx runs it node by node, and each node is propagated back by its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import torch
from torch import Tensor, fx, nn

from ep_core.methods.base.method import AttributionRequest, MethodUnavailable
from ep_core.models.tuning.observers import tell_observers
from ep_core.models.tuning.traced import opaque

from .graph import RelevanceGraph, relevance_graph
from .operations import (
    AVERAGES,
    ELEMENTWISE,
    NORMS,
    ORDINARY,
    PADDINGS,
    QUOTIENTS,
    SUMS,
    WEIGHTED,
    batch_norm,
    in_words,
    weighted,
)
from .propagation import LinearMap, PropagationRule, apply_activation, apply_linear

_GIVEN = object()  # stands for an argument that is to come


@dataclass(frozen=True)
class Rules:
    """Propagation rules of the linear operations, by their place in the network."""

    hidden: PropagationRule
    """Convolutions, means, batch norm that can't be folded, and sums of activations."""
    dense: PropagationRule
    """Fully connected layers."""
    pixels: PropagationRule
    """What the image itself goes into."""
    last: PropagationRule
    """The last layer that has weights, which gives the scores."""


def hand_down(
    request: AttributionRequest, rules: Rules, method: str, *, start: float | None, layer: str | None = None
) -> Tensor:
    """Return the relevance, for each target, of a layer's output or of the image's pixels.

    Args:
        request: the image and the classes.
        rules: the propagation rules.
        method: what the method is called, for messages.
        start: the relevance of a target's output; None takes its score.
        layer: name of a module that is called once; None means the image.

    Returns:
        T x K x h x w, the layer's values; T x 3 x H x W for the image.

    Raises:
        MethodUnavailable: the network doesn't show its layers, torch.fx can't trace it, or it has an operation that
            has no rule.
    """
    refusal = f"{method} can't explain model {request.model.name!r}"
    network = _RelevanceNetwork(_traced(request.network, refusal), rules, layer, refusal)
    with torch.enable_grad():
        images = request.x.detach().expand(len(request.targets), -1, -1, -1)
        read, scores = network.watch(images)
        tell_observers(request.network, images, scores)
        targets = torch.tensor(request.targets, device=request.device)[:, None]
        outputs = scores.gather(1, targets)
        given = outputs.detach() if start is None else torch.full_like(outputs, start)
        (relevance,) = torch.autograd.grad(outputs, read, given)
    return relevance


def _traced(network: nn.Module, refusal: str) -> RelevanceGraph:
    if hidden := opaque(network):
        raise MethodUnavailable(f"{refusal}: it needs layers, and {hidden} doesn't show them")
    try:
        return relevance_graph(network)
    except Exception as error:  # control flow gives many kinds
        reason = str(error).partition("\n")[0]
        raise MethodUnavailable(
            f"{refusal}: it rewrites the network by torch.fx, which can't trace this one ({reason})"
        ) from error


class _RelevanceNetwork(fx.Interpreter):
    """Runs a graph such that its backward pass propagates relevance."""

    def __init__(self, graph: RelevanceGraph, rules: Rules, layer: str | None, refusal: str) -> None:
        super().__init__(graph.module)
        self.extra_traceback = False
        self._rules = rules
        self._refusal = refusal
        self._read_at = graph.output_of(layer) if layer else None
        if layer and self._read_at is None:
            raise MethodUnavailable(f"{refusal}: nothing in its graph by torch.fx is the output of {layer!r}")
        self._last = next((node for node in reversed(self.graph.nodes) if self._kind(node) in WEIGHTED), None)
        self._read: Tensor | None = None
        self._pixels: dict[fx.Node, Tensor] = {}
        """Of the image and its padded copies: 1 where there are pixels, 0 where there is padding."""

    def watch(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the layer's output (else the images, N x 3 x H x W), and the scores N x C that follow from it."""
        images = images.clone().requires_grad_()
        self._pixels = {node: torch.ones_like(images) for node in self.graph.nodes if node.op == "placeholder"}
        scores: Tensor = self.run(images)
        return (images if self._read is None else self._read), scores

    def run_node(self, n: fx.Node) -> Any:
        """Run a node; those that change activations, by their rules."""
        inputs = [value for source in n.all_input_nodes if _depends_on_image(value := self.env[source])]
        computes = n.op in ("call_module", "call_function", "call_method")
        value = self._run_by_rule(n, inputs) if computes and inputs else super().run_node(n)
        if n is self._read_at:
            self._read = value
        return value

    def _run_by_rule(self, node: fx.Node, inputs: list[Tensor]) -> Any:
        kind = self._kind(node)
        if kind in PADDINGS and node.all_input_nodes[0] in self._pixels:
            pad, pixels = self._of_input(node, inputs[0]), self._pixels[node.all_input_nodes[0]]
            self._pixels[node] = pad(pixels) - pad(torch.zeros_like(pixels))  # what is padded by may be any constant
        if kind in ORDINARY:
            return super().run_node(node)
        if len(inputs) == 1 and (kind in ELEMENTWISE or (kind in QUOTIENTS and self._divides(node, inputs[0]))):
            return apply_activation(inputs[0], self._of_input(node, inputs[0]))
        linear = self._linear(node, kind, inputs)
        if linear is None:
            raise MethodUnavailable(f"{self._refusal}: it has no rule for {self._in_words(node, kind, len(inputs))}")
        x = inputs[0] if len(inputs) == 1 else torch.stack(torch.broadcast_tensors(*inputs))
        return apply_linear(x, linear, self._rule(node))

    def _linear(self, node: fx.Node, kind: Any, inputs: list[Tensor]) -> LinearMap | None:
        """Return the node as a linear operation on its input, or on the stack of its two; None if it is none."""
        one = torch.ones((), device=inputs[0].device)
        if len(inputs) == 2:
            plain_sum = kind in SUMS and "alpha" not in node.kwargs
            return LinearMap(lambda stack, weight: stack.sum(dim=0) * weight, one) if plain_sum else None
        if kind in AVERAGES:
            average = self._of_input(node, inputs[0])
            return LinearMap(lambda x, weight: average(x) * weight, one)
        if kind in WEIGHTED:
            return weighted(self.fetch_attr(str(node.target)))
        if kind in NORMS:
            return batch_norm(self.fetch_attr(str(node.target)), inputs[0].ndim)
        return None

    def _rule(self, node: fx.Node) -> PropagationRule:
        if node is self._last:
            return self._rules.last
        if node.all_input_nodes[0] in self._pixels:
            return self._rules.pixels.within(self._pixels[node.all_input_nodes[0]])
        return self._rules.dense if self._kind(node) is nn.Linear else self._rules.hidden

    def _kind(self, node: fx.Node) -> Any:
        """Return the module's type, the function or the method's name: what the tables above list."""
        return type(self.fetch_attr(str(node.target))) if node.op == "call_module" else node.target

    def _of_input(self, node: fx.Node, given: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the node as a function of its one input, the rest of its arguments as they are.

        The backward pass keeps the function: holding an activation or this interpreter, it would never be freed.
        """
        args, kwargs = self.fetch_args_kwargs_from_env(node)
        function = self._function(node)
        given_args = [_GIVEN if value is given else value for value in args]
        given_kwargs = {name: _GIVEN if value is given else value for name, value in kwargs.items()}
        return lambda x: function(
            *(x if value is _GIVEN else value for value in given_args),
            **{name: x if value is _GIVEN else value for name, value in given_kwargs.items()},
        )

    def _function(self, node: fx.Node) -> Callable[..., Any]:
        """Return the function that a node calls."""
        if node.op == "call_module":
            return cast("Callable[..., Any]", self.fetch_attr(str(node.target)))
        if node.op == "call_method":
            name = str(node.target)
            return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)
        return cast("Callable[..., Any]", node.target)

    def _divides(self, node: fx.Node, given: Tensor) -> bool:
        """Return whether a quotient's numerator is the activation."""
        args, _ = self.fetch_args_kwargs_from_env(node)
        return bool(args) and args[0] is given

    def _in_words(self, node: fx.Node, kind: Any, inputs: int) -> str:
        return in_words(str(node.target), kind, inputs, is_module=node.op == "call_module")


def _depends_on_image(value: Any) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.requires_grad  # the parameters' gradients are off
