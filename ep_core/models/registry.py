"""Models by name."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import cast

import torch
from pydantic import ValidationError

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.runtime.device import pick_device
from ep_core.models.sources.build import build_network
from ep_core.models.sources.describe import describe
from ep_core.models.sources.model_list import ModelEntry, read_model_list
from ep_core.models.sources.table import SOURCES
from ep_core.models.sources.torchvision_zoo import network_names, unknown_model
from ep_core.schemas.model_card import Source
from ep_core.schemas.specs import DEFAULT_MODEL
from ep_core.schemas.wording import in_words

from .classifier import Classifier

log = logging.getLogger(__name__)


@torch.inference_mode(False)  # weights made in that mode could never be differentiated through
def load_model(
    name: str = DEFAULT_MODEL,
    *,
    device: str | torch.device | None = None,
    models_file: str | os.PathLike[str] | None = None,
) -> Classifier:
    """Return a classifier with its trained weights, ready to be explained.

    Args:
        name: a name in the model list, if there is one; else one of torchvision's networks (``"resnet50"``, or with
            certain weights ``"resnet50:IMAGENET1K_V1"``), or one of another source: timm's (``"timm:resnet18"``),
            Hugging Face's by their names there or a folder (``"huggingface:google/vit-base-patch16-224"``, also with
            ``@REVISION``) or open_clip's (``"open_clip:ViT-B-32/laion2b_s34b_b79k"``).
        device: where the network lives; by default the GPU, if there is one.
        models_file: the operator's model list (`model_list.py`). Names outside it are then unknown.

    Raises:
        UnknownName: there is no such model; the error carries the nearest names.
        ModelUnavailable: its weights can't be had or fail their hash, or the network can't be made or explained
            (`checks/gradients.py`), or doesn't give one score per label.
        InvalidInput: the model list is wrong, or there is no such device.
    """
    place = pick_device(device)
    entry = find_entry(name, models_file=models_file)
    described = describe(entry)
    started = time.monotonic()
    try:
        network, digest = build_network(entry, place)
    except ModelUnavailable as error:
        raise ModelUnavailable(f"model {name!r}: {error}") from error
    log.info("loaded %s in %.1f s", name, time.monotonic() - started)
    try:
        classifier = Classifier(
            network,
            name=name,
            preprocessing=described.preprocessing,
            labels=described.labels,
            outputs=described.outputs,
            output=entry.output,
            weights_digest=digest,
        )
    except InvalidInput as error:  # of the list, not of the request
        raise ModelUnavailable(error.detail) from error
    for warning in classifier.warnings:
        log.warning("model %s: %s", name, warning.detail)
    return classifier


def find_entry(name: str, *, models_file: str | os.PathLike[str] | None = None) -> ModelEntry:
    """Return the entry of the model list that `name` stands for, or without a list the one that the name spells out.

    Raises:
        UnknownName: the list has no such name. Without a list, names are checked by `describe`.
        InvalidInput: the list is wrong, or without a list the name stands for no source's model.
    """
    if models_file is not None:
        entries = read_model_list(Path(models_file))
        if name not in entries:
            raise unknown_model(name, tuple(entries))
        return entries[name]
    library, colon, rest = name.partition(":")
    row = SOURCES.get(cast(Source, library))
    if row and row.named and colon:
        return _entry(name, row.named(rest))
    if library not in network_names():
        raise unknown_model(name, network_names())
    return ModelEntry(torchvision=library, weights=rest or None)


def _entry(name: str, keys: dict[str, str]) -> ModelEntry:
    try:
        return ModelEntry.model_validate(keys)
    except ValidationError as error:
        told = "; ".join(in_words(one) for one in error.errors())
        raise InvalidInput(f"there is no model {name!r}: {told}", field="model") from error
