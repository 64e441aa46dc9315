"""Several methods side by side, on the real network."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import groupby

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ep_core import Classifier, CompareSpec, InvalidInput, UnknownName, compare
from ep_core.compare.comparison import Comparison
from ep_core.compare.maps import positive_part
from ep_core.compare.render import render_comparison
from ep_core.methods.base.method import MethodUnavailable
from ep_core.schemas.progress import Progress
from ep_core.schemas.reports.comparison import CompareReport
from ep_core.schemas.tasks import read_report
from tests.unit.ep_core.conftest import checkerboard

Sample = Callable[[str], Image.Image]
AREAS = (0.05, 0.2)


@pytest.fixture(scope="module")
def seen() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def bear(mobilenet: Classifier, sample: Sample, seen: list[Progress]) -> Comparison:
    """Three methods on the bear."""
    spec = CompareSpec(methods=("grad_cam", "extremal", "center"), areas=AREAS, iterations=10)
    return compare(mobilenet, sample("black_bear"), spec, on_progress=seen.append)


def test_each_method_has_a_map_and_a_curve_of_equal_areas(bear: Comparison) -> None:
    assert [one.method for one in bear.answers] == ["grad_cam", "extremal", "center"]
    for one in bear.answers:
        assert one.map.shape == (224, 224)
        assert [point.area for point in one.curve] == list(AREAS)
        for point in one.curve:
            assert point.measured_area == pytest.approx(point.area, abs=5e-4)
        assert one.seconds >= 0


def test_scores_are_those_of_the_masks(mobilenet: Classifier, sample: Sample, bear: Comparison) -> None:
    x, _ = mobilenet.preprocess(sample("black_bear"))
    assert bear.target.label == "American black bear"
    with mobilenet.frozen() as network, torch.no_grad():
        assert bear.scores.original == pytest.approx(float(network(x)[0, bear.target.index]), abs=1e-3)
    extremal = bear.answers[1]
    assert bear.explanation is not None
    assert torch.equal(extremal.masks, bear.explanation.masks)
    assert [point.preserve for point in extremal.curve] == pytest.approx(
        [point.preserve for point in bear.explanation.curve], abs=1e-3
    )


def test_extremal_masks_are_checked_against_all_others(bear: Comparison) -> None:
    assert bear.extremality is not None
    assert bear.extremality.methods == ["grad_cam", "center"]
    assert bear.extremality.random_masks == 16
    by_hand = [
        1 + sum(one.curve[k].preserve > bear.answers[1].curve[k].preserve for one in bear.answers)
        for k in range(len(AREAS))
    ]
    ranks = [point.rank for point in bear.extremality.points]
    assert all(rank >= least for rank, least in zip(ranks, by_hand, strict=True))
    assert bear.extremality.extremal == (ranks == [1, 1])


def test_report_reads_back_the_same(bear: Comparison) -> None:
    report = bear.report()
    assert isinstance(report, CompareReport)
    assert read_report(report.model_dump_json().encode()) == report
    assert report.params.sigma_max == 20
    assert report.frame_box == bear.frame.box


def test_pictures(bear: Comparison) -> None:
    files = dict(render_comparison(bear))
    named = {
        "comparison.png",
        "curve.svg",
        "maps/grad_cam.png",
        "heat/center.png",
        "masks/0.05.png",
        "overlays/0.2.png",
    }
    assert named <= set(files)
    map_ = np.asarray(Image.open(io.BytesIO(files["maps/grad_cam.png"])))
    assert map_.shape == (427, 640)
    assert map_.max() > 250
    assert Image.open(io.BytesIO(files["masks/0.05.png"])).size == (640, 427)
    assert b"Grad-CAM" in files["curve.svg"]


def test_progress_rises_to_its_total(bear: Comparison, seen: list[Progress]) -> None:
    assert bear.answers
    iterations = [progress.iteration for progress in seen]
    assert iterations == sorted(iterations)
    assert len({progress.total for progress in seen}) == 1
    assert iterations[-1] == seen[-1].total
    assert any(progress.partial_curve() for progress in seen)  # while the extremal masks are found


def test_progress_has_each_map_once_its_method_has_ended(bear: Comparison, seen: list[Progress]) -> None:
    stages = [stage for stage, _ in groupby(progress.standing.stage for progress in seen)]
    assert stages == [*(one.method for one in bear.methods), "scoring"]
    for k, name in enumerate(stages):
        first = next(progress for progress in seen if progress.standing.stage == name)
        assert list(first.standing.maps) == [one for one in stages[:k] if one in {a.method for a in bear.answers}]
    assert torch.equal(seen[-1].standing.maps["grad_cam"].cpu(), bear.answers[0].map)
    assert all((one := progress.subject()) and one.scores == bear.scores for progress in seen)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_an_extremal_mask_that_another_methods_beats_gives_way(spot_model: Classifier, preset: str) -> None:
    """The gradient of this network is the answer, which one step of a search can't reach. `paper` stays as it is."""
    spec = CompareSpec(
        methods=("gradient", "extremal"), target=0, areas=(0.05,), iterations=1, preset=preset, perturbation="fade"
    )
    found = compare(spot_model, checkerboard()[None] / 2 + 0.5, spec)
    gradient, extremal = found.answers
    assert found.extremality is not None
    (point,) = found.extremality.points
    assert torch.equal(extremal.map, extremal.masks.sum(dim=0)[0])
    if preset == "fast":
        assert (point.found_by, found.extremality.extremal) == ("gradient", True)
        assert extremal.curve[0].preserve >= gradient.curve[0].preserve * (
            1 - 1e-5
        )  # the same mask, its area held anew
        assert extremal.curve[0].measured_area == pytest.approx(0.05, abs=1e-3)
    else:
        assert point.found_by == "walks"
        assert extremal.curve[0].measured_area > 0.9  # a mask that shrinks for 1600 steps, after the first one


