"""The catalogue of models, without loading any weights."""

import time

import pytest
import torchvision

from ep_core.errors import UnknownName
from ep_core.models import list_models, load_model
from ep_core.schemas.model_card import CLASS_TARGETS, ModelCard


def test_without_a_list_every_network_of_torchvision_is_there():
    cards = {card.name: card for card in list_models()}
    kinds = (torchvision.models, torchvision.models.detection, torchvision.models.segmentation)
    assert sorted(cards) == sorted(name for kind in kinds for name in torchvision.models.list_models(module=kind))
    assert cards["inception_v3"].input_size == (299, 299)
    assert cards["mobilenet_v2"].weights == "IMAGENET1K_V1"
    assert cards["resnet50"].weights == "IMAGENET1K_V2"
    assert {len(card.labels) for card in cards.values() if card.targets == CLASS_TARGETS} == {1000}
    assert {card.source for card in cards.values()} == {"torchvision"}


def test_listing_is_quick():
    started = time.perf_counter()
    list_models()
    assert time.perf_counter() - started < 1


def test_with_a_list_its_models_are_there(models_file, efficientnet):
    own, default = list_models(models_file)
    assert (own.name, own.source, own.input_size) == ("efficientnet-lite0", "entry_point", (224, 224))
    assert own.description == "EfficientNet-Lite0 (TensorFlow TPU, 2020)"
    assert own.labels == efficientnet.labels
    assert (default.name, default.source, default.weights) == ("default", "torchvision", "IMAGENET1K_V1")


def test_a_card_says_what_the_loaded_network_says(mobilenet):
    card = next(card for card in list_models() if card.name == "mobilenet_v2")
    assert (card.labels, card.input_size) == (mobilenet.labels, mobilenet.input_size)


def test_cards_travel_as_json(models_file):
    for card in list_models(models_file):
        assert ModelCard.model_validate_json(card.model_dump_json()) == card


@pytest.mark.parametrize(
    ("name", "classes", "first", "input_size"),
    [
        ("resnet18", 1000, "tench", (224, 224)),
        ("vit_base_patch16_224.augreg_in21k", 21843, None, (224, 224)),
        ("tf_efficientnet_lite4", 1000, "tench", (380, 380)),
    ],
)
def test_timm_describes_its_models_without_their_weights(write_list, name, classes, first, input_size):
    (card,) = list_models(write_list(f'timm = "{name}"'))
    assert (card.source, card.input_size, len(card.labels)) == ("timm", input_size, classes)
    assert first in (None, card.labels[0])


@pytest.mark.parametrize(
    ("table", "input_size", "resize"),
    [("input_size = [288, 256]", (288, 256), None), ("resize = 224", (224, 224), 224), ("", (224, 224), 256)],
)
def test_preprocessing_of_the_list_goes_over_the_librarys(write_list, table, input_size, resize):
    path = write_list(f'torchvision = "mobilenet_v2"\npreprocessing = {{ {table} }}')
    (card,) = list_models(path)
    assert card.input_size == input_size
    preprocessing = load_model("mine", device="cpu", models_file=path).preprocessing
    assert (preprocessing.input_size, preprocessing.resize) == (input_size, resize)
    assert preprocessing.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize("source", ["torchvision", "timm"])
def test_classes_of_another_number_are_numbered_where_the_list_does_not_name_them(write_list, source):
    path = write_list(f'{source} = "resnet18"\nfile = "w.pth"\nkwargs = {{ num_classes = 3 }}')
    (card,) = list_models(path)
    assert card.labels == ("0", "1", "2")
    assert card.weights == "w.pth"


def test_a_list_with_an_unknown_network_is_refused(write_list):
    with pytest.raises(UnknownName, match="resnet18"):
        list_models(write_list('torchvision = "resnet19"'))
