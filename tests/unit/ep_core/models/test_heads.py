"""Heads: probabilities of softmax, sigmoid and one-logit networks, and scores among several outputs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core import Classifier, CompareSpec, Preprocessing, compare, explain
from ep_core.errors import InvalidInput
from ep_core.models.top_classes import top_classes
from ep_core.schemas.model_card import Head
from ep_core.schemas.reports.file_names import CURVE
from tests.small_jobs import MASKS_ONLY

SIDE = 96
SIZES = Preprocessing((SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
QUICK: dict[str, Any] = {"areas": (0.2,), "iterations": 2, "independent": True}
CHEAP = QUICK | MASKS_ONLY


class Outputs(nn.Module):
    """A network of some scores, whose outputs a function makes of the scores and the maps before them."""

    def __init__(self, classes: int, make: Any = lambda scores, _maps: scores) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Conv2d(3, 4, 5, 4)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, classes))
        self.make = make

    def scores(self, images: Tensor) -> Tensor:
        return self.head(self.maps(images))

    def forward(self, images: Tensor) -> Any:
        maps = self.maps(images)
        return self.make(self.head(maps), maps)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def model_of(network: nn.Module, **options: Any) -> Classifier:
    return Classifier(network, preprocessing=SIZES, **options)


@pytest.mark.parametrize(
    ("head", "classes", "labels", "expected"),
    [
        (None, 3, "abc", lambda scores: scores.softmax(0)[1]),
        ("softmax", 3, "abc", lambda scores: scores.softmax(0)[1]),
        ("sigmoid", 3, "abc", lambda scores: scores[1].sigmoid()),
        (None, 1, "a", lambda scores: scores[0].sigmoid()),
        ("logit", 1, "a", lambda scores: scores[0].sigmoid()),
        ("sigmoid", 1, "a", lambda scores: scores[0].sigmoid()),
        ("logit", 1, "ab", lambda scores: scores[0].sigmoid()),
    ],
)
def test_probabilities_are_those_of_the_head(
    image: Tensor, head: Head | None, classes: int, labels: str, expected: Any
) -> None:
    network = Outputs(classes)
    model = model_of(network, outputs=head, labels=list(labels))
    target = 1 if len(labels) > 1 else 0
    found = explain(model, image, {"target": target, **CHEAP})
    probability = float(expected(network.scores(image)[0].detach()))
    assert found.scores.original_probability == pytest.approx(probability, abs=1e-5)
    axis = b"softmax" if found.model.outputs == "softmax" else b"sigmoid"
    assert b"(before the " + axis + b")" in dict(found.files())[CURVE]
    assert found.report().model.outputs == (head or ("softmax" if classes > 1 else "logit"))
    picture = model.preprocessing.to_image(image)
    exact = model.network(model.preprocess(picture)[0])
    by_class = {one.index: one.probability for one in top_classes(model, picture)}
    assert by_class[target] == pytest.approx(model.probabilities(exact)[0, target].item(), abs=1e-5)  # type: ignore[index]


def test_one_logit_with_two_labels_is_two_classes_whose_probabilities_add_up_to_one(image: Tensor) -> None:
    network = Outputs(1)
    model = model_of(network, labels=["no cat", "cat"], outputs="logit")
    logit = network.scores(image)
    torch.testing.assert_close(model.network(image), torch.cat([-logit, logit], dim=1))
    assert float(model.probabilities(model.network(image)).sum()) == pytest.approx(1)  # type: ignore[union-attr]
    found = explain(
        model, image, {"areas": (0.2,), "iterations": 2, "alternatives": 0}
    )  # of the class that is the likelier one
    assert found.scores.original == pytest.approx(float(logit.abs()), abs=1e-5)
    assert found.contrast is not None


def test_two_labels_of_one_score_are_no_guess() -> None:
    with pytest.raises(InvalidInput, match=r'has 1 classes, but 2 labels. A score .* outputs = "logit"'):
        model_of(Outputs(1), labels=["no cat", "cat"])


@pytest.mark.parametrize(
    ("head", "classes", "message"),
    [
        ("logit", 3, 'is for a network of one score; this one has 3: use "sigmoid"'),
        ("softmax", 1, "the softmax of a single score is always 1"),
    ],
)
def test_heads_that_cannot_be_are_refused(head: Head, classes: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        model_of(Outputs(classes), outputs=head)


def test_methods_weigh_by_the_heads_probabilities(image: Tensor) -> None:
    """A class of a sigmoid head is as likely as it is, whatever the others are."""
    spec = CompareSpec(target=0, methods=("rise",), samples=20, **QUICK)
    alone = Outputs(1)
    both = Outputs(2)
    both.load_state_dict(
        alone.state_dict()
        | {
            "head.2.weight": alone.head[2].weight.repeat(2, 1),
            "head.2.bias": alone.head[2].bias.repeat(2) + Tensor([0, 5]),
        }
    )
    maps = [compare(model_of(one, outputs="sigmoid"), image, spec).methods[0] for one in (alone, both)]
    torch.testing.assert_close(maps[0].map, maps[1].map)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("make", "output"),
    [
        (lambda scores, maps: {"maps": maps, "scores": scores}, None),
        (lambda scores, maps: (scores, maps), None),
        (lambda scores, maps: SimpleNamespace(scores=scores, maps=maps), None),
        (lambda scores, _maps: {"logits": scores, "embedding": 2 * scores}, None),
        (lambda scores, _maps: {"embedding": 2 * scores, "scores": scores}, "scores"),
        (lambda scores, _maps: [2 * scores, scores], 1),
    ],
    ids=["mapping", "tuple", "object", "logits", "by name", "by place"],
)
def test_scores_are_found_among_several_outputs(image: Tensor, make: Any, output: str | int | None) -> None:
    network = Outputs(3, make)
    model = model_of(network, output=output, labels=["a", "b", "c"])
    torch.testing.assert_close(model.network(image), network.scores(image))
    assert explain(model, image, CHEAP).scores.original == pytest.approx(
        float(network.scores(image).detach().max()), abs=1e-5
    )


@pytest.mark.parametrize(
    ("make", "output", "message"),
    [
        (lambda scores, _maps: {"a": scores, "b": scores}, None, "several outputs .* 'a' \\(2 x 3\\), 'b'"),
        (lambda _scores, maps: {"maps": maps}, None, "no output .* may be scores"),
        (lambda scores, _maps: {"a": scores}, "b", "has no output 'b'; it gives 'a'"),
        (lambda scores, _maps: scores, "b", "has no output 'b'; it gives no tensors"),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_there_is(make: Any, output: str | None, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        model_of(Outputs(3, make), output=output)


def test_the_digest_is_of_all_that_results_depend_on() -> None:
    network = Outputs(3)
    models = [
        model_of(network, labels=["a", "b", "c"]),
        model_of(network, labels=["a", "b", "d"]),
        model_of(network, labels=["a", "b", "c"], outputs="sigmoid"),
        Classifier(
            network, labels=["a", "b", "c"], preprocessing=Preprocessing((SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 2))
        ),
        model_of(network, labels=["a", "b", "c"], weights_digest="sha256:0"),
    ]
    assert len({one.digest for one in models}) == len(models)
    assert model_of(network, labels=["a", "b", "c"]).digest == models[0].digest


def test_a_picture_is_classified_by_a_sigmoid_head() -> None:
    model = model_of(Outputs(3), outputs="sigmoid", labels=["a", "b", "c"])
    assert sum(
        one.probability or 0 for one in top_classes(model, Image.new("RGB", (200, 200), "red"))
    ) != pytest.approx(1)
