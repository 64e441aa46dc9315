"""Sweep: extremal masks of several areas, of one image or of many at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

import torch

from ep_core.errors import InvalidInput
from ep_core.extremal.preparation import check_masked, frame_size
from ep_core.models.arguments import AnyModel, given_images, given_inputs, given_lanes, given_spec
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref, target_ref, warnings_about
from ep_core.models.runtime.batching import max_lanes_on
from ep_core.models.targets import given_target
from ep_core.optimiser.alone import Alone
from ep_core.optimiser.solver import Runner
from ep_core.pictures.given_image import AnyImage, Picture
from ep_core.schemas.finite import require_finite
from ep_core.schemas.progress import OnProgress
from ep_core.schemas.reports.common import Timing
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.reports.subject import Subject
from ep_core.schemas.specs import ExtremalSpec, Fit, Target
from ep_core.schemas.targets import AT_A_PLACE, kind_of
from ep_core.schemas.threshold import threshold_warnings

from .answers import Answers
from .explanation import Explanation
from .extremality import Rivals
from .preparation import Prepared, prepare_image
from .promised import mask_warnings, of_block, of_curve, slack_of
from .search import Search, SweepMasks, by_walks, planned_steps
from .watch import Watch

AnySpec = ExtremalSpec | Mapping[str, Any]
RivalsOf = Callable[[Classifier, Prepared[ExtremalSpec], Sequence[CurvePoint]], Rivals]
"""Returns masks of the areas of an image's own, to compare with these."""
Known = dict[tuple[Target, Fit, int | None], tuple[Classifier, int | None]]
"""Targets that are the same for all images, by how a second picture is read: its fit to the frame, and white level."""


@torch.inference_mode(False)  # whatever mode the caller is in
def sweep(
    model: AnyModel,
    images: Iterable[AnyImage],
    specs: AnySpec | Sequence[AnySpec] | None = None,
    *,
    rivals: RivalsOf | None = None,
    on_progress: OnProgress | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
    runner: Runner | None = None,
) -> list[Explanation]:
    """Find the masks of images: see `ep_core.explain_batch`, which is this with rivals.

    Args:
        model, images, specs, on_progress, max_lanes, target_picture: as for `explain_batch`.
        rivals: returns the masks that an image's own are checked against, where its spec wants them checked; None: no
            mask is checked.
    """
    images = given_images(images)
    asked = _specs_of(specs, len(images))
    max_lanes = given_lanes(max_lanes)
    model, pictures = given_inputs(model, images, asked)
    lanes_at_once = max_lanes or max_lanes_on(model.device)
    known: Known = {}
    wanted = [
        _wanted(model, k, picture, spec, target_picture, known)
        for k, (picture, spec) in enumerate(zip(pictures, asked, strict=True))
    ]
    runner = runner or Alone()
    watch = Watch(sum(planned_steps(one.spec) for one in wanted), on_progress, runner)
    explained: dict[int, Explanation] = {}
    for group in _groups(wanted, lanes_at_once):
        model = group[0].model
        with model.frozen() as network:
            started = time.perf_counter()
            sweeps = [prepare_image(model, network, one.image, one.spec, one.target) for one in group]
            subjects = [one.subject(target_ref(model, one.target)) for one in sweeps]
            watch.explains(subjects)
            search = Search(sweeps[0].searched(network, runner), watch, lanes_at_once)
            found = search.masks(sweeps)
            for one, prepared, subject, masks in zip(group, sweeps, subjects, found, strict=True):
                explained[one.place] = _explanation(model, search, one.image, prepared, subject, masks, rivals)
            share = (time.perf_counter() - started) / len(sweeps)
            for one in group:
                timing = explained[one.place].timing.model_copy(update={"run_s": share})
                explained[one.place] = replace(explained[one.place], timing=timing)
    if images:
        watch.finish()
    return [explained[k] for k in range(len(images))]


