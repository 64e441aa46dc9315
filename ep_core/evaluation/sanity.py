"""Sanity check of figure 7: similarity of maps before and after the network's weights are randomised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ep_core.compare.maps import SHOWN_QUANTILE, positive_part
from ep_core.evaluation.data.items import Subject, settings_of, subjects
from ep_core.evaluation.reporting.means import available, mean_curve, method_table, records
from ep_core.evaluation.reporting.plots import Panel, panels_plot
from ep_core.evaluation.reporting.report import EvaluationReport, Figure, Table
from ep_core.evaluation.reporting.strips import strip, strip_table
from ep_core.methods.base.method import OnShare
from ep_core.methods.base.method import unwatched as unwatched_share
from ep_core.methods.base.registry import get_method
from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref, top_class
from ep_core.pictures.heat import heat_map
from ep_core.pictures.overlays import png
from ep_core.schemas.specs import CompareSpec

from .cascade import cascade, stages
from .method_runs import MethodRuns, Run, attribute, layers_read, reading, run_methods
from .run import OnRunProgress, Record, unwatched
from .similarity import Map, rank_correlation, structural_similarity

BENCHMARK = "sanity"
DEPTHS = 8
SIMILARITIES = {"rank correlation": rank_correlation, "structural similarity": structural_similarity}
PLOT, PICTURE = f"{BENCHMARK}/similarity.svg", f"{BENCHMARK}/maps.png"

Runs = Sequence[MethodRuns[Subject]]


def sanity(
    model: Classifier,
    photographs: Sequence[Path],
    spec: CompareSpec,
    *,
    out: Path,
    depths: int = DEPTHS,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Compare maps of the trained network with maps of successively randomised ones (figure 7), for its top class.

    Weights are randomised from the last layer to the first, each network keeping what was randomised before
    (`cascade`). Masks of `extremal` are those of the hybrid variant, as in the paper.

    Args:
        model: the classifier.
        photographs: files; the maps of the first one are pictured.
        spec: the methods, and how; its seed draws the weights, too.
        out: folder of the reports; logs and pictures go into its folder ``sanity``.
        depths: most randomised networks that are used, evenly spread, the first and the last included.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: a log in `out` is of a run with other settings.
    """
    spec = spec.model_copy(update={"variant": "hybrid"})
    found = subjects(photographs)
    check = _Check(model, spec, depths, found[0], out / BENCHMARK)
    settings = settings_of(model, spec, depths=check.depths)
    runs = run_methods(
        spec.methods,
        found,
        seeds=[spec.seed],
        key=lambda subject: subject.key,
        work=check.work,
        settings=settings,
        logs=out / BENCHMARK,
        find=get_method,
        layer_of=reading(model, spec),
        on_progress=on_progress,
    )
    return EvaluationReport(
        benchmark=BENCHMARK,
        title="Sanity check by randomised weights",
        about="Similarity of the maps of a network to those of the same network with its weights randomised from the "
        "last layer down to the one named (Adebayo et al., NeurIPS 2018; figure 7). Maps that stay the same don't "
        "show what the network has learned.",
        settings=settings | {"seed": spec.seed, "layers": layers_read(runs)},
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(found),
        seconds=sum(of_it.seconds for of_it in runs),
        tables=[_table(runs, similarity, check.depths) for similarity in SIMILARITIES],
        figures=[_plot(runs, check.depths, out), _picture(runs, check, out)] if available(runs) else [],
    )


