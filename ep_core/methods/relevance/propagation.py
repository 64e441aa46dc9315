"""Relevance propagation through a linear operation, from its outputs to its inputs, by a rule in place of the gradient.

All rules share one form: output k is a sum of contributions, ``z_k = sum_j c_jk``, and its relevance is propagated in
proportion to them, so that input j gets ``R_j = sum_k c_jk / z_k R_k``. A rule says which contributions count. Each is
an input times a weight: a few passes of the operation, forwards and transposed, compute all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

STABILISER = 1e-20
"""Added to the size of denominators that have no terms of opposite signs: they are 0 where all of their terms are."""


@dataclass(frozen=True)
class LinearMap:
    """``x -> multiply(x, weight) + bias``, where `multiply` is linear in both its arguments."""

    multiply: Callable[[Tensor, Tensor], Tensor]
    weight: Tensor
    bias: Tensor | None = None
    """Broadcast over the output."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the operation's output."""
        product = self.multiply(x, self.weight)
        return product if self.bias is None else product + self.bias


Term = tuple[Tensor, Tensor]
"""An input and the weight that it is multiplied with."""


def redistribute(
    relevance: Tensor, linear: LinearMap, terms: Sequence[Term], bias: Tensor | None = None, epsilon: float = STABILISER
) -> Tensor:
    """Return the relevance of the inputs, in proportion to their contributions.

    Args:
        relevance: of the operation's outputs.
        linear: the operation.
        terms: inputs and weights whose products, added up, are the contributions that count.
        bias: what contributes without being an input: its share of the relevance goes to no input.
        epsilon: added to the size of the contributions' sum; its share goes to no input either.

    Returns:
        One value per input, of the shape that the terms' inputs share.
    """
    shape_of = terms[0][0]
    terms = [term for term in terms if term[0].any()]  # few activations are negative: half of the work
    if not terms or not relevance.any():
        return torch.zeros_like(shape_of)
    inputs = [x.detach().requires_grad_() for x, _ in terms]
    with torch.enable_grad():
        products = [linear.multiply(x, weight) for x, (_, weight) in zip(inputs, terms, strict=True)]
    total = _sum([product.detach() for product in products])
    if bias is not None:
        total = total + bias
    share = relevance / (total + torch.where(total < 0, -epsilon, epsilon))
    transposed = torch.autograd.grad(products, inputs, [share] * len(products))
    return _sum([x.detach() * back for x, back in zip(inputs, transposed, strict=True)])


def _sum(parts: Sequence[Tensor]) -> Tensor:
    return reduce(torch.add, parts)


class PropagationRule(ABC):
    """Rule by which a linear operation propagates relevance to its inputs."""

    @abstractmethod
    def hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap) -> Tensor:
        """Return the relevance of the inputs `x` (of the same shape), given that of the outputs."""

    def within(self, _pixels: Tensor) -> PropagationRule:
        """Return the rule for an image with padding around it, given where there are pixels: 1 there, else 0."""
        return self


@dataclass(frozen=True)
class Epsilon(PropagationRule):
    """LRP-epsilon (Bach et al. 2015, eq. 58): contributions ``x_j w_jk``, with bias, and epsilon to divide safely."""

    epsilon: float = 1e-6

    def hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap) -> Tensor:
        """Propagate in proportion to the contribution of each input to the output."""
        return redistribute(relevance, linear, [(x, linear.weight)], linear.bias, self.epsilon)


@dataclass(frozen=True)
class Gamma(PropagationRule):
    """LRP-gamma (Montavon et al. 2019, 10.2.1): contributions ``c + gamma c+``, which favours those that excite.

    Where an output is negative (which only matters where no ReLU follows: linear bottlenecks, residuals that are summed
    before any) it is ``c + gamma c-``: those are favoured that made it so, and denominators never vanish. An infinite
    gamma takes them alone: the alpha1-beta0, or z+, rule.
    """

    gamma: float

    def hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap) -> Tensor:
        """Propagate in proportion to the contribution of each input, those of the output's own sign favoured."""
        negative = linear(x) < 0
        rising = self._hand_down(relevance.masked_fill(negative, 0), x, linear, above=True)
        return rising + self._hand_down(relevance.masked_fill(~negative, 0), x, linear, above=False)

    def _hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap, *, above: bool) -> Tensor:
        """Propagate with the positive contributions favoured, or the negative ones."""
        same, opposite = self._favour(linear.weight, above=above), self._favour(linear.weight, above=not above)
        bias = None if linear.bias is None else self._favour(linear.bias, above=above)
        return redistribute(relevance, linear, [(x.clamp(min=0), same), (x.clamp(max=0), opposite)], bias)

    def _favour(self, values: Tensor, *, above: bool) -> Tensor:
        part = values.clamp(min=0) if above else values.clamp(max=0)
        return part if self.gamma == float("inf") else values + self.gamma * part


@dataclass(frozen=True)
class Box(PropagationRule):
    """LRP-z^B (Montavon et al. 2017, section 4.2), for pixels: contributions ``x w - low w+ - high w-``."""

    low: Tensor
    """The least that an input can be, broadcast over the inputs."""
    high: Tensor
    """The most."""

    def within(self, pixels: Tensor) -> PropagationRule:
        """Return the rule with bounds of 0 where there is padding: that of zeros gets no relevance then."""
        return Box(self.low * pixels, self.high * pixels)

    def hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap) -> Tensor:
        """Propagate in proportion to the distance of each input from its value of least contribution."""
        rising, falling = linear.weight.clamp(min=0), linear.weight.clamp(max=0)
        low, high = self.low.expand_as(x), self.high.expand_as(x)
        return redistribute(relevance, linear, [(x, linear.weight), (-low, rising), (-high, falling)])


@dataclass(frozen=True)
class Excitation(PropagationRule):
    """Marginal winning probability (Zhang et al. 2016, eq. 2 to 4): contributions ``x+ w+``, without bias.

    The paper presumes responses that aren't negative; where a network has negative ones, they don't excite.
    """

    def hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap) -> Tensor:
        """Propagate by the probability with which each input wins."""
        return redistribute(relevance, linear, [(x.clamp(min=0), linear.weight.clamp(min=0))])


@dataclass(frozen=True)
class ContrastiveExcitation(PropagationRule):
    """The contrast of an output with its dual, whose weights are negated (Zhang et al. 2016, 3.3): signed, sum 0."""

    def hand_down(self, relevance: Tensor, x: Tensor, linear: LinearMap) -> Tensor:
        """Propagate by the probability of winning for the output, less that of winning for its dual."""
        excitation = Excitation()
        dual = LinearMap(linear.multiply, -linear.weight)
        return excitation.hand_down(relevance, x, linear) - excitation.hand_down(relevance, x, dual)


def apply_linear(x: Tensor, linear: LinearMap, rule: PropagationRule) -> Tensor:
    """Return the operation's output, through which the backward pass goes by the rule."""
    output: Tensor = _Linear.apply(x, linear, rule)
    return output


def apply_activation(x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """Return an elementwise operation's output, through which the backward pass goes unchanged."""
    output: Tensor = _Activation.apply(x, activation)
    return output


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, linear: LinearMap, rule: PropagationRule) -> Tensor:
        ctx.save_for_backward(x)
        ctx.linear, ctx.rule = linear, rule
        return linear(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, relevance: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return ctx.rule.hand_down(relevance, x, ctx.linear), None, None


class _Activation(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
        return activation(x.clone())  # some work in place, on what others still need

    @staticmethod
    @once_differentiable
    def backward(_ctx: Any, relevance: Tensor) -> tuple[Tensor, None]:
        return relevance, None
