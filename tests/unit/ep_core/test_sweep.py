"""Explaining an image: the real network on real photographs, and what a sweep leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from ep_core import Explanation, ExtremalSpec, InvalidInput, UnknownName, explain
from ep_core.masks.perturbation import gaussian_blur
from ep_core.models import Classifier
from ep_core.schemas.pixels import PixelBox
from ep_core.schemas.progress import Progress
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.subject import Subject

BEAR = 295
# The bear's body on the photograph, in pixels (left, top, right, bottom), as the COCO annotation has it.
BEAR_BOX = (196, 115, 431, 307)


@pytest.fixture(scope="module")
def bear(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> Explanation:
    spec = ExtremalSpec(areas=(0.05, 0.1, 0.2), alternatives=0, contrast=False)
    return explain(mobilenet, sample("black_bear"), spec)


def test_top_class_is_explained_by_default(bear: Explanation) -> None:
    assert bear.target.index == BEAR
    assert bear.target.label == "American black bear"


def test_masks_have_their_areas(bear: Explanation) -> None:
    assert bear.masks.shape == (3, 1, 224, 224)
    for point, mask in zip(bear.curve, bear.masks, strict=True):
        assert point.measured_area == pytest.approx(mask.mean().item())
        assert point.measured_area == pytest.approx(point.area, abs=0.005)


def test_masks_are_near_binary_and_smooth(bear: Explanation) -> None:
    assert all(point.binariness <= 0.05 for point in bear.curve)
    for side in (2, 3):
        assert bear.masks.diff(dim=side).abs().max() <= 2 / 7 + 1e-6


def test_no_more_steps_than_a_hundred_per_area(bear: Explanation) -> None:
    assert bear.timing.iterations <= 100


def test_a_small_mask_lies_on_the_bear(bear: Explanation) -> None:
    """By chance a quarter would. At 0.05 the bear isn't recognised yet, and its mask depends on rounding."""
    left, top, right, bottom = BEAR_BOX
    for mask, share in zip(bear.masks[:2, 0], (0.5, 0.75), strict=True):
        on_image = bear.frame.mask_to_image(mask.numpy())
        assert on_image[top:bottom, left:right].sum() / on_image.sum() > share


def test_less_than_half_of_the_image_suffices(bear: Explanation) -> None:
    assert bear.optimal_area in (0.1, 0.2)
    assert bear.monotonic


