"""Layers of the networks of the paper, without their weights; and of the operator's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ep_core import ChannelsSpec, Classifier, explain_channels
from ep_core.models.named_layer import resolve_layer
from ep_core.models.sources.catalogue import list_models
from ep_core.models.sources.survey import survey_model
from ep_core.schemas.specs import default_counts

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "layer", "shape", "default"),
    [
        ("googlenet", "inception4d", (528, 14, 14), "inception4d"),
        ("vgg16", "features.29", (512, 14, 14), "features.29"),
        ("resnet50", "layer4.2.conv3", (2048, 7, 7), "layer3"),
        ("mobilenet_v2", "features.18", (1280, 7, 7), "features.13"),
    ],
)
def test_the_layers_of_the_papers_networks(name: str, layer: str, shape: tuple[int, int, int], default: str) -> None:
    card = next(card for card in list_models() if card.name == name)
    layers, perturbations = survey_model(card)
    assert perturbations == ("blur", "fade")
    found = next(one for one in layers if one.name == layer)
    assert (found.channels, found.height, found.width) == shape
    assert resolve_layer(None, layers, model=name).name == default


def test_the_papers_counts_are_inception4ds_own() -> None:
    assert default_counts(528)[:4] == (1, 5, 10, 20)
    assert (len(default_counts(528)), default_counts(528)[-1]) == (21, 528)


def test_the_operators_own_networks_are_not_run_for_it(models_file: Path) -> None:
    card = next(card for card in list_models(models_file) if card.name == "efficientnet-lite0")
    assert survey_model(card, models_file=models_file) is None


def test_channels_of_the_operators_own_network(efficientnet: Classifier, sample) -> None:
    layer = next(layer for layer in efficientnet.layers if layer.height == 7 and layer.channels > 1000)
    spec = ChannelsSpec(layer=layer.name, areas=(100, layer.channels), iterations=12)
    found = explain_channels(efficientnet, sample("black_bear"), spec)
    assert found.target.label == "American black bear"
    assert found.curve[-1].preserve == pytest.approx(found.scores.original, abs=1e-3)
    assert found.curve[0].preserve > found.scores.original > found.scores.perturbed
    assert torch.equal(found.masks.sum(dim=1), torch.tensor([100.0, layer.channels]))
