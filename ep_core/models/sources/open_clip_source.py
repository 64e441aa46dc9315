"""open_clip's networks as a source, where the extra `open-clip` is installed: images against texts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput, ModelUnavailable, UnknownName
from ep_core.models.checks.brief import brief
from ep_core.models.preprocessing import Preprocessing
from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.schemas.targets import nearest_names
from ep_core.schemas.trained import WeightFacts

from .file_kind import file_kind
from .hub import TEXT_FILES, network_folder, require_safetensors, shown, warn_of_loose_revision
from .image_text import TEXT_TARGETS, ImageTextNetwork, class_names, class_texts
from .interface import Built, Description, NetworkSource, missing_extra
from .model_list import ModelEntry
from .torchvision_zoo import unknown_model
from .weight_cache import facts_of_files
from .weights import file_digest, state_digest, weights_only

_EXTRA = "open-clip"
_HUB = "hf-hub:"
_CONFIG = "open_clip_config.json"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
"""Files that open_clip reads in a folder, the first one that is there."""


class _Found(NamedTuple):
    """What open_clip knows of a network without loading it."""

    name: str
    """As open_clip's functions take it."""
    config: dict[str, Any]
    preprocessing: dict[str, Any]
    folder: Path | None = None


class OpenClip(NetworkSource):
    """Networks of open_clip: `open_clip` of an entry.

    It is an architecture that open_clip knows, with `weights` (one of its tags) or a `file`; or a folder with
    ``open_clip_config.json``; or such a one on the Hugging Face Hub, as ``hf-hub:organisation/name``.
    """

    def describe(self, entry: ModelEntry) -> Description:
        """Return the preprocessing of the weights, and the entry's classes."""
        found = _find(entry)
        _require_comparing(entry, found.config)
        named = entry.weights if found.folder is None else shown(_place(entry), entry.revision)
        bias = found.config.get("init_logit_bias")
        return Description(
            _preprocessing(found),
            class_names(entry),
            named,
            outputs=None if bias is None else "sigmoid",
            targets=TEXT_TARGETS,
            facts=_facts(found),
        )

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network of an entry's texts. Its digest is of the tower of images and the texts' embeddings."""
        found = _find(entry, () if entry.file else _WEIGHTS)
        if found.folder:
            warn_of_loose_revision(_place(entry), entry.revision, found.folder)
            if not entry.file:
                require_safetensors(found.folder, _WEIGHTS)
        with random_numbers, weights_only():
            model = _create(found) if entry.file else _pretrained(found, entry.weights)
            if entry.file:
                file_kind(entry.file)  # says what is no checkpoint
                _open_clip().load_checkpoint(model, str(entry.file), weights_only=True)
        model = model.eval().requires_grad_(False).to(device)
        network = _network(model, _encoder(model, found.name, device), entry).eval()
        return Built(network, state_digest(network))

    def bare(self, entry: ModelEntry) -> nn.Module:
        """Return the network without trained weights, and with as many random texts."""
        found = _find(entry)
        width = found.config["embed_dim"]
        return _network(_create(found, torch.get_default_device()), lambda texts: torch.rand(len(texts), width), entry)

    def version(self, entry: ModelEntry) -> str:
        """Return the digest of a folder's config; otherwise the entry says it."""
        file = Path(_place(entry)) / _CONFIG
        return file_digest(file) if file.is_file() else ""


def _open_clip() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise missing_extra(_EXTRA, "open_clip models") from error
    return open_clip


def _place(entry: ModelEntry) -> str:
    return str(entry.open_clip).removeprefix(_HUB)


def _find(entry: ModelEntry, weights: tuple[str, ...] = ()) -> _Found:
    library = _open_clip()
    if not (str(entry.open_clip).startswith(_HUB) or Path(_place(entry)).is_dir()):
        return _known(library, entry)
    if entry.weights:
        raise InvalidInput(f"weights {entry.weights!r}: {entry.open_clip} has its own", field="model")
    folder = network_folder(_place(entry), entry.revision, files=(*TEXT_FILES, *weights), extra=_EXTRA)
    try:
        told = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        return _Found(f"local-dir:{folder}", told["model_cfg"], told.get("preprocess_cfg", {}), folder)
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(f"{folder} is no folder of an open_clip network: {_CONFIG}: {brief(error)}") from error


