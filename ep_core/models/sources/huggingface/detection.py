"""Detectors of transformers: ``AutoModelForObjectDetection``, such as DETR and YOLOS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.models.detector import Detections, Detector
from ep_core.models.log_odds import log_odds
from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.models.sources.hub import shown
from ep_core.models.sources.interface import Built, Description
from ep_core.models.sources.model_list import ModelEntry
from ep_core.models.sources.objects import object_classes, object_labels
from ep_core.schemas.model_card import BOX_TARGETS

from .library import labels_of, load, refuse_texts, transformers
from .processor import read_preprocessing
from .task import Task


class Queries(nn.Module):
    """A detector of transformers, all of its queries: N x 3 x H x W -> `Detections` of the classes that are objects."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self._classes = object_classes(labels_of(model.config))

    def forward(self, images: Tensor) -> Detections:
        """Return boxes N x Q x 1 x 4 and scores N x Q x C.

        Networks with a softmax over the classes and "no object" have a logit more than labels; others have sigmoids.
        """
        outputs = self.model(pixel_values=images)
        logits = outputs.logits.float()
        scores = log_odds(logits) if logits.shape[2] > self.model.config.num_labels else logits
        centres, sides = outputs.pred_boxes.float().split(2, dim=2)
        boxes = torch.cat([centres - sides / 2, centres + sides / 2], dim=2)
        return Detections(boxes.clamp(0, 1)[:, :, None], scores[..., self._classes])


class Detection(Task):
    """Networks that find objects of fixed classes."""

    def takes(self, architecture: str) -> bool:
        """Return whether a class is a detector, and none that is asked in words."""
        names = transformers().models.auto.modeling_auto.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES
        return architecture in names.values()

    def describe(self, entry: ModelEntry, folder: Path, config: Any) -> Description:
        """Return the preprocessing of the image processor, and the labels of the config."""
        refuse_texts(entry)
        return Description(
            read_preprocessing(folder, entry.preprocessing, square=True),
            object_labels(labels_of(config)),
            shown(str(entry.huggingface), entry.revision),
            outputs=Detector.outputs,
            targets=BOX_TARGETS,
        )

    def build(self, entry: ModelEntry, folder: Path, config: Any, device: torch.device) -> Built:
        """Return the network with the folder's weights, or those of the entry's file."""
        with random_numbers:
            network = load(transformers().AutoModelForObjectDetection, folder, config, entry.file)
        return Built(Detector(Queries(network)).eval())

    def bare(self, entry: ModelEntry, config: Any) -> nn.Module:
        """Return the network without trained weights."""
        return Detector(Queries(transformers().AutoModelForObjectDetection.from_config(config)))
