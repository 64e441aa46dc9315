"""Trials of several architectures, as many at once as there are cores."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace

import torch

from ep_core.models.runtime.device import pick_device

from .check import Checked, check
from .table import chosen

OnRow = Callable[[str, int, int], None]
"""Called with the architecture that was taken up or is next, and how many of how many are done."""


def check_all(names: Collection[str] = (), *, device: str | None = None, on_row: OnRow | None = None) -> list[Checked]:
    """Try architectures by every task, each on one core; on a GPU one after another.

    Args:
        names: those whose name or source is one of these; none takes all.
        device: where; by default the GPU, if there is one.
        on_row: called before the first one and after each.

    Returns:
        One for each, in the order of the table.

    Raises:
        InvalidInput: there is no such device, or no such architecture.
    """
    place = pick_device(device)
    rows = [row.name for row in chosen(names)]
    found: dict[str, Checked] = {}
    tell = on_row or (lambda _name, _done, _all: None)
    tell(rows[0], 0, len(rows))
    for one in _each(rows, place):
        found[one.name] = one
        waiting = [name for name in rows if name not in found]
        tell(waiting[0] if waiting else one.name, len(found), len(rows))
    return [found[name] for name in rows]


def _each(rows: list[str], device: torch.device) -> Iterator[Checked]:
    """Yield the trials as they end."""
    workers = min(len(rows), torch.get_num_threads()) if device.type == "cpu" else 1
    if workers == 1:
        for name in rows:
            yield _tried(name, str(device))
        return
    with _pool(workers) as pool:
        futures: list[Future[Checked]] = [pool.submit(_tried, name, str(device)) for name in rows]
        for future in as_completed(futures):
            yield future.result()


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes of one thread each; what hasn't begun when it ends early isn't begun."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _tried(name: str, device: str) -> Checked:
    for library in ("ep_core", "torch.fx", "transformers"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # the table has what they fail by
    (row,) = chosen([name])
    started = time.perf_counter()
    found = check(row, torch.device(device))
    return replace(found, seconds=time.perf_counter() - started)
