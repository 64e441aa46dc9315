"""Network split in two at a layer: the head computes the layer, the tail computes the scores from it.

The tail computes what depends on the layer, and nothing else: whatever reaches it past the layer (a skip connection,
a parallel branch) is held as the image gave it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from ep_core.models.scalar import Scored
from ep_core.models.token_maps import ToMap, ToOutput, token_map
from ep_core.models.tuning.traced import Tracer, release, trace
from ep_core.models.tuning.tune import TOLERANCE, tune
from ep_core.schemas.model_card import TokenLayout

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """A frozen network at a layer, for one image."""

    head: nn.Module
    """N x 3 x H x W -> N x K x h x w, of any images."""
    tail: nn.Module
    """N x K x h x w -> N x C, everything else as the image gives it. May change its input in place."""
    x: Tensor
    """The image as the network's input: 1 x 3 x H x W."""
    activation: Tensor
    """Phi_l(x): 1 x K x h x w."""

    @property
    def channels(self) -> int:
        """K, how many channels the layer has."""
        return self.activation.shape[1]

    def scores(self, masks: Tensor, _images: Tensor | None = None) -> Tensor:
        """Return the scores ``Phi_l+(m (x) Phi_l(x))`` of all classes (section 5).

        Args:
            masks: N x K x 1 x 1 in [0, 1], broadcast over space.

        Returns:
            N x C, differentiable with respect to the masks.
        """
        scores: Tensor = self.tail(masks * self.activation)
        return scores

    @cached_property
    def tuned(self) -> Split:
        """The same, faster (`tuned.tune`): it rounds differently."""
        with torch.inference_mode(False), torch.no_grad():  # a copy made in that mode would differ by roundings
            examples = torch.cat([self.activation, self.activation / 2])
            return Split(tune(self.head, self.x), tune(self.tail, examples), self.x, self.activation)


@torch.inference_mode(False)  # what is held for the tail must not be made in that mode
@torch.no_grad()
def split(network: nn.Module, layer: str, x: Tensor, tokens: TokenLayout | None = None) -> Split:
    """Split a network at a layer, for one image.

    Networks of float32 that torch.fx can trace are cut; of others, the whole is computed each time, with the layer's
    output exchanged by a hook.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode, its parameters without gradients.
        layer: name of a module that is called once and gives a map (`layers.find_layers`).
        x: 1 x 3 x H x W, the network's input.
        tokens: how the map lies in the layer's output; None for N x K x h x w. Head and tail know it as N x K x h x w;
            other tokens stay as the image gives them.
    """
    if isinstance(network, Scored):
        parts = split(network.network, layer, x, tokens)
        return Split(parts.head, network.around(parts.tail), parts.x, parts.activation)
    x = x.clone() if x.is_inference() else x
    hooked = _HookedHead(network, layer), _HookedTail(network, layer, x)
    activation = hooked[0](x)
    head: nn.Module
    tail: nn.Module
    try:
        head, tail = _cut(network, layer, x)
        _check((head, tail), hooked, x, activation)
    except Exception as error:  # control flow, wrapped networks, batch sizes that are written into the graph
        log.info("the network is not cut at %s: %s: %s", layer, type(error).__name__, error)
        head, tail = hooked
    if tokens is None:
        return Split(head, tail, x, activation)
    form = token_map(tokens, activation, (x.shape[2], x.shape[3]))
    tail = nn.Sequential(ToOutput(form, form.others_of(activation)), tail)
    return Split(nn.Sequential(head, ToMap(form)), tail, x, form.to_map(activation).contiguous())


def _check(
    cut: tuple[nn.Module, nn.Module], hooked: tuple[nn.Module, nn.Module], x: Tensor, activation: Tensor
) -> None:
    """Compare with the whole network, on two different activations in a batch.

    Raises:
        ValueError: head or tail compute something else.
    """
    both = torch.cat([activation, activation / 2])
    for name, ours, expected in (
        ("head", cut[0](x), activation),
        ("tail", cut[1](both.clone()), hooked[1](both.clone())),
    ):
        apart = (ours - expected).abs().max() / expected.abs().max().clamp_min(1e-12)
        if not apart <= TOLERANCE:
            raise ValueError(f"the {name} differs by {float(apart):.2g}")


