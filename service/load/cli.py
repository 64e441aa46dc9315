"""`ep bench load`: a running service under load."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from .api import LoadFailed, Service
from .figures import Figure, figures
from .measure import measure
from .phases import Mix
from .plots import plot

SAMPLES = Path(__file__).parents[1] / "dashboard" / "static" / "samples"
SMALL = '{"areas": [0.2], "alternatives": 0, "contrast": false}'


def load_command(
    photographs: Annotated[
        list[Path] | None, typer.Argument(help="Photographs; none: the dashboard's five samples.", exists=True)
    ] = None,
    *,
    url: Annotated[str, typer.Option(help="Address of the service, which has nothing else to do.")] = (
        "http://127.0.0.1:8000"
    ),
    key: Annotated[str | None, typer.Option(help="API key.", envvar="EP_KEY")] = None,
    jobs: Annotated[int, typer.Option(min=2, help="Jobs of each of the three phases.")] = 16,
    every: Annotated[int, typer.Option(min=2, help="One of so many jobs is a small one.")] = 4,
    params: Annotated[str, typer.Option(help="Parameters of the long jobs, as JSON.")] = "{}",
    small: Annotated[str, typer.Option(help="Parameters of the small ones beside these, as JSON.")] = SMALL,
    load: Annotated[
        float, typer.Option(min=0.05, max=2.0, help="Arrivals, as a share of the jobs a minute all at once.")
    ] = 0.8,
    seed: Annotated[int, typer.Option(help="Of the arrivals.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for load.json and load.svg.")] = None,
) -> None:
    """Measure a running service: jobs in turn, all at once, and as they come (Poisson arrivals)."""
    images = [path.read_bytes() for path in photographs or _samples()]
    long = _object(params, "--params")
    mix = Mix(images, long, long | _object(small, "--small"), every)
    console = Console(stderr=True)
    try:
        with console.status("starting") as status:
            measured = measure(
                Service(url, key),
                mix,
                jobs=jobs,
                load=load,
                seed=seed,
                on_job=lambda phase, done, total: status.update(f"{phase}: {done} of {total} jobs"),
            )
    except LoadFailed as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    found = figures(measured)
    Console().print(table_of(found))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        document = {"figures": [asdict(figure) for figure in found], **asdict(measured)}
        (out / "load.json").write_text(json.dumps(_plain(document), indent=2) + "\n")
        (out / "load.svg").write_text(plot(measured))


def table_of(found: list[Figure]) -> Table:
    """Return figures as a table for people."""
    table = Table()
    for heading, justify in (("measured", "left"), ("value", "right"), ("wanted", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for figure in found:
        wanted = "" if figure.bar is None else f"at most {figure.bar:g}"
        table.add_row(figure.name, f"{figure.value:.3g}", wanted, style=None if figure.met else "red")
    return table


def _samples() -> list[Path]:
    return sorted(path for path in SAMPLES.glob("*.jpg") if ".small." not in path.name)


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint=option) from error
    if not isinstance(found, dict):
        raise typer.BadParameter('give an object, such as {"areas": [0.2]}', param_hint=option)
    return found


def _plain(value: Any) -> Any:
    """Return a document whose keys are texts: labels are joined."""
    if isinstance(value, dict):
        return {" ".join(key) if isinstance(key, tuple) else key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value
