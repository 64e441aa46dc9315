"""Results of a dataset: `results.parquet`, a row for each image, of what was found in its content. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .items import Item, Outcome
from .rows import PICTURE, Row, result_schema
from .storage import Folder
from .store import Store

RESULTS = "results.parquet"
ROWS = 10_000
"""Rows of a row group; inside of one, images are in the order of the listing."""


def write_results(
    folder: Folder, store: Store, items: Sequence[Item], outcomes: Sequence[Outcome], classes: Mapping[str, int | None]
) -> None:
    """Write a row for each image that is done, whole or not at all.

    Args:
        folder: of the results.
        store: what was found.
        items: the dataset's listing.
        outcomes: what became of its images, of those that have come to an end.
        classes: the model's class that each label names.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with (
        folder.writing(RESULTS) as path,
        pq.ParquetWriter(path, result_schema(), compression="zstd") as writer,
    ):
        for rows in _groups(_rows(store, items, outcomes, classes)):
            writer.write_table(pa.Table.from_pylist(rows, schema=result_schema()))


def earlier_outcomes(folder: Folder, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """Yield what became of further images in an earlier run: those that a run that was stopped has not come to."""
    come_to = {one.place for one in outcomes}
    places = {item.id: place for place, item in enumerate(items) if place not in come_to}
    for row in read_results(folder, ("id", "digest", "problem")):
        if row["id"] in places:
            problem = row["problem"] if row["digest"] is None else None
            yield Outcome(places[row["id"]], row["digest"], problem)


def read_results(folder: Folder, columns: Sequence[str]) -> Iterator[Row]:
    """Yield some columns of the results, row by row; nothing where there are none yet."""
    import pyarrow.parquet as pq

    if not folder.has(RESULTS):
        return
    with folder.reading(RESULTS) as file:
        for batch in pq.ParquetFile(file).iter_batches(columns=list(columns)):
            yield from batch.to_pylist()


def _groups(rows: Iterator[tuple[int, Row]]) -> Iterator[list[Row]]:
    """Yield rows in groups, each in the order of the listing."""
    group: list[tuple[int, Row]] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS:
            yield _in_order(group)
            group = []
    if group:
        yield _in_order(group)


def _in_order(group: list[tuple[int, Row]]) -> list[Row]:
    return [row for _, row in sorted(group, key=lambda one: one[0])]


def _rows(
    store: Store, items: Sequence[Item], outcomes: Sequence[Outcome], classes: Mapping[str, int | None]
) -> Iterator[tuple[int, Row]]:
    """Yield the row of each image, and its place in the listing."""
    places: dict[str, list[int]] = {}
    for one in outcomes:
        if one.digest is not None:
            places.setdefault(one.digest, []).append(one.place)
        else:
            yield one.place, _row(items[one.place], classes, {"problem": one.problem})
    for part in store.explained():
        for found in part.drop_columns([PICTURE]).to_pylist():
            for place in places.get(found["digest"], ()):
                yield place, _row(items[place], classes, found)


def _row(item: Item, classes: Mapping[str, int | None], found: Row) -> Row:
    wanted = None if item.label is None else classes.get(item.label)
    predicted = (found.get("predicted") or {}).get("index")
    right = None if wanted is None or predicted is None else wanted == predicted
    return {"id": item.id, "label": item.label, "label_index": wanted, "right": right} | found
