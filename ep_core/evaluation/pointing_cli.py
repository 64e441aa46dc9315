"""`ep evaluate pointing` and `ep evaluate grid`: the two pointing games as commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table as ShownTable

from ep_core.errors import InvalidInput
from ep_core.spec import DEFAULT_MODEL, METHODS, CompareSpec
from ep_core.terminal import (
    Device,
    ModelName,
    ModelsFile,
    check_writable,
    errors_in_words,
    listed,
    out_console,
    progress_bars,
)

from .report import EvaluationReport, Table, write_report
from .run import OnProgress

if TYPE_CHECKING:
    from ep_core.models import Classifier

    from .categories import ClassTargets
    from .scenes import DataSet

N = TypeVar("N", int, float)

Methods = Annotated[str, typer.Option(help="Methods, separated by commas.")]
Seeds = Annotated[
    str, typer.Option(help="Seeds, separated by commas: methods that draw at random run with each, the others once.")
]
Out = Annotated[Path, typer.Option(help="Folder of the report, and of the logs from which a stopped run goes on.")]
Areas = Annotated[
    str | None, typer.Option(help="Areas of extremal perturbations, separated by commas; default: section 4.2's.")
]
Samples = Annotated[int | None, typer.Option(min=1, help="Random images that RISE, LIME and SmoothGrad look at.")]
ALL_METHODS = ",".join(METHODS)


def pointing_command(
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
    methods: Methods = ALL_METHODS,
    seeds: Seeds = "0,1,2",
    images: Annotated[
        int | None, typer.Option("--images", "-n", min=1, help="Most pictures taken, the data set's first ones.")
    ] = None,
    out: Out = Path("evaluation"),
    areas: Areas = None,
    samples: Samples = None,
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
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Play the pointing game (section 4.2): does each method's map have its maximum on an object of the class?"""
    with errors_in_words("evaluate pointing", stopped="what is done is kept, and the same command goes on from there"):
        check_writable(out)
        data = _data_set(coco_images or [], coco_annotations or [], voc, boxes, box_images)
        names, numbers = _method_names(methods), _numbers(seeds, "seeds", int)
        spec = _spec(model, areas, data.areas, samples)
        from ep_core.models import load_model

        from .difficult import read_list
        from .pointing import pointing

        hard = read_list(difficult) if difficult else None
        classifier = load_model(model, models_file=models_file, device=device)
        classes = _classes(classifier, data, boxes is not None)
        report = _watched(
            lambda on_progress: pointing(
                classifier,
                data.first(images, classes.keys()),
                names,
                classes,
                spec=spec,
                seeds=numbers,
                tolerance=tolerance,
                fit=fit,  # type: ignore[arg-type]  # checked there
                difficult=hard,
                logs=out / "pointing",
                on_progress=on_progress,
            )
        )
        _finish(report, out)


def grid_command(
    photographs: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", exists=True)],
    n: Annotated[int, typer.Option("--n", min=2, max=8, help="Photographs a side of a mosaic.")] = 2,
    mosaics: Annotated[int, typer.Option(min=1, help="Most mosaics, drawn with the first seed.")] = 60,
    threshold: Annotated[
        float, typer.Option(min=0, max=0.999, help="Probability above which a photograph's top class counts.")
    ] = 0.5,
    methods: Methods = ALL_METHODS,
    seeds: Seeds = "0,1,2",
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="Most photographs looked at, drawn with the first seed.")
    ] = None,
    out: Out = Path("evaluation"),
    areas: Areas = None,
    samples: Samples = None,
    fit: Annotated[
        str, typer.Option(help="whole: a mosaic is n times the model's input size. stretch: of its very size.")
    ] = "whole",
    model: ModelName = DEFAULT_MODEL,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Play the grid pointing game: how much of a class's map lies on its own photograph of a mosaic?"""
    with errors_in_words("evaluate grid", stopped="what is done is kept, and the same command goes on from there"):
        check_writable(out)
        names, numbers = _method_names(methods), _numbers(seeds, "seeds", int)
        from ep_core.models import load_model
        from ep_core.photographs import all_photographs, pick

        from .grid import AREAS, grid

        paths = sorted(pick(photographs, count=images, seed=numbers[0])) if images else all_photographs(photographs)
        spec = _spec(model, areas, AREAS, samples)
        classifier = load_model(model, models_file=models_file, device=device)
        report = _watched(
            lambda on_progress: grid(
                classifier,
                paths,
                names,
                n=n,
                count=mosaics,
                threshold=threshold,
                spec=spec,
                seeds=numbers,
                fit=fit,  # type: ignore[arg-type]  # checked there
                logs=out / "grid",
                on_progress=on_progress,
            )
        )
        _finish(report, out)


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
    from . import coco, datasets

    if voc is not None:
        return datasets.voc2007(voc)
    if boxes is not None and box_images is not None:
        return datasets.boxes(box_images, boxes)
    return coco.coco(list(zip(coco_images, coco_annotations, strict=True)))


def _classes(classifier: Classifier, data: DataSet, by_label: bool) -> ClassTargets:
    from .categories import class_targets, label_targets

    return (label_targets if by_label else class_targets)(data.categories, classifier.labels)


def _method_names(text: str) -> list[str]:
    """Return the methods that an option lists, all known."""
    return list(CompareSpec.model_validate({"methods": listed(text)}).methods)


def _spec(model: str, areas: str | None, usual: tuple[float, ...], samples: int | None) -> CompareSpec:
    asked: dict[str, Any] = {"areas": _numbers(areas, "areas", float) if areas else usual}
    return CompareSpec.model_validate(asked | {"model": model, "samples": samples})


def _numbers(text: str, name: str, kind: Callable[[str], N]) -> list[N]:
    """Return the numbers of an option's value."""
    try:
        return [kind(part) for part in listed(text)]
    except ValueError:
        raise InvalidInput(f"{name} must be numbers separated by commas, not {text!r}", field=name) from None


def _watched(evaluate: Callable[[OnProgress], EvaluationReport]) -> EvaluationReport:
    with progress_bars() as bars:
        task = bars.add_task("", total=1.0)
        return evaluate(lambda share, what: bars.update(task, completed=share, description=what[:60]))


def _finish(report: EvaluationReport, out: Path) -> None:
    """Write the report, and show its first table; any other is longer than a terminal."""
    path = write_report(report, out)
    first, *more = report.tables
    out_console.print(f"{report.title}, {report.items} items", style="bold", highlight=False)
    out_console.print(_shown(first))
    out_console.print(first.note, highlight=False)
    also = f", with {', '.join(table.title for table in more)}" if more else ""
    out_console.print(f"the report is {path}{also}", highlight=False, soft_wrap=True)


def _shown(table: Table) -> ShownTable:
    shown = ShownTable(box=None, header_style="bold")
    for k, name in enumerate(table.columns):
        shown.add_column(name, justify="right" if table.is_figures(k) else "left")
    for row in table.rows:
        shown.add_row(*map(table.shown, row))
    return shown
