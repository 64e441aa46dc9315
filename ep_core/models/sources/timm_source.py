"""timm's classifiers as a source, where the extra `timm` is installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.embeddings import leaves_head_out
from ep_core.models.preprocessing import from_timm
from ep_core.schemas.model_card import CLASS_TARGETS, EMBEDDING_TARGETS
from ep_core.schemas.trained import WeightFacts

from .interface import Built, Description, NetworkSource, built, missing_extra
from .model_list import ModelEntry
from .torchvision_zoo import imagenet_labels, unknown_model
from .weight_cache import facts_of_files
from .weights import weights_only

_FILES = ("model.safetensors", "pytorch_model.bin")
"""Weights that timm reads on the Hub: the first one that is there."""


class Timm(NetworkSource):
    """Networks of timm: `timm` of an entry."""

    def describe(self, entry: ModelEntry) -> Description:
        """Return the description of the pretrained weights, which are not loaded."""
        name = str(entry.timm)
        config = pretrained_config(name)
        labels = class_labels(config["num_classes"])
        if entry.outputs != "embedding":
            _require_trained_head(entry, config["num_classes"], labels)
        data_config = _timm().data.resolve_data_config(pretrained_cfg=config)
        targets = (*CLASS_TARGETS, *(EMBEDDING_TARGETS if _leave_head_out(name) else ()))
        return Description(from_timm(data_config), labels, config["tag"], targets=targets, facts=_facts(config))

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network with its pretrained weights, or with those of the entry's file."""
        return built(lambda: _create(entry, pretrained=entry.file is None), entry.file)

    def bare(self, entry: ModelEntry) -> nn.Module:
        """Return the architecture without trained weights."""
        return _create(entry, pretrained=False)


def pretrained_config(name: str) -> dict[str, Any]:
    """Return timm's description (a ``pretrained_cfg``) of one of its models, such as ``resnet18.a1_in1k``.

    Raises:
        UnknownName: timm has no such model.
        ModelUnavailable: timm isn't installed.
    """
    timm = _timm()
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:  # a known network, but no such weights of it
        config = None
    if config is None:
        prefixed = tuple(f"timm:{known}" for known in timm.list_models() + timm.list_pretrained())
        raise unknown_model(f"timm:{name}", prefixed)
    described: dict[str, Any] = config.to_dict()
    return described


def class_labels(num_classes: int) -> tuple[str, ...]:
    """Return the labels that a number of classes stands for in timm; none where it stands for no known classes.

    The 1000 classes of ImageNet get torchvision's short names, so that a target means the same for all networks.
    """
    if num_classes == 1000:
        return imagenet_labels()
    data = _timm().data
    subset = data.infer_imagenet_subset({"num_classes": num_classes})
    if subset is None:
        return ()
    return tuple(data.ImageNetInfo(subset).label_descriptions())


def _facts(config: Mapping[str, Any]) -> WeightFacts:
    """Return the facts on weights of the Hugging Face Hub, by its cache; nothing is known of those from elsewhere."""
    if not config.get("hf_hub_id"):
        return WeightFacts()
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(config["hf_hub_id"], name) for name in _FILES]
    return facts_of_files([Path(one) for one in found if isinstance(one, str)][:1])


def _timm() -> Any:
    try:
        import timm
        import timm.data
    except ImportError as error:
        raise missing_extra("timm", "timm models") from error
    return timm


def _leave_head_out(name: str) -> bool:
    """Return whether all classes of networks in the module of one of timm's models can leave their head out."""
    module = sys.modules[_timm().models.model_entrypoint(name).__module__]
    with_head = [one for one in vars(module).values() if isinstance(one, type) and hasattr(one, "forward_head")]
    return bool(with_head) and all(map(leaves_head_out, with_head))


def _create(entry: ModelEntry, *, pretrained: bool) -> nn.Module:
    try:
        with weights_only():
            kwargs = _without_classes(entry) | entry.kwargs
            network: nn.Module = _timm().create_model(entry.timm, pretrained=pretrained, **kwargs)
    except OSError as error:
        raise ModelUnavailable(
            f"the weights of timm's {entry.timm} couldn't be downloaded from the Hugging Face Hub ({error}). "
            "Download them elsewhere and put them into its cache (HF_HOME), or name them as `file` of the "
            "model's entry in the model list"
        ) from error
    return network


def _without_classes(entry: ModelEntry) -> dict[str, int]:
    """Return the arguments that make a network of embeddings: no layer of classes; a projection stays."""
    if entry.outputs != "embedding" or not class_labels(pretrained_config(str(entry.timm))["num_classes"]):
        return {}
    return {"num_classes": 0}


def _require_trained_head(entry: ModelEntry, trained: int, labels: Sequence[str] | None) -> None:
    """Refuse timm's pretrained weights where the head isn't among them, so that it would be random or there is none."""
    asked = entry.kwargs.get("num_classes", trained)
    if entry.file is None and asked not in (0, trained):
        raise InvalidInput(
            f"timm's weights {entry.timm!r} have no head of {asked} classes, so that one would have random weights: "
            "name your own as `file`, or leave kwargs.num_classes out",
            field="model",
        )
    if entry.labels is None and "num_classes" not in entry.kwargs and not labels:
        ending = f"{trained} outputs that timm names no classes for, as an embedding" if trained else "features"
        raise InvalidInput(
            f"timm's weights {entry.timm!r} end in {ending}, not in scores of classes: choose weights with a head, or "
            'list the model with outputs = "embedding", to compare images by them, or with `labels`, one per output, '
            "to say that they are classes",
            field="model",
        )
