"""`make chaos`: workers, an API process and Redis are killed while jobs run; no job may be lost, run wrong or hang."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from redis import RedisError

from worker.broker.contract import JobState
from worker.broker.reserved import Room
from worker.broker.store import JobStore

from . import report
from .chaos_jobs import POSTERS, Upload, Watch
from .posting import JsonObject, Poster, no_reuse, tiny_params
from .stack import MODELS, Process, Stack

API_DIES_AT = 0.25  # of the jobs posted
REDIS_GOES_AT = 0.5  # of the jobs finished
REDIS_AWAY_S = 2.0
REDIS_FILLS_AT = 0.6  # of the jobs finished
REDIS_FULL_S = 4.0
WORKER_LOST = "/problems/worker-lost"
FRAME_OF_64 = MODELS.replace("input_size = [32, 32]", "input_size = [64, 64]")
"""In smaller ones a mask's rounding depends on its place in a batch: elementwise functions have vectors and a rest."""
ASKED_EVERY = 3  # times, where workers run several jobs at once: asked to end (SIGTERM), not killed


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    jobs: int
    copies: int
    iterations: int
    kill_every: float
    workers: int
    at_once: int
    seed: int
    full: bool
    settings: dict[str, str]

    @property
    def limit_s(self) -> float:
        """Seconds after which a run that isn't done has failed."""
        return 240 + self.jobs * 5.0


