"""Explaining many images in one call."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor

from ep_core import ExtremalSpec, InvalidInput, explain, explain_batch
from ep_core.models import Classifier
from ep_core.schemas.progress import Progress
from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.specs import Preset

pytestmark = pytest.mark.slow

SPEC = ExtremalSpec(areas=(0.1, 0.4), iterations=2).masks_only()


def test_each_image_gets_its_own_answer_in_order(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    names = ("goose", "pizza", "black_bear")
    results = explain_batch(mobilenet, [sample(name) for name in names], SPEC)
    assert [result.target.label for result in results] == ["goose", "pizza", "American black bear"]
    assert all(result.masks.shape == (2, 1, 224, 224) for result in results)
    assert all(
        point.measured_area == pytest.approx(point.area, abs=1e-3) for result in results for point in result.curve
    )


def test_the_company_changes_nothing(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    """Not a bit, for the default network on a CPU; also where a lane is the only one of its batch."""
    images = [sample(name) for name in ("goose", "pizza", "airliner")]
    walks, lone = (ExtremalSpec(areas=(0.2,), iterations=3, independent=alone) for alone in (False, True))
    specs = [walks.model_copy(update={"areas": (0.1, 0.4)}), walks.masks_only(), lone.masks_only()]
    together = explain_batch(mobilenet, images, specs)
    for image, spec, result in zip(images, specs, together, strict=True):
        alone = explain(mobilenet, image, spec)
        assert torch.equal(result.masks, alone.masks)
        assert result.scores == alone.scores
        assert result.curve == alone.curve


def test_specs_may_differ_in_everything(spot_model: Classifier) -> None:
    images = [torch.rand(1, 3, 168, 168) for _ in range(5)]
    specs = [
        ExtremalSpec(areas=(0.1, 0.2, 0.3), iterations=4, target=1, check_extremality=False),
        ExtremalSpec(areas=(0.5,), iterations=2, preset="paper").masks_only(),
        ExtremalSpec(areas=(0.2,), iterations=3, variant="hybrid", perturbation="fade").masks_only(),
        ExtremalSpec(areas=(0.2,), iterations=3, variant="delete", pyramid_levels=3).masks_only(),
        ExtremalSpec(areas=(0.6,), iterations=4, independent=True).masks_only(),
    ]
    results = explain_batch(spot_model, images, specs)
    for result, spec in zip(results, specs, strict=True):
        assert result.spec.areas == spec.areas
        assert result.spec.variant == spec.variant
        assert result.timing.iterations <= spec.iterations
        assert len(result.curve) == len(spec.areas)
    assert [result.spec.independent for result in results] == [False, True, False, False, True]


def test_progress_runs_to_the_total_once(spot_model: Classifier) -> None:
    seen: list[Progress] = []
    images = [torch.rand(1, 3, 168, 168) for _ in range(2)]
    spec = ExtremalSpec(areas=(0.1, 0.4), iterations=3)
    explain_batch(spot_model, images, spec, on_progress=seen.append, max_lanes=2)
    done = [progress.iteration for progress in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].total
    assert {progress.total for progress in seen} == {seen[0].total}


def test_a_partial_curve_shows_the_areas_at_work(spot_model: Classifier) -> None:
    shown: list[list[float]] = []

    def look(progress: Progress) -> None:
        shown.append([point.area for point in progress.partial_curve()])

    spec = ExtremalSpec(areas=(0.1, 0.4), iterations=30).masks_only()
    explain(spot_model, torch.rand(1, 3, 168, 168), spec, on_progress=look)
    assert next(filter(None, shown)) == [0.4]  # the walks have not come to the smaller area yet
    assert [len(areas) for areas in shown] == sorted(len(areas) for areas in shown)
    assert shown[-1] == [0.1, 0.4]


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_previews_are_the_masks_at_work(spot_model: Classifier, preset: Preset) -> None:
    seen: list[tuple[list[PartialPoint], dict[float, Tensor]]] = []

    def look(progress: Progress) -> None:
        seen.append((progress.partial_curve(), progress.previews()))

    spec = ExtremalSpec(areas=(0.1, 0.4), iterations=10, preset=preset).masks_only()
    explain(spot_model, torch.rand(1, 3, 168, 168), spec, on_progress=look)
    for points, previews in seen:
        assert list(previews) == [point.area for point in points]
        assert all(mask.shape == (168, 168) and 0 <= mask.min() <= mask.max() <= 1 for mask in previews.values())
    if preset == "fast":  # which holds the scheduled area: a step later it is about the same
        for point, mask in zip(seen[-1][0], seen[-1][1].values(), strict=True):
            assert float(mask.mean()) == pytest.approx(point.measured_area, abs=0.1)


def test_no_images_no_results(spot_model: Classifier) -> None:
    assert explain_batch(spot_model, []) == []


def test_as_many_specs_as_images(spot_model: Classifier) -> None:
    with pytest.raises(InvalidInput, match="2 specs for 1 images"):
        explain_batch(spot_model, [torch.rand(1, 3, 168, 168)], [SPEC, SPEC])


def test_a_paper_mask_cant_branch() -> None:
    with pytest.raises(ValueError, match="always independent"):
        ExtremalSpec(preset="paper", independent=False)


def test_an_error_says_which_image_it_is_about_before_any_work(spot_model: Classifier) -> None:
    images = [torch.rand(1, 3, 168, 168), torch.rand(3, 168, 168)]
    rounds: list[object] = []
    with pytest.raises(InvalidInput, match="1 x C x H x W") as caught:
        explain_batch(spot_model, images, SPEC, on_progress=rounds.append)
    assert (caught.value.__notes__, rounds) == (["It is about images[1]."], [])
