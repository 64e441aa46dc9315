"""Channel attribution (section 5): which channels of a layer keep an image's score."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.masks.scores import reference_scores, score_curve
from ep_core.models.arguments import AnyModel, given_inputs, given_lanes, given_spec
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref, network_input, target_ref, top_class, warnings_about
from ep_core.models.runtime.turns import give_way
from ep_core.models.split import Split, split
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.lanes_seen import LanesSeen
from ep_core.optimiser.presets.channels import CHANNEL_PRESETS, channel_lanes
from ep_core.optimiser.solver import Solver
from ep_core.pictures.given_image import AnyImage, Picture
from ep_core.pictures.progress_bar import progress_shown
from ep_core.schemas.progress import OnProgress, Progress
from ep_core.schemas.reports.channels import FULL, MASKED, ChannelPoint
from ep_core.schemas.reports.common import Timing
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import ChannelsSpec
from ep_core.schemas.threshold import threshold_warnings, without_channels

from .explanation import ChannelExplanation
from .inversion import STEPS, invert
from .promised import channel_warnings, of_curve
from .ranking import ranked_channels
from .sweep import ChannelSweep, channel_sweep

OnSolver = Callable[[Solver], None]
MAX_LANES = 32
OTHER = "another target or layer"
"""Advice where a layer's channels don't raise the score."""
INVERSION_WEIGHT = 8  # of an image's step, in steps of a mask: so that progress runs evenly


@torch.inference_mode(False)  # whatever mode the caller is in
def explain_channels(
    model: AnyModel,
    image: AnyImage,
    spec: ChannelsSpec | Mapping[str, Any] | None = None,
    *,
    on_progress: OnProgress | None = None,
    show_progress: bool | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
) -> ChannelExplanation:
    """Find which channels of a layer keep an image's score (eq. 9 and 10), for each count of a sweep.

    The network is left as it was found, also after an error. What `on_progress` raises passes through.

    Args:
        model: the classifier; a bare network and a name will do (`AnyModel`).
        image: a picture in any form, or a 1 x 3 x H x W tensor that is already preprocessed (`AnyImage`).
        spec: what to find, or a dict of that; None takes the defaults. Its `model` is ignored: the model is the
            one given.
        on_progress: called after every round of steps.
        show_progress: whether to draw a progress bar; None: in a notebook.
        max_lanes: masks stepped in one batch, at most (None: 32). Halved where memory runs out.
        target_picture: the target's own picture, as for `explain`.

    Raises:
        UnknownName: the model has no such layer or class.
        InvalidInput: a count is larger than the layer, or what is given has a wrong type, shape or value;
            raised before any work.
        UnreadableImage, ImageTooLarge: the picture can't be decoded.
    """
    spec = given_spec(spec, ChannelsSpec)
    max_lanes = given_lanes(max_lanes)
    model, (picture,) = given_inputs(model, [image], [spec])
    sweep = channel_sweep(model, spec, picture, target_picture)
    model = sweep.model
    inverting = 2 * INVERSION_WEIGHT * STEPS if spec.invert else 0

    def tell(done: int, solver: Solver | None = None) -> None:
        if watch is not None:
            seen = None if solver is None else LanesSeen(solver, whole=sweep.layer.channels)
            watch(Progress(done, sweep.steps + inverting, seen))

    bar = progress_shown("explaining channels", on_progress, show=show_progress)
    with model.frozen() as network, bar as watch:
        found, parts = attribute(
            model, network, picture, sweep, max_lanes=max_lanes, on_round=lambda solver: tell(solver.done, solver)
        )
        if not spec.invert:
            return found
        started = time.perf_counter()
        before = sweep.steps
        inversions = _inversions(model, parts, found, on_step=lambda done: tell(before + 2 * INVERSION_WEIGHT * done))
    seconds = found.timing.run_s + time.perf_counter() - started
    return replace(found, inversions=inversions, timing=found.timing.model_copy(update={"run_s": seconds}))


def attribute(
    model: Classifier,
    network: nn.Module,
    image: Picture,
    sweep: ChannelSweep,
    *,
    max_lanes: int | None,
    on_round: OnSolver,
) -> tuple[ChannelExplanation, Split]:
    """Return one image's explanation, without inversions, and the frozen network split for it.

    Args:
        model: the classifier.
        network: its network, frozen.
        image: a picture, or a 1 x 3 x H x W tensor that is already preprocessed.
        sweep: what is asked.
        max_lanes: masks stepped in one batch, at most (None: 32).
        on_round: called with the solver after every round of steps.
    """
    started = time.perf_counter()
    spec, layer, counts = sweep.spec, sweep.layer, sweep.counts
    x, frame, picture = network_input(model, image, spec.fit)
    target = top_class(network, x) if sweep.target is None else sweep.target
    parts = split(network, layer.name, x, layer.tokens)
    masks = _solve(parts.tuned, target, sweep, max_lanes or MAX_LANES, on_round)
    everything = torch.ones_like(masks[:1])
    scores = reference_scores(
        parts.scores,
        everything,
        target,
        variant=spec.variant,
        threshold=spec.threshold,
        probabilities=model.probabilities,
    )
    points = score_curve(parts.scores, masks, target, counts, probabilities=model.probabilities)
    curve = [_point(point, float(mask.sum())) for point, mask in zip(points, masks.cpu().double(), strict=True)]
    missed = channel_warnings(of_curve(curve, layer.channels), sweep.preset, sweep.iterations)
    found = ChannelExplanation(
        spec=spec,
        model=model_ref(model, frame.input_size),
        layer=layer,
        target=target_ref(model, target),
        image=picture,
        frame=frame,
        activation=parts.activation[0].cpu(),
        masks=masks[:, :, 0, 0].cpu(),
        scores=scores,
        curve=curve,
        channels=[],
        warnings=(
            *warnings_about(model, [image], normalising=spec.invert),
            *threshold_warnings(scores, perturbed=without_channels(layer), change=OTHER),
            *missed,
        ),
        timing=Timing(run_s=0, iterations=sweep.iterations),
        engine=engine_on(masks.device),
    )
    ranked = ranked_channels(parts, found.masks, found.optimal_mask, target, counts, variant=spec.variant)
    timing = found.timing.model_copy(update={"run_s": time.perf_counter() - started})
    return replace(found, channels=ranked, timing=timing), parts


def _solve(parts: Split, target: int, sweep: ChannelSweep, max_lanes: int, on_round: OnSolver) -> Tensor:
    """Return the masks, counts x K x 1 x 1."""
    lanes = channel_lanes(
        sweep.counts, parts.channels, target=target, variant=sweep.spec.variant, iterations=sweep.iterations
    )
    rule = sweep.preset.rule(lanes, parts.channels, parts.activation.device)
    solver = Solver(rule, parts.scores, max_lanes=max_lanes)
    for _ in Alone().run(solver):
        on_round(solver)
        give_way()
    return solver.image_masks(0)


def _point(point: CurvePoint, mass: float) -> ChannelPoint:
    """Return a point of a curve as one over counts."""
    fields = point.model_dump(exclude={"area", "measured_area", "predictions"})
    return ChannelPoint(area=round(point.area), measured_area=mass, **fields)


def _inversions(
    model: Classifier, parts: Split, found: ChannelExplanation, *, on_step: Callable[[int], None]
) -> dict[str, Tensor]:
    """Return the inversions of the layer, with all of its channels and with the optimal mask's (eq. 12)."""
    mask = found.optimal_mask.to(parts.activation.device)[None, :, None, None]
    pictures = invert(
        parts.tuned.head,
        torch.cat([parts.activation, mask * parts.activation]),
        size=found.frame.input_size,
        normalise=model.preprocessing.normalise,
        planes=model.preprocessing.planes,
        seed=found.spec.seed,
        cosine_power=CHANNEL_PRESETS[found.spec.preset].cosine_power,
        on_step=lambda done, _total: on_step(done),
    )
    return dict(zip((FULL, MASKED), pictures, strict=True))
