"""`ep dataset`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ep_core.errors import ModelUnavailable
from ep_core.schemas.specs import ExtremalSpec

from .from_spec import Fields, spec_command
from .target_pictures import TargetImage, TargetMask, check_for_all
from .terminal import FAILED, Device, ModelsFile, err_console, out_console, progress_bars

if TYPE_CHECKING:
    from ep_core.dataset.job import Job
    from ep_core.dataset.summary import Summary

PAGE, RESULTS, MASKS = "index.html", "results.parquet", "masks"
WINDOW_S = 120.0
"""Seconds that the time to go is estimated from: on a cluster, images come in batches."""
SAID = 5
"""Problems that are said in the terminal, at most."""
_SPEC = Fields(
    *(name for name in ExtremalSpec.model_fields if name != "task"), defaults={"alternatives": 0, "contrast": False}
)


@spec_command("dataset", stopped="what was finished is kept; the same command goes on from there")
def dataset(
    where: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="A folder, a pattern such as 'photos/*.jpg', or Parquet or WebDataset (.tar) shards; a path or an "
            "fsspec URL such as s3://bucket/photos.",
        ),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder of the results, a path or an fsspec URL.")],
    *,
    column: Annotated[str | None, typer.Option(help="Column of the images in Parquet files.")] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the classes in Parquet files; default: label, where there is one.")
    ] = None,
    labels: Annotated[
        bool, typer.Option(help="Whether images have labels: of files, the name of the folder that they are in.")
    ] = True,
    masks: Annotated[
        Literal["files", "parquet"],
        typer.Option(help="Masks as PNG files, or, of very many images, as rows of Parquet files."),
    ] = "files",
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Images on their way at once; default: 2 on a CPU, 16 on a GPU.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on this Ray cluster: auto, local (one of this machine), HOST:PORT."),
    ] = None,
    actors: Annotated[
        int | None, typer.Option(min=1, help="Actors on the cluster; default: as many as there is room for.")
    ] = None,
    cores: Annotated[int, typer.Option(min=1, help="Cores of each actor.")] = 1,
    gpus: Annotated[
        float | None, typer.Option(min=0, help="GPUs of each actor; default: one where the cluster has any.")
    ] = None,
    target_image: TargetImage = None,
    target_mask: TargetMask = None,
    spec: Annotated[ExtremalSpec, _SPEC],
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Explain all images of a dataset: a table, masks, and a page that sums them up.

    OUT has results.parquet, a row for each image (id, label, target, a*, curve,
    scores, stability, problem), the masks, and index.html: where a* is smallest and
    largest, by class, right against wrong predictions.

    What is finished is kept: after Ctrl-C, a crash or a full disk the same command
    goes on. A content is explained once, however many images have it. An image that
    can't be explained is a row with its problem; the exit status is then 1.
    """
    _require_extras(ray)
    from ep_core.dataset.listing import Reading, list_items
    from ep_core.dataset.on_ray import Cluster
    from ep_core.dataset.run import explain_dataset
    from ep_core.models import load_model

    job = _job(out, spec, models_file, device, target_image or target_mask, masks, at_once)
    cluster = None if ray is None else Cluster(address=ray, actors=actors, cores=cores, gpus=gpus)
    with progress_bars(window_s=WINDOW_S) as bars, _interrupts(heeded=cluster is None) as is_stopped:
        task = bars.add_task("listing the images", total=None)
        reading = Reading(image_column=column, label_column=label_column, labels=labels)
        items = list_items(where, reading, beside=job.out)
        bars.update(task, description=f"loading {spec.model}")
        model = load_model(spec.model, models_file=models_file, device=device if cluster is None else "cpu")
        check_for_all(model, spec, target_image or target_mask)
        bars.update(task, description=f"explaining {len(items)} images", total=len(items))
        summary = explain_dataset(
            job,
            model,
            items,
            cluster=cluster,
            is_stopped=is_stopped,
            on_progress=lambda done, of: bars.update(task, completed=done, total=of),
        )
    _tell(summary, out)
    if summary.images < len(items):
        kept = f"{summary.images} of {len(items)} are done and kept; the same command goes on from there"
        raise KeyboardInterrupt(kept)
    if summary.problems:
        raise typer.Exit(FAILED)


def _require_extras(ray: str | None) -> None:
    for module, extra in (("pyarrow", "dataset"), ("fsspec", "dataset"), *([("ray", "ray")] if ray else [])):
        if find_spec(module) is None:
            raise ModelUnavailable(f"datasets need the extra `{extra}`: pip install 'extremal-perturbations[{extra}]'")


def _job(
    out: str,
    spec: ExtremalSpec,
    models_file: Path | None,
    device: str | None,
    picture: Path | None,
    masks: Literal["files", "parquet"],
    at_once: int | None,
) -> Job:
    """Return the request; paths are absolute, as processes elsewhere have other folders to start from."""
    from ep_core.dataset.job import Job

    return Job(
        out=out if "://" in out else str(Path(out).absolute()),
        spec=spec,
        models_file=None if models_file is None else models_file.absolute(),
        device=device,
        target_picture=None if picture is None else picture.read_bytes(),
        masks=masks,
        at_once=at_once,
    )


@contextmanager
def _interrupts(*, heeded: bool) -> Iterator[Callable[[], bool]]:
    """Give what tells whether the user has pressed Ctrl-C; pressed again, or not heeded so, it interrupts."""
    asked = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: Any) -> None:
        if asked.is_set() or not heeded:
            signal.default_int_handler(number, frame)
        asked.set()

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(summary: Summary, out: str) -> None:
    """Print what was found, and where it is."""
    say = partial(out_console.print, highlight=False, soft_wrap=True)
    if summary.explained:
        middle = "none suffices" if summary.median is None else f"{summary.median:.1%}"
        say(f"{summary.explained} of {summary.images} images explained; median a*: {middle}", style="bold")
    if known := summary.right + summary.wrong:
        say(f"{summary.right} of {known} are predicted as they are labelled")
    for name, problem in summary.problems[:SAID]:
        err_console.print(f"ep dataset: {name}: {problem}", style="red", highlight=False, markup=False, soft_wrap=True)
    if failed := summary.images - summary.explained:
        say(f"{failed} of {summary.images} could not be explained: see the column problem", style="bold")
    say(f"the page is {out}/{PAGE}; {RESULTS} and {MASKS}/ are beside it", markup=False)
