"""Images of a Parquet file: a row each. Imports no torch."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

import fsspec

from ep_core.errors import InvalidInput

from .items import Item

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE, LABEL = "image", "label"
_HUGGINGFACE = b"huggingface"  # key of a file's metadata, which has the names of classes


def rows_of(url: str, name: str, *, image_column: str | None, label_column: str | None) -> Iterator[Item]:
    """Yield the images of a Parquet file; of a damaged one, an item with the problem.

    Images are bytes, structs with `bytes` in them (as Hugging Face's `datasets` writes them), or texts: paths from the
    file's folder on, or URLs. Labels that are numbers have the names that the file's metadata gives them, if any.

    Args:
        url: of the file.
        name: of the file in the dataset. An image's id is that and the row's number, or its path.
        image_column: None: the only one that can hold images, or the one called `image`.
        label_column: None: the one called `label`, where there is such.

    Raises:
        InvalidInput: there is no such column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with fsspec.open(url, "rb") as file:
            parquet = pq.ParquetFile(file)
            schema, count = parquet.schema_arrow, parquet.metadata.num_rows
            column = _image_column(schema, image_column, name)
            labelled = _label_column(schema, label_column, name)
            has_paths = pa.types.is_string(schema.field(column).type) or pa.types.is_large_string(
                schema.field(column).type
            )
            wanted = [*([column] if has_paths else []), *([labelled] if labelled else [])]
            table = parquet.read(columns=wanted) if wanted else None
    except InvalidInput:
        raise
    except Exception as error:  # of any file system, and of pyarrow
        yield Item(id=name, url=url, problem=f"the Parquet file is damaged or can't be read: {error}")
        return
    labels = _labels(table, schema, labelled) if table is not None and labelled else [None] * count
    if has_paths and table is not None:
        for row, (path, label) in enumerate(zip(table.column(column).to_pylist(), labels, strict=True)):
            yield _by_path(url, name, row, path, label)
        return
    for row, label in enumerate(labels):
        yield Item(id=f"{name}#{row}", url=url, kind="row", label=label, start=row, column=column)


def _by_path(url: str, name: str, row: int, path: str | None, label: str | None) -> Item:
    if path is None:
        return Item(id=f"{name}#{row}", url=url, label=label, problem="the row names no image")
    absolute = "://" in path or path.startswith("/")
    return Item(id=f"{name}#{row}", url=path if absolute else posixpath.join(posixpath.dirname(url), path), label=label)


def _image_column(schema: pa.Schema, wanted: str | None, name: str) -> str:
    able = [field.name for field in schema if _holds_images(field.type)]
    if wanted is not None:
        if wanted not in schema.names:
            raise InvalidInput(f"{name} has no column {wanted!r}: it has {', '.join(schema.names)}", field="column")
        return wanted
    if IMAGE in schema.names:
        return IMAGE
    if len(able) != 1:
        what = f"several columns that may be images ({', '.join(able)})" if able else "no column of images"
        raise InvalidInput(
            f"{name} has {what}: name one with --column out of {', '.join(schema.names)}", field="column"
        )
    return able[0]


def _holds_images(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _label_column(schema: pa.Schema, wanted: str | None, name: str) -> str | None:
    if wanted is not None and wanted not in schema.names:
        raise InvalidInput(f"{name} has no column {wanted!r}: it has {', '.join(schema.names)}", field="label_column")
    return wanted or (LABEL if LABEL in schema.names else None)


def _labels(table: pa.Table, schema: pa.Schema, column: str) -> list[str | None]:
    names = _class_names(schema, column)
    return [
        None if value is None else names[value] if isinstance(value, int) and value < len(names) else str(value)
        for value in table.column(column).to_pylist()
    ]


def _class_names(schema: pa.Schema, column: str) -> list[str]:
    """Return the names of a column's classes, as Hugging Face's `datasets` writes them; none where it hasn't."""
    try:
        info = json.loads((schema.metadata or {})[_HUGGINGFACE])
        return list(map(str, info["info"]["features"][column]["names"]))
    except (KeyError, TypeError, ValueError):
        return []
