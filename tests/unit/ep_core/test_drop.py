"""The perturbation `drop`: masks of whole patches, and the scores of what they keep."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from ep_core import Classifier, CompareSpec, Explanation, ExtremalSpec, compare, explain
from ep_core.bench.drop import step_costs
from ep_core.errors import InvalidInput
from ep_core.extremal.alternatives import without
from ep_core.extremal.preparation import masked_images, prepare_image
from ep_core.extremal.search import Search
from ep_core.extremal.top_area import top_area_masks
from ep_core.extremal.watch import Watch
from ep_core.masks.dropping import CANDIDATES, COUNTS, LEAST, TokenImages
from ep_core.masks.patches import PatchLattice, to_patches
from ep_core.models import Preprocessing
from ep_core.models.tokens.find import require_site
from ep_core.models.tokens.kept import kept_scores, tokens_of
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.presets.paper import PaperRule
from tests.unit.ep_core.token_networks import SIDE, made

GRID = (4, 4)
AREAS = (0.1, 0.25, 0.5)
COUNT = (2, 4, 8)  # of 16 patches
DROP = ExtremalSpec(perturbation="drop", target=1, iterations=40, check_extremality=False, contrast=False)


@pytest.fixture(scope="module")
def model() -> Classifier:
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(made("torchvision_vit"), name="vit", preprocessing=preprocessing, labels=["a", "b", "c"])


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


def tokens(network: nn.Module, *images: Tensor, left: Tensor | None = None) -> TokenImages:
    return TokenImages(network, require_site(network, (SIDE, SIDE), model="vit"), torch.cat(images), left)


def by_hand(network: nn.Module, image: Tensor, kept: list[int]) -> Tensor:
    """Return the scores of an image's kept patches, alone in a batch."""
    site = require_site(network, (SIDE, SIDE), model="vit")
    with torch.no_grad():
        return kept_scores(network, site, image, tokens_of(network, site, image), torch.tensor([kept]))[0]


def patches_of(mask: Tensor) -> list[int]:
    """Return the indices of the patches that a mask (1 x H x W) keeps; it must be of whole ones."""
    means = to_patches(mask[None], GRID)[0]
    assert means.eq(0).logical_or(means.eq(1)).all()
    return means.nonzero().flatten().tolist()


def test_parameters_of_patches_are_masks_and_keep_their_slopes() -> None:
    lattice = PatchLattice((8, 6), (2, 3))
    parameters = torch.tensor([[0.0, 0.25, 1.0], [0.5, 0.75, 0.1]])[None, None].requires_grad_()
    masks = lattice.smooth(parameters)
    assert masks.shape == (1, 1, 8, 6)
    assert torch.equal(masks[0, 0, :4, 2:4], torch.full((4, 2), 0.25))
    assert torch.allclose(to_patches(masks, (2, 3)), parameters.flatten(1))
    (slopes,) = torch.autograd.grad(masks.sum(), parameters)
    assert torch.equal(slopes, torch.full_like(parameters, 8))  # the pixels of a patch
    sharp = lattice.smooth(parameters, torch.full((1, 1, 1, 1), 2.0))
    assert float(sharp.detach()[0, 0, 0, 2]) == pytest.approx(0.25**2 / (0.25**2 + 0.75**2))


def test_the_top_patches_are_the_nearest_count_of_an_area() -> None:
    lattice = PatchLattice((4, 4), (2, 2))
    masks = lattice.top(torch.tensor([[4.0, 1.0], [3.0, 2.0]])[None, None].expand(3, -1, -1, -1), [0.01, 0.6, 0.99])
    assert masks[:, 0, ::2, ::2].tolist() == [[[1, 0], [0, 0]], [[1, 0], [1, 0]], [[1, 1], [1, 1]]]


def test_a_lattice_knows_which_patches_are_gone() -> None:
    left = torch.tensor([[0.0, 1.0], [0.0, 1.0]])[None, None]
    lattice = PatchLattice((4, 4), (2, 2), left)
    assert lattice.largest == 0.5
    full, contrast = torch.ones(1, 1, 2, 2), torch.full((1, 1, 1, 1), 2.0)
    for masks in (lattice.smooth(full), lattice.smooth(full, contrast)):
        assert masks[0, 0, ::2, ::2].tolist() == left[0, 0].tolist()
    assert lattice.means(torch.ones(2, 1, 4, 4)).tolist() == [[0, 1, 0, 1]] * 2
    best_are_gone = torch.tensor([[4.0, -2.0], [3.0, -1.0]])[None, None].expand(3, -1, -1, -1)
    masks = lattice.top(best_are_gone, [0.25, 0.5, 0.75])
    assert masks[:, 0, ::2, ::2].tolist() == [[[0, 0], [0, 1]], [[0, 1], [0, 1]], [[0, 1], [0, 1]]]


