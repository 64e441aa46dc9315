"""Feature inversion (eq. 12): parametrisation, transformations, and the images found."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ep_core.channels import inversion
from ep_core.channels.inversion import Canvas, View, invert, invert_channels
from ep_core.errors import InvalidInput
from ep_core.models import Classifier

LAYER = 13  # of mobilenet's features
SIDE = 96
SMALL = (24, 20)
RED = torch.tensor([1.0, -0.5, -0.5]).view(1, 3, 1, 1)
SAMPLES = ("airliner", "black_bear", "goose", "pizza", "school_bus")


def as_it_is(images: Tensor) -> Tensor:
    return images


def colours(images: Tensor) -> Tensor:
    """A head whose channels are red, green and blue, relative to grey: N x 3 x H x W -> N x 3 x 2 x 2."""
    return avg_pool2d(images - 0.5, (images.shape[2] // 2, images.shape[3] // 2))


@pytest.fixture
def head(mobilenet: Classifier) -> Iterator[nn.Module]:
    """The real network as far as a layer in its middle."""
    with mobilenet.frozen() as network:
        yield network.features[: LAYER + 1]


@pytest.fixture
def photographs(mobilenet: Classifier, sample: Callable) -> Tensor:
    return torch.cat([mobilenet.preprocess(sample(name))[0] for name in SAMPLES])


def slow_planes(spectrum: Tensor, height: int, width: int) -> Tensor:
    """The inverse Fourier transform as a sum over the frequencies, those that the half-spectrum lacks included."""
    planes = torch.zeros(height, width, dtype=torch.float64)
    for y, x, down, right in product(range(height), range(width), range(height), range(spectrum.shape[1])):
        wave = cmath.exp(2j * math.pi * (down * y / height + right * x / width))
        mirrored = 0 < right < width / 2
        planes[y, x] += (2 if mirrored else 1) * (complex(spectrum[down, right]) * wave).real
    return planes / math.sqrt(height * width)


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (3, 4)], ids=str)
def test_images_are_sums_of_waves_that_weaken_with_frequency(size: tuple[int, int]) -> None:
    canvas = Canvas(size)
    coefficients = canvas.noise(0.1, torch.Generator().manual_seed(0))
    height, width = canvas.height, canvas.width
    assert coefficients.shape == (1, 3, height, width // 2 + 1, 2)

    down = torch.tensor([min(k, height - k) / height for k in range(height)], dtype=torch.float64)
    right = torch.arange(width // 2 + 1, dtype=torch.float64) / width
    frequency = (down[:, None] ** 2 + right**2).sqrt()
    frequency[0, 0] = 1 / max(height, width)  # the mean is as strong as the slowest wave
    amplitudes = frequency.clamp_min(1 / max(height, width)) ** -1.5
    amplitudes *= 4 / amplitudes.square().mean().sqrt()
    spectra = torch.view_as_complex(coefficients[0]) * amplitudes
    planes = torch.stack([slow_planes(spectrum, height, width) for spectrum in spectra])

    mixing = torch.tensor(inversion.COLOURS, dtype=torch.float64)
    mixing /= mixing.square().sum(dim=0).sqrt().max()
    expected = torch.sigmoid(torch.einsum("dc,chw->dhw", mixing, planes))
    torch.testing.assert_close(canvas.paint(coefficients)[0].double(), expected, atol=1e-5, rtol=0)


def test_colours_are_as_independent_as_photographs_let_them_be(mobilenet: Classifier, photographs: Tensor) -> None:
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (mobilenet.preprocessing.mean, mobilenet.preprocessing.std))
    pixels = (photographs * std + mean).transpose(0, 1).flatten(1)
    unmixed = torch.linalg.solve(torch.tensor(inversion.COLOURS), pixels)
    assert torch.corrcoef(pixels)[0, 1] > 0.8
    assert (torch.corrcoef(unmixed) - torch.eye(3)).abs().max() < 0.35
    assert 0.5 < torch.cov(unmixed).diag().mean() < 2


def test_a_view_from_the_front_is_the_image_without_its_margin() -> None:
    canvas = Canvas(SMALL)
    painted = canvas.paint(canvas.noise(0.1, torch.Generator().manual_seed(0)))
    cut = canvas.cut(painted)
    assert cut.shape == (1, 3, *SMALL)
    torch.testing.assert_close(View(turn=0, zoom=1, down=0, right=0).of(painted, SMALL), cut)
    moved = View(turn=0, zoom=1, down=1, right=-1).of(painted, SMALL)
    torch.testing.assert_close(moved, canvas.cut(painted.roll((-1, 1), (2, 3))))


@pytest.mark.parametrize(
    "view",
    [
        View(0.2, 1, 0, 0),
        View(0, 1.2, 0, 0),
        View(0, 0.8, 0, 0),
        View(0, 1, 2.5, -3.25),
        View(-0.15, 0.9, 3.3, 1.5),
        View(0.1, 1.1, -2, 0.7),
    ],
    ids=str,
)
def test_a_view_is_turned_enlarged_and_moved(view: View) -> None:
    rows, columns, size = 120, 96, (90, 70)

    def smooth(y: Tensor, x: Tensor) -> Tensor:
        return torch.sin(2 * math.pi * (y / rows + 0.1)) + torch.cos(2 * math.pi * (2 * x / columns + 0.3))

    def centred(height: int, width: int) -> tuple[Tensor, Tensor]:
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        return y - (height - 1) / 2, x - (width - 1) / 2

    seen = view.of(smooth(*centred(rows, columns)).expand(2, 3, -1, -1), size)
    y, x = centred(*size)
    cos, sin = math.cos(view.turn) / view.zoom, math.sin(view.turn) / view.zoom
    expected = smooth(cos * y + sin * x + view.down, cos * x - sin * y + view.right)
    torch.testing.assert_close(seen, expected.expand(2, 3, -1, -1), atol=0.012, rtol=0)  # of interpolation


def test_views_stay_close_to_the_front() -> None:
    generator = torch.Generator().manual_seed(0)
    views = torch.tensor([View.draw((224, 112), generator) for _ in range(2000)])
    low, high = views.amin(dim=0), views.amax(dim=0)
    torch.testing.assert_close(high, torch.tensor([math.radians(5), 1.1, 11.2, 5.6]), rtol=0.01, atol=0)
    torch.testing.assert_close(low, torch.tensor([-math.radians(5), 0.9, -11.2, -5.6]), rtol=0.01, atol=0)


def test_the_best_image_for_redness_is_red() -> None:
    images = invert(colours, RED.expand(1, 3, 2, 2), size=SMALL, normalise=as_it_is, steps=120)
    assert images.shape == (1, 3, *SMALL)
    assert images.min() >= 0
    assert images.max() <= 1
    red, green, blue = images.mean(dim=(0, 2, 3)).tolist()
    assert red > 0.6
    assert max(green, blue) < 0.2


def test_what_is_inverted_stays_in_its_place() -> None:
    left_half = torch.tensor([1.0, -1.0]).view(1, 1, 1, 2)
    (image,) = invert(colours, (RED * left_half).expand(1, 3, 2, 2), size=SMALL, normalise=as_it_is, steps=120)
    redness = (image * RED[0]).sum(dim=0)
    assert redness[:, :8].mean() > 0.6
    assert redness[:, -8:].mean() < -0.35


def test_only_the_directions_of_targets_matter() -> None:
    targets = RED.expand(1, 3, 2, 2)
    scaled = torch.cat([targets, targets / 2**20, targets * 2**20])
    images = invert(colours, scaled, size=SMALL, normalise=as_it_is, steps=5)
    assert torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])


def test_a_seed_gives_one_image_and_another_seed_another() -> None:
    first, again, other = (
        invert(colours, RED.expand(1, 3, 2, 2), size=SMALL, normalise=as_it_is, steps=5, seed=seed)
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


@pytest.mark.parametrize("cosine_power", [0.0, 2.0])
def test_an_image_does_not_depend_on_its_company(head: nn.Module, mobilenet: Classifier, cosine_power: float) -> None:
    targets = torch.randn(4, 96, 4, 4, generator=torch.Generator().manual_seed(0))

    def inverted(rows: list[int]) -> Tensor:
        return invert(
            head,
            targets[rows],
            size=(64, 64),
            normalise=mobilenet.preprocessing.normalise,
            steps=4,
            cosine_power=cosine_power,
        )

    alone = inverted([2])[0]
    assert torch.equal(inverted([2, 0])[0], alone)
    assert torch.equal(inverted([3, 1, 2])[2], alone)
    assert torch.equal(inverted([0, 1, 2, 3])[2], alone)


def test_a_photograph_is_inverted_and_a_cosine_keeps_closer_to_it(
    head: nn.Module, mobilenet: Classifier, photographs: Tensor
) -> None:
    normalise, size = mobilenet.preprocessing.normalise, (SIDE, SIDE)
    small = avg_pool2d(photographs[2:3, :, 16:208, 16:208], 2)
    with torch.no_grad():
        target = head(small)
    start, plain = (invert(head, target, size=size, normalise=normalise, steps=steps) for steps in (0, 40))
    close = invert(head, target, size=size, normalise=normalise, steps=40, cosine_power=2)
    with torch.no_grad():
        of_start, of_plain, of_close = head(normalise(torch.cat([start, plain, close])))
    target = target[0]
    own = target.square().sum()
    assert (of_start * target).sum() < 0.1 * own
    assert (of_plain * target).sum() > 0.5 * own
    plain_cosine, close_cosine = (
        torch.cosine_similarity(a.flatten(), target.flatten(), 0) for a in (of_plain, of_close)
    )
    assert close_cosine > plain_cosine + 0.05


def test_an_inverted_channel_is_excited_more_than_by_any_photograph(
    head: nn.Module, mobilenet: Classifier, photographs: Tensor
) -> None:
    channels = [3, 60]
    normalise = mobilenet.preprocessing.normalise
    images = invert_channels(head, channels, size=(SIDE, SIDE), normalise=normalise, steps=40)
    with torch.no_grad():
        excited = head(normalise(images)).mean(dim=(2, 3))
        by_photographs = head(photographs).mean(dim=(2, 3))[:, channels].amax(dim=0)
    assert (excited[[0, 1], channels] > 2 * by_photographs.clamp_min(0.5)).all()
    assert (excited[[0, 1], channels] > excited[[1, 0], channels]).all()


def test_channels_are_inverted_each_for_itself() -> None:
    images = invert_channels(colours, [2, 0], size=SMALL, normalise=lambda x: x * RED.abs(), steps=30)
    blue, red = images.mean(dim=(2, 3))
    assert blue[2] > max(0.7, red[2])
    assert red[0] > max(0.7, blue[0])


def test_a_silent_channel_is_woken() -> None:
    def bright(images: Tensor) -> Tensor:
        return (colours(images) - 0.05).relu()

    start = invert_channels(bright, [0], size=SMALL, normalise=as_it_is, steps=0)
    assert not bright(start).any()
    images = invert_channels(bright, [0, 0], size=SMALL, normalise=as_it_is, steps=60)
    assert bright(images)[:, 0].mean() > 0.2
    assert torch.equal(images[0], images[1])


def test_a_channel_that_has_spoken_is_left_where_it_is() -> None:
    calls = []

    def heard_once(images: Tensor) -> Tensor:
        calls.append(images)
        return colours(images) * (len(calls) == 1)

    image = invert_channels(heard_once, [0], size=SMALL, normalise=as_it_is, steps=4)
    assert image.std() < 0.05  # no noise


def test_a_target_of_nothing_gives_an_image_all_the_same() -> None:
    images = invert(colours, torch.zeros(1, 3, 2, 2), size=SMALL, normalise=as_it_is, steps=3, cosine_power=1)
    assert images.isfinite().all()


@pytest.mark.parametrize("channel", [3, -1])
def test_a_channel_that_the_layer_lacks_is_refused(channel: int) -> None:
    with pytest.raises(InvalidInput, match=f"no channel {channel}: .* 3") as error:
        invert_channels(colours, [0, channel], size=SMALL, normalise=as_it_is)
    assert error.value.field == "channels"


def test_steps_are_reported_and_may_be_stopped() -> None:
    heard: list[tuple[int, int]] = []
    invert(colours, RED.expand(1, 3, 2, 2), size=SMALL, normalise=as_it_is, steps=3, on_step=lambda *n: heard.append(n))
    assert heard == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        invert_channels(colours, [0], size=SMALL, normalise=as_it_is, on_step=stop)


@torch.no_grad()
def test_a_network_keeps_its_gradients_and_callers_need_none() -> None:
    network = nn.Conv2d(3, 2, 5)
    invert(network, torch.ones(1, 2, SMALL[0] - 4, SMALL[1] - 4), size=SMALL, normalise=as_it_is, steps=2)
    assert network.weight.grad is None
    assert not torch.is_grad_enabled()
