"""Images with more than one sufficient region, and why one class and not another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import ep_core.engine
from ep_core import Classifier, Explanation, ExtremalSpec, explain
from ep_core.extremal.alternatives import largest_overlap, without
from ep_core.extremal.contrast import nearest_class
from ep_core.extremal.extremality import Rivals
from ep_core.extremal.preparation import Prepared
from ep_core.extremal.search import Search
from ep_core.extremal.top_area import top_area_masks
from ep_core.models import Preprocessing
from ep_core.models.frame import Frame
from ep_core.schemas.reports.common import Scores
from tests.unit.ep_core.conftest import SIDE, SPOTS, checkerboard


class EitherSpot(nn.Module):
    """Scores the detail of the two spots: each suffices (the higher one counts, at most 1), or only their mean."""

    def __init__(self, *, enough: bool) -> None:
        super().__init__()
        self.enough = enough

    def forward(self, x: Tensor) -> Tensor:
        detail = x * checkerboard()
        first, second = (4 * detail[:, :, where, where].mean(dim=(1, 2, 3)) for where in SPOTS)
        both = torch.maximum(first, second).clamp_max(1) if self.enough else (first + second) / 2
        return torch.stack([both, 0.3 * first, torch.zeros_like(both)], dim=1)


def model(*, enough: bool) -> Classifier:
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(EitherSpot(enough=enough), name="either", preprocessing=preprocessing, labels=["any", "a", "b"])


IMAGE = checkerboard()[None] / 2 + 0.5
SPEC = ExtremalSpec(
    target=0, areas=(0.06, 0.1), perturbation="fade", threshold=0.9, alternatives=3, check_extremality=False
)


@pytest.fixture(scope="module")
def found() -> Explanation:
    """A sweep of what either spot suffices for."""
    return explain(model(enough=True), IMAGE, SPEC)


@pytest.mark.slow
def test_either_spot_suffices_and_both_are_found(found: Explanation) -> None:
    assert found.optimal_area is not None
    assert len(found.alternatives) == 1  # there is no third spot
    (other,) = found.alternatives
    optimal = found.masks[SPEC.areas.index(found.optimal_area)]
    on = [[float(mask[0, where, where].sum() / mask.sum()) for where in SPOTS] for mask in (optimal, other.mask)]
    assert max(on[0]) > 0.7
    assert max(on[1]) > 0.7
    assert on[0].index(max(on[0])) != on[1].index(max(on[1]))
    assert other.report.preserve >= found.scores.threshold
    assert other.report.overlap < 0.2
    assert other.report.area == found.optimal_area
    assert other.report.measured_area == pytest.approx(other.report.area, abs=1e-3)
    assert found.report().alternatives == [other.report]


class SecondBetter(EitherSpot):
    """The first spot suffices for 0.95, the second for 1."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = (4 * (x * checkerboard())[:, :, where, where].mean(dim=(1, 2, 3)) for where in SPOTS)
        score = torch.maximum(0.95 * first.clamp_max(1), second.clamp_max(1))
        return torch.stack([score, 0.3 * first, torch.zeros_like(score)], dim=1)


