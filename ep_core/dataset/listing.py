"""Listing of a dataset: a folder, a pattern, Parquet or WebDataset shards, local or at an fsspec URL. No torch."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import fsspec

from ep_core.errors import InvalidInput
from ep_core.pictures.photographs import SUFFIXES

from .items import Item
from .parquet_shards import rows_of
from .tar_shards import members_of

PARQUET, TAR = ".parquet", ".tar"
_COMPRESSED = (".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
_MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Which columns of Parquet files, and whether labels, are read."""

    image_column: str | None = None
    """None: the only one that can hold images, or the one called `image`."""
    label_column: str | None = None
    """None: the one called `label`, where there is such."""
    labels: bool = True
    """Whether images have labels: of files, the name of their folder inside the dataset's."""


def list_items(where: str, reading: Reading | None = None, *, beside: str | None = None) -> list[Item]:
    """Return the images of a dataset, in the order of their files' names and of their places in these.

    Args:
        where: path or fsspec URL of a folder (image files, Parquet and tar files, also in the folders in it, without
            hidden ones), of such a file, or a pattern such as ``"s3://bucket/train/*.tar"``.
        reading: columns and labels.
        beside: a folder to pass over: that of the results.

    Raises:
        InvalidInput: there is nothing, or a file that can't be one of a dataset.
    """
    reading = reading or Reading()
    files, path = _opened(where)
    root, found = _files(files, path)
    passed_over = None if beside is None else _opened(beside)[1]
    items = [
        item
        for file in found
        if not _is_hidden(posixpath.relpath(file, root)) and not _is_inside(file, passed_over)
        for item in _items(files, file, root, reading)
    ]
    if not items:
        raise InvalidInput(
            f"no images, Parquet files or WebDataset shards (.tar) in {where}: name a folder, a file or a pattern",
            field="in",
        )
    return items if reading.labels else [replace(one, label=None) for one in items]


def _opened(where: str) -> tuple[Any, str]:
    try:
        files, path = fsspec.core.url_to_fs(where)
    except (ImportError, ValueError) as error:  # a file system whose package isn't installed, or an unknown one
        raise InvalidInput(f"{where} can't be opened: {error}", field="in") from error
    return files, path.rstrip("/") or "/"


def _files(files: Any, path: str) -> tuple[str, list[str]]:
    """Return the folder that names are told from, and the files, sorted."""
    if files.isdir(path):
        return path, sorted(files.find(path))
    if files.exists(path):
        return posixpath.dirname(path), [path]
    plain = posixpath.dirname(path[: found.start()]) if (found := _MAGIC.search(path)) else posixpath.dirname(path)
    return plain, sorted(one for one in files.glob(path) if files.isfile(one))


def _items(files: Any, file: str, root: str, reading: Reading) -> Iterator[Item]:
    name = posixpath.relpath(file, root)
    url = file if "file" in files.protocol else files.unstrip_protocol(file)
    lower = name.lower()
    if lower.endswith(_COMPRESSED):
        raise InvalidInput(f"{name} is compressed, so that no image in it can be read by itself: unpack it to {TAR}")
    if lower.endswith(PARQUET):
        yield from rows_of(url, name, image_column=reading.image_column, label_column=reading.label_column)
    elif lower.endswith(TAR):
        yield from members_of(url, name)
    elif posixpath.splitext(lower)[1] in SUFFIXES:
        yield Item(id=name, url=url, label=posixpath.basename(posixpath.dirname(name)) or None)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def _is_inside(file: str, folder: str | None) -> bool:
    return folder is not None and file.startswith(f"{folder}/")
