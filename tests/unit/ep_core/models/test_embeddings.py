"""Likeness to a second picture: the cosine of embeddings, written out, and models that have no classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core import Classifier, Preprocessing, class_channels, compare, explain, explain_batch, explain_channels
from ep_core.errors import InvalidInput
from ep_core.models import list_models, load_model
from ep_core.models.embeddings import LikenessNetwork
from ep_core.models.top_classes import top_classes
from ep_core.schemas.specs import ExtremalSpec
from ep_core.schemas.targets import check_pictures
from tests.pictures import encode
from tests.small_jobs import MASKS_ONLY
from tests.unit.ep_core import token_networks

SIDE = 64
SIZES = Preprocessing((SIDE, SIDE), resize=SIDE, mean=(0, 0, 0), std=(1, 1, 1))
SIMILAR: dict[str, Any] = {"similar_to": "target_image"}
QUICK: dict[str, Any] = {"target": SIMILAR, "areas": (0.2,), "iterations": 2, "independent": True}
CHEAP = QUICK | MASKS_ONLY


class Halves(nn.Module):
    """The brightness of the left and of the right half of an image: N x 3 x H x W -> N x 2."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        return self.weight * torch.stack([half.mean(dim=(1, 2, 3)) for half in images.chunk(2, dim=3)], dim=1)


@pytest.fixture
def halves() -> Classifier:
    return Classifier(Halves(), name="halves", preprocessing=SIZES, outputs="embedding")


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, 7))


