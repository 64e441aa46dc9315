"""Categories of COCO and VOC as ImageNet classes."""

from __future__ import annotations

from collections import Counter

import pytest

from ep_core.errors import InvalidInput, UnknownName
from ep_core.evaluation.data.categories import VOC_NAMES, class_targets, imagenet_categories, label_targets
from ep_core.evaluation.data.datasets import VOC_CATEGORIES
from ep_core.models.sources.torchvision_zoo import imagenet_labels

LABELS = imagenet_labels()


def of(category: str) -> set[str]:
    """The labels requested of ImageNet's networks."""
    return {LABELS[index] for index in class_targets([category, "person"], LABELS)[category]}


def test_every_label_is_a_class_of_imagenet() -> None:
    named = [label for labels in imagenet_categories().values() for label in labels]
    assert set(named) <= set(LABELS)
    assert len(named) > 300


def test_no_class_is_in_two_categories() -> None:
    counts = Counter(label for labels in imagenet_categories().values() for label in labels)
    assert [label for label, count in counts.items() if count > 1] == []


def test_birds_and_dogs_are_all_there() -> None:
    assert len(of("bird")) == 59
    assert {"cock", "albatross", "kite", "crane bird", "king penguin"} <= of("bird")
    assert len(of("dog")) == 118
    assert {"Chihuahua", "dalmatian", "Mexican hairless", "Cardigan"} <= of("dog")
    # ImageNet lists its classes by WordNet: dogs are 151 to 268, wolves and wild dogs follow.
    assert sorted(LABELS.index(label) for label in of("dog")) == list(range(151, 269))


@pytest.mark.parametrize(
    ("category", "label"),
    [
        ("kite", None),  # ImageNet's is the bird
        ("bird", "kite"),
        ("mouse", "mouse"),
        ("bear", "ice bear"),
        ("teddy bear", "teddy"),
        ("hot dog", "hotdog"),
        ("remote", "remote control"),
        ("keyboard", "computer keyboard"),
        ("tv", "television"),
        ("cow", "ox"),
        ("sheep", "ram"),
        ("horse", "sorrel"),
        ("person", None),
        ("fork", None),
        ("giraffe", None),
    ],
)
def test_a_category_has_its_class(category: str, label: str | None) -> None:
    if label is None:
        assert category not in class_targets([category, "dog"], LABELS)
    else:
        assert label in of(category)


@pytest.mark.parametrize(
    ("category", "label"),
    [
        ("dog", "timber wolf"),
        ("dog", "dingo"),
        ("dog", "hotdog"),
        ("cat", "lynx"),
        ("cat", "tiger"),
        ("bear", "teddy"),
        ("cow", "bison"),
        ("sheep", "bighorn"),
        ("bird", "crane"),  # the machine
        ("keyboard", "typewriter keyboard"),
        ("keyboard", "space bar"),
        ("sports ball", "punching bag"),
        ("dining table", "desk"),
        ("truck", "minivan"),
    ],
)
def test_a_category_lacks_what_only_sounds_alike(category: str, label: str) -> None:
    assert label in LABELS
    assert label not in of(category)


def test_sports_balls_are_the_balls_of_games() -> None:
    games = {"base", "basket", "croquet ", "golf ", "ping-pong ", "rugby ", "soccer ", "tennis ", "volley"}
    assert of("sports ball") == {f"{game}ball" for game in games}


def test_voc_calls_them_otherwise() -> None:
    found = class_targets(VOC_CATEGORIES, LABELS)
    assert set(VOC_CATEGORIES) - found.keys() == {"person"}
    assert {LABELS[index] for index in found["tvmonitor"]} == {"television", "monitor", "screen"}
    assert set(VOC_NAMES) < set(VOC_CATEGORIES)


def test_cardigan_is_a_dog_and_not_the_garment() -> None:
    dogs = class_targets(["dog", "cat"], LABELS)["dog"]
    assert [LABELS[index] for index in dogs if LABELS[index].casefold() == "cardigan"] == ["Cardigan"]
    assert LABELS.index("cardigan") not in dogs


def test_a_network_for_the_data_set_answers_with_its_own_classes() -> None:
    labels = ["Background", *(name.upper() for name in VOC_CATEGORIES)]
    found = class_targets(VOC_CATEGORIES, labels)
    assert found["aeroplane"] == (1,)
    assert found["tvmonitor"] == (20,)
    assert found["person"] == (15,)


def test_a_network_that_knows_none_of_it_is_refused() -> None:
    with pytest.raises(InvalidInput, match="neither"):
        class_targets(["dog", "cat"], ["spiral galaxy", "elliptical galaxy"])


def test_labels_and_indices_name_classes() -> None:
    assert label_targets(["goose", "17"], LABELS) == {"goose": (99,), "17": (17,)}
    with pytest.raises(UnknownName):
        label_targets(["gooose"], LABELS)
    with pytest.raises(InvalidInput):
        label_targets(["1000"], LABELS)
