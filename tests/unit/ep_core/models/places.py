"""A detector and a segmenter of three colours, whose scores can be worked out by hand."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ep_core.models import Classifier, Preprocessing
from ep_core.models.detector import Detections, Detector
from ep_core.models.segmenter import Segmenter

LABELS = ("red", "green", "blue")
SIDE = 32
QUADRANTS = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0))
GAIN, BIAS = 12.0, -6.0
PIXELS = Preprocessing((SIDE, SIDE), mean=(0.0,) * 3, std=(1.0,) * 3)
CROPPED = Preprocessing((SIDE, SIDE), resize=SIDE, mean=(0.0,) * 3, std=(1.0,) * 3)


class Quadrants(nn.Module):
    """Finds each colour in each quadrant: the score is 12 times its mean there, less 6."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(GAIN))

    def forward(self, images: Tensor) -> Detections:
        means = avg_pool2d(images, (images.shape[2] // 2, images.shape[3] // 2))  # N x 3 x 2 x 2
        boxes = torch.tensor(QUADRANTS)[None, :, None].expand(len(images), -1, -1, -1)
        return Detections(boxes, means.flatten(2).transpose(1, 2) * self.gain + BIAS)


class Colours(nn.Module):
    """Maps of a background, whose logit is 3, and of the colours: 12 times their mean in cells of four pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(GAIN))

    def forward(self, images: Tensor) -> Tensor:
        colours = avg_pool2d(images, 4) * self.gain
        return torch.cat([torch.full_like(colours[:, :1], 3.0), colours], dim=1)


def detector(preprocessing: Preprocessing = PIXELS) -> Classifier:
    return Classifier(Detector(Quadrants()), name="corners", labels=LABELS, preprocessing=preprocessing)


def segmenter(preprocessing: Preprocessing = PIXELS) -> Classifier:
    network = Segmenter(Colours(), classes=(1, 2, 3))
    return Classifier(network, name="colours", labels=LABELS, preprocessing=preprocessing)


def picture(size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """Red at the upper left, blue at the lower right: a quarter each; of any width and height."""
    width, height = size
    image = Image.new("RGB", size)
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    image.paste((0, 0, 255), (width // 2, height // 2, width, height))
    return image
