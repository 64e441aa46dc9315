"""Images and outcomes as Arrow tables, in which Ray Data carries them. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from ep_core.errors import InvalidInput, ModelUnavailable

from .items import Item, Outcome

if TYPE_CHECKING:
    import pyarrow as pa


FAULTS: dict[str, type[Exception]] = {
    "InvalidInput": InvalidInput,
    "ModelUnavailable": ModelUnavailable,
    "OSError": OSError,
}
"""Faults that end a run and that a user can mend. Ray keeps no more than the text of an exception."""


@cache
def _item_schema() -> pa.Schema:
    import pyarrow as pa

    texts, numbers = ("id", "url", "kind", "label", "column", "problem"), ("place", "start", "size")
    return pa.schema(dict.fromkeys(texts, pa.string()) | dict.fromkeys(numbers, pa.int64()))


@cache
def _outcome_schema() -> pa.Schema:
    import pyarrow as pa

    texts = dict.fromkeys(("digest", "problem", "fault"), pa.string())
    return pa.schema({"place": pa.int64(), "is_new": pa.bool_()} | texts)


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

    return pa.Table.from_pylist([asdict(one) for one in outcomes], schema=_outcome_schema())


def fault_table(fault: Exception) -> pa.Table:
    """Return a fault, one of `FAULTS`, as such a table."""
    import pyarrow as pa

    kind = next(name for name, one in FAULTS.items() if isinstance(fault, one))
    return pa.Table.from_pylist([{"fault": kind, "problem": str(fault)}], schema=_outcome_schema())


def outcomes_of(table: pa.Table) -> Iterator[Outcome]:
    """Yield the outcomes of such a table.

    Raises:
        Exception: the fault that it holds.
    """
    for row in table.to_pylist():
        fault = row.pop("fault")
        if fault is not None:
            raise FAULTS[fault](row["problem"])
        yield Outcome(**row)