def test_top_areas_of_maps_are_whole_patches() -> None:
    ramp = torch.arange(SIDE**2, dtype=torch.float32).view(SIDE, SIDE)
    masks = top_area_masks(torch.stack([ramp, -ramp]), AREAS, patches=GRID)
    assert [len(patches_of(mask)) for mask in masks[0]] == list(COUNT)
    assert patches_of(masks[0, 1]) == [12, 13, 14, 15]
    assert patches_of(masks[1, 1]) == [0, 1, 2, 3]


def test_masks_are_scored_as_the_kept_patches_are(model: Classifier, image: Tensor) -> None:
    network, other = model.network, image.flip(3)
    chosen = [[], [3], [0, 5, 10, 15], list(range(16)), [3]]
    masks = torch.stack([torch.zeros(16).index_fill(0, torch.tensor(one, dtype=torch.long), 1.0) for one in chosen])
    masks = PatchLattice((SIDE, SIDE), GRID).smooth(masks.view(-1, 1, *GRID))
    found = tokens(network, image, other).scores(network, masks, torch.tensor([0, 0, 0, 1, 1]))
    for scores, kept, one in zip(found, chosen, (image, image, image, other, other), strict=True):
        assert torch.allclose(scores, by_hand(network, one, kept), atol=1e-4)
    assert torch.allclose(found[3], network(other)[0], atol=1e-4)


def test_a_search_sees_the_kept_patches_and_their_next(model: Classifier, image: Tensor) -> None:
    network = model.network
    values = torch.linspace(0.01, 0.2, 16)
    values[2], values[7] = 0.9, 0.8
    masks = PatchLattice((SIDE, SIDE), GRID).smooth(values.view(1, 1, *GRID)).requires_grad_()
    images = tokens(network, image)
    scores = images.scores(network, masks, torch.tensor([0]))
    (slopes,) = torch.autograd.grad(scores[0, 0], masks)
    seen = to_patches(slopes, GRID)[0].nonzero().flatten().tolist()
    share, more = CANDIDATES
    wanted = (1 + share) * float(values.sum()) + more
    assert len(seen) == -(-wanted // COUNTS) * COUNTS
    assert set(values.topk(len(seen)).indices.tolist()) == set(seen)
    site = require_site(network, (SIDE, SIDE), model="vit")
    weights = torch.full((1, len(seen)), LEAST)
    weights[0, [seen.index(2), seen.index(7)]] = 1
    places = torch.tensor([seen])
    expected = kept_scores(network, site, image, tokens_of(network, site, image), places, weights)
    assert torch.allclose(scores.detach(), expected, atol=1e-4)


def test_patches_that_are_gone_are_never_kept(model: Classifier, image: Tensor) -> None:
    left = (torch.arange(16) > 3).float().view(1, 1, *GRID)
    images = tokens(model.network, image, left=left)
    scores = images.scores(model.network, torch.ones(1, 1, SIDE, SIDE), torch.tensor([0]))
    assert torch.allclose(scores[0], by_hand(model.network, image, list(range(4, 16))), atol=1e-4)


@pytest.fixture(scope="module")
def found(model: Classifier, image: Tensor) -> Explanation:
    return explain(model, image, ExtremalSpec(perturbation="drop", target=1, areas=AREAS, iterations=40))


def test_a_sweep_finds_patches_and_scores_them_alone(found: Explanation, model: Classifier, image: Tensor) -> None:
    assert found.spec.sigma_max is None
    assert [warning.kind for warning in found.warnings if warning.kind != "threshold"] == []
    for mask, point, count in zip(found.masks, found.curve, COUNT, strict=True):
        kept = patches_of(mask)
        assert len(kept) == count
        assert point.measured_area == count / 16
        assert point.binariness == 0
        assert point.preserve == pytest.approx(float(by_hand(model.network, image, kept)[1]), abs=1e-3)
        rest = [k for k in range(16) if k not in kept]
        assert point.delete == pytest.approx(float(by_hand(model.network, image, rest)[1]), abs=1e-3)
    assert found.scores.original == pytest.approx(float(model.network(image)[0, 1]), abs=1e-3)
    assert found.scores.perturbed == pytest.approx(float(by_hand(model.network, image, [])[1]), abs=1e-3)


def test_a_sweep_is_near_the_best_pair_of_patches(found: Explanation, model: Classifier, image: Tensor) -> None:
    pairs = torch.combinations(torch.arange(16))
    site = require_site(model.network, (SIDE, SIDE), model="vit")
    known = tokens_of(model.network, site, image).expand(len(pairs), -1, -1)
    with torch.no_grad():
        scores = kept_scores(model.network, site, image, known, pairs)[:, 1]
    better = int((scores > found.curve[0].preserve + 1e-3).sum())
    assert better <= 0.05 * len(pairs)


def test_rivals_are_of_whole_patches_too(found: Explanation) -> None:
    assert found.extremality is not None
    for point in found.extremality.points:
        assert point.best_rival_area == point.measured_area


def test_what_is_left_without_a_mask_is_the_other_patches(model: Classifier, image: Tensor) -> None:
    spec = ExtremalSpec(perturbation="drop", target=1, areas=AREAS)
    sweep = prepare_image(model, model.network, image, spec, 1)
    taken = PatchLattice((SIDE, SIDE), GRID).smooth((torch.arange(16) < 6).float().view(1, 1, *GRID))
    scores = without(sweep, taken).scores_by(model.network)
    found = scores(torch.ones(1, 1, SIDE, SIDE), torch.tensor([0]))
    assert torch.allclose(found[0], by_hand(model.network, image, list(range(6, 16))), atol=1e-4)


def test_images_that_patches_are_gone_from_are_searched_alone(model: Classifier, image: Tensor) -> None:
    sweep = prepare_image(model, model.network, image, ExtremalSpec(perturbation="drop", target=1), 1)
    with pytest.raises(ValueError, match="shares no batch"):
        masked_images(model.network, [sweep, without(sweep, torch.zeros(1, 1, SIDE, SIDE))])


@pytest.mark.parametrize("area", [0.25, 0.4, 0.5])
def test_an_alternative_is_made_of_patches_that_are_left(model: Classifier, image: Tensor, area: float) -> None:
    """Also where few are left beside those that it needs: half of the image beside half of it."""
    sweep = prepare_image(model, model.network, image, DROP.model_copy(update={"areas": (area,)}), 1)
    with model.frozen() as network:
        search = Search(network, Watch(0, None, Alone()), None)
        own = search.masks([sweep])[0].masks
        other = search.elsewhere(without(sweep, own), area)
    assert len(patches_of(other[0])) == len(patches_of(own[0])) == round(16 * area)
    assert not set(patches_of(own[0])) & set(patches_of(other[0]))


def test_the_other_half_of_an_image_is_found_where_it_suffices(model: Classifier) -> None:
    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(7))
    found = explain(model, image, DROP.model_copy(update={"target": 0, "areas": (0.5,), "threshold": 0.01}))
    (alternative,) = found.alternatives
    assert alternative.report.overlap == 0
    assert alternative.report.measured_area == 0.5
    assert sorted(patches_of(alternative.mask) + patches_of(found.masks[0])) == list(range(16))


