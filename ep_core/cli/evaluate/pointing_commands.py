"""`ep evaluate pointing` and `ep evaluate grid`: the two pointing games as commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ep_core.cli.from_spec import Fields
from ep_core.cli.terminal import Device, ModelsFile, check_writable
from ep_core.errors import InvalidInput
from ep_core.schemas.specs import METHODS, CompareSpec

from .options import (
    ALL_METHODS,
    DEFAULT_OUT,
    Out,
    Photographs,
    Seeds,
    changed,
    conclude,
    evaluation,
    loaded,
    photographs_of,
    seeds_of,
    watched,
)

if TYPE_CHECKING:
    from ep_core.evaluation.data.annotations import DataSet
    from ep_core.evaluation.data.categories import ClassTargets
    from ep_core.models import Classifier

Game = Annotated[
    CompareSpec,
    Fields(
        *("methods", "areas", "layer", "samples", "preset", "iterations", "model"),
        defaults={"methods": METHODS, "areas": None},
        texts={"methods": ALL_METHODS, "areas": "Shares of the image of the extremal masks; default: section 4.2's."},
    ),
]
PAPERS_SEEDS = "0,1,2"  # three runs, as in table 1


@evaluation("pointing")
def pointing_command(
    *,
    coco_images: Annotated[
        list[Path] | None, typer.Option(help="Folder of COCO's pictures, such as val2014; may be given several times.")
    ] = None,
    coco_annotations: Annotated[
        list[Path] | None, typer.Option(help="COCO's instances_*.json for each --coco-images, in the same order.")
    ] = None,
    voc: Annotated[
        Path | None, typer.Option(help="Folder that holds VOCdevkit/VOC2007, of which test is used.")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(help="CSV of boxes: image,label,left,top,right,bottom, edges in pixels.")
    ] = None,
    box_images: Annotated[Path | None, typer.Option(help="Folder of the pictures that --boxes lists.")] = None,
    seeds: Seeds = PAPERS_SEEDS,
    images: Annotated[
        int | None, typer.Option("--images", "-n", min=1, help="Most pictures taken, the data set's first ones.")
    ] = None,
    spec: Game,
    out: Out = DEFAULT_OUT,
    tolerance: Annotated[float, typer.Option(min=0, help="Pixels by which a point may miss the object.")] = 15,
    fit: Annotated[
        str,
        typer.Option(
            help="whole: shorter side to the model's input size, proportions kept. stretch: to its very size."
        ),
    ] = "whole",
    difficult: Annotated[
        Path | None,
        typer.Option(help="Official list of difficult pairs (lines 'picture category'); default: by the definition."),
    ] = None,
    smoothed_alike: Annotated[
        bool,
        typer.Option(
            "--smoothed-alike",
            help="Ask again where a log of an earlier version lacks the points of maps that are all smoothed alike.",
        ),
    ] = False,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Play the pointing game (section 4.2): does each method's map have its maximum on an object of the class?"""
    check_writable(out)
    data = _data_set(coco_images or [], coco_annotations or [], voc, boxes, box_images)
    spec = _with_areas(spec, data.areas)
    drawn = seeds_of(seeds)
    from ep_core.evaluation.data.difficult import read_list
    from ep_core.evaluation.pointing import pointing

    hard = read_list(difficult) if difficult else None
    classifier = loaded(spec.model, models_file, device)
    classes = _classes(classifier, data, boxes is not None)
    with watched() as on_progress:
        report = pointing(
            classifier,
            data.first(images, classes.keys()),
            spec.methods,
            classes,
            spec=spec,
            seeds=drawn,
            tolerance=tolerance,
            fit=fit,  # type: ignore[arg-type]  # checked there
            difficult=hard,
            complete=smoothed_alike,
            logs=out / "pointing",
            on_progress=on_progress,
        )
    conclude(report, out)


@evaluation("grid")
def grid_command(
    photographs: Photographs,
    *,
    n: Annotated[int, typer.Option("--n", min=2, max=8, help="Photographs a side of a mosaic.")] = 2,
    mosaics: Annotated[int, typer.Option(min=1, help="Most mosaics, drawn with the first seed.")] = 60,
    threshold: Annotated[
        float, typer.Option(min=0, max=0.999, help="Probability above which a photograph's top class counts.")
    ] = 0.5,
    seeds: Seeds = PAPERS_SEEDS,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="Most photographs looked at, drawn with the first seed.")
    ] = None,
    spec: Game,
    out: Out = DEFAULT_OUT,
    fit: Annotated[
        str, typer.Option(help="whole: a mosaic is n times the model's input size. stretch: of its very size.")
    ] = "whole",
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Play the grid pointing game: how much of a class's map lies on its own photograph of a mosaic?"""
    check_writable(out)
    from ep_core.evaluation.grid import AREAS, grid

    drawn = seeds_of(seeds)
    spec = _with_areas(spec, AREAS)
    paths = photographs_of(photographs, images, drawn[0])
    classifier = loaded(spec.model, models_file, device)
    with watched() as on_progress:
        report = grid(
            classifier,
            paths,
            spec.methods,
            n=n,
            count=mosaics,
            threshold=threshold,
            spec=spec,
            seeds=drawn,
            fit=fit,  # type: ignore[arg-type]  # checked there
            logs=out / "grid",
            on_progress=on_progress,
        )
    conclude(report, out)


def _data_set(
    coco_images: list[Path], coco_annotations: list[Path], voc: Path | None, boxes: Path | None, box_images: Path | None
) -> DataSet:
    """Return the one data set that the options name."""
    if len(coco_images) != len(coco_annotations):
        raise InvalidInput("give --coco-annotations for each --coco-images", field="coco_annotations")
    if (boxes is None) != (box_images is None):
        raise InvalidInput("--boxes and --box-images belong together", field="boxes")
    if sum((bool(coco_images), voc is not None, boxes is not None)) != 1:
        raise InvalidInput("name one data set: --coco-images and --coco-annotations, or --voc, or --boxes")
    from ep_core.evaluation.data import coco, datasets

    if voc is not None:
        return datasets.voc2007(voc)
    if boxes is not None and box_images is not None:
        return datasets.boxes(box_images, boxes)
    return coco.coco(list(zip(coco_images, coco_annotations, strict=True)))


def _classes(classifier: Classifier, data: DataSet, by_label: bool) -> ClassTargets:
    from ep_core.evaluation.data.categories import class_targets, label_targets

    return (label_targets if by_label else class_targets)(data.categories, classifier.labels)


def _with_areas(spec: CompareSpec, areas: tuple[float, ...]) -> CompareSpec:
    """Return a spec with the game's areas, unless its own are given."""
    return spec if "areas" in spec.model_fields_set else changed(spec, areas=areas)
