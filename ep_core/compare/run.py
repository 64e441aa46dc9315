"""Comparison of methods: one map of each, all scored alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.extremal.best import beside_rivals
from ep_core.extremal.explanation import Explanation
from ep_core.extremal.extremality import rivals_of
from ep_core.extremal.preparation import Prepared, check_masked, prepare_image
from ep_core.extremal.promised import mask_warnings, of_curve, slack_of, warned_anew
from ep_core.extremal.search import Search
from ep_core.extremal.top_area import top_area_masks
from ep_core.extremal.watch import Watch
from ep_core.masks.scores import ClassScores, no_classes
from ep_core.methods.base.registry import get_method
from ep_core.models.arguments import AnyModel, given_inputs, given_lanes, given_spec
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref, target_ref, warnings_about
from ep_core.models.named_layer import resolve_layer
from ep_core.models.targets import given_target
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.presets import SPATIAL_PRESETS
from ep_core.optimiser.presets.promises import AREA_MISSED
from ep_core.optimiser.solver import Runner
from ep_core.pictures.given_image import AnyImage
from ep_core.pictures.progress_bar import progress_shown
from ep_core.schemas.progress import OnProgress
from ep_core.schemas.reports.common import Timing
from ep_core.schemas.specs import EXTREMAL, CompareSpec
from ep_core.schemas.warnings import ResultWarning

from .attribution import RANDOM_RIVALS, SCORING, Attributions, Watching, attribute_all
from .comparison import Answer, Comparison, Refusal
from .equal_areas import unequal_areas


@torch.inference_mode(False)  # whatever mode the caller is in
def compare(
    model: AnyModel,
    image: AnyImage,
    spec: CompareSpec | Mapping[str, Any] | None = None,
    *,
    on_progress: OnProgress | None = None,
    show_progress: bool | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
    read_cost: Callable[[], float] | None = None,
    runner: Runner | None = None,
) -> Comparison:
    """Ask several methods which parts of an image a class's score depends on, and score their top areas alike.

    The network is left as it was found (mode, gradients), also after an error. What `on_progress` raises passes through
    and ends the run.

    Args:
        model: the classifier; a bare network and a name will do (`AnyModel`).
        image: a picture in any form, or a 1 x 3 x H x W tensor that is already preprocessed (`AnyImage`).
        spec: which methods, and how, or a dict of that; None takes the defaults. Its `model` is ignored: the model
            is the one given.
        on_progress: called during the run.
        show_progress: whether to draw a progress bar; None: in a notebook.
        max_lanes: as for `explain`.
        target_picture: as for `explain`.
        read_cost: returns what has been spent so far; each answer's `cost` is what its map took of that.
        runner: as for `explain`; it runs the extremal masks.

    Raises:
        InvalidInput: the target is no class of the model, the layer none of its layers, the frame is too small, or what
            is given has a wrong type, shape or value; raised before any work.
        UnreadableImage, ImageTooLarge: the picture can't be decoded.
        MethodUnavailable: none of the methods can explain this model.
    """
    spec = given_spec(spec, CompareSpec)
    max_lanes = given_lanes(max_lanes)
    model, (picture,) = given_inputs(model, [image], [spec])
    check_masked(model, picture, spec)
    model, target = given_target(model, spec, picture, target_picture)
    started = time.perf_counter()
    if spec.layer is not None:
        resolve_layer(spec.layer, model.layers, model=model.name)
    bar = progress_shown("comparing", on_progress, show=show_progress)
    with model.frozen() as network, bar as tell:
        prepared = _without_predictions(prepare_image(model, network, picture, spec, target))
        scores = prepared.scores_by(network)
        subject = prepared.subject(target_ref(model, prepared.target))
        watch = Watching(spec, subject, tell)
        attributions = attribute_all(model, prepared, watch, max_lanes, read_cost, runner)
        answers = _score_all(prepared, scores, attributions, watch)
        explanation = _checked(network, prepared, scores, attributions, answers, max_lanes, runner or Alone())
        watch.done(SCORING)
    return Comparison(
        spec=prepared.spec,
        model=model_ref(model, prepared.frame.input_size),
        target=subject.target,
        image=prepared.picture,
        frame=prepared.frame,
        scores=subject.scores,
        methods=[answers.get(name) or attributions.refusals[name] for name in spec.methods],
        explanation=explanation,
        timing=Timing(
            run_s=time.perf_counter() - started, iterations=explanation.timing.iterations if explanation else 0
        ),
        engine=engine_on(prepared.x.device),
        warnings=_warnings(model, prepared, explanation, list(answers.values())),
    )


def _without_predictions(image: Prepared[CompareSpec]) -> Prepared[CompareSpec]:
    """Return an image without predictions: those of every method at every area would fill the report."""
    reference = image.reference.model_copy(update={"predictions": None})
    return replace(image, classes=no_classes, reference=reference)


def _warnings(
    model: Classifier, image: Prepared[CompareSpec], explanation: Explanation | None, answers: Sequence[Answer]
) -> tuple[ResultWarning, ...]:
    """Return all warnings of the model, as the methods normalise black and white, of the image, and of the sweep.

    Areas that a sweep has missed are reported once: as curves of unequal areas, where there are others beside its own.
    """
    known = warnings_about(model, [image.picture])
    unequal = unequal_areas(answers)
    told = {warning.kind for warning in known} | ({AREA_MISSED} if unequal else set())
    sweeps = explanation.warnings if explanation else ()
    return *known, *(warning for warning in sweeps if warning.kind not in told), *unequal


def _score_all(
    image: Prepared[CompareSpec], scores: ClassScores, attributions: Attributions, watch: Watching
) -> dict[str, Answer]:
    others = [name for name in attributions.maps if name != EXTREMAL]
    masks: dict[str, Tensor] = {}
    if others:
        maps = torch.stack([attributions.maps[name] for name in others])
        found = top_area_masks(maps, image.spec.areas, patches=image.patches)
        masks = dict(zip(others, found, strict=True))
    if attributions.explanation is not None:
        masks[EXTREMAL] = attributions.explanation.masks.to(image.x.device)
    answers: dict[str, Answer] = {}
    for name in attributions.maps:
        watch.share(SCORING, len(answers) / (1 + len(attributions.maps)))  # the rivals of the check are one more
        curve = image.curve(scores, masks[name])
        if not all(math.isfinite(number) for point in curve for number in (point.preserve, point.delete)):
            attributions.refusals[name] = Refusal(name, f"the masks of {name} have scores that are not finite numbers")
            continue
        answers[name] = Answer(
            method=name,
            title=get_method(name).title,
            source=get_method(name).source,
            seconds=attributions.seconds[name],
            cost=attributions.costs.get(name),
            layer=attributions.layers.get(name),
            map=attributions.maps[name].cpu(),
            masks=masks[name].cpu(),
            curve=curve,
        )
    return answers


def _checked(
    network: nn.Module,
    image: Prepared[CompareSpec],
    scores: ClassScores,
    attributions: Attributions,
    answers: dict[str, Answer],
    max_lanes: int | None,
    runner: Runner,
) -> Explanation | None:
    """Return the extremal sweep with its extremality; masks of `fast` that are beaten are replaced by better ones."""
    if attributions.explanation is None or EXTREMAL not in answers:
        return None
    own = answers[EXTREMAL]
    spec = image.spec
    names = [name for name in answers if name != EXTREMAL]
    maps = torch.stack([attributions.maps[name] for name in names]) if names else image.x[0, :0]
    rivals = rivals_of(
        names,
        maps.float(),
        own.curve,
        preset=spec.preset,
        random=RANDOM_RIVALS,
        seed=spec.seed,
        patches=image.patches,
    )
    search = None
    if SPATIAL_PRESETS[spec.preset].moves_starts:
        search = Search(image.searched(network, runner), Watch(0, None, runner), max_lanes)
    best = beside_rivals(image, scores, own.masks.to(image.x.device), own.curve, rivals, search)
    masks = best.masks.cpu()
    answers[EXTREMAL] = replace(own, map=masks.sum(dim=0)[0], masks=masks, curve=best.curve)
    return replace(
        attributions.explanation,
        image=image.picture,
        frame=image.frame,
        masks=masks,
        curve=best.curve,
        extremality=best.extremality,
        warnings=warned_anew(
            attributions.explanation.warnings,
            mask_warnings(of_curve(best.curve, slack_of(image.patches)), spec, image.size),
        ),
    )
