"""The sweep: extremal masks of several areas, of one image or of many at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from PIL import Image
from torch import Tensor, nn

from .errors import InvalidInput
from .explanation import Explanation
from .extremality import check_extremality, quick_rivals
from .inputs import Picture, check_shape, engine_on
from .lanes import Lane
from .models.classifier import Classifier
from .models.tuned import tune
from .perturbation import Pyramids
from .prepared import Prepared, prepare
from .presets import plan
from .progress import Progress
from .report import ModelRef, TargetRef, Timing
from .solver import Solver, max_lanes_on
from .spatial import spatial_solver
from .spec import ExtremalSpec
from .targets import resolve_target


def explain(
    model: Classifier,
    image: Picture,
    spec: ExtremalSpec | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    max_lanes: int | None = None,
) -> Explanation:
    """Find the extremal perturbations of an image (section 3): one mask per area, each with its scores.

    The network is left as it was found (mode, gradients), also after an error. What `on_progress` raises passes through
    and ends the run.

    Args:
        model: the classifier.
        image: a picture, or a 1 x 3 x H x W tensor that is already preprocessed.
        spec: what to find; None takes the defaults. Its `model` isn't looked at: the model is the one given.
        on_progress: called after every round of steps.
        max_lanes: masks stepped in one batch, at most (None: 16 on a CPU, 128 on a GPU). Halved where memory runs out.

    Raises:
        InvalidInput: the target is no class of the model, or the image has the wrong shape.
    """
    return explain_batch(model, [image], spec, on_progress=on_progress, max_lanes=max_lanes)[0]


def explain_batch(
    model: Classifier,
    images: Sequence[Picture],
    specs: ExtremalSpec | Sequence[ExtremalSpec] | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    max_lanes: int | None = None,
) -> list[Explanation]:
    """Explain many images together, the masks of all of them in one batch: see `explain`.

    An image's masks don't depend on its company. On a CPU they are the same to the bit as alone (tested for
    `mobilenet_v2`); where a library computes another batch size in another order, they differ as they do from one
    machine to the next: in the last bits of a step, from which an optimisation can end elsewhere.

    Args:
        model: the classifier.
        images: as for `explain`; their frames may differ in size.
        specs: what to find, one for all images or one for each; None takes the defaults.
        on_progress: called after every round of steps.
        max_lanes: masks stepped in one batch, at most. Memory grows with it, not with the number of images.

    Returns:
        One explanation per image, in their order. Its `timing.run_s` is the image's share of the whole.

    Raises:
        InvalidInput: as for `explain`, or there isn't one spec per image. Told before any work; a note on the error
            says which image it is about.
    """
    if specs is None or isinstance(specs, ExtremalSpec):
        specs = [specs or ExtremalSpec()] * len(images)
    if len(specs) != len(images):
        raise InvalidInput(f"{len(specs)} specs for {len(images)} images: give one for all, or one for each")
    lanes_at_once = max_lanes or max_lanes_on(model.device)
    wanted = [_wanted(model, k, image, spec) for k, (image, spec) in enumerate(zip(images, specs, strict=True))]
    total = sum(lane.steps for one in wanted for lane in plan(one.spec, image=0, target=0, first=0))
    done = 0

    def report(solver: Solver) -> None:
        if on_progress is not None:
            on_progress(Progress(done + solver.done, total, solver))

    explained: dict[int, Explanation] = {}
    with model.frozen() as network:
        for group in _groups(wanted, model, lanes_at_once):
            started = time.perf_counter()
            sweeps = [prepare(model, network, one.image, one.spec, one.target) for one in group]
            tuned = tune(network, sweeps[0].pyramid[[0, -1]])
            solver = _solver(tuned, sweeps, lanes_at_once)
            for _ in solver.run():
                report(solver)
            done += solver.total
            for k, (one, sweep) in enumerate(zip(group, sweeps, strict=True)):
                found = _explanation(model, sweep, solver.best_masks(k))
                timing = Timing(
                    run_s=(time.perf_counter() - started) / len(sweeps),
                    iterations=round(solver.lane_steps(k) / len(sweep.spec.areas)),
                )
                explained[one.place] = replace(found, timing=timing)
    return [explained[k] for k in range(len(images))]


@dataclass(frozen=True)
class _Wanted:
    """One image as it was asked for, checked."""

    place: int
    image: Picture
    spec: ExtremalSpec
    target: int | None
    """Class index; None for the top class."""

    def kind(self, model: Classifier) -> tuple[str, int, tuple[int, ...]]:
        """Return what images must share to be stepped together: preset, levels of the pyramid, size of the frame."""
        levels = self.spec.pyramid_levels if self.spec.perturbation == "blur" else 2
        size = model.input_size if isinstance(self.image, Image.Image) else tuple(self.image.shape[2:])
        return self.spec.preset, levels, size


def _wanted(model: Classifier, place: int, image: Picture, spec: ExtremalSpec) -> _Wanted:
    try:
        check_shape(image)
        target = None if spec.target is None else resolve_target(spec.target, model.labels)
    except InvalidInput as error:
        error.add_note(f"It is about images[{place}].")
        raise
    return _Wanted(place, image, spec, target)


def _groups(wanted: Sequence[_Wanted], model: Classifier, max_lanes: int) -> Iterator[list[_Wanted]]:
    """Yield images that can be stepped together, as many as keep the batches full and no more: each has a pyramid."""
    for _, alike in groupby(sorted(wanted, key=lambda one: one.kind(model)), key=lambda one: one.kind(model)):
        group: list[_Wanted] = []
        for one in alike:
            group.append(one)
            if sum(len(member.spec.areas) for member in group) >= 2 * max_lanes:
                yield group
                group = []
        if group:
            yield group


def _solver(network: nn.Module, sweeps: Sequence[Prepared[ExtremalSpec]], max_lanes: int) -> Solver:
    lanes: list[Lane] = []
    for k, sweep in enumerate(sweeps):
        lanes += plan(sweep.spec, image=k, target=sweep.target, first=len(lanes))
    pyramids = Pyramids(torch.stack([sweep.pyramid for sweep in sweeps]))
    return spatial_solver(network, pyramids, lanes, sweeps[0].spec.preset, max_lanes=max_lanes)


def _explanation(model: Classifier, sweep: Prepared[ExtremalSpec], masks: Tensor) -> Explanation:
    """Score the masks by the network as it is, beside their rivals."""
    network, spec = model.network, sweep.spec
    scores = sweep.class_scores(network)
    curve = sweep.curve(scores, masks)
    extremality = None
    if spec.check_extremality:
        rivals = quick_rivals(model, sweep)
        extremality = check_extremality(scores, sweep.target, spec.variant, curve, rivals)
    return Explanation(
        spec=spec,
        model=ModelRef(name=model.name, weights_digest=model.weights_digest, input_size=sweep.frame.input_size),
        target=TargetRef(index=sweep.target, label=model.labels[sweep.target]),
        image=sweep.picture,
        frame=sweep.frame,
        masks=masks.cpu(),
        scores=sweep.reference(scores),
        curve=curve,
        extremality=extremality,
        timing=Timing(run_s=0, iterations=0),
        engine=engine_on(masks.device),
    )
