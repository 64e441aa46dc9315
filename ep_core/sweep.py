"""The sweep: extremal masks of several areas, with their score curves and the smallest area that suffices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor, nn

from . import __version__
from .curve import is_monotonic, optimal_area, reference_scores, score_curve
from .errors import InvalidInput
from .image import to_rgb
from .lanes import Lane
from .models.classifier import Classifier
from .models.frame import Frame
from .perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid, fade_pyramid
from .presets import RULES
from .report import CurvePoint, Engine, ExtremalReport, ModelRef, PartialPoint, Scores, TargetRef, Timing
from .solver import Solver
from .spec import ExtremalSpec
from .targets import resolve_target


class Progress:
    """How far a sweep has come; given to `on_progress` after every iteration."""

    def __init__(self, iteration: int, total: int, solver: Solver) -> None:
        """Look at a solver after `iteration` of `total` iterations."""
        self.iteration = iteration
        self.total = total
        self._solver = solver

    def partial_curve(self) -> list[PartialPoint]:
        """Return each area's score so far. Waits for the device: ask a few times a second at most."""
        columns = zip(self._solver.lanes, self._solver.areas.tolist(), self._solver.values.tolist(), strict=True)
        return [PartialPoint(area=lane.area, measured_area=area, score=value) for lane, area, value in columns]


@dataclass(frozen=True)
class Explanation:
    """A finished sweep. Masks are in the network's frame, one per area of `spec.areas`."""

    spec: ExtremalSpec
    """As run, with the defaults filled in."""
    model: ModelRef
    target: TargetRef
    image: Image.Image
    """The original image, RGB."""
    frame: Frame
    """Where the network's frame lies on the image."""
    masks: Tensor
    """K x 1 x H x W in [0, 1], on the CPU."""
    scores: Scores
    curve: list[CurvePoint]
    timing: Timing
    engine: Engine

    @cached_property
    def optimal_area(self) -> float | None:
        """a* (eq. 3); None where no area of the sweep reaches the threshold."""
        return optimal_area(self.curve, self.scores, self.spec.variant)

    @cached_property
    def monotonic(self) -> bool:
        """Whether the scores order as the areas do below a* (eq. 8)."""
        return is_monotonic(self.curve, self.optimal_area, self.spec.variant)

    def report(self) -> ExtremalReport:
        """Return everything but the pictures, as the document that the API serves."""
        return ExtremalReport(
            params=self.spec,
            model=self.model,
            target=self.target,
            scores=self.scores,
            curve=self.curve,
            optimal_area=self.optimal_area,
            monotonic=self.monotonic,
            image_size=self.frame.image_size,
            timing=self.timing,
            engine=self.engine,
        )


def explain(
    model: Classifier,
    image: Image.Image | Tensor,
    spec: ExtremalSpec | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> Explanation:
    """Find the extremal perturbations of an image (section 3): one mask per area, each with its scores.

    The network is left as it was found (mode, gradients), also after an error. What `on_progress` raises passes through
    and ends the run.

    Args:
        model: the classifier.
        image: a picture, or a 1 x 3 x H x W tensor that is already preprocessed.
        spec: what to find; None takes the defaults. Its `model` isn't looked at: the model is the one given.
        on_progress: called after every iteration.

    Raises:
        InvalidInput: the target is no class of the model, or the image has the wrong shape.
    """
    started = time.perf_counter()
    spec = spec or ExtremalSpec()
    x, frame, picture = _prepare(model, image, spec)
    iterations = spec.iterations or RULES[spec.preset].ITERATIONS
    sigma_max = spec.sigma_max or _default_sigma_max(spec, x)
    with model.frozen() as network:
        target = _target(network, x, spec, model.labels)
        pyramids = Pyramids(_pyramid(model, x, spec, sigma_max)[None])
        lanes = [Lane(0, target, area, spec.variant, iterations) for area in spec.areas]
        solver = Solver(network, pyramids, lanes, spec.preset)
        for iteration in solver.run():
            if on_progress is not None:
                on_progress(Progress(iteration, iterations, solver))
        masks = solver.masks()
        scores = reference_scores(network, pyramids, target, variant=spec.variant, threshold=spec.threshold)
        curve = score_curve(network, pyramids, masks, target, spec.areas)
    as_run = {"model": model.name, "iterations": iterations, "sigma_max": sigma_max}
    return Explanation(
        spec=spec.model_copy(update=as_run),
        model=ModelRef(name=model.name, weights_digest=model.weights_digest, input_size=frame.input_size),
        target=TargetRef(index=target, label=model.labels[target]),
        image=picture,
        frame=frame,
        masks=masks.cpu(),
        scores=scores,
        curve=curve,
        timing=Timing(run_s=time.perf_counter() - started, iterations=iterations),
        engine=Engine(version=__version__, torch=torch.__version__, device=_device_name(x.device)),
    )


def _prepare(model: Classifier, image: Image.Image | Tensor, spec: ExtremalSpec) -> tuple[Tensor, Frame, Image.Image]:
    """Return the network's input 1 x 3 x H x W, where it lies on the picture, and the picture."""
    if isinstance(image, Image.Image):
        x, frame = model.preprocess(image, spec.fit)
        return x, frame, to_rgb(image)
    if image.ndim != 4 or image.shape[:2] != (1, 3):
        raise InvalidInput(f"a preprocessed image is 1 x 3 x H x W, not {tuple(image.shape)}", field="image")
    height, width = image.shape[2:]
    whole = Frame(image_size=(height, width), input_size=(height, width), box=(0, 0, width, height))
    return image.detach().to(model.device, torch.float32), whole, model.preprocessing.to_image(image.detach().cpu())


@torch.no_grad()
def _target(network: nn.Module, x: Tensor, spec: ExtremalSpec, labels: Sequence[str]) -> int:
    return int(network(x).argmax()) if spec.target is None else resolve_target(spec.target, labels)


def _default_sigma_max(spec: ExtremalSpec, x: Tensor) -> float:
    return BLUR_SIGMA_AT_224 * min(x.shape[2:]) / 224 if spec.perturbation == "blur" else 1.0


def _pyramid(model: Classifier, x: Tensor, spec: ExtremalSpec, sigma_max: float) -> Tensor:
    if spec.perturbation == "blur":
        return blur_pyramid(x, sigma_max=sigma_max, levels=spec.pyramid_levels)
    return fade_pyramid(x, black=model.preprocessing.black.to(x.device), sigma_max=sigma_max)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