class _HookedHead(nn.Module):
    """Runs a network as far as a layer."""

    def __init__(self, network: nn.Module, layer: str) -> None:
        super().__init__()
        self._network = [network]  # in a list: its mode and parameters aren't this module's
        self._layer = network.get_submodule(layer)

    def forward(self, images: Tensor) -> Tensor:
        """Return the layer's output, N x ..., float32, before anything changes it in place."""

        def stop(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            raise _Reached(output)

        handle = self._layer.register_forward_hook(stop)
        try:
            self._network[0](images)
        except _Reached as reached:
            return reached.output.float()
        finally:
            handle.remove()
        raise RuntimeError("the layer is not called")


class _Reached(Exception):  # no error: it carries the output out of the network
    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output


class _HookedTail(nn.Module):
    """Runs a whole network on one image, with a layer's output exchanged."""

    def __init__(self, network: nn.Module, layer: str, x: Tensor) -> None:
        super().__init__()
        self._network = [network]
        self._layer = network.get_submodule(layer)
        self._x = x

    def forward(self, activations: Tensor) -> Tensor:
        """Return the scores, N x C, that follow from a layer's outputs N x ..."""
        handle = self._layer.register_forward_hook(lambda _module, _inputs, output: activations.to(output.dtype))
        try:
            return cast("Tensor", self._network[0](self._x.expand(len(activations), -1, -1, -1)))
        finally:
            handle.remove()


def _cut(network: nn.Module, layer: str, x: Tensor) -> tuple[nn.Module, nn.Module]:
    """Return head and tail as graphs of their own."""
    traced = trace(network, _Tracer(layer))
    (cut,) = [node for node in traced.graph.nodes if node.op == "call_module" and node.target == layer]
    below = _closure(cut, lambda node: node.users)
    held = _Recorder(traced, below - {cut}, cut).record(x)
    head, tail = _head(traced, cut), _tail(traced, cut, below, held)
    for part in (traced, head, tail):
        release(part)
    return head, tail


class _Tracer(Tracer):
    """Traces through everything but torch's own modules and the layer."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self._layer = layer

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether a module is one node of the graph."""
        return module_qualified_name == self._layer or super().is_leaf_module(m, module_qualified_name)


def _closure(start: fx.Node, nexts: Callable[[fx.Node], Any]) -> set[fx.Node]:
    """Return the node and all that can be reached from it."""
    reached: set[fx.Node] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += nexts(node)
    return reached


class _Recorder(fx.Interpreter):
    """Runs a graph on one image and keeps what goes past the layer into the tail."""

    def __init__(self, traced: fx.GraphModule, below: set[fx.Node], cut: fx.Node) -> None:
        super().__init__(traced)
        self._below = below
        self._cut = cut
        self._held: dict[fx.Node, Any] = {}

    def record(self, x: Tensor) -> dict[fx.Node, Any]:
        """Return the values, each as it is when the tail first needs it."""
        self.run(x)
        return self._held

    def run_node(self, n: fx.Node) -> Any:
        """Run a node, and keep what comes to it from outside of the tail."""
        if n in self._below:
            for source in n.all_input_nodes:
                if source not in self._below and source is not self._cut and source not in self._held:
                    value = self.env[source]
                    self._held[source] = value.clone() if isinstance(value, Tensor) else value
        return super().run_node(n)


def _head(traced: fx.GraphModule, cut: fx.Node) -> fx.GraphModule:
    above = _closure(cut, lambda node: node.all_input_nodes)
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in traced.graph.nodes:
        if node in above or node.op == "placeholder":
            copies[node] = graph.node_copy(node, lambda source: copies[source])
    graph.output(copies[cut])
    return fx.GraphModule(traced, graph)


def _tail(traced: fx.GraphModule, cut: fx.Node, below: set[fx.Node], held: dict[fx.Node, Any]) -> fx.GraphModule:
    graph = fx.Graph()
    activation = graph.placeholder("activation")
    copies: dict[fx.Node, Any] = {cut: activation}
    attributes: dict[str, Any] = {}
    moving = _closure(next(iter(traced.graph.nodes)), lambda node: node.users)  # what depends on the image
    batch = graph.call_method("size", (activation, 0))
    for k, (source, value) in enumerate(held.items()):
        copies[source] = value
        if source in moving and not isinstance(value, Tensor):
            raise ValueError(f"{source} may be the batch's size")  # which is another one in the tail
        if isinstance(value, Tensor):
            attributes[f"held_{k}"] = nn.Parameter(value, requires_grad=False)
            copies[source] = graph.get_attr(f"held_{k}")
            if source in moving:
                repeated = graph.call_method("expand", (copies[source], batch, *[-1] * (value.ndim - 1)))
                copies[source] = graph.call_method("clone", (repeated,))
    for node in traced.graph.nodes:
        if node in below and node is not cut:
            copies[node] = graph.node_copy(node, lambda source: copies[source])
            if node.op == "call_module":
                attributes[str(node.target)] = traced.get_submodule(str(node.target))
    tail = fx.GraphModule(attributes, graph)
    tail.graph.eliminate_dead_code()  # the batch's size, where nothing is held
    tail.recompile()
    return tail
