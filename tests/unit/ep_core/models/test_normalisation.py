"""Means and stds that can't be right: told with their values and with those to use, and never where they are right."""

import re

import pytest
import timm
import torchvision
from PIL import Image
from torch import nn

from ep_core.channels.attribution import explain_channels
from ep_core.channels.class_channels import class_channels
from ep_core.compare.run import compare
from ep_core.engine import explain, explain_batch
from ep_core.models import Classifier, Preprocessing, list_models, load_model
from ep_core.models.checks.normalisation import fault_of
from ep_core.models.sources.torchvision_zoo import classifier_names
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec, CompareSpec, ExtremalSpec

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CAFFE = ((0.485, 0.458, 0.408), (1 / 255,) * 3)
WRONG = {
    "both of 0 to 255": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), IMAGENET),
    "mean of 0 to 255": ((123.675, 116.28, 103.53), IMAGENET[1], IMAGENET),
    "std of 0 to 255": (IMAGENET[0], (58.395, 57.12, 57.375), IMAGENET),
    "one scale": ((127.5,) * 3, (127.5,) * 3, ((0.5,) * 3, (0.5,) * 3)),
    "scale alone": ((0, 0, 0), (255, 255, 255), ((0, 0, 0), (1, 1, 1))),
    "mean alone": ((127.5,) * 3, (1, 1, 1), ((0.5,) * 3, (1 / 255,) * 3)),
    "Caffe's": ((103.939, 116.779, 123.68), (1, 1, 1), CAFFE),
    "blue first": (IMAGENET[0][::-1], IMAGENET[1][::-1], IMAGENET),
    "swapped": (*IMAGENET[::-1], IMAGENET),
    "swapped, of 0 to 255": ((58.395, 57.12, 57.375), (123.675, 116.28, 103.53), IMAGENET),
    "divided twice": ((0.0019, 0.00179, 0.00159), (0.0009, 0.00088, 0.00088), ((0.4845, 0.45645, 0.40545), None)),
    "added": ((-0.485, -0.456, -0.406), IMAGENET[1], IMAGENET),
}
BEYOND_REPAIR = {
    "a point forgotten": ((0.485, 456, 0.406), IMAGENET[1]),
    "mean divided twice": ((0.0019, 0.00179, 0.00159), IMAGENET[1]),
}


def numbers(text: str) -> list[list[float]]:
    return [[float(number) for number in listed.split(", ")] for listed in re.findall(r"\[([^]]*)\]", text)]


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_right_is_told_with_what_to_write_instead(case: str) -> None:
    mean, std, (right_mean, right_std) = WRONG[case]
    told = fault_of(mean, std)
    assert told is not None
    given_mean, given_std, use_mean, use_std = numbers(told)
    assert (given_mean, given_std) == (pytest.approx(mean, rel=1e-5), pytest.approx(std, rel=1e-5))
    assert use_mean == pytest.approx(right_mean, rel=2e-3)
    assert right_std is None or use_std == pytest.approx(right_std, rel=2e-3)
    assert fault_of(tuple(use_mean), tuple(use_std)) is None
    assert ("divide by 255" in told) == (max(*mean, *std) > 1)


@pytest.mark.parametrize("case", BEYOND_REPAIR)
def test_where_no_values_follow_none_are_told(case: str) -> None:
    mean, std = BEYOND_REPAIR[case]
    told = fault_of(mean, std)
    assert told is not None
    assert len(numbers(told)) == 2
    assert "the training's" in told


def test_no_network_of_the_libraries_is_suspected() -> None:
    used = {(config.mean, config.std) for name in timm.list_pretrained() if (config := timm.get_pretrained_cfg(name))}
    for name in classifier_names():
        for weights in torchvision.models.get_model_weights(name):
            transforms = weights.transforms()
            used.add((tuple(transforms.mean), tuple(transforms.std)))
    used.add(((0, 0, 0), (1 / 255,) * 3))
    used.add(((0.1307, 0.1307, 0.1307), (0.3081, 0.3081, 0.3081)))  # MNIST's
    assert len(used) > 6
    assert [fault_of(*one) for one in used if fault_of(*one)] == []


SMALL = Preprocessing((32, 32), mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
RED = Image.new("RGB", (32, 32), (250, 20, 20))


def small(preprocessing: Preprocessing | None = SMALL) -> Classifier:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return Classifier(network, preprocessing=preprocessing)


def kinds(result) -> list[str]:
    """The kinds of warnings that preprocessing has."""
    return [warning.kind for warning in result.report().warnings if "preprocessing" in warning.kind]


def answers(model: Classifier, image, *, invert: bool = False, perturbation: str = "blur"):
    spatial = {"areas": (0.1,), "iterations": 2, "perturbation": perturbation}
    channels = {"layer": "0", "areas": (1, 4), "iterations": 2, "invert": invert}
    yield explain(model, image, ExtremalSpec(**spatial).masks_only())
    yield explain_channels(model, image, ChannelsSpec(**channels))
    yield class_channels(model, [image], ClassChannelsSpec(**channels))
    yield compare(model, image, CompareSpec(**spatial, methods=("extremal", "gradient")))


def test_every_answer_about_a_picture_carries_the_warning() -> None:
    assert [kinds(answer) for answer in answers(small(), RED)] == [["preprocessing"]] * 4


def test_a_preprocessing_that_nobody_gave_is_said_in_every_answer_about_a_picture() -> None:
    model = small(None)
    assert [kinds(answer) for answer in answers(model, RED)] == [["assumed-preprocessing"]] * 4
    assert "mean = [0.485, 0.456, 0.406]" in model.warnings[0].detail
    assert "224 x 224" in model.warnings[0].detail
    assert "warning: assumed-preprocessing" in repr(model)


def test_an_answer_about_a_preprocessed_input_does_not_speak_of_preprocessing_that_had_no_part_in_it() -> None:
    x = small(None).preprocess(RED)[0][:, :, :32, :32]
    extremal, channels, of_class, compared = map(kinds, answers(small(None), x))
    assert (extremal, channels, of_class) == ([], [], [])
    assert compared == ["assumed-preprocessing"]  # integrated gradients start from its black
    assert kinds(next(answers(small(None), x, perturbation="fade"))) == ["assumed-preprocessing"]
    both = explain_batch(small(), [RED, x], ExtremalSpec(areas=(0.1,), iterations=2).masks_only())
    assert [kinds(one) for one in both] == [["preprocessing"], []]


def test_the_right_preprocessing_is_not_spoken_of() -> None:
    assert small(Preprocessing((32, 32))).warnings == ()


def test_the_list_and_the_log_say_it(write_list, caplog) -> None:
    table = "mean = [123.675, 116.28, 103.53], std = [58.395, 57.12, 57.375]"
    path = write_list(f'torchvision = "mobilenet_v2"\npreprocessing = {{ {table} }}')
    (card,) = list_models(path)
    assert [warning.kind for warning in card.warnings] == ["preprocessing"]
    model = load_model("mine", device="cpu", models_file=path)
    assert list(card.warnings) == list(model.warnings)
    assert f"model mine: {card.warnings[0].detail}" in caplog.messages
