"""Preprocessing: from a picture to a network's input, exactly as in the network's own evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.models.checks.normalisation import IMAGENET_MEAN, IMAGENET_STD, PerChannel
from ep_core.pictures.decoding import MAX_PIXELS
from ep_core.pictures.planes import MODES, RGB, RGBA, as_rgb, colour_planes, in_mode, pixels_of
from ep_core.schemas.specs import Fit

from .frame import Frame

FITS: tuple[Fit, ...] = get_args(Fit)


@dataclass(frozen=True)
class Preprocessing:
    """Resize, central crop and normalisation of a network's input.

    Attributes:
        input_size: height and width of the network's input, in pixels.
        resize: length in pixels that the image's shorter side gets before the central crop, or the height and width
            that the whole image is stretched to before it; None stretches the image straight to `input_size`.
        interpolation: Pillow's resampling filter: nearest, box, bilinear, hamming, bicubic or lanczos.
        mean, std: per channel, of pixel values x in [0, 1]: the network's input is (x - mean) / std. As many of each
            as the network takes channels: one is grey (Pillow's mode L), three are RGB, four RGBA, of which pictures
            are opaque. Networks of other numbers get no pictures, but tensors that are preprocessed already.
        crop_rounding: where the central crop starts when an odd number of pixels is cut off: ``"even"`` as in
            torchvision, ``"down"`` as in Hugging Face's processors.
    """

    input_size: tuple[int, int]
    resize: int | tuple[int, int] | None = None
    interpolation: str = "bilinear"
    mean: PerChannel = IMAGENET_MEAN
    std: PerChannel = IMAGENET_STD
    crop_rounding: Literal["even", "down"] = "even"

    def __post_init__(self) -> None:
        if self.interpolation.upper() not in Image.Resampling.__members__:
            known = ", ".join(name.lower() for name in Image.Resampling.__members__)
            raise InvalidInput(f"interpolation {self.interpolation!r} is unknown: use one of {known}")
        if not self.mean or len(self.mean) != len(self.std) or min(self.std) <= 0:
            raise InvalidInput("mean and std need a value for each channel of the network, and std must be positive")
        resize = (self.resize,) if isinstance(self.resize, int) else self.resize or ()
        if min((*self.input_size, *resize)) < 1:
            raise InvalidInput("input_size and resize must be at least 1 pixel")

    @property
    def channels(self) -> int:
        """Number of channels of the network's input."""
        return len(self.mean)

    @property
    def planes(self) -> int:
        """Number of those channels that show something (`colour_planes`)."""
        return colour_planes(self.channels)

    def preprocess(self, image: Image.Image, fit: Fit = "crop") -> tuple[torch.Tensor, Frame]:
        """Return the network's input (1 x C x H x W, float32, on the CPU) and where it lies on `image`.

        Args:
            image: a picture of any size and mode.
            fit: ``"crop"`` cuts as the network's own preprocessing does; ``"stretch"`` resizes the whole image to the
                input size, so that nothing is cut off but proportions change; ``"whole"`` keeps them and pads the
                shorter side, half on either end, with the mean colour, which is 0 in the network's input.

        Raises:
            InvalidInput: `fit` is none of these, the image is too elongated to be cropped, or pictures don't have as
                many channels as the network takes.
        """
        size = (image.height, image.width)
        self._require_pictures()
        (height, width), (top, left) = self._placement(size, fit)
        resampling = Image.Resampling[self.interpolation.upper()]
        resized = in_mode(image, self.channels).resize((width, height), resampling)
        right, bottom = left + self.input_size[1], top + self.input_size[0]
        cut = resized.crop((left, top, right, bottom))  # black where it reaches outside, as in torchvision
        box = (
            left * size[1] / width,
            top * size[0] / height,
            right * size[1] / width,
            bottom * size[0] / height,
        )
        x = self.normalise(pixels_of(cut))
        if fit == "whole":
            x = _around(x, slice(-top, height - top), slice(-left, width - left))
        return x[None], Frame(image_size=size, input_size=self.input_size, box=box)

    def require_usable(self, image: Image.Image, fit: Fit) -> None:
        """Raise the `InvalidInput` that `preprocess` would raise, without any work."""
        self._require_pictures()
        self._placement((image.height, image.width), fit)

    @property
    def black(self) -> torch.Tensor:
        """Value of a black pixel in the network's input: C x 1 x 1."""
        return self.normalise(torch.zeros(self.planes, 1, 1))

    def to_image(self, tensor: torch.Tensor) -> Image.Image:
        """Return a network's input (1 x C x H x W) as an RGB picture: the normalisation undone, clipped to 8 bit."""
        mean, std = torch.tensor(self.mean)[:, None, None], torch.tensor(self.std)[:, None, None]
        pixels = as_rgb((tensor.detach()[:1].float().cpu() * std + mean).clamp(0, 1))
        return Image.fromarray(pixels[0].mul(255).round().byte().permute(1, 2, 0).numpy())

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return pixel values in [0, 1] as the network wants them, on the same device: ... x C x H x W.

        Args:
            pixels: ... x C x H x W. For a network of RGBA, RGB alone is opaque.
        """
        if self.channels == RGBA and pixels.shape[-3] == RGB:
            pixels = torch.cat([pixels, torch.ones_like(pixels[..., :1, :, :])], dim=-3)
        mean, std = (torch.tensor(values, device=pixels.device)[:, None, None] for values in (self.mean, self.std))
        return (pixels - mean) / std

    def _require_pictures(self) -> None:
        if self.channels not in MODES:
            raise InvalidInput(
                f"the network takes {self.channels} channels, which no picture has (1: grey, 3: RGB, 4: RGBA): give a "
                f"preprocessed 1 x {self.channels} x H x W tensor",
                field="image",
            )

    def _placement(self, size: tuple[int, int], fit: Fit) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the (height, width) that the image is resized to, and the (top, left) of the input on that."""
        if fit not in FITS:
            raise InvalidInput(f"fit {fit!r} is unknown: use {', '.join(map(repr, FITS))}", field="fit")
        if fit == "whole":
            return _whole(size, self.input_size)
        if fit == "stretch" or self.resize is None:
            return self.input_size, (0, 0)
        if isinstance(self.resize, int):
            shorter = min(size)
            # torchvision cuts the longer side's fraction off.
            height, width = (int(self.resize * side / shorter) if side != shorter else self.resize for side in size)
        else:
            height, width = self.resize
        if height * width > MAX_PIXELS:
            raise InvalidInput(
                f"the image is too elongated to be cropped ({size[1]} x {size[0]}): cut it, or use fit "
                "'stretch' or 'whole'",
                field="image",
            )
        top, left = (
            _crop_start(length, crop, self.crop_rounding)
            for length, crop in zip((height, width), self.input_size, strict=True)
        )
        return (height, width), (top, left)


def from_torchvision(transforms: Any) -> Preprocessing:
    """Return the preprocessing of torchvision's ``ImageClassification`` preset (``weights.transforms()``)."""
    (resize,), (crop,) = transforms.resize_size, transforms.crop_size
    mean, std = _per_channel(transforms.mean), _per_channel(transforms.std)
    return Preprocessing((crop, crop), resize, transforms.interpolation.value, mean, std)


def from_timm(data_config: Mapping[str, Any]) -> Preprocessing:
    """Return timm's evaluation transform for the result of ``timm.data.resolve_model_data_config``.

    A network that timm evaluates on a stretched image sees all of it here, without the few per cent that timm cuts off
    the edges of some.

    Raises:
        InvalidInput: timm crops for the network in a way that has no equal here.
    """
    _, height, width = data_config["input_size"]
    mode = data_config["crop_mode"]
    if mode not in ("center", "squash") or (mode == "center" and height != width):
        raise InvalidInput(
            f"timm's crop mode {mode!r} for inputs of {height} x {width} is not supported: "
            "load the network by an entry_point of the model list, with its own preprocessing",
            field="model",
        )
    return Preprocessing(
        input_size=(height, width),
        resize=math.floor(height / data_config["crop_pct"]) if mode == "center" else None,
        interpolation=data_config["interpolation"],
        mean=_per_channel(data_config["mean"]),
        std=_per_channel(data_config["std"]),
    )


def _whole(size: tuple[int, int], frame: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the largest (height, width) of an image's proportions in a frame, and the frame's (top, left) on it."""
    scale = min(frame[0] / size[0], frame[1] / size[1])
    height, width = (max(1, round(side * scale)) for side in size)
    return (height, width), (-((frame[0] - height) // 2), -((frame[1] - width) // 2))


def _around(x: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
    """Return an input (C x H x W) with the mean colour around some of its rows and columns."""
    padded = torch.zeros_like(x)
    padded[:, rows, columns] = x[:, rows, columns]
    return padded


def _crop_start(size: int, crop: int, rounding: Literal["even", "down"]) -> int:
    """Return where a central crop starts; negative where the image must be padded."""
    if crop > size:
        return -((crop - size) // 2)
    return round((size - crop) / 2) if rounding == "even" else (size - crop) // 2


def _per_channel(values: Any) -> PerChannel:
    return tuple(map(float, values))
