"""The memory of an API process, and of the decoders that it has started, from Linux's /proc."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

LOOK_S = 0.05
_RESET_PEAK = "5"


class Memory:
    """Watches a process and its descendants from entering the ``with`` block to leaving it.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        for pid in (self._pid, *descendants(self._pid)):
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._watcher.join()

    def peak(self) -> int:
        """Return the most bytes that the process itself has held so far."""
        return memory(self._pid, "VmHWM")

    def peak_of_decoders(self) -> int | None:
        """Return the most bytes that any one of its descendants has held so far; None where there was none."""
        return max(self._peaks.values(), default=None)

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            for pid in descendants(self._pid):
                with suppress(OSError, ValueError):  # it has ended
                    self._peaks[pid] = memory(pid, "VmHWM")


def memory(pid: int, what: str) -> int:
    """Return `VmRSS` (now) or `VmHWM` (the most) of a process, in bytes; raises `ValueError` where it has ended."""
    found = re.search(rf"^{what}:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"process {pid} has ended")
    return 1024 * int(found[1])


def descendants(pid: int) -> Iterator[int]:
    """Yield the children of a process, theirs, and so on."""
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, listed.read_text().split()):
                yield child
                yield from descendants(child)
