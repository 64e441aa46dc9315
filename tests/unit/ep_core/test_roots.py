"""Roots of increasing functions against a bisection."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.optimiser.presets.roots import MOST_EVALUATIONS, roots

STEEPNESS = torch.tensor([0.3, 1.0, 4.0, 30.0, 400.0]).view(-1, 1)
PLACES = torch.tensor([-7.3, -0.02, 0.0, 1.1, 5.9]).view(1, -1)
WANTED = 0.0005


def excess(points: Tensor) -> Tensor:
    """Sigmoids of all steepnesses at all places, less a small area."""
    return torch.sigmoid(STEEPNESS * (points - PLACES)) - WANTED


def bisected(low: Tensor, high: Tensor) -> Tensor:
    low, high = low.double(), high.double()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = torch.where(excess(middle) > 0, low, middle), torch.where(excess(middle) > 0, middle, high)
    return high


def bracket() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    low, high = torch.full((5, 5), -40.0), torch.full((5, 5), 17.0)
    return low, high, torch.full((5, 5), -WANTED), torch.full((5, 5), 1 - WANTED)


def test_roots_are_those_of_a_bisection_in_fewer_evaluations() -> None:
    low, high, *values = bracket()
    count = 0

    def counted(points: Tensor) -> Tensor:
        nonlocal count
        count += 1
        return excess(points)

    found = roots(counted, low, high, *values, close=1e-7)

    torch.testing.assert_close(found.double(), bisected(low, high), rtol=1e-5, atol=2e-3)  # as flat as the flattest is
    assert excess(found).abs().max() < 1e-6
    assert count <= 20  # of 32


def test_a_root_does_not_depend_on_the_others() -> None:
    low, high, *values = bracket()
    together = roots(excess, low, high, *values, close=1e-7)
    for row in range(5):
        for column in range(5):

            def one(point: Tensor, row: int = row, column: int = column) -> Tensor:
                return torch.sigmoid(STEEPNESS[row] * (point - PLACES[0, column])) - WANTED

            place = row, slice(column, column + 1)
            alone = roots(one, low[place], high[place], *(value[place] for value in values), close=1e-7)
            assert torch.equal(alone, together[place])


def test_a_function_that_stays_below_zero_is_followed_to_the_end() -> None:
    low, high = torch.tensor([-17.0]), torch.tensor([17.0])
    count = 0

    def below(points: Tensor) -> Tensor:
        nonlocal count
        count += 1
        return torch.sigmoid(points) - 1.01

    found = roots(below, low, high, torch.tensor([-1.0]), torch.tensor([1e-5]), close=1e-7)

    assert found.item() > 16.99
    assert count < MOST_EVALUATIONS
