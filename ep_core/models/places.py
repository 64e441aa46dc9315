"""Targets at a place of an image: a box of a detector's, a region of a segmenter's."""

from __future__ import annotations

from dataclasses import replace

import torch
from PIL import Image
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.models.tuning.adapted import Adapted, inner_network
from ep_core.pictures.given_image import AnyImage, Picture, given_image
from ep_core.pictures.region import region_of
from ep_core.schemas.specs import BoxTarget, Fit, SegmentTarget
from ep_core.schemas.targets import check_mask_size, resolve_target

from .classifier import Classifier
from .detections import at, best_class, listed
from .detector import BoxScore, Detector
from .frame import Box, Frame
from .inputs import network_input
from .preprocessing import Preprocessing
from .second_picture import about_part
from .segmenter import Segmenter

LEAST_MATCH = 0.1
"""Confidence times IoU that a detection of the untouched image must have with the box that is asked for."""
HALF = 0.5
"""Share of a pixel of a map that lies in the image, above which it isn't padding."""


def box_model(model: Classifier, target: BoxTarget, image: Picture, fit: Fit) -> Classifier:
    """Return a detector with the score of one detection in place of its classes: see `BoxScore`.

    Args:
        model: of a `Detector`.
        target: the box, and its class; without one, that of the detection that matches the box best.
        image: untouched.
        fit: of the image to the frame.

    Raises:
        InvalidInput: the network doesn't see the box, or no detection of the class matches it.
        UnknownName: the model has no such class.
    """
    network = inner_network(model.network)
    assert isinstance(network, Detector)  # noqa: S101  # `check_target` has looked
    x, frame, _ = network_input(model, image, fit)
    box = _seen(target.box, frame)
    with model.frozen(), torch.inference_mode():
        found = network.network(_cast(model, x))
    index = best_class(found, box) if target.label is None else resolve_target(target.label, model.labels)
    match = float(found.matches(box, index).max().exp())
    if not match >= LEAST_MATCH:
        raise InvalidInput(
            f"{model.name!r} finds no {model.labels[index]!r} {at(target.box)}: its best match there has a confidence "
            f"times IoU of {match:.2f}, and {LEAST_MATCH:g} is needed. It finds {listed(found, model.labels, frame)}",
            field="target",
        )
    label = f"{model.labels[index]} {at(target.box)}"
    return model.scored_by(BoxScore(network.network, box, index), label, "box")


def segment_model(
    model: Classifier, target: SegmentTarget, image: Picture, fit: Fit, picture: AnyImage | None
) -> Classifier:
    """Return a segmenter with the score of a class in a region in place of its classes: see `RegionScore`.

    Args:
        model: of a `Segmenter`.
        target: the class, and the region.
        image: untouched.
        fit: of the image to the frame.
        picture: of the region, white, as large as the image; for targets within `target_mask`.

    Raises:
        InvalidInput: there is no region: the network doesn't see it, the picture is missing, black or of another size,
            or no pixel of the image is of the class.
        UnknownName: the model has no such class.
    """
    network = inner_network(model.network)
    assert isinstance(network, Segmenter)  # noqa: S101  # `check_target` has looked
    index = resolve_target(target.segment, model.labels)
    x, frame, _ = network_input(model, image, fit)
    if target.within is None:
        region, words = _own_pixels(model, network, index, x, frame), "its pixels"
    elif target.within == "target_mask":
        region, words = _drawn(model, image, fit, picture), target.within
    else:
        region, words = _boxed(_seen(target.within, frame), frame), at(target.within).removeprefix("at ")
    score = network.region_score(index, region.to(model.device))
    return model.scored_by(score, f"{model.labels[index]} within {words}", "segment")


def _seen(box: Box, frame: Frame) -> Box:
    """Return a box of the image as shares of the frame."""
    shares = frame.box_in_frame(box)
    if shares is None:
        left, top, right, bottom = frame.visible_box
        is_cropped = (left, top, bottom, right) != (0, 0, *frame.image_size)
        more = ", or fit 'whole' or 'stretch', which show all of the image" if is_cropped else ""
        raise InvalidInput(
            f"the network sees nothing of the box {at(box).removeprefix('at ')}: it sees the image's pixels from "
            f"{left}, {top} to {right}, {bottom}; choose a box there{more}",
            field="target",
        )
    return shares


def _cast(model: Classifier, x: Tensor) -> Tensor:
    """Return the network's input in the precision of its weights."""
    return x.to(model.network.dtype) if isinstance(model.network, Adapted) else x


def _own_pixels(model: Classifier, network: Segmenter, index: int, x: Tensor, frame: Frame) -> Tensor:
    """Return the pixels of the image, not of padding, that a segmenter gives to a class: 1 x 1 x h x w of 0 and 1."""
    with model.frozen(), torch.inference_mode():
        assigned = network.assigned(_cast(model, x))
    height, width = frame.image_size
    of_map = replace(frame, input_size=(assigned.shape[1], assigned.shape[2]))
    is_image = _boxed(_seen((0, 0, width, height), frame), of_map)[0].to(assigned.device) > HALF
    region = ((assigned == index) & is_image)[None].float()
    if not region.any():
        seen = [model.labels[one] for one in assigned[is_image].unique().tolist() if one >= 0]
        raise InvalidInput(
            f"{model.name!r} gives no pixel of the image to {model.labels[index]!r}; it sees "
            f"{', '.join(seen) or 'none of its classes'}. Choose one that it sees, or say a region: `within`",
            field="target",
        )
    return region.clone()  # out of the inference mode


def _boxed(box: Box, frame: Frame) -> Tensor:
    """Return the share of each pixel of the frame that lies in a box (shares of the frame): 1 x 1 x H x W."""
    height, width = frame.input_size
    rows, columns = _covered(box[1] * height, box[3] * height, height), _covered(box[0] * width, box[2] * width, width)
    return (rows[:, None] * columns)[None, None]


def _covered(start: float, stop: float, size: int) -> Tensor:
    """Return the share of each of `size` pixels that lies between two edges."""
    pixels = torch.arange(size, dtype=torch.float32)
    return ((pixels + 1).clamp_max(stop) - pixels.clamp_min(start)).clamp_min(0)


def drawn_region(picture: AnyImage) -> Image.Image:
    """Return the region that a picture in any form but a tensor shows: see `region_of`.

    Raises:
        UnreadableImage, ImageTooLarge, InvalidInput: as `given_image` and `region_of`; the error's field is
            ``target_mask``.
    """
    with about_part("target_mask"):
        drawn = given_image(picture, behind="black")
    if not isinstance(drawn, Image.Image):
        raise InvalidInput(
            "target_mask is a picture, white where the region is; this one is a tensor: give its pixels as an array",
            field="target_mask",
        )
    return region_of(drawn)


def _drawn(model: Classifier, image: Picture, fit: Fit, picture: AnyImage | None) -> Tensor:
    """Return a picture of a region as it lies in the frame: 1 x 1 x H x W in [0, 1]."""
    if picture is None:
        raise InvalidInput("the target's region is missing: send a picture of it as `target_mask`", field="target")
    drawn = drawn_region(picture)
    size = image.size if isinstance(image, Image.Image) else (image.shape[3], image.shape[2])
    check_mask_size(drawn.size, size)
    whole = Preprocessing((size[1], size[0]))
    like = model.preprocessing if isinstance(image, Image.Image) else whole
    placing = replace(like, mean=(0.0,), std=(1.0,))
    region, _ = placing.preprocess(drawn, fit)
    if not region.any():
        raise InvalidInput(
            "target_mask is black where the network sees it: draw the region in white", field="target_mask"
        )
    return region
