"""The adapter of captum: its calls, targets and baselines, and captum's own functions on it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from captum.attr import NoiseTunnel, PerturbationAttribution
from captum.metrics import sensitivity_max
from torch import Tensor, nn

from ep_core import Classifier, Preprocessing, explain
from ep_core.adapters.captum import ExtremalPerturbation
from ep_core.errors import InvalidInput

from .conftest import QUICK, SIDE, Difference, TwoSpots, seen


def faded(function: Any, images: Tensor, **given: Any) -> Tensor:
    attributions = ExtremalPerturbation(function, **QUICK).attribute(images, 0, **given)
    assert isinstance(attributions, Tensor)
    return attributions


def test_it_is_one_of_captums_methods(spots: TwoSpots) -> None:
    method = ExtremalPerturbation(spots)
    assert isinstance(method, PerturbationAttribution)
    assert method.get_name() == "Extremal Perturbation"
    assert method.forward_func is spots
    assert not method.multiplies_by_inputs
    assert not method.has_convergence_delta()


@pytest.mark.parametrize("target", [[0, 1], torch.tensor([0, 1])], ids=["list", "tensor"])
def test_each_image_is_explained_for_its_target(spots: TwoSpots, images: Tensor, target: Any) -> None:
    attributions = faded(spots, images.double(), target=target)
    assert attributions.shape == images.shape
    assert attributions.dtype == torch.float64
    assert 0 <= attributions.min() < attributions.max() <= 1
    assert torch.equal(attributions[:, 0], attributions[:, 2])
    assert [seen(one) for one in attributions] == ["left", "right"]


@pytest.mark.parametrize("target", [1, torch.tensor(1), torch.tensor([1]), (1,)], ids=["int", "scalar", "one", "tuple"])
def test_one_target_is_for_all_images(spots: TwoSpots, images: Tensor, target: Any) -> None:
    assert [seen(one) for one in faded(spots, images, target=target)] == ["right", "right"]


def test_the_values_are_the_mean_of_the_engines_masks(spots: TwoSpots, images: Tensor) -> None:
    options = QUICK | {"areas": (0.1, 0.3)}
    black = Preprocessing((SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    model = Classifier(spots, preprocessing=black, labels=["left", "right"])
    found = explain(model, images[:1], options | {"perturbation": "fade", "target": 0})
    (ours,) = ExtremalPerturbation(spots, **options).attribute(images[:1], baselines=0, target=0)
    assert len(found.masks) == 2
    assert torch.allclose(ours, found.masks.mean(dim=0).expand(3, -1, -1), atol=1e-6)


def test_tuples_select_scores_of_outputs_with_more_dimensions(spots: TwoSpots, images: Tensor) -> None:
    def of_pixels(x: Tensor) -> Tensor:
        return spots(x)[:, :, None, None].expand(-1, -1, 4, 4)

    attributions = faded(of_pixels, images, target=[(0, 1, 2), (1, 3, 3)])
    assert [seen(one) for one in attributions] == ["left", "right"]


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_a_network_of_one_score_needs_no_target(spots: TwoSpots, images: Tensor, shape: tuple[int, ...]) -> None:
    assert seen(faded(lambda x: spots(x)[:, 1].reshape(shape), images[:1])) == "right"


def test_without_a_target_several_scores_are_refused(spots: TwoSpots, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match="give a target"):
        faded(spots, images)


@pytest.mark.parametrize("number", [0, 0.0, torch.tensor(0.0), torch.zeros(1, 3, 1, 1), torch.zeros(1, 3, SIDE, SIDE)])
def test_baselines_are_what_the_image_fades_to(number: Any, black_and_white: Tensor) -> None:
    method = ExtremalPerturbation(Difference(), **QUICK)
    assert seen(method.attribute(black_and_white, baselines=number, target=0)) == "left"
    assert seen(method.attribute(black_and_white, baselines=number + 1, target=0)) == "right"


@pytest.mark.parametrize("baselines", [torch.rand(1, 3, SIDE, SIDE), torch.zeros(2, 5), "black", (0, 0)])
def test_baselines_that_cannot_be_honoured_are_refused(spots: TwoSpots, images: Tensor, baselines: Any) -> None:
    with pytest.raises(InvalidInput, match=r"1 x 3 x 1 x 1|for one tensor"):
        ExtremalPerturbation(spots, **QUICK).attribute(images, baselines, target=0)


def test_a_blur_has_no_baselines(spots: TwoSpots, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match="leave them out for a blur"):
        ExtremalPerturbation(spots, perturbation="blur").attribute(images, 0, target=0)


def test_a_function_gets_its_further_arguments(spots: TwoSpots, images: Tensor) -> None:
    """The row of each image is repeated for the masks of its batch."""

    def swapped(x: Tensor, swap: Tensor, sign: int) -> Tensor:
        return sign * torch.where(swap[:, None], spots(x).flip(1), spots(x))

    swap = torch.tensor([False, True])
    attributions = faded(swapped, images, target=0, additional_forward_args=(swap, 1))
    assert [seen(one) for one in attributions] == ["left", "right"]
    with pytest.raises(InvalidInput, match="a row for each of the 2 images"):
        faded(swapped, images, target=0, additional_forward_args=(swap[:1], 1))


def test_a_tuple_of_one_tensor_gives_one(spots: TwoSpots, images: Tensor) -> None:
    given = ExtremalPerturbation(spots, **QUICK).attribute((images[:1],), (0,), 0)
    assert isinstance(given, tuple)
    assert seen(given[0]) == "left"
    with pytest.raises(InvalidInput, match="additional_forward_args"):
        ExtremalPerturbation(spots).attribute((images, images), target=0)


@pytest.mark.parametrize(
    "forward_of", [lambda network: network, lambda network: network.forward], ids=["module", "method"]
)
def test_the_network_stays_as_it_was(images: Tensor, forward_of: Any) -> None:
    network = nn.Sequential(nn.Dropout(0.5), TwoSpots())  # in training, each pass would differ and be refused
    assert seen(faded(forward_of(network), images[:1], target=1)) == "right"
    assert network.training
    assert all(weights.requires_grad and weights.grad is None for weights in network.parameters())


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((3, SIDE, SIDE), r"image\[None\]"),
        ((2, SIDE, SIDE, 3), "permute"),
        ((0, 3, SIDE, SIDE), "0 x 3 x"),
    ],
)
def test_other_shapes_are_refused_with_what_to_do(spots: TwoSpots, shape: tuple[int, ...], hint: str) -> None:
    with pytest.raises(InvalidInput, match=hint):
        ExtremalPerturbation(spots).attribute(torch.ones(shape), target=0)


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_any_number_of_channels(spots: TwoSpots, images: Tensor, channels: int) -> None:
    grey = images[:, :1].expand(-1, channels, -1, -1)
    black = torch.zeros(1, channels, 1, 1)
    found = ExtremalPerturbation(spots, **QUICK).attribute(grey, target=1, baselines=black)
    assert found.shape == grey.shape
    assert seen(found[:1, :1]) == "right"


def test_integers_and_arrays_are_refused(spots: TwoSpots, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match="normalise it"):
        ExtremalPerturbation(spots).attribute(images.int(), target=0)
    with pytest.raises(InvalidInput, match="a tensor N x C x H x W, not ndarray"):
        ExtremalPerturbation(spots).attribute(images.numpy(), target=0)


def test_targets_that_do_not_fit_are_refused(spots: TwoSpots, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match="3 targets for 2 images"):
        faded(spots, images, target=[0, 1, 0])
    with pytest.raises(InvalidInput, match="2 is not a class: use 0 to 1"):
        faded(spots, images, target=2)


def test_options_of_a_call_come_before_those_of_the_method(spots: TwoSpots, images: Tensor) -> None:
    method = ExtremalPerturbation(spots, **QUICK | {"areas": (0.5,)})
    (large,) = method.attribute(images[:1], 0, 0)
    (small,) = method.attribute(images[:1], 0, 0, areas=(0.1,))
    assert float(large.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(small.mean()) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    "call", [ExtremalPerturbation, lambda spots, **given: faded(spots, torch.ones(1, 3, SIDE, SIDE), **given)]
)
def test_an_unknown_option_is_refused_with_the_nearest_name(spots: TwoSpots, call: Any) -> None:
    with pytest.raises(InvalidInput, match="no option 'area'; did you mean areas"):
        call(spots, area=0.1)


def test_progress_is_shown(spots: TwoSpots, images: Tensor, capsys: pytest.CaptureFixture[str]) -> None:
    faded(spots, images[:1], target=0)
    assert capsys.readouterr().out == ""
    faded(spots, images[:1], target=0, show_progress=True)
    assert "100%" in capsys.readouterr().out


def test_captums_noise_tunnel_averages_it(spots: TwoSpots, images: Tensor) -> None:
    tunnel = NoiseTunnel(ExtremalPerturbation(spots, **QUICK))
    smooth = tunnel.attribute(images, nt_samples=2, stdevs=0.05, baselines=0, target=torch.tensor([0, 1]))
    assert [seen(one) for one in smooth] == ["left", "right"]


def test_captums_metrics_take_it(spots: TwoSpots, images: Tensor) -> None:
    explained = partial(ExtremalPerturbation(spots, **QUICK).attribute, baselines=0)
    sensitivity = sensitivity_max(explained, images, n_perturb_samples=1, target=torch.tensor([0, 1]))
    assert sensitivity.shape == (2,)
    assert 0 < float(sensitivity.max()) < 0.5