def test_methods_that_a_network_forbids_say_why(spot_model: Classifier, sample: Sample) -> None:
    spec = CompareSpec(methods=("grad_cam", "center"), target=0, areas=(0.1,))
    found = compare(spot_model, sample("goose"), spec)
    refused, center = found.report().methods
    assert refused.unavailable is not None
    assert refused.curve == []
    assert center.unavailable is None
    assert found.explanation is None
    with pytest.raises(MethodUnavailable, match="grad_cam"):
        compare(spot_model, sample("goose"), spec.model_copy(update={"methods": ("grad_cam",)}))


def test_a_map_that_is_not_finite_is_refused(sample: Sample) -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2), Infinite())
    found = compare(
        Classifier(network, check=False),
        sample("goose"),
        CompareSpec(methods=("gradient", "center"), target=0, areas=(0.1,)),
    )
    assert "finite" in (found.report().methods[0].unavailable or "")


def test_mistakes_are_told_before_the_work(mobilenet: Classifier, sample: Sample) -> None:
    with pytest.raises(UnknownName, match=r"features\.18"):
        compare(mobilenet, sample("goose"), CompareSpec(layer="features.81"))
    with pytest.raises(InvalidInput, match="target 1000"):
        compare(mobilenet, sample("goose"), CompareSpec(target=1000))
    with pytest.raises(ValueError, match="did you mean grad_cam"):
        CompareSpec(methods=("gradcam",))
    with pytest.raises(ValueError, match="different"):
        CompareSpec(methods=("rise", "rise"))


def test_positive_part_is_relative_to_a_quantile_of_itself() -> None:
    assert positive_part(torch.tensor([[-3.0, 0.0], [1.0, 4.0]])).tolist() == [[0, 0], [0.25, 1]]
    assert positive_part(torch.tensor([[-3.0, -1.0]])).tolist() == [[0, 0]]
    assert positive_part(torch.tensor([[5.0, 6.0, 7.0]])).tolist() == [[0, 0.5, 1]]
    spiky = torch.arange(400.0).view(20, 20)
    spiky[0, 0] = 1000
    assert positive_part(spiky, quantile=0.995)[10, 10] > 0.5


class Infinite(nn.Module):
    """Scores whose gradient is infinite at zero."""

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        return (scores - scores.detach()).abs().sqrt()
