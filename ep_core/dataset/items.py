"""Images of a dataset: where each lies, and its bytes. Imports no torch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import fsspec

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["file", "member", "row"]
"""A file by itself, a member of a tar file (a WebDataset shard), or a row of a Parquet file."""
_KEPT = 2  # row groups that a reader keeps: images are read about in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An image of a dataset."""

    id: str
    """Its name, which no other image of the dataset has."""
    url: str
    """Path or fsspec URL of the file that holds it."""
    kind: Kind = "file"
    label: str | None = None
    """Class as the dataset names it."""
    start: int = 0
    """Of a member the first byte, of a row its number in the file."""
    size: int = 0
    """Bytes of a member."""
    column: str | None = None
    """Of a row's image."""
    problem: str | None = None
    """Reason why there are no bytes: the file that should hold images can't be read."""

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        return asdict(self)

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """Return the item of such a row."""
        return cls(**row)


@dataclass(frozen=True)
class Outcome:
    """What became of an image."""

    place: int
    """In the dataset's listing."""
    digest: str | None = None
    """SHA-256 of its file, 64 hex digits; None where that can't be read."""
    problem: str | None = None
    """Reason why there are no bytes; of what is wrong with the bytes, the store knows."""
    is_new: bool = False
    """Whether it was explained in this run: not known before, and no other image has the same content."""


class Unread(Exception):
    """The bytes of an image can't be read."""


class Reader:
    """Reads images of a dataset; for several threads."""

    def __init__(self) -> None:
        """Start without anything read."""
        self._groups: OrderedDict[tuple[str, str, int], list[bytes | None]] = OrderedDict()
        self._starts: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def read(self, item: Item) -> bytes:
        """Return the bytes of an image's file.

        Raises:
            Unread: there are none, or storage fails.
        """
        if item.problem is not None:
            raise Unread(item.problem)
        try:
            data = self._bytes(item)
        except Exception as error:  # of any file system: botocore's and aiohttp's are no OSError
            raise Unread(f"can't be read: {getattr(error, 'strerror', None) or error}") from error
        if data is None:
            raise Unread(f"the row has nothing in {item.column!r}")
        return data

    def _bytes(self, item: Item) -> bytes | None:
        if item.kind == "row":
            return self._row(item)
        files, path = fsspec.core.url_to_fs(item.url)
        if item.kind == "member":
            return bytes(files.cat_file(path, start=item.start, end=item.start + item.size))
        return bytes(files.cat_file(path))

    def _row(self, item: Item) -> bytes | None:
        """Return the image of a row; those of its row group are read at once."""
        with self._lock:
            starts = self._starts.get(item.url) or self._starts.setdefault(item.url, group_starts(item.url))
            group = max(k for k, start in enumerate(starts) if start <= item.start)
            key = (item.url, item.column or "", group)
            images = self._groups.pop(key, None)
            if images is None:
                images = _images(item.url, item.column or "", group)
            self._groups[key] = images
            while len(self._groups) > _KEPT:
                self._groups.popitem(last=False)
        return images[item.start - starts[group]]


def group_starts(url: str) -> list[int]:
    """Return the number of the first row of each row group of a Parquet file that has rows."""
    import pyarrow.parquet as pq

    with fsspec.open(url, "rb") as file:
        metadata = pq.ParquetFile(file).metadata
        counts = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
    return [sum(counts[:k]) for k in range(len(counts))]


def _images(url: str, column: str, group: int) -> list[bytes | None]:
    import pyarrow.parquet as pq

    with fsspec.open(url, "rb") as file:
        return bytes_of(pq.ParquetFile(file).read_row_group(group, columns=[column]).column(column))


def bytes_of(column: pa.ChunkedArray) -> list[bytes | None]:
    """Return the images of a column: bytes, or structs with bytes in them as Hugging Face's `datasets` writes them."""
    values = column.to_pylist()
    return [value["bytes"] if isinstance(value, dict) else value for value in values]
