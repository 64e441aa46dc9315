"""Targets and models in the forms that Python callers have them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ep_core import ChannelsSpec, ExtremalSpec, InvalidInput, compare, explain, explain_channels
from ep_core.models import Classifier, Preprocessing

from .counting import PICTURE, QUICK, SIDE, Counting, one_line


class TestTargets:
    @pytest.mark.parametrize(
        "target",
        [np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), torch.tensor(3, dtype=torch.uint8), np.str_("3"), "3"],
        ids=repr,
    )
    def test_numbers_of_numpy_and_torch(self, model: Classifier, target: Any) -> None:
        assert explain(model, PICTURE, ExtremalSpec(target=target, **QUICK)).target.index == 3
        assert explain(model, PICTURE, {"target": target, **QUICK}).target.index == 3

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize("target", [True, 3.0, np.float32(3), np.bool_(1), torch.tensor(3.0), [3], torch.ones(2)])
    def test_others_are_refused(self, model: Classifier, target: Any) -> None:
        for call in (explain, compare, explain_channels):
            with pytest.raises(InvalidInput, match=r"^target: .* is not a whole number") as error:
                call(model, PICTURE, {"target": target})
            one_line(error)
            assert error.value.field == "target"

    def test_other_fields_take_them_too(self) -> None:
        spec = ExtremalSpec(areas=np.array([0.1, 0.2]), seed=np.int64(3), iterations=torch.tensor(5))
        assert (spec.areas, spec.seed, spec.iterations) == ((0.1, 0.2), 3, 5)
        assert ChannelsSpec(areas=[np.int32(2), torch.tensor(1)]).areas == (1, 2)
        assert ExtremalSpec(areas=torch.tensor([0.25, 0.5])).areas == (0.25, 0.5)


class TestModels:
    @pytest.mark.slow
    def test_a_bare_network_is_taken(self, network: Counting) -> None:
        found = explain(network, PICTURE, QUICK)
        assert torch.equal(found.masks, explain(Classifier(network), PICTURE, QUICK).masks)
        assert found.model.input_size == (224, 224)

    @pytest.mark.slow
    def test_a_name_is_loaded(self) -> None:
        found = explain("mobilenet_v2", PICTURE, QUICK | {"perturbation": "fade"})
        assert (found.model.name, len(found.masks)) == ("mobilenet_v2", 1)

    @pytest.mark.parametrize("model", [None, 3, nn.Linear, Path("resnet50"), {"name": "resnet50"}])
    def test_others_are_refused(self, model: Any) -> None:
        with pytest.raises(InvalidInput, match="a model is a Classifier, a") as error:
            explain(model, PICTURE)
        assert error.value.field == "model"
        one_line(error)

    def test_the_image_is_looked_at_first(self) -> None:
        with pytest.raises(InvalidInput, match="can't be read"):
            explain("no such model", "no/such/file.jpg")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"name": 3}, "a model's name is a string, not int"),
            ({"preprocessing": (224, 224)}, "an ep_core.Preprocessing, not tuple"),
            ({"weights_digest": b"sha256"}, "weights_digest is a string, not bytes"),
            ({"labels": "abcde"}, "labels are a list, .* not str"),
            ({"labels": 5}, "labels are a list, .* not int"),
            ({"labels": {k: k for k in range(5)}}, r"not dict: give list\(labels.values\(\)\)"),
        ],
    )
    def test_what_describes_a_network_has_its_types(
        self, network: Counting, arguments: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(InvalidInput, match=said) as error:
            Classifier(network, **arguments)
        one_line(error)
        assert network.passes == 0

    @pytest.mark.parametrize("labels", [range(5), [0, 1, 2, 3, 4], np.arange(5), torch.arange(5), tuple("01234")])
    def test_labels_may_be_numbers(self, network: Counting, labels: Any) -> None:
        classifier = Classifier(network, preprocessing=Preprocessing((SIDE, SIDE)), labels=labels)
        assert classifier.labels == ("0", "1", "2", "3", "4")
        found = explain(classifier, PICTURE, QUICK | {"target": "4"})
        assert found.report().target.label == "4"

    def test_networks_that_cannot_be_explained_where_they_are(self, network: Counting) -> None:
        network.layers[5].to("meta")
        with pytest.raises(InvalidInput, match="no weights yet") as error:
            Classifier(network)
        one_line(error)
        with torch.inference_mode():
            made_inside = Counting()
        with pytest.raises(InvalidInput, match=r"under torch\.inference_mode"):
            Classifier(made_inside)
        with pytest.raises(InvalidInput, match=r"torch\.nn\.Module, not function"):
            Classifier(lambda images: images)  # type: ignore[arg-type]
        assert network.passes == 0
