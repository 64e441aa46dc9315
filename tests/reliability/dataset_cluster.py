"""Datasets on a local Ray cluster of two nodes: against one process, and while its actors are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import ray
from ray.cluster_utils import Cluster as TestCluster

from ep_core.dataset.listing import list_items
from ep_core.dataset.on_ray import Cluster
from ep_core.dataset.results import RESULTS
from ep_core.dataset.run import explain_dataset
from ep_core.dataset.store import EXPLAINED

from .dataset_images import SPEC, make_images, small_job
from .report import Line, Report
from .stack import ROOT, cpu_s

MOST = 1.15
"""Of the whole time of one process, that two actors take on the same cores."""
CORES = 2
IMAGES_PER_KILL = 15
LOOK_S = 0.5
STORE_BYTES = 100_000_000  # of the objects on a node: tables of names alone


def measure_actors(result: Report, line: Line, *, images: int) -> None:
    """Compare the whole command: on two actors of a core each, and in one process of two cores."""
    with TemporaryDirectory(prefix="ep-dataset-") as name, _two_nodes() as address:
        folder = Path(name)
        make_images(folder / "in", images)
        on_ray = ("--ray", address, "--actors", str(CORES))
        found = {
            what: _timed(_command(folder, out, *options), lambda out=out: line.show(out))
            for what, out, options in (("one process", "here", ()), ("two actors", "there", on_ray))
        }
        for out in ("here", "there"):
            rows = pq.read_table(folder / out / RESULTS, columns=["problem"])
            result.equals(f"images explained, {out}", rows.column("problem").null_count, images)
    for what, (seconds, used) in found.items():
        result.tell(f"{what}: s", round(seconds, 1))
        result.tell(f"{what}: s of CPU, with Ray's own", round(used, 1))
    here, there = found["one process"], found["two actors"]
    result.tell("CPU of two actors, times one process", f"{there[1] / here[1]:.2f}")
    result.check(
        "two actors, times one process", f"{there[0] / here[0]:.2f}", f"<= {MOST}", met=there[0] <= MOST * here[0]
    )


def _command(folder: Path, out: str, *options: str) -> list[str]:
    """Return the command of a run over the small images, by the parameters of `SPEC`."""
    small_job(folder, out)
    network = ("--model", SPEC.model, "--models-file", str(folder / "models.toml"), "--device", "cpu")
    areas = ",".join(map(str, SPEC.areas))
    asked = ("--areas", areas, "--iterations", str(SPEC.iterations), "--threshold", str(SPEC.threshold), "--no-check")
    said = (sys.executable, "-m", "ep_core.cli.main", "dataset")
    return [*said, str(folder / "in"), str(folder / out), *network, *asked, *options]


def _timed(command: list[str], on_look: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that a command takes, and those of CPU that it and the cluster use meanwhile."""
    env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    before, after = _used_s(), dict[int, float]()
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        while running.poll() is None:
            on_look()
            after |= _used_s()
            time.sleep(LOOK_S)
        seconds = time.perf_counter() - began
        if running.returncode and running.stderr:
            raise RuntimeError(running.stderr.read().decode())
    return seconds, sum(used - before.get(pid, 0.0) for pid, used in after.items())


def measure_kills(result: Report, line: Line, *, kills: int) -> None:
    """Kill actors at random while they explain, and look for images that are lost or explained twice."""
    images = kills * IMAGES_PER_KILL
    with TemporaryDirectory(prefix="ep-dataset-") as name, _two_nodes() as address:
        folder = Path(name)
        make_images(folder / "in", images)
        job, model = small_job(folder, "out")
        killer = _Killer(folder / "out" / EXPLAINED, kills)
        killer.start()
        done = explain_dataset(
            job,
            model,
            list_items(str(folder / "in")),
            cluster=Cluster(address=address, actors=CORES),
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


def _used_s() -> dict[int, float]:
    """Return the seconds of CPU of the processes that this one has started and that run, by process id."""
    used = {}
    for pid in _ours():
        with suppress(OSError):  # it has ended
            used[pid] = cpu_s(pid)
    return used


@contextmanager
def _two_nodes() -> Iterator[str]:
    """Start a cluster of two nodes with a core each on this machine, and give its address."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONPATH"] = path  # for the actors: the small networks
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    cluster = TestCluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(**node)
        yield cluster.address
    finally:
        ray.shutdown()
        cluster.shutdown()
