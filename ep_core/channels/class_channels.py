"""Per-class channels (5.2): the mean optimal mask of a class's images, and inversions of the top channels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.arguments import AnyModel, given_images, given_inputs, given_lanes, given_spec
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref, network_input, target_ref, warnings_about
from ep_core.models.split import Split, split
from ep_core.pictures.given_image import AnyImage, Picture
from ep_core.pictures.progress_bar import progress_shown
from ep_core.pictures.result_folder import Result
from ep_core.schemas.model_card import LayerCard
from ep_core.schemas.progress import OnProgress, Progress
from ep_core.schemas.reports.channels import EXAMPLES, ClassChannel, ClassChannelsReport, ClassImage
from ep_core.schemas.reports.common import Engine, ModelRef, TargetRef, Timing
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec
from ep_core.schemas.threshold import KIND as THRESHOLD
from ep_core.schemas.warnings import ResultWarning

from .attribution import INVERSION_WEIGHT, attribute
from .image_channels import ImageChannels, averaged_mask, image_warnings, top_channels
from .inversion import STEPS, invert_channels
from .promised import channel_warnings, of_optimal
from .render import render_class
from .sweep import ChannelSweep, channel_sweep

OnImage = Callable[[int, ImageChannels], None]


@dataclass(frozen=True)
class ClassExplanation(Result):
    """A class's channels, over several of its images."""

    spec: ClassChannelsSpec
    """As run, with the defaults filled in."""
    model: ModelRef
    layer: LayerCard
    target: TargetRef
    images: list[ImageChannels]
    weights: Tensor
    """The averaged optimal mask, K values in [0, 1] (5.2)."""
    channels: list[ClassChannel]
    """The top ones, k* first."""
    timing: Timing
    engine: Engine
    examples: dict[int, list[tuple[Image.Image, Tensor]]]
    """By channel: the images that excite it most as the network sees them, and its map on each, h x w."""
    inversions: dict[int, Tensor] = field(default_factory=dict)
    """By channel, if requested: 3 x H x W, RGB in [0, 1]."""
    warnings: tuple[ResultWarning, ...] = ()
    """Warnings that qualify the result."""

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the sheet of channels and the inversions as (name, bytes), made as they are asked for."""
        return render_class(self)

    def report(self) -> ClassChannelsReport:
        """Return everything but the pictures, as the document that the API serves."""
        return ClassChannelsReport(
            params=self.spec,
            model=self.model,
            layer=self.layer,
            target=self.target,
            images=[
                ClassImage(
                    index=k,
                    name=image.name,
                    original=image.original,
                    probability=image.probability,
                    optimal_area=image.optimal_area,
                    threshold_rule=image.threshold_rule,
                )
                for k, image in enumerate(self.images)
            ],
            channels=self.channels,
            weights=self.weights.tolist(),
            warnings=list(self.warnings),
            timing=self.timing,
            engine=self.engine,
        )


@torch.inference_mode(False)  # whatever mode the caller is in
def class_channels(
    model: AnyModel,
    images: Iterable[AnyImage],
    spec: ClassChannelsSpec | Mapping[str, Any] | None = None,
    *,
    names: Sequence[str] | None = None,
    known: Mapping[int, ImageChannels] | None = None,
    on_image: OnImage | None = None,
    on_progress: OnProgress | None = None,
    show_progress: bool | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
) -> ClassExplanation:
    """Find the channels that a class needs: the mean of its images' optimal masks, and the largest of it (5.2).

    Args:
        model: the classifier; a bare network and a name will do (`AnyModel`).
        images: pictures of one class, or preprocessed tensors (`AnyImage`), of any sizes.
        spec: what to find, or a dict of that; None takes the defaults. Without a target, the class is the one whose
            mean probability over the images is the highest.
        names: of the images, one each, for the report.
        known: by index, the images that are done already (see `on_image`).
        on_image: called with each image's index and outcome as soon as it is done.
        on_progress: called after every round of steps.
        show_progress: whether to draw a progress bar; None: in a notebook.
        max_lanes: masks stepped in one batch, at most.
        target_picture: the target's own picture, as for `explain`.

    Raises:
        UnknownName: the model has no such layer or class.
        InvalidInput: a count is larger than the layer, there is no image, or what is given has a wrong type, shape or
            value; raised before any work. Or none of the images has an optimal mask.
        UnreadableImage, ImageTooLarge: a picture can't be decoded.
    """
    images = given_images(images)
    if not images:
        raise InvalidInput("there are no images: give at least one of the class", field="image")
    names = [""] * len(images) if names is None else list(map(str, names))
    if len(names) != len(images):
        raise InvalidInput(f"{len(names)} names for {len(images)} images: give each its own", field="names")
    called = [name or f"image {k}" for k, name in enumerate(names)]
    spec = given_spec(spec, ClassChannelsSpec)
    max_lanes = given_lanes(max_lanes)
    model, pictures = given_inputs(model, images, [spec] * len(images))
    for_each = ChannelsSpec(**spec.model_dump(exclude={"task", "top", "invert"}))
    sweep = channel_sweep(model, for_each, None, target_picture)
    model = sweep.model
    started = time.perf_counter()
    bar = progress_shown("explaining a class", on_progress, show=show_progress)
    with model.frozen() as network, bar as tell:
        target = common_class(model, network, pictures, spec) if sweep.target is None else sweep.target
        sweep = replace(sweep, target=target)
        run = _Run(model, network, pictures, spec, sweep, tell, max_lanes)
        outcomes = run.outcomes(names, known or {}, on_image)
        weights = averaged_mask(outcomes)
        missed = channel_warnings(of_optimal(outcomes, called), sweep.preset, sweep.iterations)
        top = top_channels(weights, outcomes, spec.top)
        examples = {one.channel: run.examples(one) for one in top}
        inversions = run.inversions([one.channel for one in top]) if spec.invert else {}
    as_run = sweep.spec.model_dump(include={"model", "layer", "areas", "iterations"})
    if model.kind == "class":
        as_run["target"] = target
    return ClassExplanation(
        spec=spec.model_copy(update=as_run),
        model=model_ref(model),
        layer=sweep.layer,
        target=target_ref(model, target),
        images=outcomes,
        weights=weights,
        channels=top,
        timing=Timing(run_s=time.perf_counter() - started, iterations=sweep.iterations),
        engine=engine_on(model.device),
        examples=examples,
        inversions=inversions,
        warnings=(
            *warnings_about(model, pictures, called, normalising=spec.invert),
            *image_warnings(outcomes, called),
            *missed,
        ),
    )


@torch.no_grad()
def common_class(model: Classifier, network: nn.Module, images: Sequence[Picture], spec: ClassChannelsSpec) -> int:
    """Return the class whose mean probability over the images is the highest."""
    probable = model.probabilities_by(network) if model.kind == "class" else network
    inputs = (network_input(model, image, spec.fit)[0] for image in images)
    total = sum((probable(x) for x in inputs), torch.zeros(1, model.num_classes, device=model.device))
    return int(total.argmax())


@dataclass(frozen=True)
class _Run:
    """One call of `class_channels`: the steps of the images' masks, then those of the inversions."""

    model: Classifier
    network: nn.Module
    pictures: Sequence[Picture]
    spec: ClassChannelsSpec
    sweep: ChannelSweep
    on_progress: OnProgress | None
    max_lanes: int | None

    def outcomes(
        self, names: Sequence[str], known: Mapping[int, ImageChannels], on_image: OnImage | None
    ) -> list[ImageChannels]:
        """Return the result of each image."""
        found = []
        for k, name in enumerate(names):
            if k not in known:
                found.append(self._outcome(k, name))
                if on_image is not None:
                    on_image(k, found[k])
            else:
                found.append(known[k])
            self._tell((k + 1) * self.sweep.steps)
        return found

    def examples(self, channel: ClassChannel) -> list[tuple[Image.Image, Tensor]]:
        """Return the images that excite a channel most, as the network sees them, with its map on each."""
        shown = []
        for excited in channel.images[:EXAMPLES]:
            x, _, _ = network_input(self.model, self.pictures[excited.image], self.spec.fit)
            with torch.no_grad():
                heat = self._parts.head(x)[0, channel.channel]
            shown.append((self.model.preprocessing.to_image(x), heat.cpu()))
        return shown

    def inversions(self, channels: Sequence[int]) -> dict[int, Tensor]:
        """Return an inversion of each channel."""
        done = len(self.pictures) * self.sweep.steps
        found = invert_channels(
            self._parts.tuned.head,
            channels,
            size=self.model.input_size,
            normalise=self.model.preprocessing.normalise,
            planes=self.model.preprocessing.planes,
            device=self.model.device,
            seed=self.spec.seed,
            on_step=lambda step, _: self._tell(done + INVERSION_WEIGHT * len(channels) * step),
        )
        return dict(zip(channels, found, strict=True))

    @cached_property
    def _parts(self) -> Split:
        """The network split for the first image; the head serves all of them."""
        x, _, _ = network_input(self.model, self.pictures[0], self.spec.fit)
        return split(self.network, self.sweep.layer.name, x, self.sweep.layer.tokens)

    def _outcome(self, k: int, name: str) -> ImageChannels:
        before = k * self.sweep.steps
        found, _ = attribute(
            self.model,
            self.network,
            self.pictures[k],
            self.sweep,
            max_lanes=self.max_lanes,
            on_round=lambda solver: self._tell(before + solver.done),
        )
        return ImageChannels(
            name=name,
            original=found.scores.original,
            probability=found.scores.original_probability,
            optimal_area=found.optimal_area,
            mask=found.optimal_mask,
            excitement=found.activation.mean(dim=(1, 2)),
            threshold_rule=found.scores.threshold_rule,
            warnings=tuple(one for one in found.warnings if one.kind == THRESHOLD),
        )

    def _tell(self, iteration: int) -> None:
        if self.on_progress is not None:
            inverting = (
                INVERSION_WEIGHT * STEPS * min(self.spec.top, self.sweep.layer.channels) if self.spec.invert else 0
            )
            self.on_progress(Progress(iteration, len(self.pictures) * self.sweep.steps + inverting))
