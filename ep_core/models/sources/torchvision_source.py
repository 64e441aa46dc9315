"""torchvision's networks as a source: classifiers, detectors, segmenters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ep_core.models.detector import Detector
from ep_core.models.preprocessing import Preprocessing, from_torchvision
from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.segmenter import Segmenter
from ep_core.schemas.model_card import BOX_TARGETS, SEGMENT_TARGETS

from .interface import Built, Description, NetworkSource, built
from .model_list import ModelEntry
from .objects import object_classes
from .torchvision_detectors import detector, detector_preprocessing
from .torchvision_library import torchvision
from .torchvision_zoo import detector_names, pick_weights, segmenter_names, weight_facts
from .weights import cached_file, file_digest, weights_only


class Torchvision(NetworkSource):
    """Networks of torchvision: `torchvision` of an entry, and `weights`."""

    def describe(self, entry: ModelEntry) -> Description:
        """Return the description of the weights; labels of detectors and segmenters are of objects alone."""
        weights = _weights(entry)
        facts = weight_facts(weights)
        labels = tuple(weights.meta["categories"])
        if entry.torchvision in detector_names():
            labels = tuple(labels[k] for k in _objects(labels))
            preprocessing = detector_preprocessing(entry.torchvision)
            return Description(preprocessing, labels, weights.name, Detector.outputs, BOX_TARGETS, facts)
        if entry.torchvision in segmenter_names():
            labels = tuple(labels[k] for k in _objects(labels))
            preprocessing = _square(weights.transforms())
            return Description(preprocessing, labels, weights.name, Segmenter.outputs, SEGMENT_TARGETS, facts)
        return Description(from_torchvision(weights.transforms()), labels, weights.name, facts=facts)

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network with torchvision's weights, their hash checked, or with those of the entry's file."""
        if entry.file:
            return Built(_explainable(built(lambda: _made(entry), entry.file).network, entry))
        weights = _weights(entry)
        file = cached_file(weights.url)
        with random_numbers, weights_only():
            network = torchvision.models.get_model(entry.torchvision, weights=weights, **entry.kwargs)
        return Built(_explainable(network, entry).eval(), file_digest(file))

    def bare(self, entry: ModelEntry) -> nn.Module:
        """Return the architecture without trained weights."""
        return _explainable(_made(entry), entry)


class Maps(nn.Module):
    """One of torchvision's segmenters: N x 3 x H x W -> N x C x H x W, logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        model.aux_classifier = None  # of training

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits at each pixel."""
        maps: Tensor = self.model(images)["out"]
        return maps


def _weights(entry: ModelEntry) -> Any:
    return pick_weights(str(entry.torchvision), entry.weights)


def _made(entry: ModelEntry) -> nn.Module:
    """Return torchvision's own network, without trained weights."""
    is_classifier = entry.torchvision not in (*detector_names(), *segmenter_names())
    no_weights = {"weights": None} if is_classifier else {"weights": None, "weights_backbone": None}
    network: nn.Module = torchvision.models.get_model(entry.torchvision, **no_weights, **entry.kwargs)
    return network


def _explainable(network: nn.Module, entry: ModelEntry) -> nn.Module:
    """Return a network of torchvision's as one of scores of classes."""
    if entry.torchvision in detector_names():
        return detector(network, _classes(entry))
    return Segmenter(Maps(network), _classes(entry)) if entry.torchvision in segmenter_names() else network


def _classes(entry: ModelEntry) -> tuple[int, ...]:
    """Return those of a detector's or segmenter's classes that are objects: of one's own, all but the first."""
    if "num_classes" in entry.kwargs:
        return tuple(range(1, entry.kwargs["num_classes"]))
    return _objects(_weights(entry).meta["categories"])


def _objects(labels: tuple[str, ...]) -> tuple[int, ...]:
    """Return the classes that are objects; the first one never is."""
    return tuple(k for k in object_classes(labels) if k > 0)


def _square(transforms: Any) -> Preprocessing:
    """Return the preprocessing of ``SemanticSegmentation`` in a square frame, to which pictures are stretched."""
    (side,) = transforms.resize_size
    mean, std = tuple(map(float, transforms.mean)), tuple(map(float, transforms.std))
    return Preprocessing((side, side), interpolation=transforms.interpolation.value, mean=mean, std=std)
