"""Comparing methods: asks each for its map, and scores all of them alike."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ep_core.baselines.method import MethodUnavailable, Question
from ep_core.baselines.methods.extremal import extremal_spec
from ep_core.baselines.passes import smaller_batches
from ep_core.baselines.registry import get_method
from ep_core.channels.choice import resolve_layer
from ep_core.explanation import Explanation
from ep_core.extremal.best import beside_rivals
from ep_core.extremal.search import Search
from ep_core.extremal.watch import Watch
from ep_core.extremality import rivals_of
from ep_core.inputs import Picture, check_shape, engine_on
from ep_core.lanes import ClassScores
from ep_core.memory import free_memory, is_out_of_memory, is_poisoned
from ep_core.models.classifier import Classifier
from ep_core.models.tuned import tune
from ep_core.prepared import Prepared, prepare
from ep_core.progress import OnProgress, Progress
from ep_core.report import ModelRef, TargetRef, Timing
from ep_core.spec import EXTREMAL, CompareSpec
from ep_core.sweep import explain
from ep_core.targets import resolve_target
from ep_core.top_area import top_area_masks

from .comparison import Answer, Comparison, Refusal

log = logging.getLogger(__name__)

RANDOM_RIVALS = 16
SMALLER = (1, 4, 16)  # a method's batches, divided by so much, where memory runs out
MOST_WORDS = 200  # characters of an error's own text
SCORING = "scoring"  # what is left when all methods have answered


def compare(
    model: Classifier,
    image: Picture,
    spec: CompareSpec | None = None,
    *,
    on_progress: OnProgress | None = None,
    max_lanes: int | None = None,
    read_cost: Callable[[], float] | None = None,
) -> Comparison:
    """Ask several methods which parts of an image a class's score depends on, and score their top areas alike.

    The network is left as it was found (mode, gradients), also after an error. What `on_progress` raises passes through
    and ends the run.

    Args:
        model: the classifier.
        image: a picture, or a 1 x 3 x H x W tensor that is already preprocessed.
        spec: which methods, and how; None takes the defaults. Its `model` isn't looked at: the model is the one given.
        on_progress: called as the work goes on.
        max_lanes: as for `explain`.
        read_cost: returns what has been spent so far; each answer's `cost` is what its map took of that.

    Raises:
        InvalidInput: the target is no class of the model, the layer none of its layers, or the image has the wrong
            shape.
        MethodUnavailable: none of the methods can explain this model.
    """
    spec = spec or CompareSpec()
    check_shape(image)
    target = None if spec.target is None else resolve_target(spec.target, model.labels)
    started = time.perf_counter()
    if spec.layer is not None:
        resolve_layer(spec.layer, model.layers, model=model.name, input_size=model.input_size)
    with model.frozen() as network:
        prepared = prepare(model, network, image, spec, target)
        scores = prepared.class_scores(network)
        watch = _Watch(spec, on_progress)
        asked = _ask_all(model, prepared, watch, max_lanes, read_cost)
        answers = _score_all(prepared, scores, asked, watch)
        explanation = _checked(network, prepared, scores, asked, answers, max_lanes)
        reference = prepared.reference(scores)
        watch.done(SCORING)
    return Comparison(
        spec=prepared.spec,
        model=ModelRef(name=model.name, weights_digest=model.weights_digest, input_size=prepared.frame.input_size),
        target=TargetRef(index=prepared.target, label=model.labels[prepared.target]),
        image=prepared.picture,
        frame=prepared.frame,
        scores=reference,
        methods=[answers.get(name) or asked.refusals[name] for name in spec.methods],
        explanation=explanation,
        timing=Timing(
            run_s=time.perf_counter() - started, iterations=explanation.timing.iterations if explanation else 0
        ),
        engine=engine_on(prepared.x.device),
    )


@dataclass
class _Asked:
    """What the methods said, by name."""

    maps: dict[str, Tensor]
    """H x W each, on the network's device."""
    seconds: dict[str, float]
    refusals: dict[str, Refusal]
    costs: dict[str, float] = field(default_factory=dict)
    explanation: Explanation | None = None


class _Watch:
    """Tells how far the methods and their scoring have come, all together, in passes through the network."""

    def __init__(self, spec: CompareSpec, on_progress: OnProgress | None) -> None:
        scored = (2 * len(spec.methods) + RANDOM_RIVALS) * len(spec.areas)
        self._passes = {name: _passes(name) for name in spec.methods} | {SCORING: scored}
        self._total = sum(self._passes.values())
        self._done = 0
        self._on_progress = on_progress
        self._masks: Progress | None = None
        self.broken = False
        """Whether `on_progress` has raised."""

    def share(self, name: str, share: float, within: Progress | None = None) -> None:
        """Note the share of a method's work that is done; `within` knows the masks that are being optimised."""
        self._masks = within or self._masks  # their curve stays to be seen while other methods go on
        if self._on_progress is not None:
            iteration = self._done + round(share * self._passes[name])
            whole = self._masks or Progress(iteration, self._total)
            self.broken = True  # unless it returns: what it raises is no method's fault
            self._on_progress(whole.part_of(iteration, self._total))
            self.broken = False

    def done(self, name: str) -> None:
        """Note that a method is done."""
        self.share(name, 1)
        self._done += self._passes[name]


def _passes(name: str) -> int:
    try:
        return get_method(name).passes
    except MethodUnavailable:
        return 1


