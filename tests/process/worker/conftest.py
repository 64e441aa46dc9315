"""A real Redis, real worker processes, and jobs posted as an API posts them."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from ep_core.schemas.tasks import TASKS
from service.run.embedded_redis import EmbeddedRedis
from tests.forked import forked_worker
from tests.networks import model_list
from worker.broker import queue
from worker.broker.blobs import open_blobs
from worker.broker.contract import TARGET_PICTURE, JobRecord, JobState, input_name
from worker.broker.liveness import live_workers
from worker.broker.store import JobStore

HERE = Path(__file__).parent
BEAR = HERE.parents[2] / "samples" / "black_bear.jpg"
START_S = 120.0
LINE_S = 30.0
GATE = "gate"
UNFINISHED = ("ep:jobs:queued", "ep:jobs:running", "ep:jobs:queued:normal", "ep:jobs:queued:low")
QUEUES = ("rq:queue:extremal", "rq:queue:extremal:intermediate", "rq:queue:extremal-low")
FAULTS = ("none", "raises", "hungry", "poisons", "hangs", "waits")
REFUSED = ("rounded", "numpy", "nan", "constant", "batch_norm")
KINDS = (*REFUSED, "half", "in_place", "compiled", "script", "plain", "embedding")


def is_running(record: JobRecord) -> bool:
    return record.state is JobState.RUNNING


class Client:
    """Posts jobs as the API does, and watches them."""

    def __init__(self, redis: Redis, url: str = "") -> None:
        self.redis = redis
        self.url = url
        self.store = JobStore(redis, retention_s=600)
        self.blobs = open_blobs(None, redis)

    def post(
        self,
        *images: bytes,
        timeout_s: int = 300,
        fields: dict[str, Any] | None = None,
        target_picture: bytes | None = None,
        **params: Any,
    ) -> str:
        """Post a job; `fields` are the record's own."""
        spec = TASKS[params.get("task", "extremal")].spec(**params)
        names = [f"{k}.jpg" for k in range(len(images))]
        record = JobRecord(id=uuid4().hex, params=spec, images=names, created_at=datetime.now(UTC), **fields or {})
        for k, image in enumerate(images):
            self.blobs.put(record.id, input_name(k), image)
        if target_picture is not None:
            self.blobs.put(record.id, TARGET_PICTURE, target_picture)
        self.store.create(record)
        queue.enqueue(self.redis, record.id, timeout_s=timeout_s, priority=record.priority)
        return record.id

    def delete(self, job_id: str) -> None:
        self.store.delete(job_id)
        queue.remove(self.redis, job_id)
        self.blobs.delete(job_id)

    def get(self, job_id: str) -> JobRecord:
        record = self.store.get(job_id)
        assert record is not None
        return record

    def wait(self, job_id: str, until: Callable[[JobRecord], bool], *, within_s: float = 60.0) -> JobRecord:
        deadline = time.monotonic() + within_s
        while not until(record := self.get(job_id)):
            assert time.monotonic() < deadline, f"not within {within_s} s: {record}"
            time.sleep(0.02)
        return record

    def wait_final(self, job_id: str, *, within_s: float = 60.0) -> JobRecord:
        return self.wait(job_id, lambda record: record.state.is_final, within_s=within_s)

    def wait_iterating(self, job_id: str, *, attempt: int = 1, within_s: float = 60.0) -> JobRecord:
        return self.wait(
            job_id,
            lambda r: r.attempt == attempt and r.progress is not None and not r.state.is_final,
            within_s=within_s,
        )

    def keys_of(self, job_id: str) -> list[bytes]:
        """All that Redis holds of a job, also in sets and lists, but for events that go by themselves."""
        named = [key for key in self.redis.scan_iter() if job_id.encode() in key]
        named = [key for key in named if not (key.startswith(b"ep:events:") and self.redis.ttl(key) > 0)]
        sets = [key for key in UNFINISHED if self.redis.zscore(key, job_id) is not None]
        lists = [key for key in QUEUES if job_id.encode() in self.redis.lrange(key, 0, -1)]
        return sorted([*named, *(key.encode() for key in [*sets, *lists])])

    def wait_tidy(self, job_id: str, *kept: str, within_s: float = 20.0) -> None:
        """Wait until Redis holds nothing of a job but the kinds of keys in `kept`; workers tidy up a moment later."""
        wanted = [f"{kind}:{job_id}".encode() for kind in kept]
        deadline = time.monotonic() + within_s
        while (keys := self.keys_of(job_id)) != wanted:
            assert time.monotonic() < deadline, keys
            time.sleep(0.02)


