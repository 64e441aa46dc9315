"""Outputs of an operator's own detectors and segmenters, by `outputs` of their entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.detector import Detections, Detector
from ep_core.models.log_odds import log_odds
from ep_core.models.segmenter import Segmenter

from .objects import object_classes


def explained_as(network: nn.Module, outputs: str | None, labels: Sequence[str]) -> nn.Module:
    """Return an operator's network as one of scores of classes; one that gives scores as it is.

    Args:
        network: as the entry has it.
        outputs: of the entry.
        labels: of the entry, with the background of maps.
    """
    if outputs == "detections":
        return Detector(OwnDetections(network, len(labels)))
    return Segmenter(OwnMaps(network, len(labels)), object_classes(labels)) if outputs == "maps" else network


class OwnDetections(nn.Module):
    """A network of boxes and logits: N x 3 x H x W -> `Detections`.

    Args:
        network: N x 3 x H x W -> ``boxes`` N x Q x 4 (left, top, right, bottom as shares of the width and height) and
            ``logits``, by these names or in this order. N x Q x C are before the sigmoid; N x Q x (C + 1) are before
            the softmax, "no object" the last.
        classes: C.
    """

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network = network
        self._classes = classes

    def forward(self, images: Tensor) -> Detections:
        """Return the detections.

        Raises:
            InvalidInput: the outputs are others.
        """
        outputs = self.network(images)
        named = _named(outputs, ("boxes", "logits"))
        boxes: Any = named.get("boxes")
        logits: Any = named.get("logits")
        if not _are_detections(boxes, logits, self._classes):
            raise InvalidInput(
                f'outputs = "detections" needs `boxes` N x Q x 4 and `logits`, for {self._classes} labels N x Q x '
                f"{self._classes} before the sigmoid or N x Q x {self._classes + 1} before the softmax (no object "
                f"last); the network gives {_shapes(named)}",
                field="model",
            )
        scores = log_odds(logits)[..., : self._classes] if logits.shape[2] > self._classes else logits
        return Detections(boxes[:, :, None], scores)


class OwnMaps(nn.Module):
    """A network of maps: N x 3 x H x W -> N x D x h x w, logits.

    Args:
        network: N x 3 x H x W -> the maps, or several outputs of which they are the only one of that form.
        classes: D.
    """

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network = network
        self._classes = classes

    def forward(self, images: Tensor) -> Tensor:
        """Return the maps.

        Raises:
            InvalidInput: there are none, or several.
        """
        outputs = self.network(images)
        named = _named(outputs, ())
        maps: list[Tensor] = [one for one in named.values() if isinstance(one, Tensor) and one.ndim == 4]
        fitting = [one for one in maps if one.shape[1] == self._classes]
        if len(fitting) != 1:
            raise InvalidInput(
                f'outputs = "maps" needs one output N x {self._classes} x h x w for {self._classes} labels (the '
                f"background has one, too); the network gives {_shapes(named)}",
                field="model",
            )
        return fitting[0]


def _named(outputs: Any, names: Sequence[str]) -> Mapping[str, Any]:
    """Return outputs by name; those of a sequence have these names, and after them their places."""
    if isinstance(outputs, Mapping):
        return outputs
    several = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    return {names[k] if k < len(names) else str(k): one for k, one in enumerate(several)}


def _are_detections(boxes: Any, logits: Any, classes: int) -> bool:
    both = isinstance(boxes, Tensor) and isinstance(logits, Tensor) and boxes.ndim == logits.ndim == 3
    return both and boxes.shape[2] == 4 and logits.shape[2] in (classes, classes + 1)


def _shapes(named: Mapping[str, Any]) -> str:
    told = (f"{name} {tuple(one.shape)}" for name, one in named.items() if isinstance(one, Tensor))
    return ", ".join(told) or "no tensors"
