"""Images and outcomes as Arrow tables, in which Ray Data carries them. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from .items import Item, Outcome

if TYPE_CHECKING:
    import pyarrow as pa


@cache
def _item_schema() -> pa.Schema:
    import pyarrow as pa

    texts, numbers = ("id", "url", "kind", "label", "column", "problem"), ("place", "start", "size")
    return pa.schema(dict.fromkeys(texts, pa.string()) | dict.fromkeys(numbers, pa.int64()))


def item_batches(items: Sequence[Item], size: int) -> list[pa.Table]:
    """Return images, each with its place, in tables of so many rows."""
    import pyarrow as pa

    rows = [{"place": place} | item.as_row() for place, item in enumerate(items)]
    return [pa.Table.from_pylist(rows[k : k + size], schema=_item_schema()) for k in range(0, len(rows), size)]


def placed_items(batch: pa.Table) -> Iterator[tuple[int, Item]]:
    """Yield the images of such a table, each with its place."""
    for row in batch.to_pylist():
        place = row.pop("place")
        yield place, Item.of_row(row)


def outcome_table(outcomes: Iterable[Outcome]) -> pa.Table:
    """Return outcomes as a table."""
    import pyarrow as pa

    schema = {"place": pa.int64(), "digest": pa.string(), "problem": pa.string(), "is_new": pa.bool_()}
    return pa.Table.from_pylist([asdict(one) for one in outcomes], schema=pa.schema(schema))


def outcomes_of(table: pa.Table) -> Iterator[Outcome]:
    """Yield the outcomes of such a table."""
    return (Outcome(**row) for row in table.to_pylist())
