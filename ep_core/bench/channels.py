"""Benchmark of channel masks: against as many random channels, and of each class on the other classes' images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from ep_core.channels.attribution import explain_channels
from ep_core.channels.class_channels import class_channels
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import network_input, top_class
from ep_core.models.named_layer import resolve_layer
from ep_core.models.split import split
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec, Variant

RANDOM_DRAWS = 20


@dataclass(frozen=True)
class ChannelGain:
    """One image and one variant: the optimal mask's channels taken away, and as many random ones."""

    label: str
    original: float
    channels: int
    """Number of channels of the layer."""
    optimal: int | None
    """a*."""
    taken: int
    """Number of channels taken away: a*, or half of the layer where there is none."""
    rising: bool
    """Whether the kept score rises with the count, up to a*."""
    kept: float
    """Score with these channels alone."""
    deleted: float
    """Score without them."""
    random: float
    """Mean score without as many random ones."""
    seconds: float


def channel_gain(
    model: Classifier, image: Image.Image, *, layer: str | None, variant: Variant, seed: int
) -> ChannelGain:
    """Explain an image's channels and compare the optimal mask with random ones of its size."""
    found = explain_channels(model, image, ChannelsSpec(layer=layer, variant=variant))
    k, target = found.layer.channels, found.target.index
    counts = [point.area for point in found.curve]
    taken = found.optimal_area or min(counts, key=lambda count: abs(count - k / 2))
    mask = found.masks[counts.index(taken)]
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(RANDOM_DRAWS, k, generator=generator).argsort(dim=1) < taken
    scores = _scores_without(model, image, found.layer.name, torch.cat([1 - mask[None], mask[None], draws.float()]))
    kept, deleted, *random = scores[:, target].tolist()
    return ChannelGain(
        label=found.target.label,
        original=found.scores.original,
        channels=k,
        optimal=found.optimal_area,
        taken=taken,
        rising=found.monotonic,
        kept=kept,
        deleted=deleted,
        random=fmean(random),
        seconds=found.timing.run_s,
    )


@dataclass(frozen=True)
class ClassTable:
    """Effect of taking away each class's top channels on each of several classes."""

    labels: list[str]
    images: list[int]
    """Number of photographs of each class."""
    top: list[list[int]]
    """Each class's top channels."""
    left: list[list[float]]
    """Mean of score / Phi(x). Row: the class whose channels are taken away; column: whose images lose them."""
    random: list[float]
    """By class: the same without as many random channels."""


def class_table(
    model: Classifier,
    photographs: Sequence[Image.Image],
    *,
    layer: str | None,
    classes: int,
    top: int,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
) -> ClassTable:
    """Group photographs by their top class, find the channels of the largest groups, and take them away by turns.

    Args:
        model: the classifier.
        photographs: of any classes.
        layer: None takes the default one.
        classes: how many groups, at most.
        top: how many channels are taken away, at most `MAX_TOP`.
        seed: draws the random channels.
        on_progress: called with the share that is done.
    """
    groups = sorted(_by_class(model, photographs).items(), key=lambda group: (-len(group[1]), group[0]))[:classes]
    found = []
    for k, (target, images) in enumerate(groups):
        spec = ClassChannelsSpec(layer=layer, target=target, top=top, invert=False)
        one = class_channels(
            model,
            images,
            spec,
            on_progress=lambda p, k=k: on_progress and on_progress((k + p.iteration / p.total) / len(groups)),  # type: ignore[misc]
        )
        found.append(one)
    chosen = [[channel.channel for channel in one.channels] for one in found]
    masks = torch.zeros(len(found), len(found[0].weights))
    for mask, channels in zip(masks, chosen, strict=True):
        mask[channels] = 1
    ranks = torch.rand(RANDOM_DRAWS, masks.shape[1], generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    masks = torch.cat([masks, (ranks < top).float()])
    rows = [_left(model, images, target, found[0].layer.name, masks) for target, images in groups]
    return ClassTable(
        labels=[one.target.label for one in found],
        images=[len(images) for _, images in groups],
        top=chosen,
        left=torch.stack(rows)[:, : len(groups)].T.tolist(),
        random=torch.stack(rows)[:, len(groups) :].mean(dim=1).tolist(),
    )


def _by_class(model: Classifier, photographs: Sequence[Image.Image]) -> dict[int, list[Image.Image]]:
    groups: dict[int, list[Image.Image]] = defaultdict(list)
    with model.frozen() as network:
        for image in photographs:
            groups[top_class(network, network_input(model, image, "crop")[0])].append(image)
    return groups


def _left(model: Classifier, images: Sequence[Image.Image], target: int, layer: str, masks: Tensor) -> Tensor:
    """Return the mean over images of score / Phi(x) without the channels of each mask."""
    shares = []
    for image in images:
        scores = _scores_without(model, image, layer, torch.cat([torch.zeros_like(masks[:1]), masks]))[:, target]
        shares.append(scores[1:] / scores[0])
    return torch.stack(shares).mean(dim=0)


def _scores_without(model: Classifier, image: Image.Image, layer: str, masks: Tensor) -> Tensor:
    """Return the scores without the channels of N masks (N x K): N x C."""
    with model.frozen() as network, torch.no_grad():
        card = resolve_layer(layer, model.layers, model=model.name)
        parts = split(network, card.name, network_input(model, image, "crop")[0], card.tokens)
        return parts.scores((1 - masks[:, :, None, None]).to(model.device)).cpu()
