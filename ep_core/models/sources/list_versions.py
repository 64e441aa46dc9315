"""Versions of a list's models: one changes where the model, loaded again, may be another one. Imports no torch."""

from __future__ import annotations

import hashlib
import threading
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from .model_list import ModelEntry, read_model_list

Stamp = tuple[int, int, int] | None
"""Time of the last change in nanoseconds, size and inode of a file; None where it isn't there."""


class ListVersions:
    """Versions of a list's models, by their names, as the files are at the moment.

    The list is read again where it, its text files, or the files and folders of its models have changed; for that they
    are looked at, not read. Code of an entry point is left out: it stays as it was imported first.

    Args:
        path: the model list.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_at_a_time = threading.Lock()
        self._seen: dict[Path, Stamp] = {}
        self._versions: Mapping[str, str] = {}

    def now(self) -> Mapping[str, str]:
        """Return the versions; the same mapping as before where nothing has changed.

        Raises:
            InvalidInput: the list has changed, and is wrong. Said once: until it changes again, the last ones stay.
        """
        with self._one_at_a_time:
            if not self._seen or self._seen != _stamps(self._seen):
                self._seen = _stamps([self._path, *_text_files(self._path), *self._seen])
                self._read()
            return self._versions

    def _read(self) -> None:
        found = {name: (entry, _stamps(_files(entry))) for name, entry in read_model_list(self._path).items()}
        self._versions = {name: _version(*one) for name, one in found.items()}
        for _, stamps in found.values():
            self._seen |= stamps


def _stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _text_files(path: Path) -> Iterator[Path]:
    """Yield the files that a list reads labels and texts from."""
    with suppress(OSError, ValueError):  # the one who reads it says what is wrong
        for table in tomllib.loads(path.read_text(encoding="utf-8-sig")).get("models", {}).values():
            for key in ("labels", "texts"):
                if isinstance(table.get(key), str):
                    yield path.parent / table[key]


def _files(entry: ModelEntry) -> list[Path]:
    """Return the files that a model is loaded from, as far as they aren't a library's."""
    folders = [Path(place) for place in (entry.huggingface, entry.open_clip) if place and Path(place).is_dir()]
    found = [file for folder in folders for file in (folder, *sorted(folder.iterdir()))]
    return [*found, entry.file] if entry.file else found


def _version(entry: ModelEntry, stamps: Mapping[Path, Stamp]) -> str:
    return hashlib.sha256(f"{entry.model_dump_json()}\n{stamps}".encode()).hexdigest()
