"""`ep classify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ep_core.errors import InvalidInput
from ep_core.pictures.photographs import load, named_photographs
from ep_core.schemas.printable import printable
from ep_core.schemas.specs import ExtremalSpec

from .from_spec import Fields, spec_command
from .terminal import FAILED, Device, Images, ModelsFile, out_console, print_json, progress_bars, say_failure, warn
from .verdicts import shown_probability

if TYPE_CHECKING:
    from ep_core.models import Classifier


@spec_command("classify", stopped="nothing was printed")
def classify(
    images: Images,
    *,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Classes of each image.")] = 5,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="JSON on standard output: an object for a single file, a list for several images."),
    ] = False,
    spec: Annotated[ExtremalSpec, Fields("model", "fit", "white_level")],
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """See the classes that a model sees in photographs, the best first: what --target may be.

    A file that can't be read is said and left out; the exit status is then 1.
    """
    paths = named_photographs(images)
    with progress_bars() as bars:
        task = bars.add_task(f"loading {spec.model}", total=None)
        from ep_core.models import load_model

        model = load_model(spec.model, models_file=models_file, device=device)
        answers = []
        for k, path in enumerate(paths):
            bars.update(task, description=path.name, completed=k, total=len(paths))
            answers.append(_answer(model, path, spec, count))
    found = [one for one in answers if one is not None]
    if as_json:
        alone = len(images) == 1 and Path(images[0]).is_file()
        print_json(found[0] if alone and found else found)
    else:
        for one in found:
            _show(one)
    if len(found) < len(answers):
        raise typer.Exit(FAILED)


def _answer(model: Classifier, path: Path, spec: ExtremalSpec, count: int) -> dict[str, Any] | None:
    """Return what a model sees in a photograph, as `/v1/classify` does; say it and return None where it can't."""
    from ep_core.models.inputs import warnings_about
    from ep_core.models.top_classes import top_classes

    file = printable(str(path))
    try:
        picture = load(path, spec.white_level)
        classes = top_classes(model, picture, count=count, fit=spec.fit)
    except (InvalidInput, OSError) as error:
        say_failure("classify", file, error)
        return None
    return {
        "file": file,
        "model": model.name,
        "classes": [one.model_dump(mode="json") for one in classes],
        "warnings": [one.model_dump(mode="json") for one in warnings_about(model, [picture])],
    }


def _show(answer: dict[str, Any]) -> None:
    for warning in answer["warnings"]:
        warn(f"{answer['file']}: {warning['detail']}")
    table = Table("class", "index", "score", "probability", box=None, header_style="bold")
    for one in answer["classes"]:
        table.add_row(
            escape(one["label"]), str(one["index"]), f"{one['score']:.2f}", shown_probability(one["probability"])
        )
    out_console.print(
        f"{answer['file']}, {answer['model']}", style="bold", highlight=False, markup=False, soft_wrap=True
    )
    out_console.print(table)
