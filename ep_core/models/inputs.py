"""Inputs of a network: from a picture, or from a tensor that is preprocessed already."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.models.checks.doubts import bearing_on
from ep_core.pictures.decoding import doubt_of
from ep_core.pictures.given_image import Picture
from ep_core.schemas.reports.common import Engine, ModelRef, TargetRef
from ep_core.schemas.specs import Fit
from ep_core.schemas.warnings import ResultWarning
from ep_core.version import __version__

from .classifier import Classifier
from .frame import Frame


def network_input(model: Classifier, image: Picture, fit: Fit) -> tuple[Tensor, Frame, Image.Image]:
    """Return the network's input 1 x 3 x H x W, where it lies on the picture, and the picture."""
    if isinstance(image, Image.Image):
        x, frame = model.preprocess(image, fit)
        return x, frame, image
    height, width = image.shape[2:]
    whole = Frame(image_size=(height, width), input_size=(height, width), box=(0, 0, width, height))
    return image.detach().to(model.device, torch.float32), whole, model.preprocessing.to_image(image.detach().cpu())


def warnings_about(
    model: Classifier, pictures: Sequence[Picture], called: Sequence[str] = (), *, normalising: bool = True
) -> tuple[ResultWarning, ...]:
    """Return the warnings of a model and of pictures that concern a result.

    Args:
        model: the classifier.
        pictures: as `given_image` returns them.
        called: how a message calls them, where there are several.
        normalising: whether the answer's own pictures were normalised, too, as black is for `fade`.
    """
    found = list(bearing_on(pictures, model.warnings, normalising=normalising))
    for k, picture in enumerate(pictures):
        prefix = f"{called[k]}: " if called else ""
        doubt = doubt_of(picture) if isinstance(picture, Image.Image) else None
        if doubt is not None:
            found.append(ResultWarning(kind="white-level", detail=prefix + doubt))
    return tuple(found)


def model_ref(model: Classifier, input_size: tuple[int, int] | None = None) -> ModelRef:
    """Return what a report says of a model, and of the height and width that it was given (None: its own)."""
    return ModelRef(
        name=model.name,
        outputs=model.head,
        weights_digest=model.weights_digest,
        input_size=input_size or model.input_size,
    )


def target_ref(model: Classifier, index: int) -> TargetRef:
    """Return what a report says of a class, or of the only score of a model that has no classes."""
    return TargetRef(kind=model.kind, index=index if model.kind == "class" else None, label=model.labels[index])


@torch.no_grad()
def top_class(network: nn.Module, x: Tensor) -> int:
    """Return the class that scores highest on an input 1 x 3 x H x W."""
    return int(network(x).argmax())


def engine_on(device: torch.device) -> Engine:
    """Return the versions and settings here that a result depends on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Engine(version=__version__, torch=torch.__version__, device=name)