class WorkerProcess:
    """A worker in a process of its own: that of `python -m worker`, but forked from one that has imported torch."""

    def __init__(self, url: str, log: Path, **settings: object) -> None:
        self.log = log
        log.touch()
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("EP_")}
        self._env |= {"EP_REDIS_URL": url, "EP_THREADS": "1"} | {name: str(value) for name, value in settings.items()}
        self._process = self._spawn()

    def _spawn(self) -> BaseProcess:
        process = forked_worker(self._env, self.log)
        process.start()
        return process

    def restart(self) -> None:
        self.wait()
        self._process = self._spawn()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, *, within_s: float = 30.0) -> int:
        """Wait for its end. Returns its exit code; for a signal, minus its number."""
        self._process.join(within_s)
        assert self._process.exitcode is not None, f"still runs after {within_s} s: {self.log.read_text()}"
        return self._process.exitcode

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def wait_line(self, *parts: str) -> None:
        """Wait until a line of its log, which others may share, contains all `parts`."""
        deadline = time.monotonic() + LINE_S
        while not any(all(part in line for part in parts) for line in self.log.read_text().splitlines()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def wait_ready(self, redis: Redis, *, workers: int = 1) -> None:
        deadline = time.monotonic() + START_S
        while live_workers(redis) < workers:
            assert self.alive, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def free_databases(redis_server: EmbeddedRedis) -> list[str]:
    """The URLs of empty databases that no test uses; Redis has 16."""
    return [f"{redis_server.url.rpartition('/')[0]}/{number}" for number in range(1, 16)]


@pytest.fixture
def new_database(free_databases: list[str]) -> Iterator[Callable[[], str]]:
    """Gives the URL of an empty database of the test's own, which is emptied after the test."""
    taken: list[str] = []

    def take() -> str:
        taken.append(free_databases.pop())
        return taken[-1]

    yield take
    for url in taken:
        with queue.connect(url) as redis:
            redis.flushdb()
        free_databases.append(url)


@pytest.fixture(scope="session")
def unit_url(free_databases: list[str]) -> str:
    return free_databases.pop()


@pytest.fixture
def redis(unit_url: str) -> Iterator[Redis]:
    """An empty database without any worker."""
    with queue.connect(unit_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def store(redis: Redis) -> JobStore:
    return JobStore(redis, retention_s=600)


@pytest.fixture
def make_record() -> Callable[..., JobRecord]:
    def make(**fields: Any) -> JobRecord:
        defaults = {"id": uuid4().hex, "params": ExtremalSpec(areas=(0.1,)), "created_at": datetime.now(UTC)}
        return JobRecord(**(defaults | fields))

    return make


@pytest.fixture(scope="session")
def bear() -> bytes:
    return BEAR.read_bytes()


@pytest.fixture(scope="session")
def tiny_models_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for each fault, and networks that are refused or need something made for them."""
    faulty = """
[models.{fault}]
entry_point = "faulty_models:Faulty"
kwargs = {{ fault = "{fault}", gate = "{gate}" }}
labels = ["no", "yes"]
preprocessing = {{ input_size = [32, 32], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }}
"""
    path = tmp_path_factory.mktemp("models") / "models.toml"
    gate = path.with_name(GATE)
    several = model_list("plain").replace("models.plain", "models.several") + 'outputs = "sigmoid"\n'
    path.write_text("".join(faulty.format(fault=fault, gate=gate) for fault in FAULTS) + model_list(*KINDS) + several)
    return path


@pytest.fixture(scope="session")
def models_file(tiny_models_file: Path) -> Path:
    """The default model, and the tiny ones."""
    path = tiny_models_file.with_name("all.toml")
    path.write_text('[models.mobilenet_v2]\ntorchvision = "mobilenet_v2"\n' + tiny_models_file.read_text())
    return path


@pytest.fixture
def gate(tiny_models_file: Path) -> Iterator[Path]:
    """A file that isn't there: once it is touched, jobs of the network "waits" no longer wait at each step."""
    path = tiny_models_file.with_name(GATE)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def worker_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker") / "worker.log"


@pytest.fixture(scope="session")
def shared(free_databases: list[str], models_file: Path, worker_log: Path) -> Iterator[Client]:
    """A client of the session's one warm worker."""
    url = free_databases.pop()
    process = WorkerProcess(url, worker_log, EP_MODELS_FILE=models_file, EP_HEARTBEAT_S=1)
    with queue.connect(url) as redis:
        try:
            process.wait_ready(redis)
            yield Client(redis)
        finally:
            process.kill()


@pytest.fixture
def start_worker(tiny_models_file: Path, tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts a worker of the test's own, to be killed, on the Redis at a URL.

    It offers the tiny networks: the default one's layers would be sought at each start.
    """
    started: list[WorkerProcess] = []

    def start(url: str, **settings: object) -> WorkerProcess:
        settings = {"EP_MODELS_FILE": tiny_models_file} | settings
        started.append(WorkerProcess(url, tmp_path / "worker.log", **settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def make_client() -> Callable[[Redis], Client]:
    return Client


@pytest.fixture
def own(
    new_database: Callable[[], str], start_worker: Callable[..., WorkerProcess]
) -> Callable[..., tuple[Client, WorkerProcess]]:
    """Starts a worker of the test's own that is ready to work, and gives its client too.

    It preloads a tiny network; `shared` offers and preloads the default one, too, as a worker does by default.
    """

    def start(**settings: object) -> tuple[Client, WorkerProcess]:
        url = new_database()
        process, redis = start_worker(url, **{"EP_PRELOAD": "none"} | settings), queue.connect(url)
        process.wait_ready(redis)
        return Client(redis, url), process

    return start


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Logging is set up as it was after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
