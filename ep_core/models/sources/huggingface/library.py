"""transformers, and what it reads in a folder. No code in a folder is run, no pickle read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.sources.checkpoint import load_weights, tensors_of
from ep_core.models.sources.hub import require_safetensors
from ep_core.models.sources.interface import missing_extra
from ep_core.models.sources.model_list import ModelEntry

EXTRA = "huggingface"


def transformers() -> Any:
    """Return the module `transformers`, without its progress bars.

    Raises:
        ModelUnavailable: it isn't installed.
    """
    try:
        import transformers as library
    except ImportError as error:
        raise missing_extra(EXTRA, "models of Hugging Face") from error
    library.utils.logging.disable_progress_bar()
    return library


def read_config(folder: Path) -> Any:
    """Return the configuration of the network in a folder, a ``PreTrainedConfig``.

    Raises:
        ModelUnavailable: the folder has none, or it needs code of its own.
    """
    file = folder / "config.json"
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{folder} is no folder of a Hugging Face network: {file.name}: {error}") from error
    if "auto_map" in told:
        raise ModelUnavailable(
            f"{file} names code beside the weights (auto_map), which is never run here: choose a network that "
            "transformers itself has, or let an entry_point load it"
        )
    return transformers().AutoConfig.from_pretrained(folder, trust_remote_code=False)


def labels_of(config: Any) -> tuple[str, ...]:
    """Return the labels of a configuration, by class index."""
    return tuple(str(label) for _, label in sorted(config.id2label.items()))


def refuse_texts(entry: ModelEntry) -> None:
    """Refuse texts for a network of fixed classes.

    Raises:
        InvalidInput: the entry has some.
    """
    if entry.texts or entry.template:
        raise InvalidInput(
            f"{entry.huggingface} has fixed classes: texts and template go with CLIP and SigLIP", field="model"
        )


def load(auto_class: Any, folder: Path, config: Any, file: Path | None, *, unused: str | None = None) -> Any:
    """Return the network in a folder with its weights, in float32 and in evaluation mode.

    Args:
        auto_class: one of transformers' ``AutoModel`` classes.
        folder: of the network.
        config: as `read_config` gives it.
        file: a checkpoint whose weights take the place of the folder's.
        unused: prefix of weights that nothing needs, which may be missing.

    Raises:
        ModelUnavailable: the folder has no safetensors, or they lack some of the network's weights; or the file's don't
            fit.
    """
    if file:
        return _load_file(auto_class, config, file, unused)
    require_safetensors(folder, ("model.safetensors", "model.safetensors.index.json"))
    network, info = auto_class.from_pretrained(
        folder,
        config=config,
        dtype=torch.float32,
        output_loading_info=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    if missing := _missing(info, unused):
        listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise ModelUnavailable(
            f"the weights in {folder} lack {len(missing)} of those of {type(network).__name__} ({listed}), which would "
            "be random: choose weights that were saved with their head"
        )
    return network


def _missing(info: Mapping[str, Any], unused: str | None) -> list[str]:
    return sorted(key for key in info["missing_keys"] if unused is None or not key.startswith(unused))


def _load_file(auto_class: Any, config: Any, file: Path, unused: str | None) -> Any:
    network = auto_class.from_config(config)
    try:
        load_weights(network, file)
        return network.eval()
    except ModelUnavailable:
        for state in tensors_of(file):  # with the names of earlier versions, which transformers translates
            network, info = type(network).from_pretrained(
                None, config=config, state_dict=state, dtype=torch.float32, output_loading_info=True
            )
            if not _missing(info, unused):
                return network
        raise