@pytest.fixture
def model(network: nn.Module) -> Classifier:
    return Classifier(network, preprocessing=SIZES, outputs="embedding")


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    one, other = torch.rand(2, 1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return one, other


def two_halves(left: float, right: float) -> Tensor:
    image = torch.full((1, 3, SIDE, SIDE), float(left))
    image[..., SIDE // 2 :] = right
    return image


def deep_grey(left: int, right: int) -> bytes:
    samples = np.full((SIDE, SIDE), left, np.uint16)
    samples[:, SIDE // 2 :] = right
    return encode(Image.fromarray(samples), "PNG")


def test_the_score_is_the_cosine_computed_by_hand(halves: Classifier) -> None:
    """The embeddings are (0.3, 0.4) and (0, 0.7): the cosine is 0.4 / 0.5."""
    found = explain(halves, two_halves(0.3, 0.4), CHEAP | {"perturbation": "fade"}, target_picture=two_halves(0, 0.7))
    assert found.scores.original == pytest.approx(0.8, abs=1e-6)
    assert found.scores.perturbed == 0  # black has an embedding of 0
    assert (found.scores.threshold, found.scores.threshold_rule) == (pytest.approx(0.8), "share-of-original")
    assert found.target.model_dump() == {"kind": "similar", "index": None, "label": "similar to the second picture"}
    assert found.scores.original_probability is found.curve[0].preserve_probability is found.contrast is None


def test_the_mask_keeps_what_the_two_have_in_common(halves: Classifier) -> None:
    """The second picture is bright on the right alone: without the left half the cosine is 1, more than the whole's."""
    found = explain(
        halves,
        two_halves(0.5, 0.5),
        {"target": SIMILAR, "areas": (0.3,), "iterations": 40, "perturbation": "fade", "check_extremality": False},
        target_picture=two_halves(0, 1),
    )
    mask = found.masks[0, 0]
    assert mask[:, SIDE // 2 :].mean() > 5 * mask[:, : SIDE // 2].mean()
    assert found.curve[0].preserve > found.scores.original == pytest.approx(0.5**0.5, abs=1e-5)
    assert found.optimal_area == 0.3
    assert "the second picture" in str(found.report().model_dump())


def test_the_extremality_of_a_likeness_is_checked(model: Classifier, images: tuple[Tensor, Tensor]) -> None:
    found = explain(model, images[0], {"target": SIMILAR, "areas": (0.3,), "iterations": 2}, target_picture=images[1])
    assert found.extremality is not None
    assert found.extremality.random_masks > 0


def test_the_network_of_a_likeness_is_around_any_network_of_embeddings(images: tuple[Tensor, Tensor]) -> None:
    likeness = LikenessNetwork(nn.Identity(), torch.tensor([[3.0, 4.0]]))
    vectors = torch.tensor([[1.0, 0.0], [-6.0, -8.0], [0.0, 0.0]])
    torch.testing.assert_close(likeness(vectors), torch.tensor([[0.6], [-1.0], [0.0]]))
    torch.testing.assert_close(likeness.around(nn.ReLU())(vectors), torch.tensor([[0.6], [0.0], [0.0]]))


def test_the_other_tasks_take_a_likeness(model: Classifier, images: tuple[Tensor, Tensor]) -> None:
    one, other = images
    with torch.no_grad():
        cosine = float(torch.cosine_similarity(model.network(one), model.network(other)))
    compared = compare(
        model, one, QUICK | {"methods": ("gradient", "rise", "extremal"), "samples": 20}, target_picture=other
    )
    gradient, rise, extremal = compared.report().methods
    assert compared.scores.original == pytest.approx(cosine, abs=1e-5)
    assert gradient.unavailable is extremal.unavailable is None
    assert "is no probability" in (rise.unavailable or "")
    layer = model.layers[0].name
    channels = explain_channels(
        model, one, {"target": SIMILAR, "layer": layer, "areas": (2,), "iterations": 2}, target_picture=other
    )
    assert channels.scores.original == pytest.approx(cosine, abs=1e-5)
    of_class = class_channels(
        model, images, {"target": SIMILAR, "layer": layer, "areas": (4,), "iterations": 2}, target_picture=other
    )
    assert of_class.report().model_dump(mode="json")["params"]["target"] == SIMILAR
    assert of_class.images[1].original == pytest.approx(1, abs=1e-5)  # that image itself


def test_images_of_one_call_have_the_second_picture_in_common_each_by_its_fit(halves: Classifier) -> None:
    """A wide picture, black but for the middle: the crop sees other halves of it than the stretched whole."""
    second = Image.new("RGB", (4 * SIDE, SIDE))
    second.paste("white", (int(1.6 * SIDE), 0, 3 * SIDE, SIDE))
    specs = [ExtremalSpec(**CHEAP | {"fit": fit}) for fit in ("crop", "stretch", "crop")]
    image = Image.new("RGB", (SIDE, SIDE), "white")
    cropped, stretched, again = explain_batch(halves, [image] * 3, specs, target_picture=second)
    assert cropped.scores.original == again.scores.original
    assert abs(cropped.scores.original - stretched.scores.original) > 0.05
    assert stretched.scores.original == explain(halves, image, specs[1], target_picture=second).scores.original


def test_images_of_one_call_have_the_second_picture_each_by_its_white_level(halves: Classifier) -> None:
    image, second = deep_grey(1000, 3000), deep_grey(4095, 100)
    specs = [ExtremalSpec(**CHEAP | {"white_level": level}) for level in (4095, 65535)]
    together = explain_batch(halves, [image, image], specs, target_picture=second)
    alone = [explain(halves, image, spec, target_picture=second) for spec in specs]
    assert [one.scores.original for one in together] == [one.scores.original for one in alone]
    assert together[0].scores.original != together[1].scores.original


def test_a_file_names_the_score(halves: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "goose.png"
    path.write_bytes(encode(Image.new("RGB", (SIDE, SIDE), "white"), "PNG"))
    found = explain(halves, two_halves(0.3, 0.4), CHEAP, target_picture=path)
    assert found.target.label == "similar to goose.png"


def test_a_white_level_counts_for_the_second_picture_where_it_has_a_use(halves: Classifier) -> None:
    spec = CHEAP | {"white_level": 4095}
    deep = explain(halves, deep_grey(1000, 3000), spec, target_picture=deep_grey(4095, 0))
    colours = encode(Image.new("RGB", (SIDE, SIDE), "white"), "PNG")
    plain = explain(halves, deep_grey(1000, 3000), spec, target_picture=colours)
    assert deep.scores.original == pytest.approx(1 / 10**0.5, abs=0.01)
    assert plain.scores.original == pytest.approx(4 / (2 * 10) ** 0.5, abs=0.01)


def test_a_likeness_can_drop_patches_and_two_labels_have_one_too() -> None:
    """The part that embeds is still one of the library's: the model takes what its card offers."""
    side = token_networks.SIDE
    preprocessing = Preprocessing((side, side), mean=(0, 0, 0), std=(1, 1, 1))
    model = Classifier(token_networks.timm_vit(), labels=list("abc"), preprocessing=preprocessing)
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    likeness = model.resembling(x.flip(3))
    assert "drop" in likeness.perturbations
    found = explain(likeness, x, {"perturbation": "drop", "areas": [0.25], "iterations": 6})
    assert found.target.kind == "similar"
    binary = Classifier(timm.create_model("resnet10t", num_classes=1), labels=["no", "yes"], outputs="logit")
    assert "similar" in binary.targets
    assert binary.resembling(torch.rand(1, 3, 64, 64)).kind == "similar"


def test_a_classifier_of_timm_is_compared_before_its_head(images: tuple[Tensor, Tensor]) -> None:
    network = timm.create_model("resnet18", num_classes=5).eval()
    _spread(network)
    model = Classifier(network, preprocessing=SIZES)
    one, other = images
    with torch.no_grad():
        features = [network.forward_head(network.forward_features(x), pre_logits=True) for x in images]
        seen = model.resembling(other)
        assert float(seen.network(one)) == pytest.approx(float(torch.cosine_similarity(*features)), abs=1e-5)
    assert model.targets == ("class", "contrast", "similar")
    assert [layer.name for layer in seen.layers] == [layer.name for layer in model.layers]
    assert network(one).shape == (1, 5)  # it is left as it was
    channels = explain_channels(model, one, {"target": SIMILAR, "areas": (2,), "iterations": 2}, target_picture=other)
    assert channels.layer.name == "layer3"


def _spread(network: nn.Module) -> None:
    """Give batch norms weights, which initialisers leave at zero at the ends of branches."""
    for one in network.modules():
        if isinstance(one, nn.BatchNorm2d):
            nn.init.uniform_(one.weight, 0.5, 1)


@pytest.mark.parametrize("kind", [torch.float16, torch.float64])
def test_a_network_of_another_precision_embeds_too(kind: torch.dtype, network: nn.Module) -> None:
    model = Classifier(network.to(kind), preprocessing=SIZES, outputs="embedding")
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        assert float(model.resembling(image).network(image)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("spec", "given", "field", "said"),
    [
        ({}, None, "target", r"has no classes: send a second picture as target_image, with .*similar_to"),
        ({"target": 3}, None, "target", "has no classes"),
        ({"target": {"class": 0, "instead_of": 1}}, None, "target", "has no classes"),
        ({"target": {"text": "a dog"}}, None, "target", "texts: send a second picture"),
        ({"target": SIMILAR}, None, "target_image", "target_image is missing"),
        ({"target": SIMILAR}, "no.jpg", "target_image", r"target_image: the image file 'no\.jpg' can't be read"),
        ({"target": SIMILAR}, b"text", "target_image", "target_image: the bytes aren't a picture"),
        (
            {"target": SIMILAR},
            Image.new("RGB", (20000, 1), "red"),
            "target_image",
            "target_image: the image is too elongated",
        ),
        ({"target": SIMILAR}, Image.new("RGB", (SIDE, SIDE)), "target_image", "gives no embedding of the second"),
        (
            {"target": SIMILAR},
            torch.ones(1, 1, SIDE, SIDE),
            "target_image",
            "target_image: model 'halves' takes images",
        ),
        (
            {"target": {"similar_to": "goose.jpg"}},
            None,
            "target",
            r"similar_to: 'goose\.jpg' is none of 'target_image'",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(
    halves: Classifier, spec: dict[str, Any], given: Any, field: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as error:
        explain(halves, two_halves(0.3, 0.4), spec, target_picture=given)
    assert error.value.field == field


def test_a_second_picture_that_nothing_uses_is_refused(network: nn.Module) -> None:
    model = Classifier(network, preprocessing=SIZES, labels=list("abcdefg"))
    image = torch.rand(1, 3, SIDE, SIDE)
    with pytest.raises(InvalidInput, match="target_picture is not used by this target"):
        explain(model, image, {"target": "a"}, target_picture=image)
    with pytest.raises(InvalidInput, match="gives no embeddings: name a class, or choose a model that does"):
        explain(model, image, {"target": SIMILAR}, target_picture=image)
    with pytest.raises(InvalidInput, match="gives no embeddings"):
        model.resembling(image)


def test_parts_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r'target_mask is not used .*"within": "target_mask"') as error:
        check_pictures(3, ["target_mask"])
    assert error.value.field == "target_mask"


def test_a_model_without_classes_has_none_to_tell(halves: Classifier) -> None:
    assert repr(halves) == f"Classifier('halves', embeddings, input ({SIDE}, {SIDE}), on cpu)"
    assert (halves.labels, halves.num_classes, halves.kind) == ((), 0, "similar")
    with pytest.raises(InvalidInput, match="'halves' has no classes"):
        top_classes(halves, Image.new("RGB", (SIDE, SIDE)))
    with pytest.raises(InvalidInput, match=r"has 0 classes, but 2 labels, as its outputs are embeddings"):
        Classifier(Halves(), preprocessing=SIZES, outputs="embedding", labels=["left", "right"])


OWN = "preprocessing = { input_size = [32, 32], mean = [0, 0, 0], std = [1, 1, 1] }"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('torchvision = "resnet18"\noutputs = "embedding"', "embedding goes with timm, huggingface, entry_point and"),
        ('open_clip = "ViT-B-32"\noutputs = "embedding"', "not with open_clip"),
        ('timm = "resnet18"\noutputs = "embedding"\nlabels = ["a"]', "labels: embeddings have no classes"),
        ('huggingface = "a/b"\noutputs = "embedding"\ntexts = ["a"]', "texts: embeddings have no classes"),
    ],
)
def test_a_list_cannot_call_anything_embeddings(write_list: Any, entry: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        list_models(write_list(entry))


@pytest.mark.parametrize(
    "entry",
    [
        'timm = "resnet18"',
        'timm = "vit_small_patch14_dinov2"',
        'timm = "vit_base_patch16_clip_224.openai"',
        f'entry_point = "here:function"\n{OWN}',
        f'file = "whole.pt2"\n{OWN}',
    ],
)
def test_a_list_says_which_outputs_are_embeddings(write_list: Any, entry: str) -> None:
    (card,) = list_models(write_list(f'{entry}\noutputs = "embedding"'))
    assert (card.labels, card.outputs, card.targets) == ((), "embedding", ("similar",))


@pytest.mark.parametrize(
    ("name", "keys", "width"),
    [("resnet18", "", 512), ("vit_base_patch16_clip_224.openai", "kwargs = { depth = 1, num_heads = 2 }\n", 512)],
)
def test_timms_network_has_no_classes_and_keeps_a_projection(
    write_list: Any, monkeypatch: pytest.MonkeyPatch, name: str, keys: str, width: int
) -> None:
    made: dict[str, Any] = {}

    def create(kind: str, **kwargs: Any) -> nn.Module:
        made.update(kwargs)
        network = timm.models.create_model(kind, **kwargs | {"pretrained": False}).eval()
        _spread(network)
        return network

    monkeypatch.setattr(timm, "create_model", create)
    model = load_model("mine", device="cpu", models_file=write_list(f'timm = "{name}"\n{keys}outputs = "embedding"'))
    assert made.get("num_classes", 512) == (0 if name == "resnet18" else width)
    assert model.network(torch.rand(1, 3, 224, 224)).shape == (1, width)


def test_cards_of_timms_classifiers_say_whether_they_embed(write_list: Any) -> None:
    kinds = {
        name: list_models(write_list(f'timm = "{name}"\nlabels = ["a"]'))[0].targets
        for name in ("resnet18", "mobilenetv5_300m")
    }
    assert kinds == {"resnet18": ("class", "contrast", "similar"), "mobilenetv5_300m": ("class", "contrast")}
