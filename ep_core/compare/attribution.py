"""Runs of methods, each by itself: one that fails doesn't affect the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from ep_core.extremal.explanation import Explanation
from ep_core.extremal.preparation import Prepared
from ep_core.extremal.sweep import sweep
from ep_core.methods.base.method import AttributionRequest, MethodUnavailable
from ep_core.methods.base.passes import smaller_batches
from ep_core.methods.base.registry import get_method
from ep_core.methods.extremal import extremal_spec
from ep_core.models.classifier import Classifier
from ep_core.models.runtime.memory import free_memory, is_out_of_memory, is_poisoned
from ep_core.optimiser.solver import Runner
from ep_core.schemas.progress import OnProgress, Progress, Standing
from ep_core.schemas.reports.subject import Subject
from ep_core.schemas.specs import EXTREMAL, CompareSpec

from .comparison import Refusal

RANDOM_RIVALS = 16
SMALLER = (1, 4, 16)  # a method's batches, divided by so much, where memory runs out
MOST_WORDS = 200  # characters of an error's own text
SCORING = "scoring"  # what is left when all methods have answered

log = logging.getLogger(__name__)


@dataclass
class Attributions:
    """Answers of the methods, by name."""

    maps: dict[str, Tensor]
    """H x W each, on the network's device."""
    seconds: dict[str, float]
    refusals: dict[str, Refusal]
    layers: dict[str, str] = field(default_factory=dict)
    """The layers that they read, of those that read one."""
    costs: dict[str, float] = field(default_factory=dict)
    explanation: Explanation | None = None


class Watching:
    """Progress of the methods and their scoring, all together, in passes through the network."""

    def __init__(self, spec: CompareSpec, subject: Subject, on_progress: OnProgress | None) -> None:
        """Set what is planned, what is explained, and the receiver of the progress."""
        scored = (2 * len(spec.methods) + RANDOM_RIVALS) * len(spec.areas)
        self._passes = {name: _passes(name) for name in spec.methods} | {SCORING: scored}
        self._total = sum(self._passes.values())
        self._done = 0
        self._on_progress = on_progress
        self._subject = subject
        self._masks: Progress | None = None
        self._maps: dict[str, Tensor] = {}
        self.broken = False
        """True once `on_progress` has raised."""

    def share(self, name: str, share: float, within: Progress | None = None) -> None:
        """Note the share of a method's work that is done; `within` knows the masks that are being optimised."""
        self._masks = within or self._masks  # their curve stays visible while other methods run
        if self._on_progress is not None:
            iteration = self._done + round(share * self._passes[name])
            whole = self._masks or Progress(iteration, self._total)
            standing = Standing(stage=name, subjects=(self._subject,), maps=self._maps)
            self.broken = True  # unless it returns: what it raises is no method's fault
            self._on_progress(whole.part_of(iteration, self._total, standing))
            self.broken = False

    def done(self, name: str, found: Tensor | None = None) -> None:
        """Note that a method is done, and its map (H x W) where it has found one."""
        if found is not None:
            self._maps = {**self._maps, name: found}
        self.share(name, 1)
        self._done += self._passes[name]


def _passes(name: str) -> int:
    try:
        return get_method(name).passes
    except MethodUnavailable:
        return 1


def attribute_all(
    model: Classifier,
    image: Prepared[CompareSpec],
    watch: Watching,
    max_lanes: int | None,
    read_cost: Callable[[], float] | None,
    runner: Runner | None = None,
) -> Attributions:
    """Run all methods of an image's spec.

    Args:
        model: the classifier.
        image: the image.
        watch: receives the progress.
        max_lanes: as for `explain`.
        read_cost: returns what has been spent so far.
        runner: as for `explain`.

    Raises:
        MethodUnavailable: none can explain this model.
        Exception: none has answered, and this is what the first one failed by; or the device is unusable.
    """
    attributions, unexpected = Attributions({}, {}, {}), list[Exception]()
    for name in image.spec.methods:
        watch.share(name, 0)
        spent = read_cost() if read_cost else 0
        began = time.perf_counter()
        try:
            attribute = partial(_attribute, model, image, name, watch, max_lanes, attributions, runner)
            attributions.maps[name] = _in_smaller_batches(name, attribute, watch)
        except MethodUnavailable as error:
            attributions.refusals[name] = Refusal(name, error.detail)
        except Exception as error:
            if watch.broken or is_poisoned(error):
                raise
            unexpected.append(error)
            attributions.refusals[name] = Refusal(name, _reason(name, error), is_failure=not is_out_of_memory(error))
        attributions.seconds[name] = time.perf_counter() - began
        if read_cost:
            attributions.costs[name] = read_cost() - spent
        watch.done(name, attributions.maps.get(name))
    if not attributions.maps and unexpected:
        raise unexpected[0]
    if not attributions.maps:
        raise MethodUnavailable("; ".join(f"{one.method}: {one.reason}" for one in attributions.refusals.values()))
    return attributions


def _in_smaller_batches(name: str, attribute: Callable[[], Tensor], watch: Watching) -> Tensor:
    """Return what a method's `attribute` does, by smaller batches where memory runs out; the sweep halves its own."""
    *first, last = SMALLER if name != EXTREMAL else SMALLER[:1]
    for divisor in first:
        try:
            with smaller_batches(divisor):
                return attribute()
        except Exception as error:
            if watch.broken or not is_out_of_memory(error):
                raise
            error.__traceback__ = None  # its frames hold the tensors
            log.info("%s: out of memory in batches of 1/%d, once more in smaller ones", name, divisor)
        free_memory()
    with smaller_batches(last):
        return attribute()


def _reason(name: str, error: Exception) -> str:
    """Return the message of a method that failed unexpectedly; the log has the rest."""
    log.error("%s failed in a comparison", name, exc_info=error)
    error.__traceback__ = None
    if is_out_of_memory(error):
        return f"{name} needs more memory than there is, however small its batches"
    text = str(error).strip().partition("\n")[0][:MOST_WORDS]
    return f"{name} failed on this model: {type(error).__name__}{': ' if text else ''}{text}"


def _attribute(
    model: Classifier,
    image: Prepared[CompareSpec],
    name: str,
    watch: Watching,
    max_lanes: int | None,
    attributions: Attributions,
    runner: Runner | None,
) -> Tensor:
    """Return a method's map, H x W."""
    method = get_method(name)
    if name == EXTREMAL:
        (attributions.explanation,) = sweep(
            model,
            [image.x],
            extremal_spec(image.spec, image.target),
            on_progress=lambda progress: watch.share(name, progress.iteration / progress.total, progress),
            max_lanes=max_lanes,
            runner=runner,
        )
        return attributions.explanation.masks.sum(dim=0)[0].to(image.x.device)
    request = AttributionRequest(
        model=model,
        x=image.x,
        targets=(image.target,),
        spec=image.spec,
        on_share=lambda share: watch.share(name, share),
    )
    found = method.attribute(request)[0].detach()
    if method.layer is not None:
        attributions.layers[name] = method.layer(model, image.spec)
    if not found.isfinite().all():
        raise MethodUnavailable(f"{name} finds no finite map on this model")
    return found
