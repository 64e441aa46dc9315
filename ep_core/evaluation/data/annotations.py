"""Pictures with annotated objects, and inputs of a network from whole pictures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.models import Classifier
from ep_core.models.frame import Frame
from ep_core.pictures.decoding import MAX_PIXELS, to_rgb
from ep_core.pictures.planes import in_mode, pixels_of

BoolMask = npt.NDArray[np.bool_]

SceneFit = Literal["whole", "stretch"]
FITS: tuple[SceneFit, ...] = get_args(SceneFit)


@dataclass(frozen=True)
class Scene:
    """Picture with annotated objects, by category."""

    name: str
    """Different for each scene of a data set."""
    path: Path
    size: tuple[int, int]
    """Height and width, in pixels."""
    objects: Mapping[str, Callable[[], BoolMask]]
    """By category, makes the H x W mask of all its objects."""

    def load(self) -> Image.Image:
        """Return the picture in RGB, as stored: annotations don't know of cameras turned on their side.

        Raises:
            InvalidInput: it isn't of the size that its annotations are for.
        """
        with Image.open(self.path) as image:
            picture = to_rgb(image)
            picture.load()
        if (picture.height, picture.width) != self.size:
            raise InvalidInput(
                f"{self.path} is {picture.width} x {picture.height}, but its annotations are for "
                f"{self.size[1]} x {self.size[0]}: take the data set's own pictures"
            )
        return picture


@dataclass(frozen=True)
class DataSet:
    """Scenes that are evaluated together."""

    title: str
    categories: tuple[str, ...]
    """All categories of the data set, also those in none of the scenes."""
    scenes: tuple[Scene, ...]
    areas: tuple[float, ...]
    """Of extremal perturbations in the pointing game on it (4.2)."""

    def first(self, count: int | None, categories: Collection[str]) -> DataSet:
        """Return the data set with its first `count` scenes (None: all) that show one of some categories."""
        showing = (scene for scene in self.scenes if not scene.objects.keys().isdisjoint(categories))
        return replace(self, scenes=tuple(islice(showing, count)))


def check_pictures(folder: Path, paths: Sequence[Path], what: str) -> None:
    """Raise `InvalidInput` where pictures are missing, with what the folder must hold."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InvalidInput(
            f"{len(missing)} of {len(paths)} pictures aren't there, {missing[0]} first: {folder} must hold {what}"
        )


def distinct(scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """Return the scenes, of which no two may have the same name; else raise `InvalidInput`."""
    names = set()
    for scene in scenes:
        if scene.name in names:
            raise InvalidInput(f"two pictures are called {scene.name}: give every part of the data set once")
        names.add(scene.name)
    return tuple(scenes)


def whole_input(model: Classifier, image: Image.Image, fit: SceneFit = "whole") -> tuple[Tensor, Frame]:
    """Return a network's input for all of a picture, and where it lies on the picture: all over it.

    Args:
        model: whose size, interpolation and normalisation are used.
        image: of any size.
        fit: ``"whole"`` scales the shorter side to the shorter side of the model's input and keeps the proportions,
            as the paper's networks, which take any size, are fed in the pointing game; ``"stretch"`` gives the
            model's own input size.

    Returns:
        1 x C x H x W, on the model's device, and the frame.

    Raises:
        InvalidInput: `fit` is neither, the image is too elongated to be scaled, or the model takes no pictures.
    """
    if fit not in FITS:
        raise InvalidInput(f"fit {fit!r} is unknown: use 'whole' or 'stretch'", field="fit")
    model.preprocessing.require_usable(image, "stretch")
    if fit == "stretch":
        return model.preprocess(image, "stretch")
    scale = min(model.input_size) / min(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    if width * height > MAX_PIXELS:
        raise InvalidInput(f"the image is too elongated ({image.width} x {image.height})", field="image")
    resampling = Image.Resampling[model.preprocessing.interpolation.upper()]
    pixels = pixels_of(in_mode(image, model.preprocessing.channels).resize((width, height), resampling))
    frame = Frame((image.height, image.width), (height, width), (0, 0, image.width, image.height))
    return model.preprocessing.normalise(pixels)[None].to(model.device), frame


@torch.no_grad()
def input_scores(model: Classifier, x: Tensor) -> Tensor:
    """Return the scores before the softmax, C, of an input 1 x 3 x H x W of any size.

    Raises:
        InvalidInput: the network fails on this size, as it isn't its own.
    """
    try:
        with model.frozen() as network:
            scores: Tensor = network(x)[0]
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        size = (x.shape[2], x.shape[3])
        if size == model.input_size:
            raise
        raise InvalidInput(
            f"model {model.name!r} takes no input of {size[0]} x {size[1]} ({error}): use --fit stretch, which gives "
            f"it its own {model.input_size[0]} x {model.input_size[1]}",
            field="fit",
        ) from error
    return scores
