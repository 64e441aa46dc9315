"""Saliency of a batch of preprocessed images, each for its target: what all adapters compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ep_core.engine import explain_batch
from ep_core.models.checks.normalisation import IMAGENET_STD, PerChannel
from ep_core.models.classifier import Classifier
from ep_core.models.preprocessing import Preprocessing
from ep_core.models.scalar import ScalarNetwork, ScalarTarget, label_of
from ep_core.models.tuning.adapted import uncompiled
from ep_core.schemas.model_card import Head

from .arguments import OF_THE_RUN, check_options

Target: TypeAlias = int | ScalarTarget | None
"""A class index; a function of the network's outputs; None for the top class."""

_ONLY_SALIENCY = {"alternatives": 0, "contrast": False}
"""Fields of masks that no saliency shows."""


def saliency(
    model: Classifier | nn.Module,
    images: Tensor,
    targets: Sequence[Target],
    options: Mapping[str, Any],
    *,
    black: PerChannel | None = None,
    is_batched: bool | None = None,
) -> Tensor:
    """Return the mean of each image's masks over the areas: the share of the areas whose mask covers a pixel.

    Args:
        model: N x 3 x H x W -> N x C scores, or, where all targets are functions, any outputs. A `Classifier` says
            besides that its outputs are classes, and what is black in its input.
        images: N x C x H x W, preprocessed; C is 3 where the network takes RGB.
        targets: one for each image.
        options: see `arguments.OPTIONS`.
        black: values of the channels that `perturbation="fade"` ends at; None: the classifier's, or what ImageNet's
            normalisation makes of black; for another number of channels than 3, zeros.
        is_batched: whether targets that are functions take the outputs of all images; None finds that.

    Returns:
        N x 1 x H x W in [0, 1], float32, on the CPU.

    Raises:
        InvalidInput: an image, a target or an option can't be used.
        ModelUnavailable: no mask can be found by the network's gradient (`Classifier`).
    """
    check_options(options)
    spec = _ONLY_SALIENCY | {name: value for name, value in options.items() if name not in OF_THE_RUN}
    run = {name: value for name, value in options.items() if name in OF_THE_RUN}
    maps = torch.zeros(len(images), 1, *images.shape[2:])
    for places in _sharing_a_network(targets):
        target = targets[places[0]]
        classifier = _classifier(model, target, images, black, is_batched)
        specs = [{**spec, "target": 0 if callable(target) else targets[k]} for k in places]
        found = explain_batch(classifier, [images[k : k + 1] for k in places], specs, **run)
        maps[places] = torch.stack([one.saliency for one in found])
    return maps


def _sharing_a_network(targets: Sequence[Target]) -> list[list[int]]:
    """Return the places of the targets that the same network scores: all class indices, or one function."""
    groups: dict[int | None, list[int]] = {}
    for place, target in enumerate(targets):
        groups.setdefault(id(target) if callable(target) else None, []).append(place)
    return list(groups.values())


def _classifier(
    model: Classifier | nn.Module, target: Target, images: Tensor, black: PerChannel | None, is_batched: bool | None
) -> Classifier:
    """Return the classifier of a target; a bare network is tried on images of this size."""
    size = images.shape[2], images.shape[3]
    labels: Sequence[str] | None = None
    outputs: Head | None = None
    if not isinstance(model, Classifier):
        network, preprocessing = model, _assumed(size, images.shape[1])
    elif black is None and not callable(target):
        return model
    else:
        network, preprocessing, labels, outputs = model.network, model.preprocessing, model.labels, model.head
    if black is not None:
        std = _assumed(size, len(black)).std
        mean = tuple(-value * one for value, one in zip(black, std, strict=True))
        preprocessing = Preprocessing(size, mean=mean, std=std)  # makes these values of black
    if callable(target):
        network = ScalarNetwork(uncompiled(network), target, is_batched=is_batched)
        labels, outputs = [label_of(target)], "score"
    return Classifier(network, preprocessing=preprocessing, labels=labels, outputs=outputs)


def _assumed(size: tuple[int, int], channels: int) -> Preprocessing:
    """Return the preprocessing that images of a bare network are taken to have had."""
    if channels == len(IMAGENET_STD):
        return Preprocessing(size)
    return Preprocessing(size, mean=(0.0,) * channels, std=(1.0,) * channels)
