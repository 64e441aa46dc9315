"""Preparation of an image for spatial masks: the network's input, and its perturbations (section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.masks.cells import check_frame
from ep_core.masks.dropping import TokenImages
from ep_core.masks.masked_images import MaskedImages
from ep_core.masks.perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid, fade_pyramid
from ep_core.masks.scores import ClassScores, ToClasses, ToProbabilities, reference_scores, score_curve
from ep_core.models.classifier import Classifier
from ep_core.models.frame import Frame
from ep_core.models.inputs import network_input, top_class
from ep_core.models.tokens.check import check_site
from ep_core.models.tokens.find import require_site
from ep_core.models.tokens.site import TokenSite
from ep_core.models.top_classes import predictions
from ep_core.models.tuning.tune import tune
from ep_core.optimiser.presets import SPATIAL_PRESETS, iterations_of
from ep_core.pictures.given_image import Picture
from ep_core.schemas.finite import require_finite
from ep_core.schemas.pixels import PixelBox, PixelSize
from ep_core.schemas.reports.common import Scores, TargetRef
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.reports.subject import Subject
from ep_core.schemas.specs import SpatialSpec

S = TypeVar("S", bound=SpatialSpec)
S_co = TypeVar("S_co", bound=SpatialSpec, covariant=True)


@dataclass(frozen=True)
class Prepared(Generic[S_co]):
    """One image, ready to be masked."""

    spec: S_co
    """As run, with the defaults filled in."""
    target: int
    """Class index."""
    picture: Image.Image
    """The original image, RGB."""
    frame: Frame
    """Position of the network's frame on the picture."""
    pyramid: Tensor
    """levels x 3 x H x W; the first one is the network's input, and the only one where patches are dropped."""
    probabilities: ToProbabilities
    """Of the network's scores."""
    classes: ToClasses
    """The same: the predictions of a result."""
    reference: Scores
    """Of the untouched and of the fully perturbed image, and the threshold (3.2)."""
    site: TokenSite | None = None
    """Place in the network where patches are dropped; None where none are."""
    left: Tensor | None = None
    """1 x 1 x h x w of ones and zeros: where patches are dropped, those that masks may keep; None: all."""

    @property
    def x(self) -> Tensor:
        """The network's input: 1 x 3 x H x W."""
        return self.pyramid[:1]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frame, in pixels."""
        return self.pyramid.shape[2], self.pyramid.shape[3]

    def subject(self, target: TargetRef) -> Subject:
        """Return what is explained, for those who watch, with its target as reports name it."""
        left, top, right, bottom = self.frame.box
        return Subject(
            target=target,
            scores=self.reference,
            image=PixelSize.of(self.frame.image_size),
            frame=PixelBox(left=left, top=top, right=right, bottom=bottom),
            resolution=PixelSize.of(self.size),
        )

    @property
    def patches(self) -> tuple[int, int] | None:
        """Rows and columns of the patches that masks are made of; None where masks are smooth."""
        return None if self.site is None else self.site.grid(self.size)

    def scores_by(self, network: nn.Module) -> ClassScores:
        """Return what a network says of this image under masks."""
        return partial(masked_images(network, [self]).scores, network)

    def searched(self, network: nn.Module) -> nn.Module:
        """Return the network that a search goes through: a tuned copy, or itself where its tokens are taken."""
        return tune(network, self.pyramid[[0, -1]]) if self.site is None else network

    def curve(self, scores: ClassScores, masks: Tensor, areas: Sequence[float] | None = None) -> list[CurvePoint]:
        """Return the points of K areas (None: the spec's), given their masks (K x 1 x H x W)."""
        asked = self.spec.areas if areas is None else areas
        return score_curve(scores, masks, self.target, asked, probabilities=self.probabilities, classes=self.classes)


def masked_images(network: nn.Module, sweeps: Sequence[Prepared[SpatialSpec]]) -> MaskedImages:
    """Return prepared images of one frame size and kind of perturbation as what masks are applied to.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode and frozen.
        sweeps: at least one; an image that some patches are gone from, alone.
    """
    if len(sweeps) > 1 and any(sweep.left is not None for sweep in sweeps):
        raise ValueError("an image that some patches are gone from shares no batch with others")
    return _masked([sweep.pyramid for sweep in sweeps], network, sweeps[0].site, sweeps[0].left)


def _masked(
    pyramids: Sequence[Tensor], network: nn.Module, site: TokenSite | None, left: Tensor | None = None
) -> MaskedImages:
    if site is None:
        return Pyramids(torch.stack(list(pyramids)))
    return TokenImages(network, site, torch.cat(list(pyramids)), left)


def frame_size(model: Classifier, image: Picture) -> tuple[int, int]:
    """Return height and width of the frame in which an image is explained, in pixels."""
    if isinstance(image, Image.Image):
        return model.input_size
    return image.shape[2], image.shape[3]


def check_masked(model: Classifier, image: Picture, spec: SpatialSpec) -> None:
    """Raise `InvalidInput` where an image can't have spatial masks: its frame is too small, or has no patches."""
    size = frame_size(model, image)
    check_frame(size, field="model" if isinstance(image, Image.Image) else "image")
    if spec.perturbation == "drop":
        require_site(model.network, size, model=model.name)


def prepare_image(model: Classifier, network: nn.Module, image: Picture, spec: S, target: int | None) -> Prepared[S]:
    """Return an image ready to be masked.

    Args:
        model: the classifier.
        network: its network, frozen.
        image: a picture, or a 1 x 3 x H x W tensor that is already preprocessed.
        spec: the request.
        target: class index; None takes the top class.

    Raises:
        InvalidInput: patches are to be dropped, and the network can't do without them.
        NotFinite: the target's score of the whole or of the fully perturbed image is NaN or infinite.
    """
    x, frame, picture = network_input(model, image, spec.fit)
    as_run = {
        "model": model.name,
        "iterations": iterations_of(spec),
        "sigma_max": spec.sigma_max or _default_sigma_max(spec, x),
        "independent": not SPATIAL_PRESETS[spec.preset].moves_starts or bool(spec.independent),
    }
    spec = spec.model_copy(update=as_run)
    target = top_class(network, x) if target is None else target
    pyramid = _pyramid(model, x, spec)
    site = _site(model, network, x) if spec.perturbation == "drop" else None
    reference = reference_scores(
        partial(_masked([pyramid], network, site).scores, network),
        torch.ones_like(x[:, :1]),
        target,
        variant=spec.variant,
        threshold=spec.threshold,
        probabilities=model.probabilities,
        classes=partial(predictions, model),
    )
    require_finite([reference.original, reference.perturbed], model=model.name, perturbation=spec.perturbation)
    return Prepared(
        spec=spec,
        target=target,
        picture=picture,
        frame=frame,
        pyramid=pyramid,
        probabilities=model.probabilities,
        classes=partial(predictions, model),
        reference=reference,
        site=site,
    )


def _site(model: Classifier, network: nn.Module, x: Tensor) -> TokenSite:
    site = require_site(network, (x.shape[2], x.shape[3]), model=model.name)
    check_site(network, site, x, model=model.name)
    return site


def _default_sigma_max(spec: SpatialSpec, x: Tensor) -> float | None:
    if spec.perturbation == "drop":
        return None
    return BLUR_SIGMA_AT_224 * min(x.shape[2:]) / 224 if spec.perturbation == "blur" else 1.0


def _pyramid(model: Classifier, x: Tensor, spec: SpatialSpec) -> Tensor:
    if spec.perturbation == "drop":
        return x
    if spec.perturbation == "blur":
        return blur_pyramid(x, sigma_max=spec.sigma_max or 0, levels=spec.pyramid_levels)
    return fade_pyramid(x, black=model.preprocessing.black.to(x.device), sigma_max=spec.sigma_max or 0)