def sweep_that_ends_on(where: slice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sweeps find masks on one place alone."""
    place = torch.zeros(1, SIDE, SIDE)
    place[0, where, where] = 1
    masks, search = top_area_masks(place, SPEC.areas)[0], Search.masks
    monkeypatch.setattr(
        Search, "masks", lambda self, sweeps: [replace(found, masks=masks) for found in search(self, sweeps)]
    )


def better_model() -> Classifier:
    either = model(enough=True)
    return Classifier(
        SecondBetter(enough=True), name="second", preprocessing=either.preprocessing, labels=list(either.labels)
    )


def share_on(mask: Tensor, where: slice) -> float:
    return float(mask[0, where, where].sum() / mask.sum())


@pytest.mark.slow
def test_an_alternative_that_scores_higher_changes_places_with_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_that_ends_on(SPOTS[0], monkeypatch)
    weak = Rivals(("weak",), torch.zeros(1, len(SPEC.areas), 1, SIDE, SIDE))
    monkeypatch.setattr(ep_core.engine, "quick_rivals", lambda model, sweep, curve: weak)
    asked = {"contrast": False, "alternatives": 1, "check_extremality": True}
    found = explain(better_model(), IMAGE, SPEC.model_copy(update=asked))
    assert found.optimal_area is not None
    place = SPEC.areas.index(found.optimal_area)
    assert share_on(found.masks[place], SPOTS[1]) > 0.7
    (former,) = found.alternatives
    assert share_on(former.mask, SPOTS[0]) > 0.7
    assert former.report.preserve < found.curve[place].preserve
    assert found.extremality is not None
    assert [point.found_by == "alternative" for point in found.extremality.points] == [
        k == place for k in range(len(SPEC.areas))
    ]
    assert found.extremality.points[place].score == pytest.approx(found.curve[place].preserve)


@pytest.mark.slow
def test_a_contrast_that_scores_higher_is_the_mask_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_that_ends_on(slice(60, 100), monkeypatch)  # between the spots
    found = explain(better_model(), IMAGE, SPEC.model_copy(update={"alternatives": 0, "threshold": 0.5}))
    assert found.contrast is not None
    place = SPEC.areas.index(found.contrast.report.area)
    assert torch.equal(found.masks[place], found.contrast.mask)
    assert found.curve[place].preserve == pytest.approx(found.contrast.report.target_score)
    assert found.optimal_area == found.contrast.report.area


@pytest.mark.slow
def test_where_only_both_spots_suffice_there_is_no_alternative() -> None:
    asked = {"areas": (0.1, 0.3), "contrast": False, "iterations": 60}
    found = explain(model(enough=False), IMAGE, SPEC.model_copy(update=asked))
    assert found.optimal_area is not None
    assert found.alternatives == ()


@pytest.mark.slow
def test_the_contrast_lifts_the_target_above_its_nearest_class(found: Explanation) -> None:
    """The rival looks at the first spot alone, so what speaks against it is the second."""
    assert found.contrast is not None
    report = found.contrast.report
    assert (report.rival.index, report.rival.label) == (1, "a")
    assert report.preserve == pytest.approx(report.target_score - report.rival_score)
    assert report.preserve > report.original
    mask = found.contrast.mask[0]
    assert mask[SPOTS[1], SPOTS[1]].sum() > mask[SPOTS[0], SPOTS[0]].sum()
    assert found.report().contrast == report


def test_blocks_that_are_not_asked_for_are_left_out() -> None:
    spec = SPEC.model_copy(update={"alternatives": 0, "contrast": False, "iterations": 2})
    found = explain(model(enough=True), IMAGE, spec)
    assert (found.alternatives, found.contrast) == ((), None)


def test_the_nearest_class_is_the_highest_other_one() -> None:
    scores = torch.tensor([3.0, 9.0, 7.0])
    assert nearest_class(scores, 1) == 2
    assert nearest_class(scores, 2) == 1


def test_known_masks_are_taken_away_from_the_image() -> None:
    pyramid = torch.tensor([5.0, 3.0, 1.0]).view(3, 1, 1, 1).expand(3, 3, 2, 2)
    known = torch.tensor([[1.0, 0.0], [0.5, 0.0]])[None, None]
    frame = Frame((2, 2), (2, 2), (0, 0, 2, 2))
    picture = Image.new("RGB", (2, 2))
    sweep = Prepared(
        spec=SPEC,
        target=0,
        picture=picture,
        frame=frame,
        pyramid=pyramid,
        probabilities=lambda _: None,
        classes=lambda _: None,
        reference=Scores(original=1, perturbed=0, threshold=1, original_probability=None),
    )
    left = without(sweep, torch.cat([known, torch.zeros_like(known)])).pyramid
    assert left[:, 0, 0, 0].tolist() == [1, 1, 1]
    assert left[:, 0, 0, 1].tolist() == [5, 3, 1]
    assert left[:, 0, 1, 0].tolist() == [3, 2, 1]
    assert largest_overlap(known, torch.cat([known, 1 - known])) == 1


def test_a_real_photograph_has_a_contrast(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    spec = ExtremalSpec(areas=(0.4,), iterations=20, alternatives=0, check_extremality=False)
    found = explain(mobilenet, sample("black_bear"), spec)
    assert found.contrast is not None
    report = found.contrast.report
    assert report.rival.label != "American black bear"
    assert report.preserve > report.original
