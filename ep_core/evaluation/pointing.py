"""Pointing game (Zhang et al., ECCV 2016; section 4.2): whether a map's highest point lies on the class's object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ep_core.errors import InvalidInput
from ep_core.evaluation.data.annotations import DataSet, Scene, SceneFit, input_scores, whole_input
from ep_core.evaluation.data.categories import ClassTargets
from ep_core.evaluation.data.difficult import DifficultList, is_difficult
from ep_core.evaluation.reporting.pointing_tables import equal_hit, tables
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier
from ep_core.models.inputs import engine_on, model_ref
from ep_core.schemas.specs import CompareSpec

from .method_runs import Find, OnShare, Run, attribute, layers_read, reading, run_methods, spec_settings
from .points import ALIKE, BEYOND, SMOOTHING, highest_point, is_hit, on_image
from .run import OnRunProgress, Record, unwatched

TOLERANCE = 15.0
"""Pixels of the picture by which a point may miss the object, as in TorchRay."""


def pointing(
    model: Classifier,
    data: DataSet,
    methods: Sequence[str],
    classes: ClassTargets,
    *,
    spec: CompareSpec | None = None,
    seeds: Sequence[int] = (0,),
    tolerance: float = TOLERANCE,
    fit: SceneFit = "whole",
    difficult: DifficultList | None = None,
    complete: bool = False,
    logs: Path | None = None,
    find: Find = get_method,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Let methods point at the objects of each category in each picture.

    A pair of picture and category is explained by the category's class that scores highest on this picture. A hit is a
    highest point on the category's objects, or within `tolerance` of them. Accuracy is hits / (hits + misses) of each
    category, averaged over the categories.

    Args:
        model: the network.
        data: pictures and objects; categories that `classes` lacks are left out.
        methods: by name. One that can't explain the network gets a row with the reason.
        classes: the network's classes for each category.
        spec: the methods' parameters; None takes the defaults and the data set's areas (4.2). Its seed, target and
            methods are ignored.
        seeds: methods that draw at random run with each; the others once.
        tolerance: in pixels of the picture, 0 or more.
        fit: how a picture becomes the network's input (`whole_input`).
        difficult: an official list of difficult pairs; None goes by the definition.
        complete: explain pictures again whose record is without the point of the equally smoothed map, as logs of
            earlier versions are; else a method with such a record gets no figures of maps smoothed alike.
        logs: folder in which each method and seed keeps what is done; None keeps nothing.
        find: returns the methods.
        on_progress: called during the run.

    Raises:
        InvalidInput: no picture shows a class, the network takes no whole pictures, a log is of other settings, or an
            argument is out of its range.
    """
    if tolerance < 0:
        raise InvalidInput(f"tolerance must be 0 or more, not {tolerance}", field="tolerance")
    spec = spec or CompareSpec(areas=data.areas)
    game = _Game(model, classes, spec, tolerance, fit, difficult)
    settings = game.settings() | {"data": data.title}
    scenes = data.first(None, classes.keys()).scenes
    runs = run_methods(
        methods,
        scenes,
        seeds=seeds,
        key=lambda scene: scene.name,
        work=game.play,
        settings=settings,
        logs=logs,
        find=find,
        layer_of=reading(model, spec),
        outdated=lambda run, record: complete and _lacks_equal(run, record),
        on_progress=on_progress,
    )
    left_out = sorted(set(data.categories) - classes.keys())
    return EvaluationReport(
        benchmark="pointing",
        title=f"Pointing game, {data.title}",
        about="Whether the highest point of each method's map of a class lies on an object of that class, or within "
        f"{tolerance:g} pixels of one (Zhang et al., ECCV 2016; section 4.2 of the paper).",
        settings=settings
        | {
            "methods": list(methods),
            "seeds": list(seeds),
            "smoothed_alike": ALIKE,
            "layers": layers_read(runs),
            "categories_left_out": left_out,
        },
        model=model_ref(model),
        engine=engine_on(model.device),
        items=len(scenes),
        seconds=sum(of_it.seconds for of_it in runs),
        tables=tables(runs, categories=len(data.categories), left_out=left_out),
    )


@dataclass(frozen=True)
class _Game:
    """Rules of the game, applied to one picture."""

    model: Classifier
    classes: ClassTargets
    spec: CompareSpec
    tolerance: float
    fit: SceneFit
    difficult: DifficultList | None

    def settings(self) -> Record:
        """Return the settings that the records depend on."""
        listed = {name: sorted(difficult) for name, difficult in (self.difficult or {}).items()}
        return spec_settings(self.spec) | {
            "weights": self.model.weights_digest,
            "input": self.fit,
            "tolerance": self.tolerance,
            "difficult": f"list {_digest(listed)}" if listed else "by definition",
            "classes": _digest(self.classes),
            "smoothing": SMOOTHING | {"beyond": BEYOND},
        }

    def play(self, run: Run, scene: Scene, share: OnShare) -> Record:
        """Return the highest point of a method's map for each category of a picture that the network knows."""
        x, frame = whole_input(self.model, scene.load(), self.fit)
        scores = input_scores(self.model, x).tolist()
        targets = {
            category: max(self.classes[category], key=scores.__getitem__)
            for category in scene.objects
            if category in self.classes
        }
        maps, seconds = attribute(run, self.model, x, list(targets.values()), self.spec, share)
        pairs = {}
        for (category, target), of_class in zip(targets.items(), maps.numpy(), strict=True):
            mask = scene.objects[category]()
            sigmas = SMOOTHING.get(run.name, 0.0), ALIKE
            point, alike = (highest_point(on_image(of_class, frame, sigma)) for sigma in sigmas)
            pairs[category] = {
                "target": target,
                "point": point,
                "hit": is_hit(mask, point, self.tolerance),
                "difficult": is_difficult(scene, category, mask, self.difficult),
                "equal": {"sigma": ALIKE, "point": alike, "hit": is_hit(mask, alike, self.tolerance)},
            }
        return {"pairs": pairs, "seconds": seconds}


def _lacks_equal(run: Run, record: Record) -> bool:
    return any(equal_hit(run.name, pair) is None for pair in record["pairs"].values())


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