class Chaos:
    """Kills parts of the stack as `Options` say, restarts them at once, and counts them. For the main thread."""

    def __init__(self, stack: Stack, options: Options) -> None:
        self._stack = stack
        self._chance = random.Random(options.seed)
        self._every_s = options.kill_every
        self._asks = options.at_once > 1
        self._next = time.monotonic() + self._every_s
        self._redis = stack.connect()
        self._store = JobStore(self._redis, retention_s=1)
        self.kills = 0
        self.hits = 0
        self.jobs_hit = 0
        self.asked = 0
        self.redis_restarts = 0
        self.redis_fills = 0
        self.api_kills = 0

    def maybe_kill_a_worker(self) -> None:
        """Kill a random worker where it is time to, or ask it to end; a killed one is started again at once."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every_s * self._chance.uniform(0.5, 1.5)
        worker = self._chance.choice(self._stack.workers)
        if self._asks and (self.kills + self.asked) % ASKED_EVERY == ASKED_EVERY - 1 and worker.running:
            worker.send(signal.SIGTERM)
            self.asked += 1
            return
        jobs = self._jobs_of(worker)
        self.hits += jobs > 0
        self.jobs_hit += jobs
        worker.kill()
        worker.start()
        self.kills += 1

    def restart_the_dead(self) -> None:
        """Start workers again that ended by themselves."""
        for worker in self._stack.workers:
            if not worker.running:
                worker.start()

    def restart_redis(self, going: threading.Event) -> None:
        """Take Redis away for a while."""
        going.set()
        self._stack.redis.stop()
        time.sleep(REDIS_AWAY_S)
        self._stack.redis.start()
        self.redis_restarts += 1

    def fill_redis(self) -> None:
        """Let Redis be full for a while."""
        self._redis.config_set("maxmemory", self._redis.info("memory")["used_memory"])
        time.sleep(REDIS_FULL_S)
        self._redis.config_set("maxmemory", 0)
        self.redis_fills += 1

    def reserved(self) -> int:
        """Return the bytes of Redis that are kept for unfinished jobs."""
        return Room(self._redis).reserved()

    def kill_api(self, upload: Upload) -> None:
        """Kill the first API process in the middle of an upload, and start it again."""
        upload.half_sent.wait(30)
        self._stack.apis[0].kill()
        upload.api_is_dead.set()
        self._stack.apis[0].start()
        self.api_kills += 1

    def _jobs_of(self, worker: Process) -> int:
        process = f"{socket.gethostname()}.{worker.pid}"
        try:
            records = [self._store.get(job_id) for job_id in self._store.running()]
        except RedisError:
            return 0
        names = [r.worker for r in records if r is not None and r.state is JobState.RUNNING and r.worker]
        return sum(name == process or name.startswith(f"{process}-") for name in names)


def measure(result: report.Report, line: report.Line, options: Options) -> None:
    """Run the jobs during the chaos and compare their results."""
    with ExitStack() as running:
        settings = {"EP_JOBS_AT_ONCE": str(options.at_once)} | options.settings
        stack = running.enter_context(Stack(apis=2, workers=options.workers, models=FRAME_OF_64, **settings))
        clients = [running.enter_context(stack.client(k)) for k in range(2)]
        extra, params = no_reuse(clients[0]), tiny_params(iterations=options.iterations)
        posters = [Poster(clients, params, extra, _turn=k) for k in range(POSTERS + 1)]
        upload, redis_going = Upload(clients[0], Poster(clients, params, extra)), threading.Event()
        chaos, watch = Chaos(stack, options), Watch(options.jobs, options.copies, posters, upload, redis_going)
        started = time.monotonic()
        pool = ThreadPoolExecutor(POSTERS + 2)
        running.callback(pool.shutdown, wait=False, cancel_futures=True)
        _go_on(chaos, watch, upload, redis_going, line, watch.start(pool), options)
        result.tell("seconds", round(time.monotonic() - started, 1))
        _tell(result, chaos, watch, upload, options)
        _tell_listed(result, watch, posters[0])
        tell_results(result, watch.image_of, watch.ended, posters[0])
        result.tell("requests sent again", str(dict(sum((p.refused for p in posters), Counter()))))


def _go_on(
    chaos: Chaos,
    watch: Watch,
    upload: Upload,
    redis_going: threading.Event,
    line: report.Line,
    work: list[Future[None]],
    options: Options,
) -> None:
    """Kill and restart parts until all jobs have ended."""
    while not watch.done:
        for future in work:
            if future.done():
                future.result()
        chaos.maybe_kill_a_worker()
        chaos.restart_the_dead()
        if not chaos.api_kills and watch.posted >= API_DIES_AT * options.jobs:
            chaos.kill_api(upload)
        if not chaos.redis_restarts and len(watch.ended) >= REDIS_GOES_AT * options.jobs:
            chaos.restart_redis(redis_going)
        if options.full and not chaos.redis_fills and len(watch.ended) >= REDIS_FILLS_AT * options.jobs:
            chaos.fill_redis()
        words = f"{watch.posted} posted, {chaos.kills} workers killed"
        line.show(words, len(watch.ended), options.jobs)
        time.sleep(0.05)


def _tell(result: report.Report, chaos: Chaos, watch: Watch, upload: Upload, options: Options) -> None:
    states = Counter(job["status"] for job in watch.ended.values())
    lost = [job for job in watch.ended.values() if (job["error"] or {}).get("type") == WORKER_LOST]
    attempts = Counter(job["attempt"] for job in watch.ended.values())
    result.tell("workers killed", chaos.kills)
    result.tell("of these, in the middle of a job", chaos.hits)
    if options.at_once > 1:
        result.tell("jobs that they were in the middle of", chaos.jobs_hit)
        result.tell("workers asked to end", chaos.asked)
    result.tell("jobs by attempts", ", ".join(f"{n}: {count}" for n, count in sorted(attempts.items())))
    result.check("API processes killed during an upload", chaos.api_kills, "= 1", met=upload.was_cut)
    result.equals("Redis restarts", chaos.redis_restarts, 1)
    result.equals("times that Redis was full", chaos.redis_fills, int(options.full))
    result.equals("bytes that Redis keeps for jobs in the end", chaos.reserved(), 0)
    result.equals("jobs succeeded", states["succeeded"], options.jobs)
    result.equals("jobs failed because their workers were lost", len(lost), 0)
    for job in watch.ended.values():
        if job["status"] != "succeeded":
            result.lines.append(f"{job['id']} {job['status']}, attempt {job['attempt']}: {job['error']}")


def _tell_listed(result: report.Report, watch: Watch, poster: Poster) -> None:
    listed = Counter(job["id"] for job in poster.all_jobs())
    known = Counter(dict.fromkeys(watch.image_of, 1))
    result.equals("jobs listed", listed.total(), known.total())
    result.equals("jobs listed twice, missing or unknown", ((listed - known) + (known - listed)).total(), 0)
    stuck = [poster.ask("GET", f"/v1/jobs?status={state}").json()["jobs"] for state in ("queued", "running")]
    result.equals("jobs stuck", sum(map(len, stuck)), 0)


def tell_results(
    result: report.Report, image_of: Mapping[str, int], ended: Mapping[str, JsonObject], poster: Poster
) -> None:
    """Compare the results of equal jobs, byte for byte."""
    digests: dict[int, set[str]] = defaultdict(set)
    for job_id, job in ended.items():
        if job["status"] == "succeeded":
            digests[image_of[job_id]].add(_digest(job, poster))
    different = [image for image, found in digests.items() if len(found) > 1]
    result.tell("different images", len(digests))
    result.tell("different results", len(set().union(*digests.values())))
    result.equals("images with results that differ", len(different), 0)


def _digest(job: JsonObject, poster: Poster) -> str:
    """Return a hash of the result and the masks, without the job's id and times."""
    report_ = poster.ask("GET", job["links"]["result"]).json()
    report_.pop("timing")
    text = json.dumps(report_, sort_keys=True).replace(job["id"], "")
    masks = [poster.ask("GET", path).content for path in job["links"]["masks"].values()]
    return hashlib.sha256(b"\0".join([text.encode(), *masks])).hexdigest()


def main(
    jobs: Annotated[int, typer.Option(help="Jobs to post.")] = 200,
    copies: Annotated[int, typer.Option(help="Jobs per image.")] = 10,
    iterations: Annotated[int, typer.Option(help="Of each job; they take half a second to a second.")] = 250,
    kill_every: Annotated[float, typer.Option(help="Seconds between two kills of a worker, on average.")] = 4.0,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
    at_once: Annotated[int, typer.Option(min=1, help="Jobs that a worker runs at once.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the kills.")] = 0,
    full: Annotated[bool, typer.Option(help="Let Redis be full for some seconds, too.")] = False,
    setting: Annotated[list[str] | None, typer.Option(help="More settings, as EP_HEARTBEAT_S=1.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Kill workers, an API process and Redis while jobs run."""
    settings = dict(text.split("=", 1) for text in setting or [])
    options = Options(jobs, copies, iterations, kill_every, workers, at_once, seed, full, settings)
    title = f"{jobs} jobs, a worker killed every {kill_every:g} s"
    sys.exit(report.run(title, lambda r, line: measure(r, line, options), limit_s=options.limit_s, out=out))


if __name__ == "__main__":
    typer.run(main)
