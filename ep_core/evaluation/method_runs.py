"""Runs of attribution methods on the same items, each with its own log, so that methods and seeds can be added."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Generic

import torch
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.evaluation.reporting.report import Cell
from ep_core.methods.base.method import AttributionRequest, Method, MethodUnavailable
from ep_core.models import Classifier
from ep_core.models.named_layer import resolve_layer
from ep_core.schemas.specs import CompareSpec

from .run import Item, ItemLog, OnRunProgress, Record, measure, unwatched

Find = Callable[[str], Method]
"""Returns a method by name; raises `MethodUnavailable`."""

LayerOf = Callable[[Method], str | None]
"""Returns the layer that a method reads, None where it reads none; raises `MethodUnavailable`."""

OnShare = Callable[[float], None]
"""Called with the share of an item's work that is done, in [0, 1]."""


@dataclass(frozen=True)
class Run:
    """One pass of a method over all items."""

    name: str
    """The method's."""
    method: Method
    seed: int


Work = Callable[[Run, Item, OnShare], Record]
"""Makes an item's record in a run; it holds the method's ``seconds``."""


Outdated = Callable[[Run, Record], bool]
"""Tells whether a record of a run lacks a figure, so that its item is explained again."""


@dataclass
class MethodRuns(Generic[Item]):
    """Records of one method for all items."""

    name: str
    title: str
    runs: list[list[tuple[Item, Record]]] = field(default_factory=list)
    """For each seed, the items and their records; one run where the seed changes nothing."""
    unavailable: str = ""
    """Reason why there are no runs."""
    layer: str | None = None
    """The layer that it reads; None where it reads none."""

    @property
    def seconds(self) -> float:
        """Of the method's work on the items, all runs together."""
        return sum(record["seconds"] for run in self.runs for _, record in run)

    @property
    def seconds_per_item(self) -> float | None:
        """None where it is unavailable."""
        return self.seconds / sum(map(len, self.runs)) if self.runs else None


def run_methods(
    methods: Sequence[str],
    items: Sequence[Item],
    *,
    seeds: Sequence[int],
    key: Callable[[Item], str],
    work: Work[Item],
    settings: Record,
    logs: Path | None,
    find: Find,
    layer_of: LayerOf,
    outdated: Outdated = lambda _run, _record: False,
    on_progress: OnRunProgress = unwatched,
) -> list[MethodRuns[Item]]:
    """Run methods on items, each with every seed, and those that draw nothing with the first one only.

    Args:
        methods: their names, all different.
        items: what they explain.
        seeds: all different, at least one.
        key: an item's name in the logs.
        work: makes an item's record.
        settings: what all records depend on besides method and seed.
        logs: folder of the logs, ``METHOD-SEED.jsonl``; None keeps none.
        find: returns the methods.
        layer_of: returns the layers that they read, on which their records depend, too.
        outdated: returns whether a record's item is to be explained again.
        on_progress: called during the runs.

    Raises:
        InvalidInput: methods or seeds are given twice, there are no items, or a log is of other settings.
    """
    _check(methods, items, seeds)
    done = {}
    plan: list[Run] = []
    for name in methods:
        title = name
        try:
            method = find(name)
            title = method.title
            layer = layer_of(method)
        except MethodUnavailable as error:
            done[name] = MethodRuns[Item](name, title, unavailable=str(error))
        else:
            done[name] = MethodRuns[Item](name, title, layer=layer)
            plan += [Run(name, method, seed) for seed in (seeds if method.random else seeds[:1])]
    for k, run in enumerate(plan):
        of_it = done[run.name]
        if of_it.unavailable:
            continue
        path = logs and logs / f"{run.name}-{run.seed}.jsonl"
        version = {"version": run.method.version} if run.method.version else {}
        log = ItemLog(path, settings | {"method": run.name, "seed": run.seed, "layer": of_it.layer} | version)
        for name in map(key, items):
            if name in log and outdated(run, log[name]):
                log.forget(name)
        try:
            of_it.runs.append(list(measure(items, key, partial(work, run), log, _part(plan, k, on_progress))))
        except MethodUnavailable as error:
            of_it.unavailable = str(error)
    on_progress(1, "")
    return list(done.values())


def attribute(
    run: Run, model: Classifier, x: Tensor, targets: Sequence[int], spec: CompareSpec, on_share: OnShare
) -> tuple[Tensor, float]:
    """Return a method's maps of several classes, T x H x W on the CPU in float64, and the seconds that it took.

    Args:
        run: the method, and the seed that takes the place of the spec's.
        model: the network.
        x: 1 x 3 x H x W.
        targets: T class indices.
        spec: how.
        on_share: receives the progress.

    Raises:
        MethodUnavailable: the network's structure forbids the method.
    """
    seeded = spec.model_copy(update={"seed": run.seed})
    started = time.perf_counter()
    with model.frozen():
        maps = run.method.attribute(AttributionRequest(model, x, tuple(targets), seeded, on_share))
    maps = maps.detach().cpu().to(torch.float64)
    return maps, round(time.perf_counter() - started, 4)


def with_remarks(columns: list[str], rows: list[list[Cell]], runs: Sequence[MethodRuns[Item]]) -> None:
    """Add a column with the reasons of methods without figures, where there are any."""
    if any(of_it.unavailable for of_it in runs):
        columns.append("Remark")
        for row, of_it in zip(rows, runs, strict=True):
            row.append(of_it.unavailable)


def reading(model: Classifier, spec: CompareSpec) -> LayerOf:
    """Return a function that gives the layers that methods read of a model, the spec's or their defaults.

    Raises:
        UnknownName, InvalidInput: the model has no layer of the spec's name.
    """
    if spec.layer is not None:
        resolve_layer(spec.layer, model.layers, model=model.name)
    return lambda method: None if method.layer is None else method.layer(model, spec)


def layers_read(runs: Sequence[MethodRuns[Item]]) -> dict[str, str]:
    """Return the layers that methods have read, by the methods' names, of those that read one."""
    return {of_it.name: of_it.layer for of_it in runs if of_it.layer is not None}


def spec_settings(spec: CompareSpec) -> Record:
    """Return the settings of a spec that a run's records depend on; methods, seeds and layers are the runs' own."""
    others = {"task", "model", "target", "methods", "seed", "fit", "layer", "white_level"}
    return spec.model_dump(mode="json", exclude=others)


def over_runs(figures: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Return mean and sample deviation over runs, None where there is none: no figure, or only one."""
    known = [figure for figure in figures if figure is not None]
    return (fmean(known) if known else None), (stdev(known) if len(known) > 1 else None)


def _part(plan: Sequence[Run], k: int, on_progress: OnRunProgress) -> OnRunProgress:
    """Return what turns shares of the k-th run into shares of all, each weighed by its method's passes."""
    weights = [run.method.passes for run in plan]
    before, own, total = sum(weights[:k]), weights[k], sum(weights)
    return lambda share, what: on_progress((before + share * own) / total, f"{plan[k].name} {what}")


def _check(methods: Sequence[str], items: Sequence[Item], seeds: Sequence[int]) -> None:
    for what, given in (("methods", methods), ("seeds", seeds)):
        if not given or len(set(given)) != len(given):
            raise InvalidInput(f"{what} must all be different, at least one", field=what)
    if min(seeds) < 0:
        raise InvalidInput("seeds must be 0 or more", field="seeds")
    if not items:
        raise InvalidInput("there is nothing to measure: no picture shows a class that the network knows")
