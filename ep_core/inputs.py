"""What a network is given: from a picture, or a tensor that is preprocessed already."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn

from . import __version__
from .errors import InvalidInput
from .image import to_rgb, warnings_of
from .models.classifier import Classifier
from .models.frame import Frame
from .report import Engine
from .result_warning import ResultWarning
from .spec import Fit

Picture = Image.Image | Tensor
"""A picture, or a 1 x 3 x H x W tensor that is already preprocessed."""


def check_shape(image: Picture) -> None:
    """Raise `InvalidInput` where a preprocessed image isn't 1 x 3 x H x W."""
    if isinstance(image, Tensor) and (image.ndim != 4 or image.shape[:2] != (1, 3)):
        raise InvalidInput(f"a preprocessed image is 1 x 3 x H x W, not {tuple(image.shape)}", field="image")


def network_input(
    model: Classifier, image: Picture, fit: Fit, white_level: int | None = None
) -> tuple[Tensor, Frame, Image.Image]:
    """Return the network's input 1 x 3 x H x W, where it lies on the picture, and the picture, RGB.

    Args:
        model: the classifier.
        image: a picture, or a tensor that is preprocessed already.
        fit: how a picture meets the network's frame.
        white_level: of a picture of grey samples with more than 8 bits, the value that is white (`to_rgb`).
    """
    if isinstance(image, Image.Image):
        picture = to_rgb(image, white_level)
        x, frame = model.preprocess(picture, fit)
        return x, frame, picture
    height, width = image.shape[2:]
    whole = Frame(image_size=(height, width), input_size=(height, width), box=(0, 0, width, height))
    return image.detach().to(model.device, torch.float32), whole, model.preprocessing.to_image(image.detach().cpu())


def warnings_about(
    model: Classifier, pictures: Sequence[Picture], names: Sequence[str] = ()
) -> tuple[ResultWarning, ...]:
    """Return what makes answers of a model on these pictures less than they seem.

    Args:
        model: the classifier.
        pictures: as they were given, or as `network_input` returns them.
        names: of the pictures, where there are several.
    """
    found = list(model.warnings)
    for k, picture in enumerate(pictures):
        prefix = f"{names[k] or f'image {k}'}: " if names else ""
        for warning in warnings_of(to_rgb(picture)) if isinstance(picture, Image.Image) else ():
            found.append(warning.model_copy(update={"detail": prefix + warning.detail}))
    return tuple(found)


@torch.no_grad()
def top_class(network: nn.Module, x: Tensor) -> int:
    """Return the class that scores highest on an input 1 x 3 x H x W."""
    return int(network(x).argmax())


def engine_on(device: torch.device) -> Engine:
    """Return what computes here, as far as it can change an answer."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Engine(version=__version__, torch=torch.__version__, device=name)
