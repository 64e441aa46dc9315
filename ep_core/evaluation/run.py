"""Log of an evaluation's finished items, from which a stopped run is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ep_core.errors import InvalidInput

Item = TypeVar("Item")
Record = dict[str, Any]
"""Record of an item: JSON."""

OnRunProgress = Callable[[float, str], None]
"""Called with the share of the run that is done, in [0, 1], and what is being done."""


def unwatched(_share: float, _what: str) -> None:
    """Ignore progress."""


class ItemLog:
    """The items of a run that are done, by key, kept in a JSONL file as soon as they are known.

    The first line holds the run's settings; a file of other settings is refused, so that nothing is mixed up.
    """

    def __init__(self, path: Path | None, settings: Record) -> None:
        """Read what is done already.

        Args:
            path: the file; None keeps nothing.
            settings: whatever an item's record depends on, as JSON; more items of the same kind may be added later.

        Raises:
            InvalidInput: the file is of a run with other settings, or no such file at all.
        """
        self._path = path
        self._done: dict[str, Record] = {}
        settings = json.loads(json.dumps(settings))  # tuples become lists, as in the file
        if path is None:
            return
        if path.exists() and path.stat().st_size:
            self._read(path, settings)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append({"settings": settings})

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def __getitem__(self, key: str) -> Record:
        return self._done[key]

    def add(self, key: str, record: Record) -> None:
        """Keep an item's record."""
        self._done[key] = record
        self._append({"item": key} | record)

    def forget(self, key: str) -> None:
        """Have an item done again, for instance because its picture is gone."""
        self._done.pop(key, None)

    def _append(self, line: Record) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def _read(self, path: Path, settings: Record) -> None:
        first, *lines = path.read_text().splitlines()
        try:
            found = json.loads(first)["settings"]
        except (ValueError, KeyError, TypeError):
            raise InvalidInput(f"{path} is no log of an evaluation: choose another folder", field="out") from None
        if found != settings:
            names = [name for name in settings if found.get(name) != settings[name]]
            raise InvalidInput(
                f"{path} is of a run with other settings ({', '.join(names)}): choose another folder, or remove it",
                field="out",
            )
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # cut off when the run was stopped: done again
            self._done[record.pop("item")] = record
        if not path.read_bytes().endswith(b"\n"):
            with path.open("a") as file:
                file.write("\n")


def measure(
    items: Sequence[Item],
    key: Callable[[Item], str],
    work: Callable[[Item, Callable[[float], None]], Record],
    log: ItemLog,
    on_progress: OnRunProgress = unwatched,
) -> Iterator[tuple[Item, Record]]:
    """Yield every item with its record, worked out where the log doesn't have it yet.

    Args:
        items: what is measured.
        key: an item's name in the log, different for each.
        work: makes an item's record; it may say which share of it is done.
        log: of what is done.
        on_progress: called as the run goes on.
    """
    for k, item in enumerate(items):
        name = key(item)

        def share(done: float, k: int = k, name: str = name) -> None:
            on_progress((k + done) / len(items), name)

        share(0)
        if name not in log:
            log.add(name, work(item, share))
        yield item, log[name]
    on_progress(1, "")


def measure_groups(
    items: Sequence[Item],
    key: Callable[[Item], str],
    work: Callable[[Sequence[Item], Callable[[float], None]], Sequence[Record]],
    log: ItemLog,
    *,
    size: int,
    on_progress: OnRunProgress = unwatched,
) -> list[tuple[Item, Record]]:
    """Return every item with its record, those that the log doesn't have yet worked out together.

    Args:
        items: what is measured.
        key: an item's name in the log, different for each.
        work: makes the records of a group of items; it may say which share of it is done.
        log: of what is done, which grows by a group at a time.
        size: items in a group, at most.
        on_progress: called as the run goes on.
    """
    left = [item for item in items if key(item) not in log]
    done = len(items) - len(left)
    for first in range(0, len(left), size):
        group = left[first : first + size]

        def share(part: float, before: int = done + first, group: Sequence[Item] = group) -> None:
            on_progress((before + part * len(group)) / len(items), f"{len(group)} together, from {key(group[0])}")

        share(0)
        for item, record in zip(group, work(group, share), strict=True):
            log.add(key(item), record)
    on_progress(1, "")
    return [(item, log[key(item)]) for item in items]
