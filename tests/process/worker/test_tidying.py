"""Memory that jobs leave in a worker, and what stays of it."""

from __future__ import annotations

import gc
import io
import linecache
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import fx, nn

from ep_core.models.runtime.heap import resident_bytes
from worker.broker.contract import JobState
from worker.process.tidying import GROWTH_BYTES, Tidier

from .conftest import Client, WorkerProcess
from .small_jobs import TINY

ROOT = Path(__file__).parents[3]
MOST_BYTES = 3 * GROWTH_BYTES  # the first job loads some 90 MB of modules
TIDY_S = 20.0  # after the job


class Lost:
    """Bytes that only a search for garbage finds."""

    def __init__(self, size: int) -> None:
        self.data = torch.ones(size, dtype=torch.uint8)
        self.itself = self


@pytest.fixture
def no_searches() -> Iterator[None]:
    """Python looks for no garbage by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


FREED = """
import gc, weakref
from ep_core.models.runtime.heap import keep_freed_memory, resident_bytes
from tests.process.worker.test_tidying import Lost
from worker.process.tidying import GROWTH_BYTES, Tidier
gc.collect()
gc.disable()
keep_freed_memory()  # as workers do
tidier, before = Tidier(), resident_bytes()
lost = weakref.ref(Lost(3 * GROWTH_BYTES))
grown = resident_bytes() - before
tidier.tidy()
print(grown > 2 * GROWTH_BYTES, lost() is None, resident_bytes() - before < GROWTH_BYTES)
"""


def test_garbage_is_freed_where_the_process_has_grown() -> None:
    """In a process of its own: this one may have memory that it freed before."""
    run = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == ["True"] * 3


@pytest.mark.usefixtures("no_searches")
def test_small_jobs_are_not_followed_by_a_search() -> None:
    tidier = Tidier()
    lost = weakref.ref(Lost(1))
    tidier.tidy()
    assert lost() is not None


@pytest.mark.usefixtures("no_searches")
def test_sources_of_traced_networks_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.process.tidying.GROWTH_BYTES", -GROWTH_BYTES)  # as if it had grown
    traced = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2)))
    source = traced.forward.__code__.co_filename
    assert linecache.getlines(source)
    Tidier().tidy()
    assert not linecache.getlines(source)
    assert traced(torch.ones(1, 2)).shape == (1, 2)


def test_a_large_picture_leaves_a_worker_as_small_as_before(own: Callable[..., tuple[Client, WorkerProcess]]) -> None:
    client, worker = own()
    picture = io.BytesIO()
    Image.new("RGB", (6000, 4000), "teal").save(picture, "PNG")
    ready = resident_bytes(worker.pid)
    job = client.wait_final(client.post(picture.getvalue(), **TINY))
    assert job.state is JobState.SUCCEEDED, job.error
    deadline = time.monotonic() + TIDY_S
    while (grown := resident_bytes(worker.pid) - ready) > MOST_BYTES:
        assert time.monotonic() < deadline, f"{grown / 2**20:.0f} MB more than before"
        time.sleep(0.05)
