"""Convolutions of a frozen network on a CPU, all by oneDNN, with their weights packed once.

Torch itself computes 1 x 1 convolutions of fewer than 16 images, on one thread, image by image with its oldest routine,
and lays out weights anew for each batch. Here a 1 x 1 convolution's gradient is a convolution too, with the transposed
weights; a clipped activation is applied as the convolution writes; weights get no gradients.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.autograd.function import once_differentiable

Bounds = tuple[float, float]


def can_pack(example: Tensor) -> bool:
    """Return whether oneDNN takes images like these: float32, on a CPU, by a torch that has it."""
    here = example.device.type == "cpu" and example.dtype == torch.float32
    return here and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def pack_convolutions(network: fx.GraphModule) -> None:
    """Replace a frozen network's convolutions by packed ones, fused with a clipped activation that alone follows."""
    modules = dict(network.named_modules())
    uses = [node.target for node in network.graph.nodes if node.op == "call_module"]
    for node in list(network.graph.nodes):
        if node.op != "call_module" or uses.count(node.target) > 1 or not _packable(modules[node.target]):
            continue
        bounds = _fuse_activation(network.graph, node, modules)
        network.set_submodule(node.target, PackedConvolution(modules[node.target], bounds))
    _own_gradients(network)
    network.graph.lint()
    network.recompile()


class PackedConvolution(nn.Module):
    """A convolution with fixed weights and, given bounds, a clipped activation: N x K x h x w -> N x C x h' x w'."""

    def __init__(self, convolution: nn.Conv2d, bounds: Bounds | None) -> None:
        """Take over a convolution's weights.

        Args:
            convolution: float32, on the CPU, padded with zeros by a number of pixels.
            bounds: least and largest value of the activation; None: there is none.
        """
        super().__init__()
        self.weight, self.bias, self.bounds = convolution.weight, convolution.bias, bounds
        self.geometry = [list(convolution.stride), list(convolution.padding), list(convolution.dilation)]
        self.groups = convolution.groups
        self.pointwise = convolution.kernel_size == convolution.stride == (1, 1) and self.groups == 1
        self.pointwise = self.pointwise and convolution.padding == (0, 0)
        self.owns_gradient = False
        """True where nobody else holds the gradient of the result, which may then be overwritten."""
        self._packed: Tensor | None = None
        self._transposed: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the clipped convolution, differentiable once with respect to its input."""
        y: Tensor = _Convolve.apply(x, self)
        return y

    def convolve(self, x: Tensor) -> Tensor:
        """Return the clipped convolution. Weights are packed for the first input's size, and right for any."""
        if self._packed is None:
            self._packed = self._pack(self.weight, x)
        clip = ("none", [], "") if self.bounds is None else ("hardtanh", list(self.bounds), "")
        return self._run(x, self._packed, self.bias, *clip)

    def input_gradient(self, grad: Tensor, x: Tensor | None) -> Tensor:
        """Return the gradient with respect to the input, from that of the convolution before its clipping.

        Args:
            grad: N x C x h' x w'.
            x: the input; None for a pointwise convolution, which doesn't need it.
        """
        if self.pointwise:
            if self._transposed is None:
                self._transposed = self._pack(self.weight.transpose(0, 1), grad)
            return self._run(grad, self._transposed, None, "none", [], "")
        stride, padding, dilation = self.geometry
        return torch.ops.aten.convolution_backward(
            grad, x, self.weight, None, stride, padding, dilation, False, [0, 0], self.groups, [True, False, False]
        )[0]

    def _pack(self, weight: Tensor, x: Tensor) -> Tensor:
        stride, padding, dilation = self.geometry
        weight = weight.detach().contiguous(memory_format=torch.channels_last)
        return torch.ops.mkldnn._reorder_convolution_weight(
            weight, padding, stride, dilation, self.groups, list(x.shape)
        )

    def _run(self, x: Tensor, packed: Tensor, bias: Tensor | None, *activation: Any) -> Tensor:
        stride, padding, dilation = self.geometry
        return torch.ops.mkldnn._convolution_pointwise(
            x, packed, bias, padding, stride, dilation, self.groups, *activation
        )


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: PackedConvolution) -> Tensor:
        y = layer.convolve(x)
        ctx.layer = layer
        ctx.save_for_backward(None if layer.pointwise else x, None if layer.bounds is None else y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        layer: PackedConvolution = ctx.layer
        x, y = ctx.saved_tensors
        if layer.bounds is not None:
            clipped = torch.ops.aten.hardtanh_backward
            if layer.owns_gradient:
                clipped.grad_input(grad, y, *layer.bounds, grad_input=grad)
            else:
                grad = clipped(grad, y, *layer.bounds)
        return layer.input_gradient(grad, x), None


def _packable(module: nn.Module) -> bool:
    if type(module) is not nn.Conv2d or isinstance(module.padding, str):
        return False
    return module.padding_mode == "zeros" and module.weight.dtype == torch.float32


def _fuse_activation(graph: fx.Graph, node: fx.Node, modules: dict[str, nn.Module]) -> Bounds | None:
    """Take the clipped activation that alone follows a node out of the graph, and return its bounds."""
    users = list(node.users)
    if len(users) != 1 or users[0].op != "call_module":
        return None
    bounds = _bounds(modules[str(users[0].target)])
    if bounds is not None:
        users[0].replace_all_uses_with(node)
        graph.erase_node(users[0])
    return bounds


def _bounds(module: nn.Module) -> Bounds | None:
    if isinstance(module, nn.Hardtanh):
        return float(module.min_val), float(module.max_val)
    return (0.0, math.inf) if isinstance(module, nn.ReLU) else None


def _own_gradients(network: fx.GraphModule) -> None:
    """Mark the convolutions that only another packed one follows, whose gradient is made for them."""
    packed = {name: module for name, module in network.named_modules() if isinstance(module, PackedConvolution)}
    for node in network.graph.nodes:
        if node.target in packed:
            packed[node.target].owns_gradient = [user.target in packed for user in node.users] == [True]