def test_reference_scores_are_the_networks(
    bear: Explanation, mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    x, _ = mobilenet.preprocess(sample("black_bear"))
    with mobilenet.frozen() as network, torch.no_grad():
        original, blurred = (network(image)[0] for image in (x, gaussian_blur(x, 20.0)))
    assert bear.scores.original == pytest.approx(original[BEAR].item(), rel=1e-4)
    assert bear.scores.perturbed == pytest.approx(blurred[BEAR].item(), rel=1e-3)
    assert bear.scores.original_probability == pytest.approx(original.softmax(0)[BEAR].item(), rel=1e-4)


def test_curve_is_what_the_network_says_of_the_masked_image(
    bear: Explanation, mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    """Each pixel perturbed by the formula, from a dense pyramid of our own."""
    x, _ = mobilenet.preprocess(sample("black_bear"))
    levels = torch.cat([gaussian_blur(x, 20.0 * level / 7) for level in range(8)])
    mask = bear.masks[2, 0]
    for kept, expected in ((mask, bear.curve[2].preserve), (1 - mask, bear.curve[2].delete)):
        depth = (1 - kept) * 7
        weights = (1 - (depth - torch.arange(8).view(8, 1, 1)).abs()).clamp_min(0)
        with mobilenet.frozen() as network, torch.no_grad():
            score = network((weights[:, None] * levels).sum(dim=0, keepdim=True))[0, BEAR].item()
        assert score == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_report_holds_everything_and_survives_json(bear: Explanation) -> None:
    report = bear.report()
    again = ExtremalReport.model_validate_json(report.model_dump_json())
    assert again == report
    assert again.params.iterations == 100
    assert again.params.sigma_max == 20.0
    assert again.model.name == "mobilenet_v2"
    assert again.model.weights_digest.startswith("sha256:b0353104")
    assert again.image_size == (bear.image.height, bear.image.width)
    assert again.frame_box == bear.frame.box


def test_same_seed_same_answer(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    spec = ExtremalSpec(areas=(0.3,), iterations=2)
    first, second = (explain(mobilenet, sample("goose"), spec) for _ in range(2))
    assert torch.equal(first.masks, second.masks)
    assert first.curve == second.curve


@pytest.mark.parametrize("variant", ["preserve", "delete", "hybrid"])
@pytest.mark.parametrize("perturbation", ["blur", "fade"])
def test_every_variant_moves_the_score_its_way(
    mobilenet: Classifier, sample: Callable[[str], Image.Image], variant: str, perturbation: str
) -> None:
    spec = ExtremalSpec(areas=(0.3,), iterations=20, variant=variant, perturbation=perturbation)
    spec = spec.model_copy(update={"alternatives": 0, "contrast": False})
    result = explain(mobilenet, sample("school_bus"), spec)
    (point,) = result.curve
    if variant != "delete":
        assert point.preserve > result.scores.perturbed + 5
    if variant != "preserve":
        assert point.delete < result.scores.original - 5


def test_paper_preset_runs_on_the_real_network(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, _ = mobilenet.preprocess(sample("black_bear"))
    small = interpolate(x, (128, 128), mode="area")
    result = explain(mobilenet, small, ExtremalSpec(areas=(0.4,), preset="paper", iterations=30).masks_only())
    assert result.curve[0].preserve > result.scores.original


@pytest.mark.parametrize(
    ("target", "index"), [(779, 779), ("School Bus", 779), (" goose ", 99), ("American black bear", BEAR)]
)
def test_targets(spot_free: Callable[..., Explanation], target: int | str, index: int) -> None:
    assert spot_free(target=target).target.index == index


@pytest.fixture
def spot_free(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> Callable[..., Explanation]:
    """Explain the goose in one quick step, with the given parameters."""
    quick = {"areas": (0.5,), "iterations": 1, "preset": "paper"}
    return lambda **spec: explain(mobilenet, sample("goose"), ExtremalSpec(**quick, **spec).masks_only())


def test_an_unknown_target_names_its_neighbours(spot_free: Callable[..., Explanation]) -> None:
    with pytest.raises(UnknownName, match="did you mean") as error:
        spot_free(target="black bear")
    assert "American black bear" in error.value.nearest
    with pytest.raises(InvalidInput, match="0 to 999"):
        spot_free(target=1000)
    with pytest.raises(InvalidInput, match="2 classes"):  # a dog and a garment
        spot_free(target="cardigan")


def test_stretch_covers_the_whole_image(spot_free: Callable[..., Explanation]) -> None:
    result = spot_free(fit="stretch")
    assert result.frame.box == (0, 0, result.image.width, result.image.height)


def test_a_preprocessed_tensor_of_any_size(mobilenet: Classifier) -> None:
    result = explain(mobilenet, torch.randn(1, 3, 96, 161), ExtremalSpec(areas=(0.3,), iterations=1).masks_only())
    assert result.masks.shape == (1, 1, 96, 161)
    assert result.image.size == (161, 96)
    with pytest.raises(InvalidInput, match="1 x C x H x W"):
        explain(mobilenet, torch.randn(2, 3, 96, 96))


@pytest.mark.slow
def test_progress_comes_after_every_round_and_ends_at_the_total(
    spot_model: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    seen: list[tuple[int, int, int]] = []
    stages: list[str | None] = []

    def note(progress: Progress) -> None:
        seen.append((progress.iteration, progress.total, len(progress.partial_curve())))
        stages.append(progress.standing.stage)

    spec = ExtremalSpec(areas=(0.1, 0.4), iterations=3, preset="paper")
    explain(spot_model, sample("goose"), spec, on_progress=note)
    assert seen == [(0, 6, 0), (2, 6, 2), (4, 6, 2), (6, 6, 2), (6, 6, 2)]
    assert stages == ["masks"] * 4 + ["rivals"]
    seen.clear()
    stages.clear()
    explain(spot_model, sample("goose"), ExtremalSpec(areas=(0.1, 0.4), iterations=5), on_progress=note)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1] == (seen[-1][1], seen[0][1], 2)
    assert [stage for stage, _ in groupby(stages)][:3] == ["walks", "masks", "rivals"]


@pytest.mark.slow
def test_what_is_explained_is_known_from_the_start(
    spot_model: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    seen: list[Subject | None] = []
    spec = ExtremalSpec(areas=(0.1,), iterations=2).masks_only()
    found = explain(spot_model, sample("goose"), spec, on_progress=lambda progress: seen.append(progress.subject()))
    subject = seen[0]
    assert subject is not None
    assert (subject.target, subject.scores) == (found.target, found.scores)
    left, top, right, bottom = found.frame.box
    assert subject.frame == PixelBox(left=left, top=top, right=right, bottom=bottom)
    assert (subject.image.width, subject.image.height) == sample("goose").size
    shown = (right - left) * (bottom - top) / (subject.image.width * subject.image.height)
    assert subject.coverage.image == pytest.approx(shown)  # the frame lies within the image
    assert subject.coverage.frame == pytest.approx(1)


def test_the_network_is_left_as_it_was_also_after_an_error(spot_model: Classifier) -> None:
    spot_model.network.train()

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(spot_model, Image.fromarray(np.zeros((80, 80, 3), np.uint8)), ExtremalSpec(), on_progress=stop)
    assert all(module.training for module in spot_model.network.modules())
    assert all(parameter.requires_grad for parameter in spot_model.network.parameters())
    assert all(parameter.grad is None for parameter in spot_model.network.parameters())
