"""No mask is returned that a known one beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest
import torch
from PIL import Image
from torch import Tensor

import ep_core.engine
from ep_core import ExtremalSpec, explain
from ep_core.extremal.best import Refine, best_known
from ep_core.extremal.extremality import OWN, Rivals, objective_values
from ep_core.extremal.top_area import top_area_masks
from ep_core.masks.perturbation import Pyramids
from ep_core.models import Classifier
from tests.unit.ep_core.conftest import SIDE, SPOTS, checkerboard

AREAS = (0.05, 0.1)


def spot_masks(where: slice) -> Tensor:
    """2 x 1 x H x W."""
    spot = torch.zeros(SIDE, SIDE)
    spot[where, where] = 1
    return top_area_masks(spot[None], AREAS)[0]


@pytest.fixture
def scores(spot_model: Classifier, pyramids: Pyramids) -> Callable[[Tensor, Tensor], Tensor]:
    return partial(pyramids.scores, spot_model.network)


def to_nothing(_areas: Sequence[float], starts: Tensor) -> Tensor:
    """Empty masks: a refinement that loses all."""
    return torch.zeros_like(starts)[:, None]


def best_of(
    scores: Callable[[Tensor, Tensor], Tensor], masks: Tensor, rivals: Rivals, refine: Refine
) -> tuple[Tensor, list[str]]:
    values = objective_values(scores, rivals.masks, 1, "preserve")
    return best_known(scores, masks, rivals, values, areas=AREAS, target=1, variant="preserve", refine=refine)


def test_a_bad_mask_gives_way_to_the_rival_that_beats_it(scores: Callable[[Tensor, Tensor], Tensor]) -> None:
    bad, good = (spot_masks(where) for where in SPOTS)
    masks = torch.stack([bad[0], good[1]])  # only the first is on the wrong spot
    rivals = Rivals(("wrong", "right"), torch.stack([bad, good]))
    best, found_by = best_of(scores, masks, rivals, to_nothing)
    assert found_by == ["right", OWN]
    assert torch.equal(best, good)


def test_what_refinement_makes_of_a_rival_is_taken_where_it_scores_higher(
    scores: Callable[[Tensor, Tensor], Tensor],
) -> None:
    bad, good = (spot_masks(where) for where in SPOTS)
    weak = 0.5 * good + 0.5 * bad  # beats the bad mask, and is beaten by the good one
    asked: list[tuple[list[float], Tensor]] = []

    def refine(areas: Sequence[float], starts: Tensor) -> Tensor:
        asked.append((list(areas), starts))
        return good

    best, found_by = best_of(scores, bad, Rivals(("weak",), weak[None]), refine)
    ((areas, starts),) = asked
    assert areas == list(AREAS)
    assert torch.equal(starts, weak[:, 0])
    assert torch.equal(best, good)
    assert found_by == ["weak", "weak"]


def test_masks_that_no_rival_beats_are_left_alone(scores: Callable[[Tensor, Tensor], Tensor]) -> None:
    bad, good = (spot_masks(where) for where in SPOTS)

    def refine(areas: Sequence[float], starts: Tensor) -> Tensor:
        raise AssertionError("nothing to refine")

    equal = Rivals(("same", "worse"), torch.stack([good, bad]))
    best, found_by = best_of(scores, good, equal, refine)
    assert torch.equal(best, good)
    assert found_by == [OWN, OWN]


@pytest.mark.slow
def test_a_sweep_that_is_beaten_goes_on_from_its_rival(spot_model: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step from the whole image leads nowhere; a rival that knows the spot is taken, and refined."""
    rival = Rivals(("oracle",), spot_masks(SPOTS[1])[None])
    monkeypatch.setattr(ep_core.engine, "quick_rivals", lambda model, sweep, curve: rival)
    spec = ExtremalSpec(target=1, areas=AREAS, iterations=1, perturbation="fade", contrast=False)
    found = explain(spot_model, checkerboard()[None] / 2 + 0.5, spec)
    assert found.extremality is not None
    assert found.extremality.extremal
    for point, mask, curve in zip(found.extremality.points, found.masks, found.curve, strict=True):
        assert (point.rank, point.found_by) == (1, "oracle")
        assert curve.preserve >= point.best_rival_score
        assert mask[0, SPOTS[1], SPOTS[1]].sum() / mask.sum() > 0.75  # the spot is smaller than 0.1
        assert curve.measured_area == pytest.approx(curve.area, abs=1e-3)


def test_another_seeds_masks_do_not_beat_a_sweep_that_was_shown_them(
    mobilenet: Classifier, sample: Callable[[str], Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"areas": (0.1, 0.2), "iterations": 6, "alternatives": 0, "contrast": False}
    other = explain(mobilenet, sample("goose"), ExtremalSpec(seed=1, check_extremality=False, **quick))
    rival = Rivals(("another seed",), other.masks[None])
    monkeypatch.setattr(ep_core.engine, "quick_rivals", lambda model, sweep, curve: rival)
    found = explain(mobilenet, sample("goose"), ExtremalSpec(seed=0, **quick))
    for ours, theirs in zip(found.curve, other.curve, strict=True):
        assert ours.preserve >= theirs.preserve * (1 - 1e-3)
        assert ours.binariness <= 0.05
