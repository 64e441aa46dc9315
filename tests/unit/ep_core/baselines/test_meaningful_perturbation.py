"""Meaningful perturbations: the loss against its formula, and the maps of networks whose answer is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ep_core.masks.perturbation import gaussian_blur
from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.meaningful_perturbation import METHOD, BlurredByMask, penalty
from ep_core.models import Classifier, Preprocessing
from ep_core.schemas.specs import CompareSpec

SPOTS = (slice(20, 68), slice(100, 148))  # rows and columns


@pytest.fixture
def detail_model() -> Classifier:
    """Class k scores how much the pixels of spot k differ from their neighbours: moving the image changes little."""
    edges = nn.Conv2d(3, 2, 3, padding=1, bias=False)
    scores = nn.Linear(2 * 168 * 168, 2, bias=False)
    spots = torch.zeros(2, 2, 168, 168)
    for spot, where in zip(spots, SPOTS, strict=True):
        spot[:, where, where] = 5 / (0.1 * 48**2)
    with torch.no_grad():
        edge = torch.tensor([[0, -0.25, 0], [-0.25, 1, -0.25], [0, -0.25, 0]])
        edges.weight.copy_(torch.stack([edge, -edge])[:, None].expand(-1, 3, -1, -1) / 3)
        scores.weight.copy_(spots.flatten(1))
    network = nn.Sequential(edges, nn.ReLU(), nn.Flatten(), scores)
    return Classifier(network, preprocessing=Preprocessing((168, 168), mean=(0, 0, 0), std=(1, 1, 1)))


@pytest.fixture
def spot_image() -> Tensor:
    """1 x 3 x 168 x 168, a faint checkerboard: all of it is the detail that the classes look at."""
    rows, columns = torch.meshgrid(torch.arange(168), torch.arange(168), indexing="ij")
    return (((rows + columns) % 2) * 2.0 - 1).mul(0.05).expand(1, 3, -1, -1)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_penalty_is_area_and_cubed_slope() -> None:
    """Cell by cell: 1e-4 sum |1 - m| + 1e-2 sum |grad m|^3."""
    masks = numbers(2, 5, 4)
    for mask, ours in zip(masks, penalty(masks), strict=True):
        area, roughness = 0.0, 0.0
        for y in range(5):
            for x in range(4):
                here = float(mask[y, x])
                area += abs(1 - here)
                down = float(mask[y + 1, x]) - here if y < 4 else 0.0
                across = float(mask[y, x + 1]) - here if x < 3 else 0.0
                roughness += (down**2 + across**2) ** 1.5
        torch.testing.assert_close(float(ours), 1e-4 * area + 1e-2 * roughness, rtol=1e-4, atol=1e-7)


def test_flat_mask_has_a_gradient() -> None:
    masks = torch.ones(1, 3, 3, requires_grad=True)
    penalty(masks).sum().backward()
    assert masks.grad is not None
    assert masks.grad.isfinite().all()


def test_perturbed_images_are_the_image_and_its_blur_mixed_and_moved() -> None:
    x, masks = numbers(1, 3, 45, 61), numbers(2, 6, 8, seed=1)
    shifts = torch.tensor([[3, -4], [0, 2]])
    ours = BlurredByMask(x).images(masks, shifts)
    fine = gaussian_blur(F.interpolate(masks[:, None], size=(45, 61), mode="bilinear"), 5.0)
    mixed = fine * x + (1 - fine) * gaussian_blur(x, 10.0)
    padded = F.pad(mixed, (4, 4, 4, 4), mode="replicate")
    for image, moved, (down, across) in zip(padded, ours, shifts.tolist(), strict=True):
        expected = image[:, 4 + down : 49 + down, 4 + across : 65 + across]
        torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-5)


def test_spot_that_a_class_looks_at_has_to_go(detail_model: Classifier, spot_image: Tensor) -> None:
    shares: list[float] = []
    with detail_model.frozen():
        maps = METHOD.attribute(
            AttributionRequest(detail_model, spot_image, (0, 1), CompareSpec(iterations=60), shares.append)
        )
    assert shares[-1] == 1.0
    assert len(shares) == 60
    for k, where in enumerate(SPOTS):
        spot = torch.zeros(168, 168, dtype=torch.bool)
        spot[where, where] = True
        assert spot.flatten()[maps[k].argmax()]
        assert maps[k][spot].mean() > 3 * maps[k][~spot].mean()


def test_map_hangs_on_the_seed_and_not_on_other_targets(detail_model: Classifier, spot_image: Tensor) -> None:
    def maps(targets: tuple[int, ...], seed: int) -> Tensor:
        with detail_model.frozen():
            return METHOD.attribute(
                AttributionRequest(detail_model, spot_image, targets, CompareSpec(iterations=10, seed=seed))
            )

    both = maps((0, 1), seed=3)
    assert torch.equal(both, maps((0, 1), seed=3))
    assert not torch.equal(both, maps((0, 1), seed=4))
    torch.testing.assert_close(maps((1,), seed=3)[0], both[1], rtol=1e-3, atol=1e-4)


def test_bear_has_to_go_more_than_the_rest(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, frame = mobilenet.preprocess(sample("black_bear"))
    with mobilenet.frozen():
        (gone,) = METHOD.attribute(AttributionRequest(mobilenet, x, (295,), CompareSpec(iterations=40)))
    assert gone.min() >= 0
    assert gone.max() <= 1 + 1e-6
    on_photograph = frame.mask_to_image(gone.numpy())
    in_frame = frame.mask_to_image(torch.ones(224, 224).numpy()) > 0
    inside = torch.zeros(on_photograph.shape, dtype=torch.bool).numpy()
    inside[115:307, 196:431] = True
    assert on_photograph[inside].mean() > 1.3 * on_photograph[~inside & in_frame].mean()
