"""RISE: its masks and its mean, against a loop and a network whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from PIL import Image
from skimage.transform import resize
from torch import Tensor

from ep_core.methods import rise
from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.rise import RandomMasks
from ep_core.models import Classifier
from ep_core.schemas.specs import CompareSpec

CPU = torch.device("cpu")


@pytest.fixture
def spot_image() -> Tensor:
    """1 x 3 x 168 x 168, a faint checkerboard: all of it is the detail that the classes look at."""
    rows, columns = torch.meshgrid(torch.arange(168), torch.arange(168), indexing="ij")
    return (((rows + columns) % 2) * 2.0 - 1).mul(0.05).expand(1, 3, -1, -1)


def masks(count: int, size: tuple[int, int], batch: int = 16, seed: int = 0) -> Tensor:
    drawn = RandomMasks(count, size, torch.Generator().manual_seed(seed))
    return torch.cat(list(drawn.batches(batch, CPU)))


def test_masks_are_grids_upsampled_and_cut_at_a_shift() -> None:
    """One by one, in numpy, with the same draws."""
    height, width = 50, 31
    generator = torch.Generator().manual_seed(0)
    grids = (torch.rand(5, 7, 7, generator=generator) < 0.5).numpy()
    cell = math.ceil(height / 7), math.ceil(width / 7)
    down = torch.randint(cell[0], (5,), generator=generator).tolist()
    across = torch.randint(cell[1], (5,), generator=generator).tolist()
    for k, mask in enumerate(masks(5, (height, width))):
        upsampled = resize(grids[k].astype(float), (8 * cell[0], 8 * cell[1]), order=1, mode="edge")
        cut = upsampled[down[k] : down[k] + height, across[k] : across[k] + width]
        torch.testing.assert_close(mask.double(), torch.from_numpy(cut.copy()), rtol=0, atol=1e-5)


def test_masks_do_not_depend_on_the_batch() -> None:
    torch.testing.assert_close(masks(37, (56, 70), batch=16), masks(37, (56, 70), batch=5))


def test_every_pixel_is_kept_half_of_the_time() -> None:
    drawn = masks(4000, (56, 56))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    torch.testing.assert_close(drawn.mean(dim=0), torch.full((56, 56), 0.5), rtol=0, atol=0.04)  # 5 standard errors


def test_map_is_the_mean_of_masks_by_probability(spot_model: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(1, 3, 168, 168, generator=torch.Generator().manual_seed(1))
    shares: list[float] = []
    with spot_model.frozen() as network:
        ours = rise.METHOD.attribute(
            AttributionRequest(spot_model, x, (1, 0), CompareSpec(samples=40, seed=7), shares.append)
        )
        monkeypatch.setitem(rise.BATCHES, "cpu", 7)
        rebatched = rise.METHOD.attribute(AttributionRequest(spot_model, x, (1, 0), CompareSpec(samples=40, seed=7)))
        expected = torch.zeros(2, 168, 168)
        drawn = RandomMasks(40, (168, 168), AttributionRequest(spot_model, x, (0,), CompareSpec(seed=7)).generator())
        for mask in torch.cat(list(drawn.batches(1, CPU))):
            probabilities = network(x * mask).softmax(dim=1)[0]
            expected += torch.stack([probabilities[1] * mask, probabilities[0] * mask])
    torch.testing.assert_close(ours, expected / (40 * 0.5))
    torch.testing.assert_close(ours, rebatched)
    assert shares == [16 / 40, 32 / 40, 1.0]


def test_spot_that_a_class_looks_at_is_the_hottest(spot_model: Classifier, spot_image: Tensor) -> None:
    with spot_model.frozen():
        maps = rise.METHOD.attribute(AttributionRequest(spot_model, spot_image, (0, 1), CompareSpec(samples=1000)))
    for k, where in enumerate((slice(20, 68), slice(100, 148))):
        spot = torch.zeros(168, 168, dtype=torch.bool)
        spot[where, where] = True
        assert spot.flatten()[maps[k].argmax()]
        assert maps[k][spot].mean() > maps[k][~spot].mean()


def test_bear_is_hotter_than_the_rest(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    x, frame = mobilenet.preprocess(sample("black_bear"))
    with mobilenet.frozen():
        (saliency,) = rise.METHOD.attribute(AttributionRequest(mobilenet, x, (295,), CompareSpec(samples=200)))
    on_photograph = frame.mask_to_image((saliency / saliency.max()).numpy())
    in_frame = frame.mask_to_image(torch.ones(224, 224).numpy()) > 0
    inside = torch.zeros(on_photograph.shape, dtype=torch.bool).numpy()
    inside[115:307, 196:431] = True
    assert on_photograph[inside].mean() > 1.1 * on_photograph[~inside & in_frame].mean()


def test_an_image_of_another_size_is_warped_to_the_network_s_and_its_map_back(mobilenet: Classifier) -> None:
    large = torch.randn(1, 3, 448, 336, generator=torch.Generator().manual_seed(0))
    small = torch.nn.functional.interpolate(large, (224, 224), mode="bilinear", antialias=True)
    spec = CompareSpec(samples=16)
    with mobilenet.frozen():
        of_large, of_small = (
            rise.METHOD.attribute(AttributionRequest(mobilenet, x, (3,), spec)) for x in (large, small)
        )
    assert of_large.shape == (1, 448, 336)
    up = torch.nn.functional.interpolate(of_small[None], (448, 336), mode="bilinear", antialias=True)[0]
    torch.testing.assert_close(of_large, up)