@pytest.mark.parametrize("more", [{"variant": "delete"}, {"independent": True}, {"variant": "hybrid"}])
def test_other_searches_drop_patches_as_well(model: Classifier, image: Tensor, more: dict[str, object]) -> None:
    spec = ExtremalSpec(perturbation="drop", target=1, areas=(0.25,), iterations=12, **more)
    mask = explain(model, image, spec.masks_only()).masks[0]
    assert len(patches_of(mask)) == 4


def test_a_comparison_drops_the_same_share_for_every_method(model: Classifier, image: Tensor) -> None:
    spec = CompareSpec(
        perturbation="drop", target=1, areas=AREAS, iterations=12, methods=("gradient", "attention_rollout", "extremal")
    )
    found = compare(model, image, spec)
    for answer in found.methods:
        assert [len(patches_of(mask)) for mask in answer.masks] == list(COUNT)
        kept = patches_of(answer.masks[0])
        expected = float(by_hand(model.network, image, kept)[1])
        assert answer.curve[0].preserve == pytest.approx(expected, abs=1e-3)
    assert [warning.kind for warning in found.warnings if warning.kind != "threshold"] == []


def test_what_has_no_patches_is_refused_before_any_work(image: Tensor) -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    convolutional = Classifier(network, name="small", labels=["a", "b", "c"])
    for refuse in (explain, compare):
        with pytest.raises(InvalidInput, match="model 'small' can't do without any") as caught:
            refuse(convolutional, image, {"perturbation": "drop"})
        assert caught.value.field == "perturbation"


@pytest.mark.parametrize(
    ("more", "said"), [({"preset": "paper"}, "for the preset 'fast'"), ({"sigma_max": 3.0}, "leave `sigma_max` out")]
)
def test_parameters_that_drop_has_no_use_for_are_refused(more: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ExtremalSpec(perturbation="drop", **more)


def test_masks_of_the_paper_are_never_of_patches() -> None:
    with pytest.raises(ValueError, match="smooth"):
        PaperRule([], (SIDE, SIDE), torch.device("cpu"), patches=PatchLattice((SIDE, SIDE), GRID))


def test_the_benchmark_steps_both_sides_at_each_area(model: Classifier) -> None:
    costs = step_costs(model.network, (0.1, 0.4), lanes=2, rounds=1, device=torch.device("cpu"), side=SIDE)
    assert [cost.area for cost in costs] == [0.1, 0.4]
    for cost in costs:
        assert cost.blur > 0
        assert cost.drop > 0
        assert cost.ratio == cost.blur / cost.drop
