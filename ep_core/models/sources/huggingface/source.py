"""Networks of Hugging Face's transformers as a source, where the extra `huggingface` is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.checks.brief import brief
from ep_core.models.sources.hub import TEXT_FILES, network_folder, warn_of_loose_revision
from ep_core.models.sources.interface import Built, Description, NetworkSource
from ep_core.models.sources.model_list import ModelEntry
from ep_core.models.sources.weight_cache import facts_of_files
from ep_core.models.sources.weights import file_digest

from .classification import ImageClassification
from .detection import Detection
from .embedding import CLASS_TOKEN, POOLED, Embedding
from .image_text import ImageText
from .library import EXTRA, read_config, transformers
from .segmentation import Segmentation
from .task import Task

TASKS: tuple[Task, ...] = (ImageClassification(), ImageText(), Detection(), Segmentation(), Embedding())
"""Kinds of networks that can be explained; the first one that takes a network's class loads it."""

_WEIGHTS = ("model.safetensors", "model-*.safetensors")


class HuggingFace(NetworkSource):
    """Networks of transformers: `huggingface` of an entry, a folder or a name on the Hub."""

    def describe(self, entry: ModelEntry) -> Description:
        """Return the description by the files beside the weights, which are not fetched."""
        with _named(entry):
            folder = _folder(entry)
            config = read_config(folder)
            task = _task(config)
            if entry.outputs == "embedding" and not task.gives_embeddings:
                raise InvalidInput(
                    f"{entry.huggingface} ends in scores: leave out outputs, or name a network without a head, such as "
                    "a Dinov2Model",
                    field="model",
                )
            described = task.describe(entry, folder, config)
            return described._replace(facts=facts_of_files([file for name in _WEIGHTS for file in folder.glob(name)]))

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network with its weights; the tower of texts of CLIP and SigLIP computes on `device`."""
        folder = _folder(entry, () if entry.file else _WEIGHTS)
        warn_of_loose_revision(str(entry.huggingface), entry.revision, folder)
        config = read_config(folder)
        return _task(config).build(entry, folder, config, device)

    def bare(self, entry: ModelEntry) -> nn.Module:
        """Return the network without trained weights."""
        config = read_config(_folder(entry))
        return _task(config).bare(entry, config)

    def version(self, entry: ModelEntry) -> str:
        """Return the digest of a folder's config; on the Hub the entry says it."""
        file = Path(str(entry.huggingface)) / "config.json"
        return file_digest(file) if file.is_file() else ""


def _folder(entry: ModelEntry, weights: tuple[str, ...] = ()) -> Path:
    transformers()  # what is missing is said before anything is fetched
    return network_folder(str(entry.huggingface), entry.revision, files=(*TEXT_FILES, *weights), extra=EXTRA)


def _task(config: Any) -> Task:
    """Return the task of a network.

    Raises:
        InvalidInput: it is of another kind.
    """
    (architecture, *_) = config.architectures or [f"{config.model_type}, without its class"]
    for task in TASKS:
        if task.takes(architecture):
            return task
    raise InvalidInput(
        f"the network is a {architecture} (`architectures` of its config): of Hugging Face's, those for image "
        "classification (ForImageClassification), detection (ForObjectDetection) and semantic segmentation "
        "(ForSemanticSegmentation), CLIPModel and SiglipModel can be explained, and of networks without "
        f"a head {', '.join(CLASS_TOKEN + POOLED)}",
        field="model",
    )


@contextmanager
def _named(entry: ModelEntry) -> Iterator[None]:
    """Put the network's name before errors that transformers raises on reading its files."""
    try:
        yield
    except (InvalidInput, ModelUnavailable):
        raise
    except Exception as error:
        raise ModelUnavailable(f"huggingface {entry.huggingface!r} can't be read: {brief(error)}") from error