def _ask_all(
    model: Classifier,
    image: Prepared[CompareSpec],
    watch: _Watch,
    max_lanes: int | None,
    read_cost: Callable[[], float] | None,
) -> _Asked:
    asked, unexpected = _Asked({}, {}, {}), list[Exception]()
    for name in image.spec.methods:
        spent = read_cost() if read_cost else 0
        began = time.perf_counter()
        try:
            asked.maps[name] = _ask_smaller(model, image, name, watch, max_lanes, asked)
        except MethodUnavailable as error:
            asked.refusals[name] = Refusal(name, error.detail)
        except Exception as error:
            if watch.broken or is_poisoned(error):
                raise
            unexpected.append(error)
            asked.refusals[name] = Refusal(name, _reason(name, error))
        asked.seconds[name] = time.perf_counter() - began
        if read_cost:
            asked.costs[name] = read_cost() - spent
        watch.done(name)
    if not asked.maps and unexpected:
        raise unexpected[0]
    if not asked.maps:
        raise MethodUnavailable("; ".join(f"{one.method}: {one.reason}" for one in asked.refusals.values()))
    return asked


def _ask_smaller(
    model: Classifier, image: Prepared[CompareSpec], name: str, watch: _Watch, max_lanes: int | None, asked: _Asked
) -> Tensor:
    """Return a method's map, H x W, by smaller batches where memory runs out."""
    for divisor in SMALLER:
        try:
            with smaller_batches(divisor):
                return _ask(model, image, name, watch, max_lanes, asked)
        except Exception as error:
            if watch.broken or not is_out_of_memory(error) or divisor == SMALLER[-1]:
                raise
            error.__traceback__ = None  # its frames hold the tensors
            log.info("%s: out of memory, once more in batches of 1/%d", name, SMALLER[SMALLER.index(divisor) + 1])
        free_memory()
    raise AssertionError("unreachable")


def _reason(name: str, error: Exception) -> str:
    """Return what to say of a method that failed unexpectedly; the log has the rest."""
    log.error("%s failed in a comparison", name, exc_info=error)
    error.__traceback__ = None
    if is_out_of_memory(error):
        return f"{name} needs more memory than there is, however small its batches"
    text = str(error).strip().partition("\n")[0][:MOST_WORDS]
    return f"{name} failed on this model: {type(error).__name__}{': ' if text else ''}{text}"


def _ask(
    model: Classifier, image: Prepared[CompareSpec], name: str, watch: _Watch, max_lanes: int | None, asked: _Asked
) -> Tensor:
    """Return a method's map, H x W."""
    method = get_method(name)
    if name == EXTREMAL:
        asked.explanation = explain(
            model,
            image.x,
            extremal_spec(image.spec, image.target),
            on_progress=lambda progress: watch.share(name, progress.iteration / progress.total, progress),
            max_lanes=max_lanes,
        )
        return asked.explanation.masks.sum(dim=0)[0].to(image.x.device)
    question = Question(
        model=model,
        x=image.x,
        targets=(image.target,),
        spec=image.spec,
        on_share=lambda share: watch.share(name, share),
    )
    found = method.attribute(question)[0].detach()
    if not found.isfinite().all():
        raise MethodUnavailable(f"{name} finds no finite map on this model")
    return found


def _score_all(image: Prepared[CompareSpec], scores: ClassScores, asked: _Asked, watch: _Watch) -> dict[str, Answer]:
    others = [name for name in asked.maps if name != EXTREMAL]
    masks: dict[str, Tensor] = {}
    if others:
        found = top_area_masks(torch.stack([asked.maps[name] for name in others]), image.spec.areas)
        masks = dict(zip(others, found, strict=True))
    if asked.explanation is not None:
        masks[EXTREMAL] = asked.explanation.masks.to(image.x.device)
    answers: dict[str, Answer] = {}
    for name in asked.maps:
        watch.share(SCORING, len(answers) / (1 + len(asked.maps)))  # the rivals of the check are one more
        curve = image.curve(scores, masks[name])
        if not all(math.isfinite(number) for point in curve for number in (point.preserve, point.delete)):
            asked.refusals[name] = Refusal(name, f"the masks of {name} have scores that are not finite numbers")
            continue
        answers[name] = Answer(
            method=name,
            title=get_method(name).title,
            source=get_method(name).source,
            seconds=asked.seconds[name],
            cost=asked.costs.get(name),
            map=asked.maps[name].cpu(),
            masks=masks[name].cpu(),
            curve=curve,
        )
    return answers


def _checked(
    network: nn.Module,
    image: Prepared[CompareSpec],
    scores: ClassScores,
    asked: _Asked,
    answers: dict[str, Answer],
    max_lanes: int | None,
) -> Explanation | None:
    """Return the extremal sweep beside the other answers; masks of `fast` that are beaten give way to better ones."""
    if asked.explanation is None or EXTREMAL not in answers:
        return None
    own = answers[EXTREMAL]
    spec = image.spec
    names = [name for name in answers if name != EXTREMAL]
    masks = own.masks.new_zeros(0, *own.masks.shape)
    if names:
        masks = torch.stack([answers[name].masks for name in names])
    rivals = rivals_of(names, masks.to(image.x.device), areas=spec.areas, random=RANDOM_RIVALS, seed=spec.seed)
    search = None
    if spec.preset == "fast":
        search = Search(tune(network, image.pyramid[[0, -1]]), Watch(0, None), max_lanes)
    best = beside_rivals(image, scores, own.masks.to(image.x.device), own.curve, rivals, search)
    masks = best.masks.cpu()
    answers[EXTREMAL] = replace(own, map=masks.sum(dim=0)[0], masks=masks, curve=best.curve)
    return replace(
        asked.explanation,
        image=image.picture,
        frame=image.frame,
        masks=masks,
        curve=best.curve,
        extremality=best.extremality,
    )
