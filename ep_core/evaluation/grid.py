"""Grid pointing game (Boehle et al., CVPR 2021): the share of a map that lies on the right picture of a mosaic."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import torch

from ep_core.errors import InvalidInput
from ep_core.evaluation.data.annotations import SceneFit, input_scores
from ep_core.evaluation.data.mosaics import Mosaic, assemble, cell_shares, draw_mosaics, find_confident
from ep_core.evaluation.reporting.report import Cell, EvaluationReport, Table
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.pictures.photographs import load
from ep_core.schemas.specs import CompareSpec

from .method_runs import (
    Find,
    MethodRuns,
    OnShare,
    Run,
    attribute,
    layers_read,
    over_runs,
    reading,
    run_methods,
    spec_settings,
    with_remarks,
)
from .run import OnRunProgress, Record, unwatched

AREAS = (0.025, 0.05, 0.1, 0.2)
"""Of extremal perturbations, as shares of the mosaic: the paper's for objects of this size (PASCAL VOC, 4.2)."""
SURVEYED = 0.1
"""Share of the progress that finding the confident pictures takes."""


def grid(
    model: Classifier,
    photographs: Sequence[Path],
    methods: Sequence[str],
    *,
    n: int = 2,
    count: int = 60,
    threshold: float = 0.5,
    spec: CompareSpec | None = None,
    seeds: Sequence[int] = (0,),
    fit: SceneFit = "whole",
    logs: Path | None = None,
    find: Find = get_method,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Let methods explain the class of each picture of mosaics, and measure the share of each map on its picture.

    The figure of a cell is the positive part of its class's map inside the cell, as a share of the positive part of the
    whole map; 1 / n^2 for a map without a positive part as for one that is the same everywhere.

    Args:
        model: the network.
        photographs: files. Those whose top class is more probable than `threshold` are used.
        methods: by name. One that can't explain the network gets a row with the reason.
        n: pictures a side.
        count: mosaics, fewer where the photographs don't give as many different ones.
        threshold: a probability in [0, 1).
        spec: the methods' parameters; None takes the defaults and `AREAS`.
        seeds: methods that draw at random run with each, the others once; the first one draws the mosaics.
        fit: ``"whole"`` shows the network n times its input size, each cell at its own; ``"stretch"`` scales the mosaic
            down to the input size, for networks that need it.
        logs: folder in which each method and seed keeps what is done; None keeps nothing.
        find: returns the methods.
        on_progress: called during the run.

    Raises:
        InvalidInput: fewer than n^2 classes among the confident pictures, the network doesn't take mosaics, a log is of
            other settings, or an argument is out of its range.
    """
    if n < 2 or count < 1 or not 0 <= threshold < 1 or not seeds:
        raise InvalidInput("the grid needs n >= 2, one mosaic and one seed at least, and a threshold in [0, 1)")
    spec = spec or CompareSpec(areas=AREAS)
    layer_of = reading(model, spec)
    size = _mosaic_size(model, n, fit)
    confident = find_confident(
        model, photographs, threshold=threshold, on_progress=lambda share, what: on_progress(SURVEYED * share, what)
    )
    mosaics = draw_mosaics(confident, n=n, count=count, seed=seeds[0])
    folder = Path(os.path.commonpath([path.parent for path in photographs]))  # names don't depend on where it lies
    settings = spec_settings(spec) | {"weights": model.weights_digest, "n": n, "input": fit}
    runs = run_methods(
        methods,
        mosaics,
        seeds=seeds,
        key=lambda mosaic: " | ".join(mosaic.files(folder)),
        work=_Game(model, n, size, spec).play,
        settings=settings,
        logs=logs,
        find=find,
        layer_of=layer_of,
        on_progress=lambda share, what: on_progress(SURVEYED + (1 - SURVEYED) * share, what),
    )
    settings |= {"threshold": threshold, "methods": list(methods), "seeds": list(seeds), "layers": layers_read(runs)}
    return EvaluationReport(
        benchmark="grid",
        title=f"Grid pointing game, {n} x {n}",
        about="The share of the positive part of a class's map that lies on the picture of that class, in a mosaic of "
        "pictures of different classes (Boehle, Fritz, Schiele: Convolutional Dynamic Alignment Networks, CVPR 2021).",
        settings=settings | {"mosaics": [mosaic.files(folder) for mosaic in mosaics]},
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(mosaics),
        seconds=sum(of_it.seconds for of_it in runs),
        tables=[_table(runs, n, qualified=sum(map(len, confident.values())), looked_at=len(photographs))],
    )


@dataclass(frozen=True)
class _Game:
    model: Classifier
    n: int
    size: tuple[int, int]
    spec: CompareSpec

    def play(self, run: Run, mosaic: Mosaic, share: OnShare) -> Record:
        """Return the share of each cell's map that lies in it."""
        cells = [self.model.preprocess(load(path))[0] for path in mosaic.paths]
        x = assemble(cells, self.n, self.size)
        maps, seconds = attribute(run, self.model, x, mosaic.classes, self.spec, share)
        return {"classes": mosaic.classes, "shares": cell_shares(maps, self.n), "seconds": seconds}


def _mosaic_size(model: Classifier, n: int, fit: SceneFit) -> tuple[int, int]:
    """Return height and width of a mosaic, which the network takes."""
    height, width = model.input_size
    if fit == "stretch":
        return height, width
    input_scores(model, torch.zeros(1, model.preprocessing.channels, n * height, n * width, device=model.device))
    return n * height, n * width


def _table(runs: Sequence[MethodRuns[Mosaic]], n: int, *, qualified: int, looked_at: int) -> Table:
    columns = ["Method", "Share inside", "sd of runs", "se of mosaics", "Uniform", "Seconds per mosaic", "Runs"]
    rows: list[list[Cell]] = []
    for of_it in runs:
        by_run = [[fmean(record["shares"]) for _, record in played] for played in of_it.runs]
        mean, deviation = over_runs([fmean(shares) for shares in by_run])
        over_mosaics = [fmean(shares) for shares in zip(*by_run, strict=True)]
        error = stdev(over_mosaics) / len(over_mosaics) ** 0.5 if len(over_mosaics) > 1 else None
        rows.append([of_it.title, mean, deviation, error, 1 / n**2, of_it.seconds_per_item, len(of_it.runs) or None])
    with_remarks(columns, rows, runs)
    return Table(
        title=f"Grid pointing game, {n} x {n}",
        columns=columns,
        rows=rows,
        note="Share inside: of the positive part of a map that lies in its class's cell, the mean over cells and "
        "mosaics; Uniform: that of a map that is the same everywhere. sd: standard deviation of runs with different "
        f"seeds; se: standard error of the mean over mosaics. {qualified} of {looked_at} photographs were recognised "
        "confidently enough.",
        best={"Share inside": "highest"},
    )