def _known(library: Any, entry: ModelEntry) -> _Found:
    """Return one of open_clip's own architectures with the weights of a tag, or those of the entry's file."""
    name = _place(entry).replace("/", "-")
    config = library.get_model_config(name)
    if config is None:
        raise unknown_model(f"open_clip:{name}", tuple(f"open_clip:{known}" for known in library.list_models()))
    if entry.revision:
        raise InvalidInput(f"revision: goes with a name on the Hub, as open_clip = '{_HUB}...'", field="model")
    if entry.file:
        return _Found(name, config, {})
    tags = library.list_pretrained_tags_by_model(name)
    tagged = library.get_pretrained_cfg(name, entry.weights) if entry.weights else None
    if not tagged:
        wrong = f"open_clip's {name} has no weights {entry.weights!r}" if entry.weights else f"{name} needs weights"
        nearest = nearest_names(entry.weights, tags) if entry.weights else tags
        raise UnknownName(f"{wrong}: use {', '.join(tags) or 'a file'}", field="model", nearest=nearest)
    if bool(tagged.get("quick_gelu")) != bool(config.get("quick_gelu")):
        raise InvalidInput(
            f"the weights {entry.weights} were trained with another activation than {name} has: name {_other(name)}",
            field="model",
        )
    return _Found(name, config, tagged)


def _other(name: str) -> str:
    return name.removesuffix("-quickgelu") if name.endswith("-quickgelu") else f"{name}-quickgelu"


def _facts(found: _Found) -> WeightFacts:
    """Return the facts on a folder's weights; of those by a tag, open_clip says nothing without looking for them."""
    if found.folder is None:
        return WeightFacts()
    return facts_of_files([file for name in _WEIGHTS if (file := found.folder / name).is_file()][:1])


def _require_comparing(entry: ModelEntry, config: dict[str, Any]) -> None:
    if "multimodal_cfg" in config:
        raise InvalidInput(
            f"open_clip's {entry.open_clip} writes captions: name one that compares alone", field="model"
        )


def _preprocessing(found: _Found) -> Preprocessing:
    asked = _open_clip().transform.PreprocessCfg(
        **{
            key: value
            for key, value in found.preprocessing.items()
            if key in ("mean", "std", "interpolation", "resize_mode")
        }
    )
    size = found.config["vision_cfg"].get("image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    if asked.resize_mode not in ("shortest", "squash") or (asked.resize_mode == "shortest" and height != width):
        raise InvalidInput(
            f"open_clip's resize mode {asked.resize_mode!r} for inputs of {height} x {width} is not supported",
            field="model",
        )
    return Preprocessing(
        (height, width),
        resize=height if asked.resize_mode == "shortest" else None,
        interpolation="bilinear" if asked.interpolation == "bilinear" else "bicubic",
        mean=tuple(asked.mean),
        std=tuple(asked.std),
    )


def _create(found: _Found, device: torch.device | None = None) -> Any:
    place = device or torch.device("cpu")
    logging.getLogger().addFilter(_is_no_warning_of_weights)
    try:
        return _open_clip().create_model(found.name, load_weights=False, pretrained_text=False, device=place)
    finally:
        logging.getLogger().removeFilter(_is_no_warning_of_weights)


def _is_no_warning_of_weights(record: logging.LogRecord) -> bool:
    """Return whether a message isn't open_clip's that weights are missing, which are not asked for."""
    return "open_clip" not in record.pathname


def _pretrained(found: _Found, tag: str | None) -> Any:
    try:
        return _open_clip().create_model(found.name, tag, pretrained_text=False, require_pretrained=True)
    except RuntimeError as error:
        if "download" not in str(error):
            raise
        raise ModelUnavailable(
            f"the weights {tag} of open_clip's {found.name} couldn't be downloaded ({brief(error)}). Download them "
            "elsewhere and name them as `file` of the model's entry in the model list"
        ) from error


def _network(model: Any, encode: Callable[[Sequence[str]], Tensor], entry: ModelEntry) -> ImageTextNetwork:
    bias = model.logit_bias
    meta = model.logit_scale.is_meta
    return ImageTextNetwork(
        model.visual,
        encode,
        class_texts(entry),
        scale=1 if meta else float(model.logit_scale.exp()),
        bias=None if bias is None else 0 if meta else float(bias),
    )


def _encoder(model: Any, name: str, device: torch.device) -> Callable[[Sequence[str]], Tensor]:
    """Return a function that gives the embeddings of texts, C x D, of any length."""
    tokenizer = _open_clip().get_tokenizer(name)

    def encode(texts: Sequence[str]) -> Tensor:
        embeddings: Tensor = model.encode_text(tokenizer(list(texts)).to(device))
        return embeddings

    return encode
