"""Channel attribution: of a classifier that is known, and of the real network on real photographs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from ep_core import ChannelsSpec, Classifier, InvalidInput, UnknownName, explain_channels
from ep_core.channels.render import render_channels
from ep_core.pictures.file_sizes import largest_files
from ep_core.schemas.progress import Progress
from ep_core.schemas.specs import default_counts

RED = Image.new("RGB", (64, 48), (255, 0, 0))
SPEC = ChannelsSpec(layer="bands", areas=(1, 2, 4, 8))


def test_the_channels_that_the_class_counts_are_found(bands: Classifier) -> None:
    found = explain_channels(bands, RED, SPEC.model_copy(update={"target": "lower", "threshold": 0.65}))
    assert [point.measured_area for point in found.curve] == [1, 2, 4, 8]
    # Each channel is red everywhere in its row of 8 cells: 8 times its weight.
    assert [point.preserve for point in found.curve] == pytest.approx([32, 56, 80, 80])
    assert [point.delete for point in found.curve] == pytest.approx([48, 24, 0, 0])
    assert (found.scores.original, found.scores.perturbed, found.scores.threshold) == pytest.approx((80, 0, 52))
    assert found.optimal_area == 2
    assert found.monotonic
    assert [(one.channel, one.first_area, one.weight) for one in found.channels] == [(7, 1, 1), (6, 2, 1)]
    assert [one.contribution for one in found.channels] == pytest.approx([32, 24])


def test_saliency_is_equation_11(bands: Classifier) -> None:
    found = explain_channels(bands, RED, SPEC.model_copy(update={"target": 1, "threshold": 0.65}))
    by_hand = np.zeros((8, 8))
    for k, weight in enumerate(found.optimal_mask.tolist()):
        by_hand += weight * found.activation[k].numpy()
    np.testing.assert_allclose(found.saliency.numpy(), by_hand)
    assert by_hand[6:].min() == 1
    assert by_hand[:6].max() == 0


@pytest.mark.parametrize("variant", ["delete", "hybrid"])
def test_variants(bands: Classifier, variant: str) -> None:
    found = explain_channels(bands, RED, SPEC.model_copy(update={"target": "upper", "variant": variant}))
    assert [point.delete for point in found.curve] == pytest.approx([48, 24, 0, 0])
    assert found.optimal_area == 4
    assert found.scores.threshold == pytest.approx(0 if variant == "delete" else 80)


def test_inversions_come_beside_each_other(bands: Classifier) -> None:
    found = explain_channels(bands, RED, SPEC.model_copy(update={"target": 1, "invert": True}))
    files = dict(render_channels(found))
    assert Image.open(io.BytesIO(files["inversions/full.png"])).size == (32, 32)
    assert Image.open(io.BytesIO(files["inversions/comparison.png"])).width > 3 * 224
    assert sum(map(len, files.values())) <= sum(largest_files(found.spec, [RED.size], None))
    full, masked = found.inversions["full"], found.inversions["masked"]
    assert full[0, 28:].mean() > full[1, 28:].mean()  # the row of channel 7 is red in both
    assert masked[0, 28:].mean() > masked[1, 28:].mean()


def test_no_count_may_reach_the_threshold(bands: Classifier) -> None:
    found = explain_channels(bands, RED, ChannelsSpec(layer="bands", areas=(1, 2), target="lower"))
    assert found.optimal_area is None
    assert len(found.channels) == 2  # of the largest mask


def test_the_paper_preset_reports_the_mass_that_its_masks_have(bands: Classifier) -> None:
    found = explain_channels(bands, RED, SPEC.model_copy(update={"preset": "paper", "target": 1, "iterations": 20}))
    masses = found.masks.double().sum(dim=1).tolist()
    assert [point.measured_area for point in found.curve] == pytest.approx(masses)
    assert masses != [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"layer": "band"}, UnknownName, "did you mean 'bands'"),
        ({"layer": "head"}, UnknownName, "no layer with channels called 'head'"),
        ({"areas": (1, 9)}, InvalidInput, "9 channels are more than layer 'bands' has: use 1 to 8"),
        ({"target": "middle"}, UnknownName, "no class is called 'middle'"),
    ],
)
def test_mistakes_are_told_before_any_work(bands: Classifier, fields: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        explain_channels(bands, RED, SPEC.model_copy(update=fields), on_progress=lambda _: pytest.fail("it began"))


def test_a_network_without_channels_is_told() -> None:
    flat = Classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 224 * 224, 2)))
    with pytest.raises(InvalidInput, match="has no layer with channels"):
        explain_channels(flat, RED)


def test_progress_ends_at_the_total_and_shows_counts(bands: Classifier) -> None:
    seen: list[Progress] = []
    curves = []

    def look(progress: Progress) -> None:
        seen.append(progress)
        curves.append(progress.partial_curve())

    explain_channels(bands, RED, SPEC, on_progress=look)
    assert [p.iteration for p in seen] == sorted(p.iteration for p in seen)
    assert seen[-1].iteration == seen[-1].total
    assert [point.area for point in curves[-1]] == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("name", "layer", "counts"),
    [("mobilenet_v2", "features.13", default_counts(96)), ("resnet18", "layer3", default_counts(256))],
)
def test_the_default_layer_is_the_last_outer_one_at_a_sixteenth(name: str, layer: str, counts: tuple) -> None:
    import torchvision

    from ep_core.models.named_layer import check_counts, resolve_layer

    model = Classifier(torchvision.models.get_model(name, weights=None))
    card = resolve_layer(None, model.layers, model=name)
    assert card.name == layer
    assert check_counts(None, card) == counts


def test_on_the_real_network(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> None:
    spec = ChannelsSpec(layer="features.18", areas=(12, 121, 400, 1280))  # inverted in tests/stack/journeys
    found = explain_channels(mobilenet, sample("black_bear"), spec)
    kept = [point.preserve for point in found.curve]
    assert kept[:3] == sorted(kept[:3])
    assert kept[3] == pytest.approx(found.scores.original, abs=1e-3)
    assert [point.measured_area for point in found.curve] == [12, 121, 400, 1280]
    assert found.optimal_area in (121, 400)
    files = dict(render_channels(found))
    assert set(files) == {"saliency.png", "curve.svg", "masks.json"}
    assert Image.open(io.BytesIO(files["saliency.png"])).size == found.image.size
    masks = json.loads(files["masks.json"])
    assert [sum(mask) for mask in masks["masks"]] == masks["areas"] == [12, 121, 400, 1280]
    report = found.report()
    assert report.frame_box == found.frame.box
    assert report.params.layer == report.layer.name == "features.18"
    assert report.channels[0].first_area == 12
