"""Store of what was found, by content: what a run writes as it goes, and a later one goes on from. Imports no torch."""

from __future__ import annotations

import io
import json
import posixpath
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from ep_core.errors import InvalidInput

from .rows import Row, explained_schema
from .storage import Folder

if TYPE_CHECKING:
    import pyarrow as pa

ORIGIN, EXPLAINED, MASKS = "run.json", "explained", "masks"
PARQUET, PNG = ".parquet", ".png"
PART, MERGED = "part", "whole"
"""Beginnings of the names of parts: as they were written, of what was finished at once, and those made of many."""
MANY, MERGED_ROWS = 64, 1000
"""Parts from which on they are merged, and the least rows of one that is made of them."""

MasksIn = Literal["files", "parquet"]
"""Form of the masks: a PNG file each, or rows of Parquet files, for very many images."""


class Store:
    """What was found in the contents of a dataset, with their masks.

    A part is a Parquet file of some rows. It is written after their masks, whole or not at all, so that a content with
    a row is done.
    """

    def __init__(self, folder: Folder, masks: MasksIn = "files") -> None:
        """Open a store, which may be empty."""
        self._folder = folder
        self._masks = masks
        self._known: set[str] = set()
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def adopt(self, origin: Mapping[str, Any]) -> None:
        """Set what all results here come from: version, parameters, weights.

        Raises:
            InvalidInput: there are results of something else.
        """
        try:
            before = json.loads(self._folder.read(ORIGIN))
        except FileNotFoundError:
            self._folder.write(ORIGIN, (json.dumps(origin, indent=2) + "\n").encode())
            return
        differing = sorted(name for name in origin.keys() | before.keys() if origin.get(name) != before.get(name))
        if differing:
            raise InvalidInput(
                f"{self._folder.url} has results of another run: {', '.join(_differences(before, origin, differing))}. "
                "Name another folder, or give the same parameters",
                field="out",
            )

    def add(self, rows: Sequence[Row], masks: Mapping[str, Mapping[str, bytes]]) -> None:
        """Write rows as a part.

        Args:
            rows: of `explained_schema`.
            masks: the PNGs of each content's masks: by digest, then by key (`area_key` and others).

        Raises:
            OSError: they can't be written; nothing of them counts then.
        """
        import pyarrow as pa

        name = _new_name(PART)
        if self._masks == "files":
            for digest, of_content in masks.items():
                for key, png in of_content.items():
                    self._folder.write(f"{mask_folder(digest)}/{key}{PNG}", png)
        elif masks:
            held = [
                {"digest": digest, "mask": key, "png": png}
                for digest, of_content in masks.items()
                for key, png in of_content.items()
            ]
            self._write(f"{MASKS}/{name}", pa.Table.from_pylist(held))
        self._write(f"{EXPLAINED}/{name}", pa.Table.from_pylist(list(rows), schema=explained_schema()))

    def digests(self) -> set[str]:
        """Return the digests of all contents that are done."""
        with self._lock:
            for name in self._parts():
                if name not in self._seen and (part := self._read(name, ["digest"])) is not None:
                    self._known.update(part.column("digest").to_pylist())
                    self._seen.add(name)
            return set(self._known)

    def explained(self) -> Iterator[pa.Table]:
        """Yield all rows, of each content once."""
        import pyarrow as pa

        known: set[str] = set()
        for name in self._parts():
            part = self._read(name)
            if part is None:
                continue
            digests = part.column("digest").to_pylist()
            fresh = {digest: k for k, digest in enumerate(digests) if digest not in known}
            known.update(fresh)
            yield part.take(pa.array(fresh.values(), pa.int64())) if len(fresh) < len(digests) else part

    def masks(self, digests: Collection[str]) -> dict[str, dict[str, bytes]]:
        """Return the PNGs of the masks of contents, by digest and by key."""
        if self._masks == "files":
            return {digest: self._mask_files(digest) for digest in digests}
        import pyarrow.compute as pc

        found: dict[str, dict[str, bytes]] = {digest: {} for digest in digests}
        for name in self._folder.names(MASKS, PARQUET):
            if (part := self._read(name)) is not None:
                for row in part.filter(pc.field("digest").isin(list(digests))).to_pylist():
                    found[row["digest"]][row["mask"]] = row["png"]
        return found

    def merge(self) -> None:
        """Make large parts of many small ones.

        A part that is written meanwhile stays. Nothing is lost where it ends in between: a content counts once.
        """
        for folder in (EXPLAINED, MASKS):
            small = [name for name in self._folder.names(folder, PARQUET) if name.startswith(f"{folder}/{PART}")]
            if len(small) >= MANY:
                self._merge(folder, small)

    def _merge(self, folder: str, names: Sequence[str]) -> None:
        import pyarrow as pa

        held: dict[str, pa.Table] = {}
        for name in names:
            if (part := self._read(name)) is not None:
                held[name] = part
            if sum(map(len, held.values())) < MERGED_ROWS and name != names[-1]:
                continue
            self._write(f"{folder}/{_new_name(MERGED)}", pa.concat_tables(held.values()))
            for done in held:
                self._folder.remove(done)
            held.clear()

    def _parts(self) -> list[str]:
        return self._folder.names(EXPLAINED, PARQUET)

    def _mask_files(self, digest: str) -> dict[str, bytes]:
        names = self._folder.names(mask_folder(digest), PNG)
        return {posixpath.basename(name).removesuffix(PNG): self._folder.read(name) for name in names}

    def _write(self, name: str, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        data = io.BytesIO()
        pq.write_table(table, data, compression="zstd")
        self._folder.write(name, data.getvalue())

    def _read(self, name: str, columns: list[str] | None = None) -> pa.Table | None:
        """Return a part; None where it has become one with others meanwhile."""
        import pyarrow.parquet as pq

        try:
            return pq.read_table(io.BytesIO(self._folder.read(name)), columns=columns)
        except FileNotFoundError:
            return None


def mask_folder(digest: str) -> str:
    """Return the folder of a content's masks: in one of 256 folders, by the digest's first digits."""
    return f"{MASKS}/{digest[:2]}/{digest}"


def _new_name(kind: str) -> str:
    """Return a name that no other part has; by name, parts are in the order of their making."""
    return f"{kind}-{time.time_ns():x}-{uuid4().hex[:8]}{PARQUET}"


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Yield what differs; of parameters, each by itself."""
    for name in names:
        one, other = before.get(name), now.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            inner = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
            yield from _differences(one, other, inner)
        else:
            yield f"{name} was {one!r} and is {other!r}"
