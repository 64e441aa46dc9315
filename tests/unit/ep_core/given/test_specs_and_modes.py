"""Specs of Python callers, the modes of torch that they are in, and devices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ep_core import (
    ChannelsSpec,
    ClassChannelsSpec,
    CompareSpec,
    ExtremalSpec,
    InvalidInput,
    class_channels,
    compare,
    explain,
    explain_batch,
    explain_channels,
    invert_channels,
    load_model,
    split,
)
from ep_core.models import Classifier, list_models
from ep_core.models.runtime.device import pick_device

from .counting import PICTURE, QUICK, SIDE, Counting, one_line


class TestSpecs:
    def test_a_dict_is_a_spec(self, model: Classifier) -> None:
        assert explain(model, PICTURE, QUICK).spec == explain(model, PICTURE, ExtremalSpec(**QUICK)).spec
        assert [one.spec.areas for one in explain_batch(model, [PICTURE] * 2, [QUICK, ExtremalSpec(**QUICK)])] == [
            (0.3,),
            (0.3,),
        ]
        assert compare(model, PICTURE, {"methods": ["gradient"], "areas": [0.5]}).spec.areas == (0.5,)
        channels = {"layer": "layers.2", "areas": [2], "iterations": 1}
        nn.init.zeros_(model.network.layers[5].bias)  # so that without its channels, the top class scores nothing
        assert explain_channels(model, PICTURE, channels).spec.areas == (2,)
        assert class_channels(model, [PICTURE], channels | {"invert": False, "threshold": 0.01}).spec.areas == (2,)

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize(
        ("call", "kind", "other"),
        [
            (explain, "ExtremalSpec", CompareSpec()),
            (compare, "CompareSpec", ExtremalSpec()),
            (explain_channels, "ChannelsSpec", ClassChannelsSpec()),
            (lambda *given: class_channels(given[0], [given[1]], given[2]), "ClassChannelsSpec", ChannelsSpec()),
            (lambda *given: explain_batch(given[0], [given[1]], [given[2]]), "ExtremalSpec", ChannelsSpec()),
        ],
    )
    def test_others_are_refused(self, model: Classifier, call: Callable[..., Any], kind: str, other: Any) -> None:
        for spec in (other, "fast", 0.1, {0.1, 0.2}):
            with pytest.raises(InvalidInput, match=f"to be {kind}, a dict of its fields or None") as error:
                call(model, PICTURE, spec)
            one_line(error)
        for spec, said in (
            ({"area": 0.1}, "^area: there is no such field"),
            ({"areas": []}, "^areas: "),
            ({"task": "none"}, "^task: "),
            ({1: 2}, "^1: "),
        ):
            with pytest.raises(InvalidInput, match=said) as error:
                call(model, PICTURE, spec)
            one_line(error)

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize("lanes", [0, -1, 2.0, "3"])
    def test_lanes_are_counted(self, model: Classifier, lanes: Any) -> None:
        for call in (
            lambda: explain(model, PICTURE, max_lanes=lanes),
            lambda: compare(model, PICTURE, max_lanes=lanes),
            lambda: explain_channels(model, PICTURE, max_lanes=lanes),
            lambda: class_channels(model, [PICTURE], max_lanes=lanes),
        ):
            with pytest.raises(InvalidInput, match="max_lanes is an integer of at least 1, or None") as error:
                call()
            one_line(error)

    @pytest.mark.usefixtures("untouched")
    def test_each_image_has_a_name(self, model: Classifier) -> None:
        with pytest.raises(InvalidInput, match="1 names for 2 images"):
            class_channels(model, [PICTURE] * 2, names=["one"])


class TestModes:
    @pytest.mark.slow
    @pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
    def test_the_callers_mode_does_not_matter(
        self, network: Counting, model: Classifier, mode: Callable[[], Any]
    ) -> None:
        channels = {"layer": "layers.2", "areas": [2], "iterations": 2, "threshold": 0.01}

        def answers(x: Tensor) -> list[Tensor]:
            classifier = Classifier(network, preprocessing=model.preprocessing)
            asked = {"methods": ["smoothgrad", "grad_cam", "guided_backprop", "lrp", "extremal"], "areas": [0.5]}
            compared = compare(classifier, x, asked | {"iterations": 2, "samples": 2})
            parts = split(network, "layers.2", x)
            return [
                explain(classifier, x, QUICK).masks,
                *(answer.map for answer in compared.methods),  # type: ignore[union-attr]
                explain_channels(classifier, x, channels).masks,
                class_channels(classifier, [x], channels | {"invert": False}).weights,
                invert_channels(parts.tuned.head, [0], size=(SIDE, SIDE), normalise=model.preprocessing.normalise),
            ]

        network.eval().requires_grad_(False)
        network.layers[5].bias.zero_()  # so that without its channels, the top class scores nothing
        expected = answers(torch.ones(1, 3, SIDE, SIDE) / 3)
        with mode():
            inside = answers(torch.ones(1, 3, SIDE, SIDE) / 3)
            assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
            assert not torch.is_grad_enabled()
        assert not any(answer.is_inference() for answer in inside)
        assert all(torch.equal(one, other) for one, other in zip(inside, expected, strict=True))

    def test_a_model_loaded_in_inference_mode_can_be_explained(self) -> None:
        with torch.inference_mode():
            loaded = load_model("mobilenet_v2", device="cpu")
        assert not any(parameter.is_inference() for parameter in loaded.network.parameters())


class TestPlaces:
    @pytest.mark.parametrize("device", ["meta", "mps", "xla", "cdua", 3.5, ["cpu"]])
    def test_devices_that_are_not_here(self, device: Any) -> None:
        if device == "mps" and torch.backends.mps.is_available():
            pytest.skip("this machine has one")
        with pytest.raises(InvalidInput, match="use cpu, cuda, cuda:N or, on a Mac that has it, mps") as error:
            pick_device(device)
        assert error.value.field == "device"
        one_line(error)

    def test_a_model_list_may_be_named_by_a_string(self, tmp_path: Path) -> None:
        file = tmp_path / "models.toml"
        file.write_text('[models.mine]\ntorchvision = "mobilenet_v2"\n')
        assert [card.name for card in list_models(str(file))] == ["mine"]
        assert load_model("mine", device="cpu", models_file=str(file)).name == "mine"
