"""Layers of few channels: masks hold their counts, and those of `paper` that don't are told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from ep_core import ChannelsSpec, ClassChannelsSpec, Classifier
from ep_core.channels.attribution import explain_channels
from ep_core.channels.class_channels import class_channels
from ep_core.models import Preprocessing
from ep_core.optimiser.presets.promises import AREA_MISSED
from ep_core.schemas.progress import Progress
from ep_core.schemas.specs import Preset
from ep_core.schemas.warnings import ResultWarning


def model(channels: int) -> Classifier:
    """Class 0 scores the channels' means, each twice as much as the one before; class 1 nothing."""
    layer = nn.Conv2d(3, channels, 1, bias=False)
    head = nn.Linear(channels, 2, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1 / 3)
        head.weight.copy_(torch.stack([2.0 ** torch.arange(channels), torch.zeros(channels)]))
    network = nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    preprocessing = Preprocessing(input_size=(16, 16), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(network, name="few", preprocessing=preprocessing, labels=["all", "none"])


IMAGE = torch.ones(1, 3, 16, 16)


def missed(warnings: Sequence[ResultWarning]) -> ResultWarning:
    """Return the one warning of masks that miss their areas."""
    (found,) = (warning for warning in warnings if warning.kind == AREA_MISSED)
    return found


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_masks_of_every_count_are_exactly_the_best_channels(channels: int) -> None:
    counts = tuple(range(1, channels + 1))
    found = explain_channels(model(channels), IMAGE, ChannelsSpec(layer="0", target=0, areas=counts))
    assert found.warnings == ()
    for count, mask, point in zip(counts, found.masks, found.curve, strict=True):
        assert mask.tolist() == [0.0] * (channels - count) + [1.0] * count
        assert point.measured_area == count


@pytest.mark.parametrize("preset", ["fast", "paper"])
@pytest.mark.parametrize("channels", [1, 2])
def test_masks_of_channels_have_counts_and_no_previews_while_they_are_worked_on(channels: int, preset: Preset) -> None:
    seen: list[Progress] = []
    asked = ChannelsSpec(layer="0", target=0, areas=(1,), preset=preset, iterations=3)
    explain_channels(model(channels), IMAGE, asked, on_progress=seen.append)
    assert [[point.area for point in progress.partial_curve()] for progress in seen] == [[1]] * 3
    assert [progress.previews() for progress in seen] == [{}] * 3


@pytest.mark.parametrize("channels", [3, 8])
def test_paper_masks_that_had_no_time_are_told_and_the_others_not(channels: int) -> None:
    asked = ChannelsSpec(layer="0", target=0, areas=(1, channels), preset="paper", threshold=0.1)
    assert explain_channels(model(channels), IMAGE, asked).warnings == ()
    short = asked.model_copy(update={"iterations": 1})
    warning = missed(explain_channels(model(channels), IMAGE, short).warnings)
    assert f": 1 (measured {channels})" in warning.detail
    assert "More than 1 iterations help (the preset's own are 300)" in warning.detail

    of_class = ClassChannelsSpec(**short.model_dump(exclude={"task", "invert"}), invert=False)
    warning = missed(class_channels(model(channels), [IMAGE, IMAGE], of_class).warnings)
    assert f"1 in image 0 (measured {channels}), 1 in image 1" in warning.detail
