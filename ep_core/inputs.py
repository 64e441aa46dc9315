"""What a network is given: from a picture, or a tensor that is preprocessed already."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor, nn

from . import __version__
from .cells import check_frame
from .errors import InvalidInput
from .image import to_rgb
from .models.classifier import Classifier
from .models.frame import Frame
from .report import Engine
from .spec import Fit

Picture = Image.Image | Tensor
"""A picture, or a 1 x 3 x H x W tensor that is already preprocessed."""


def frame_size(model: Classifier, image: Picture) -> tuple[int, int]:
    """Return height and width of the frame in which an image is looked at, in pixels."""
    if isinstance(image, Image.Image):
        return model.input_size
    return image.shape[2], image.shape[3]


def check_masked(model: Classifier, image: Picture) -> None:
    """Raise `InvalidInput` where an image can't have spatial masks: the wrong shape, or too small a frame."""
    check_shape(image)
    check_frame(frame_size(model, image), field="model" if isinstance(image, Image.Image) else "image")


def check_shape(image: Picture) -> None:
    """Raise `InvalidInput` where a preprocessed image isn't 1 x 3 x H x W."""
    if isinstance(image, Tensor) and (image.ndim != 4 or image.shape[:2] != (1, 3)):
        raise InvalidInput(f"a preprocessed image is 1 x 3 x H x W, not {tuple(image.shape)}", field="image")


def network_input(model: Classifier, image: Picture, fit: Fit) -> tuple[Tensor, Frame, Image.Image]:
    """Return the network's input 1 x 3 x H x W, where it lies on the picture, and the picture."""
    if isinstance(image, Image.Image):
        x, frame = model.preprocess(image, fit)
        return x, frame, to_rgb(image)
    height, width = image.shape[2:]
    whole = Frame(image_size=(height, width), input_size=(height, width), box=(0, 0, width, height))
    return image.detach().to(model.device, torch.float32), whole, model.preprocessing.to_image(image.detach().cpu())


@torch.no_grad()
def top_class(network: nn.Module, x: Tensor) -> int:
    """Return the class that scores highest on an input 1 x 3 x H x W."""
    return int(network(x).argmax())


def engine_on(device: torch.device) -> Engine:
    """Return what computes here, as far as it can change an answer."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Engine(version=__version__, torch=torch.__version__, device=name)