class _Check:
    """Maps of methods for a photograph under randomised networks; keeps a strip of the maps of the first one."""

    def __init__(self, model: Classifier, spec: CompareSpec, depths: int, first: Subject, folder: Path) -> None:
        self._model = model
        self._spec = spec
        self._first = first
        self._folder = folder
        with model.frozen() as network:
            self._stages = stages(network, first.network_input(model, spec.fit))
        places = np.linspace(0, len(self._stages) - 1, min(len(self._stages), depths)).round()
        self._asked = [self._stages[int(k)] for k in places]

    @property
    def depths(self) -> list[str]:
        """Names of the stages down to which the networks that are used are randomised."""
        return [stage.name for stage in self._asked]

    def work(self, run: Run, subject: Subject, on_share: OnShare) -> Record:
        """Return a method's record of a photograph: similarity of randomised networks' maps to the trained one's."""
        x = subject.network_input(self._model, self._spec.fit)
        with self._model.frozen() as network:
            target = top_class(network, x)
            maps, seconds = self._maps(run, x, target, on_share)
        if subject is self._first:
            path = self._strip(run.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(_drawn(self._model, x, maps)))
        alike = {
            similarity: [measure(maps[0], one) for one in maps[1:]] for similarity, measure in SIMILARITIES.items()
        }
        return {"label": self._model.labels[target], "seconds": seconds, **alike}

    def strip(self, name: str) -> Image.Image:
        """Return the maps of the first photograph by a method, made again where they are gone."""
        if not self._strip(name).exists():
            self.work(Run(name, get_method(name), self._spec.seed), self._first, unwatched_share)
        return Image.open(self._strip(name))

    def _strip(self, name: str) -> Path:
        return self._folder / f"{self._first.key}-{name}-{self._spec.seed}.png"

    def _maps(self, run: Run, x: Tensor, target: int, on_share: OnShare) -> tuple[list[Map], float]:
        """Return H x W maps of a class: of the trained network, then of the randomised ones; and seconds."""
        maps: list[Map] = []
        seconds = 0.0
        for who in self._networks(x):
            share = partial(_part, on_share, len(maps), 1 + len(self._asked))
            found, took = attribute(run, who, x, [target], self._spec, share)
            maps.append(found[0].numpy())
            seconds += took
        return maps, seconds

    def _networks(self, x: Tensor) -> Iterator[Classifier]:
        model = self._model
        yield model
        for stage, network in cascade(model.network, self._stages, x, seed=self._spec.seed):
            if stage in self._asked:
                yield Classifier(
                    network,
                    name=model.name,
                    preprocessing=model.preprocessing,
                    labels=model.labels,
                    weights_digest=f"{model.weights_digest}, randomised down to {stage.name}",
                    check=False,
                )


def _part(on_share: OnShare, done: int, total: int, share: float) -> None:
    on_share((done + share) / total)


def _drawn(model: Classifier, x: Tensor, maps: Sequence[Map]) -> Image.Image:
    picture = np.asarray(model.preprocessing.to_image(x))
    heats = [positive_part(torch.from_numpy(one), quantile=SHOWN_QUANTILE) for one in maps]
    return strip([heat_map(picture, heat) for heat in heats])


def _table(runs: Runs, similarity: str, depths: Sequence[str]) -> Table:
    table = Table(
        title=f"{similarity.capitalize()} with the trained network's maps",
        columns=["Method", *depths],
        rows=[],
        note="Means over the photographs. Each column's layers, and all that are computed later, are randomised.",
    )
    return method_table(table, runs, lambda found: list(mean_curve([record[similarity] for record in found])))


def _plot(runs: Runs, depths: Sequence[str], out: Path) -> Figure:
    panels = []
    for similarity in SIMILARITIES:
        means = {of_it.title: mean_curve([one[similarity] for one in records(of_it)]) for of_it in available(runs)}
        lines = {title: (depths, mean) for title, mean in means.items()}
        panels.append(Panel(title=similarity, xlabel="randomised down to", ylabel=similarity, lines=lines))
    (out / PLOT).write_bytes(panels_plot(panels, markers=True))
    return Figure(title="Similarity by depth", file=PLOT, caption="Means over the photographs.")


def _picture(runs: Runs, check: _Check, out: Path) -> Figure:
    strips = {of_it.title: check.strip(of_it.name) for of_it in available(runs)}
    (out / PICTURE).write_bytes(png(strip_table(["trained", *check.depths], strips)))
    return Figure(
        title="Maps by depth",
        file=PICTURE,
        caption="Of the first photograph: by the trained network, then randomised from the last layer down to the one "
        "named. What speaks for the class, each map by its own range.",
    )