@dataclass(frozen=True)
class _Wanted:
    """Request for one image, checked."""

    place: int
    model: Classifier
    """Of the target: the classes' own, or one that gives the score of a contrast."""
    image: Picture
    spec: ExtremalSpec
    target: int | None
    """Class index; None for the top class."""

    @property
    def kind(self) -> tuple[int, str, bool, int, tuple[int, ...]]:
        """What images must share to be stepped together: network, preset, search, levels of the pyramid, frame."""
        levels = {"blur": self.spec.pyramid_levels, "fade": 2, "drop": 1}[self.spec.perturbation]
        return id(self.model), self.spec.preset, by_walks(self.spec), levels, frame_size(self.model, self.image)


def _specs_of(specs: AnySpec | Sequence[AnySpec] | None, count: int) -> list[ExtremalSpec]:
    """Return the spec of each image."""
    if isinstance(specs, str) or not isinstance(specs, Sequence):
        return [given_spec(specs, ExtremalSpec)] * count
    if len(specs) != count:
        raise InvalidInput(f"{len(specs)} specs for {count} images: give one for all, or one for each")
    return [given_spec(spec, ExtremalSpec) for spec in specs]


def _wanted(
    model: Classifier,
    place: int,
    image: Picture,
    spec: ExtremalSpec,
    target_picture: AnyImage | None,
    known: Known,
) -> _Wanted:
    """Return a request, checked; a target that is the same for all images is added to the known ones."""
    key = (spec.target, spec.fit, spec.white_level)
    try:
        check_masked(model, image, spec)
        found = known.get(key) or given_target(model, spec, image, target_picture)
    except InvalidInput as error:
        error.add_note(f"It is about images[{place}].")
        raise
    if kind_of(spec.target) not in AT_A_PLACE:
        known[key] = found
    scoring, target = found
    return _Wanted(place, scoring, image, spec, target)


def _groups(wanted: Sequence[_Wanted], max_lanes: int) -> Iterator[list[_Wanted]]:
    """Yield images that can be stepped together, as many as keep the batches full and no more: each has a pyramid."""
    for _, alike in groupby(sorted(wanted, key=attrgetter("kind")), key=attrgetter("kind")):
        group: list[_Wanted] = []
        for one in alike:
            group.append(one)
            if sum(len(member.spec.areas) for member in group) >= 2 * max_lanes:
                yield group
                group = []
        if group:
            yield group


def _explanation(
    model: Classifier,
    search: Search,
    image: Picture,
    prepared: Prepared[ExtremalSpec],
    subject: Subject,
    found: SweepMasks,
    rivals: RivalsOf | None,
) -> Explanation:
    """Score the masks by the network as it is, the best known ones, and add the further blocks of a result."""
    spec = prepared.spec
    scores = prepared.scores_by(model.network)
    answers = Answers(search, prepared, scores, found, partial(target_ref, model))
    kept = [point.preserve for point in answers.best.curve]
    require_finite([float(found.masks.sum())], model=model.name, perturbation=spec.perturbation, what="gradient")
    require_finite(kept, model=model.name, perturbation=spec.perturbation)
    if spec.check_extremality and rivals is not None:
        search.enter("rivals")
        answers.check_against(rivals(model, prepared, answers.best.curve))
    contrast = answers.contrast()  # first: either block may know a better mask, and a* depends on the contrast's alone
    alternatives = answers.alternatives()
    best = answers.best
    slack = slack_of(prepared.patches)
    masks = of_curve(best.curve, slack)
    masks += [of_block(one.mask, one.report.area, "an alternative", slack) for one in alternatives]
    if contrast is not None:
        masks.append(of_block(contrast.mask, contrast.report.area, "the contrast", slack))
    return Explanation(
        spec=spec,
        model=model_ref(model, prepared.frame.input_size),
        target=subject.target,
        image=prepared.picture,
        frame=prepared.frame,
        masks=best.masks.cpu(),
        scores=prepared.reference,
        curve=best.curve,
        extremality=best.extremality,
        stability=answers.stability(),
        alternatives=alternatives,
        contrast=contrast,
        warnings=(
            *warnings_about(model, [image], normalising=spec.perturbation == "fade"),
            *threshold_warnings(prepared.reference),
            *mask_warnings(masks, spec, prepared.size),
        ),
        timing=Timing(run_s=0, iterations=round(found.steps / len(spec.areas))),
        engine=engine_on(best.masks.device),
    )
