"""Log-odds: formulas, gradients, and sizes at which the formulas written out would fail."""

from __future__ import annotations

import math

import pytest
import torch

from ep_core.models.log_odds import from_log, log_odds


def random_logits(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3


def test_each_class_is_against_all_others_together() -> None:
    logits = random_logits(2, 4, 5)
    p = logits.softmax(dim=1)
    torch.testing.assert_close(log_odds(logits, dim=1), (p / (1 - p)).log())


def test_where_the_softmax_is_sure_nothing_is_rounded_away() -> None:
    found = log_odds(torch.tensor([60.0, 0.0, 0.0]))
    torch.testing.assert_close(found, torch.tensor([60 - math.log(2), -60.0, -60.0]))


def test_a_single_class_is_its_logit() -> None:
    assert log_odds(torch.tensor([[3.0], [-2.0]])).tolist() == [[3.0], [-2.0]]


def test_equal_logits_are_against_each_other() -> None:
    torch.testing.assert_close(log_odds(torch.zeros(4)), torch.full((4,), -math.log(3)))


@pytest.mark.parametrize("scale", [1, 30])
def test_the_gradient_is_that_of_the_formula(scale: float) -> None:
    logits = (random_logits(3, 4) * scale).requires_grad_()
    log_odds(logits)[:, 1].sum().backward()
    others = logits.detach()[:, [0, 2, 3]].softmax(dim=1)
    expected = torch.stack([-others[:, 0], torch.ones(3, dtype=torch.float64), -others[:, 1], -others[:, 2]], dim=1)
    torch.testing.assert_close(logits.grad, expected)


def test_logs_of_probabilities_become_log_odds() -> None:
    p = torch.tensor([1e-12, 0.2, 0.5, 0.999], dtype=torch.float64)
    torch.testing.assert_close(from_log(p.log()), p.logit())
    assert from_log(torch.tensor(0.0)) == pytest.approx(math.log(1e6), rel=1e-3)  # finite
