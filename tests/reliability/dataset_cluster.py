"""Datasets on a local Ray cluster of two nodes: against one process, and while its actors are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import ray
import torch
from ray.cluster_utils import Cluster as TestCluster

from ep_core.dataset.listing import list_items
from ep_core.dataset.on_ray import Cluster
from ep_core.dataset.run import explain_dataset
from ep_core.dataset.store import EXPLAINED

from .dataset_images import make_images, small_job
from .report import Line, Report
from .stack import ROOT, cpu_s

MOST = 1.15
"""Of the whole time of one process, that two actors take on the same cores."""
CORES = 2
IMAGES_PER_KILL = 15
STORE_BYTES = 100_000_000  # of the objects on a node: tables of names alone


def measure_actors(result: Report, line: Line, *, images: int) -> None:
    """Compare two actors of a core each, their start included, with one process of two cores."""
    with TemporaryDirectory(prefix="ep-dataset-") as name, _two_nodes():
        folder = Path(name)
        make_images(folder / "in", images)
        items = list_items(str(folder / "in"))
        torch.set_num_threads(CORES)
        seconds, cpu = {}, {}
        for out, cluster in (("here", None), ("there", Cluster(actors=CORES))):
            job, model = small_job(folder, out)
            began, used = time.perf_counter(), _used_s()
            done = explain_dataset(
                job, model, items, cluster=cluster, on_progress=lambda n, of, out=out: line.show(out, n, of)
            )
            seconds[out], cpu[out] = time.perf_counter() - began, _used_s() - used
            result.equals(f"images explained, {out}", done.explained, images)
    for out, what in (("here", "one process of two cores"), ("there", "two actors of a core each")):
        result.tell(f"{what}: s", round(seconds[out], 1))
        result.tell(f"{what}: s of CPU, Ray's own too", round(cpu[out], 1))
    result.at_most("two actors, times one process", round(seconds["there"] / seconds["here"], 3), MOST)


def measure_kills(result: Report, line: Line, *, kills: int) -> None:
    """Kill actors at random while they explain, and look for images that are lost or explained twice."""
    images = kills * IMAGES_PER_KILL
    with TemporaryDirectory(prefix="ep-dataset-") as name, _two_nodes():
        folder = Path(name)
        make_images(folder / "in", images)
        job, model = small_job(folder, "out")
        killer = _Killer(folder / "out" / EXPLAINED, kills)
        killer.start()
        done = explain_dataset(
            job,
            model,
            list_items(str(folder / "in")),
            cluster=Cluster(actors=CORES),
            on_progress=lambda n, of: line.show(f"images; {killer.killed} killed", n, of),
        )
        killer.join()
        written = [
            digest
            for part in (folder / "out" / EXPLAINED).glob("*.parquet")
            for digest in pq.read_table(part).column("digest").to_pylist()
        ]
    result.equals("actors killed", killer.killed, kills)
    result.equals("images explained", done.explained, images)
    result.equals("images lost", images - len(set(written)), 0)
    result.equals("images explained twice", len(written) - len(set(written)), 0)


class _Killer(threading.Thread):
    """Kills an actor each time that some more images are written."""

    def __init__(self, parts: Path, kills: int) -> None:
        super().__init__(daemon=True)
        self._parts = parts
        self._kills = kills
        self._chance = random.Random(0)
        self.killed = 0

    def run(self) -> None:
        """Kill until it is enough."""
        while self.killed < self._kills:
            wanted = (self.killed + 0.5) * IMAGES_PER_KILL
            while len(list(self._parts.glob("*.parquet"))) < wanted:
                time.sleep(0.02)
            time.sleep(self._chance.random())  # in whatever it does
            if pids := _actors():
                os.kill(self._chance.choice(pids), signal.SIGKILL)
                self.killed += 1


def _ours() -> dict[int, str]:
    """Return the processes that this one has started, and those of theirs: their commands by process id."""
    said = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=2) for line in said.stdout.splitlines()]
    parents = {int(pid): int(parent) for pid, parent, *_ in rows}

    def is_ours(pid: int) -> bool:
        while pid := parents.get(pid, 0):
            if pid == os.getpid():
                return True
        return False

    return {int(pid): " ".join(command) for pid, _, *command in rows if is_ours(int(pid))}


def _actors() -> list[int]:
    """Return the process ids of the actors that hold the model."""
    return [pid for pid, command in _ours().items() if "MapWorker" in command]


def _used_s() -> float:
    """Return the seconds of CPU of this process and of those that it has started and that still run."""
    used = time.process_time()
    for pid in _ours():
        with suppress(OSError):  # it has ended
            used += cpu_s(pid)
    return used


@contextmanager
def _two_nodes() -> Iterator[None]:
    """Start a cluster of two nodes with a core each on this machine, and connect to it."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONPATH"] = path  # for the actors: the small networks
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    cluster = TestCluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        yield
    finally:
        ray.shutdown()
        cluster.shutdown()
