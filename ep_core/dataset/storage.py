"""Folder of a dataset's results, local or at an fsspec URL: files that are whole or aren't there. Imports no torch."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import fsspec

from ep_core.errors import InvalidInput

HALF = ".half"
"""End of the name of a file that is being written."""


class Folder:
    """A folder of files."""

    def __init__(self, url: str) -> None:
        """Open a folder, which is made where it is missing.

        Raises:
            InvalidInput: there is no such file system here.
            OSError: it can't be written to.
        """
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidInput(f"{url} can't be opened: {error}", field="out") from error
        self.url = url
        self._local = "file" in self._files.protocol
        self._files.makedirs(self._root, exist_ok=True)

    def names(self, folder: str, suffix: str) -> list[str]:
        """Return the names of the files of a folder in it, sorted."""
        where = self._path(folder)
        self._files.invalidate_cache(where)
        if not self._files.isdir(where):
            return []
        found = (posixpath.basename(path) for path in self._files.ls(where, detail=False))
        return sorted(posixpath.join(folder, name) for name in found if name.endswith(suffix))

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        return bool(self._files.exists(self._path(name)))

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            FileNotFoundError: it isn't there.
        """
        return bytes(self._files.cat_file(self._path(name)))

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """Give a file, open to be read."""
        with self._files.open(self._path(name), "rb") as file:
            yield file

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole, or not at all."""
        if not self._local:
            self._files.pipe_file(self._path(name), data)  # whole or not at all, as object stores have it
            return
        with self.writing(name) as half:
            half.write_bytes(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Give a local file to write, which becomes the file of this name; after an error it doesn't."""
        if not self._local:
            with TemporaryDirectory() as folder:
                half = Path(folder, posixpath.basename(name))
                yield half
                self._files.put_file(str(half), self._path(name))
            return
        path = Path(self._path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f"{path.name}.{os.getpid()}{HALF}")
        try:
            yield half
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        try:
            self._files.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name)
