"""`ep explain` of several images: a folder for each, a page and a table of all, and no work done twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import TaskID
from rich.table import Column, Table

from ep_core.errors import InvalidInput, UnreadableImage
from ep_core.pictures.decoding import read_with_level
from ep_core.pictures.photographs import named_photographs
from ep_core.pictures.result_folder import picture_digest, result_key, write_result, write_whole
from ep_core.schemas.printable import printable
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.specs import ExtremalSpec

from .destination import check_page, write_page
from .several_results import Item, as_csv, as_document, as_page
from .target_pictures import check_for_all
from .terminal import FAILED, check_writable, err_console, print_json, progress_bars, say_failure, words_console
from .verdicts import shown_probability

if TYPE_CHECKING:
    from ep_core.models import Classifier

PAGE, TABLE, DOCUMENT = "index.html", "results.csv", "results.json"
STEM, KEY = 60, 12
"""Characters of a folder's name: of the file's own name at most, and of what the result depends on."""


def explain_several(
    names: Sequence[str],
    out: Path,
    spec: ExtremalSpec,
    *,
    page: Path | None = None,
    target_picture: Path | None = None,
    models_file: Path | None,
    device: str | None,
    as_json: bool,
) -> None:
    """Explain images one after the other, with one model; results that are there already are kept.

    Args:
        names: files, folders and patterns.
        out: folder of all results.
        spec: the sweep.
        page: of all images; None for one in `out`.
        target_picture: the target's own, one for all images.
        models_file: the operator's model list.
        device: where the model lives.
        as_json: whether to print the document on standard output, and all words on standard error.

    Raises:
        InvalidInput, ModelUnavailable, OSError: nothing can be explained so, or `out` can't be written to.
        typer.Exit: at the end, with `FAILED`, where an image could not be explained.
        KeyboardInterrupt: with a text that says what is kept, where something is.
    """
    check_writable(out)
    page = page or out / PAGE
    check_page(page)
    paths = named_photographs(names, beside=out)
    with progress_bars() as bars:
        task = bars.add_task(f"loading {spec.model}", total=None)
        from ep_core.models import load_model

        model = load_model(spec.model, models_file=models_file, device=device)
        check_for_all(model, spec, target_picture)
        run = _Run(model, spec, target_picture, out, bars, task)
        try:
            run.explain_all(paths)
        except KeyboardInterrupt:
            if not run.items:
                raise
            _write_all(run.items, out, page, spec)
            kept = f"{len(run.items)} of {len(paths)} are done and kept; the same command goes on from there"
            raise KeyboardInterrupt(kept) from None
        _write_all(run.items, out, page, spec)
    if as_json:
        print_json(as_document(run.items, spec))
    _summarise(run.items, out, page, console=words_console(as_json))
    if any(one.error for one in run.items):
        raise typer.Exit(FAILED)


@dataclass
class _Run:
    """Images that are explained one after the other."""

    model: Classifier
    spec: ExtremalSpec
    target_picture: Path | None
    out: Path
    bars: Bars
    task: TaskID
    items: list[Item] = field(default_factory=list)
    """Those that are done, in their order."""

    @cached_property
    def asked(self) -> str:
        """Parameters and the target's own picture, as `result_key` takes them."""
        return self.spec.model_dump_json() + picture_digest(self.target_picture)

    def explain_all(self, paths: Sequence[Path]) -> None:
        """Explain all images, each behind the bar of all."""
        folders: dict[Path, str] = {}
        for path in paths:
            with suppress(UnreadableImage):  # said when it is its turn
                folders[path] = self._folder(path, _content(path))
        waiting = {name for name in folders.values() if self._known(name) is None}
        self._say_what_is_there(sum(name not in waiting for name in folders.values()), len(paths))
        done = 0
        for k, path in enumerate(paths, 1):
            doing = f"{k} of {len(paths)} · {path.name}"
            self.bars.update(self.task, description=doing, completed=done, total=len(waiting))
            self.items.append(self._item(path, done))
            done += folders.get(path) in waiting

    def _folder(self, path: Path, data: bytes) -> str:
        """Return the name of an image's folder, which depends on all that the result does."""
        key = result_key(data, model_digest=self.model.digest, asked=self.asked)
        return f"{printable(path.stem)[:STEM]}-{key[:KEY]}"

    def _known(self, folder: str) -> ExtremalReport | None:
        """Return the report that is there already."""
        try:
            return ExtremalReport.model_validate_json((self.out / folder / RESULT).read_bytes())
        except (OSError, ValidationError):
            return None

    def _say_what_is_there(self, count: int, of: int) -> None:
        if count:
            said = f"{count} of {of} were there already, made of the same file, parameters and weights"
            err_console.print(said, highlight=False, soft_wrap=True)

    def _item(self, path: Path, done: int) -> Item:
        """Return an image's result, or why it has none. An error of writing is no image's fault: it ends the run."""
        file = printable(str(path))
        try:
            data = _content(path)
            folder = self._folder(path, data)
            report = self._known(folder) or self._explain(data, folder, done)
            return Item(file=file, path=path, folder=folder, report=report)
        except InvalidInput as error:
            say_failure("explain", file, error)
            return Item(file=file, path=path, error=printable(str(error)))

    def _explain(self, data: bytes, folder: str, done: int) -> ExtremalReport:
        from ep_core.engine import explain

        found = explain(
            self.model,
            read_with_level(data, self.spec.white_level),
            self.spec,
            on_progress=lambda one: self.bars.update(self.task, completed=done + one.iteration / one.total),
            target_picture=self.target_picture,
        )
        report = found.report()
        write_result(self.out / folder, found.files(), report)
        return report


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImage(f"the file can't be read: {error.strerror}") from error


def _write_all(items: Sequence[Item], out: Path, page: Path, spec: ExtremalSpec) -> None:
    """Write the page and the tables of what is done."""
    out.mkdir(parents=True, exist_ok=True)
    write_page(page, as_page(items, out, white_level=spec.white_level))
    write_whole(out / TABLE, as_csv(items, spec.areas))
    write_whole(out / DOCUMENT, json.dumps(as_document(items, spec), indent=2) + "\n")


def _summarise(items: Sequence[Item], out: Path, page: Path, *, console: Console) -> None:
    table = Table(Column("image", overflow="fold"), "class", "probability", "a*", box=None, header_style="bold")
    for one in items:
        if one.report is not None:
            area = one.report.optimal_area
            said = "not reached" if area is None else f"{area:.1%}"
            probability = shown_probability(one.report.scores.original_probability)
            table.add_row(escape(one.file), escape(one.report.target.label), probability, said)
    if table.rows:
        console.print(table)
    failed = sum(one.report is None for one in items)
    warned = sum(one.report is not None and bool(one.report.warnings) for one in items)
    for count, what in ((failed, "could not be explained"), (warned, f"have warnings: see {page.name}")):
        if count:
            console.print(f"{count} of {len(items)} {what}", style="bold", highlight=False)
    said = f"the page is {page}; {TABLE}, {DOCUMENT} and a folder for each image are in {out}/"
    console.print(said, highlight=False, markup=False, soft_wrap=True)
