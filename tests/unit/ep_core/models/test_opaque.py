"""TorchScript and exported programs: masks and methods that need no layers work, the others say why they don't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ep_core import ChannelsSpec, Classifier, CompareSpec, ExtremalSpec, compare, explain, explain_channels
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.evaluation.cascade import stages
from ep_core.evaluation.cost import counted
from ep_core.models import Preprocessing, load_model
from ep_core.schemas.specs import METHODS
from tests.networks import SIDE, plain

NEED_LAYERS = {
    "grad_cam",
    "lrp",
    "excitation_backprop",
    "contrastive_excitation_backprop",
    "deconvnet",
    "guided_backprop",
    "attention_rollout",
    "attention_relevance",
}


def save_script(network: nn.Module, path: Path) -> None:
    torch.jit.script(network).save(path)


def save_frozen(network: nn.Module, path: Path) -> None:
    torch.jit.freeze(torch.jit.script(network)).save(path)


def save_trace(network: nn.Module, path: Path) -> None:
    torch.jit.trace(network, torch.rand(1, 3, SIDE, SIDE)).save(path)


def save_half(network: nn.Module, path: Path) -> None:
    save_script(network.half(), path)


def save_program(network: nn.Module, path: Path) -> None:
    images = (torch.rand(2, 3, SIDE, SIDE),)
    torch.export.save(torch.export.export(network, images, dynamic_shapes=({0: torch.export.Dim("batch")},)), path)


KINDS = {
    "script": (save_script, "whole.pt"),
    "frozen": (save_frozen, "whole.pt"),
    "trace": (save_trace, "whole.pt"),
    "half": (save_half, "whole.pt"),
    "program": (save_program, "whole.pt2"),
}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path: Path, write_list: Callable[[str], Path]) -> Classifier:
    save, name = KINDS[request.param]
    save(plain(), tmp_path / name)
    path = write_list(
        f'file = "{name}"\nlabels = ["oak", "maple", "birch"]\n'
        f"preprocessing = {{ input_size = [{SIDE}, {SIDE}], mean = [0, 0, 0], std = [1, 1, 1] }}"
    )
    return load_model("mine", device="cpu", models_file=path)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning"),
]


def test_it_is_explained(model: Classifier, image: Tensor) -> None:
    spec = ExtremalSpec(target=0, areas=(0.2,), iterations=2).masks_only()
    found = explain(model, image, spec)
    assert found.curve[0].measured_area == pytest.approx(0.2, abs=0.03)
    own = explain(Classifier(plain(), preprocessing=model.preprocessing), image, spec)
    assert found.scores.original == pytest.approx(own.scores.original, rel=0.01)


def test_each_method_answers_or_says_that_it_needs_layers(
    model: Classifier, image: Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    spec = CompareSpec(target=0, areas=(0.2,), methods=METHODS, iterations=1, samples=8)
    found = compare(model, image, spec).report()
    refused = {method.method: method.unavailable for method in found.methods if method.unavailable is not None}
    assert refused.keys() == NEED_LAYERS
    assert all("layer" in reason for reason in refused.values())
    assert all("TorchScript" in reason or "exported program" in reason for reason in refused.values())
    assert "failed in a comparison" not in caplog.text


def test_it_shows_no_layers_and_channels_say_so(model: Classifier, image: Tensor) -> None:
    assert model.layers == ()
    for layer in (None, "0"):
        with pytest.raises(InvalidInput, match="TorchScript and exported programs show none") as raised:
            explain_channels(model, image, ChannelsSpec(target=0, layer=layer))
        assert raised.value.field == "layer"
    with pytest.raises(InvalidInput, match="has no layer with channels"):
        compare(model, image, CompareSpec(target=0, methods=("grad_cam",), layer="0"))


def test_evaluations_count_its_passes_and_refuse_to_randomise_it(model: Classifier, image: Tensor) -> None:
    with model.frozen() as network, counted(network, model.input_size) as read_cost:
        network(image)
        assert read_cost() == 1
    with pytest.raises(InvalidInput, match="doesn't show its layers"):
        stages(model.network, image)


def test_a_part_in_torchscript_hides_its_own_layers_alone() -> None:
    network = plain()
    mixed = nn.Sequential(network[:5], torch.jit.script(network[5:]))
    model = Classifier(mixed, preprocessing=Preprocessing((SIDE, SIDE)))
    assert [layer.name for layer in model.layers] == ["0.0", "0.1", "0.2", "0.3", "0.4", "0"]


def test_a_program_for_one_size_of_batch_is_refused(tmp_path: Path, write_list: Callable[[str], Path]) -> None:
    torch.export.save(torch.export.export(plain(), (torch.rand(2, 3, SIDE, SIDE),)), tmp_path / "whole.pt2")
    path = write_list(
        'file = "whole.pt2"\nlabels = ["oak", "maple", "birch"]\n'
        f"preprocessing = {{ input_size = [{SIDE}, {SIDE}], mean = [0, 0, 0], std = [1, 1, 1] }}"
    )
    with pytest.raises(ModelUnavailable, match="fails on an input of 1 x 3 x 32 x 32"):
        load_model("mine", device="cpu", models_file=path)
