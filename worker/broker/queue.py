"""Queue between the API and the workers: RQ over Redis, JSON only, jobs named by dotted path. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, cast

from redis import Redis
from redis._parsers import BaseParser
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry as ConnectionRetry
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.executions import ExecutionRegistry
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer

from .contract import MAX_ATTEMPTS, QUEUES, TASK, Priority
from .index import MOST_READ
from .sentinel import Sentinels

TIMEOUT_GRACE_S = 30  # the task ends itself at the timeout; RQ's alarm comes this much later
FAILURE_TTL_S = 3600  # RQ keeps a failed job for a year by default; the record is what counts


class RedisRefuses(ResponseError):
    """Redis answers, and takes no writes for now: its disk is full, or too few replicas follow it."""


class RedisIsCluster(ResponseError):
    """Redis is a cluster, which can't be used."""

    def __init__(self, *_args: object, **_of_parser: object) -> None:
        super().__init__(
            "Redis is a cluster: a job's keys are changed in one step, which can't be done over its nodes. Let "
            "EP_REDIS_URL lead to one primary with cluster mode off, or to its Sentinels"
        )


BaseParser.EXCEPTION_CLASSES |= dict.fromkeys(("MISCONF", "NOREPLICAS"), RedisRefuses)  # redis-py has no names for them
BaseParser.EXCEPTION_CLASSES |= dict.fromkeys(("MOVED", "CROSSSLOT", "CLUSTERDOWN"), RedisIsCluster)
cast("dict[str, Any]", BaseParser.EXCEPTION_CLASSES["ERR"])["SELECT is not allowed in cluster mode"] = RedisIsCluster

REDIS_AWAY = (RedisConnectionError, RedisTimeoutError)
"""Errors of a command when Redis can't be reached, or does not answer in time."""
REDIS_UNUSABLE = (*REDIS_AWAY, RedisRefuses, RedisIsCluster, OutOfMemoryError, ReadOnlyError)
"""Errors of a command when Redis is away, or takes no writes: its disk or its memory is full, or it is a replica."""


def probe(redis: Redis) -> None:
    """Write a key that goes at once: raises one of `REDIS_UNUSABLE` where Redis is away, or takes no writes."""
    redis.set("ep:probe", "", px=1)
    redis.touch("ep:probe", "ep:probe:elsewhere")  # a cluster refuses keys of two nodes, if it hasn't the first one


def connect(url: str, *, retries: int = 2, timeout_s: float = 5.0) -> Redis:
    """Return a client that gives up soon: a command tries `1 + retries` times within about a second.

    Nothing is sent before the first command, so this works while Redis is away.

    Args:
        url: ``redis://``, ``rediss://``, ``unix://``, or `Sentinels`'.
        retries: further attempts after a lost connection.
        timeout_s: seconds that one attempt may wait for Redis to accept, and then to answer.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": min(timeout_s, 3.0),
        "socket_timeout": timeout_s,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "retry": ConnectionRetry(ExponentialBackoff(cap=1.0, base=0.1), retries),
        "retry_on_error": list(REDIS_AWAY),
    }
    sentinels = Sentinels.of(url)
    return Redis.from_url(url, **options) if sentinels is None else sentinels.client(**options)


def connect_async(url: str, *, retries: int, timeout_s: float, connections: int = 64) -> AsyncRedis:
    """Return the same for an event loop; where all of so many connections are in use, a command waits for one."""
    options: dict[str, Any] = {
        "max_connections": connections,
        "timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "socket_timeout": timeout_s,
        "socket_keepalive": True,
        "retry": AsyncRetry(ExponentialBackoff(cap=1.0, base=0.1), retries),
        "retry_on_error": list(REDIS_AWAY),
    }
    sentinels = Sentinels.of(url)
    if sentinels is not None:
        return sentinels.async_client(**options)
    return AsyncRedis.from_pool(BlockingConnectionPool.from_url(url, **options))


def connect_waiting(url: str) -> AsyncRedis:
    """Return a client for reads that wait until something happens, some seconds at most; each holds a connection."""
    options: dict[str, Any] = {"socket_connect_timeout": 3.0, "socket_timeout": 10.0, "socket_keepalive": True}
    sentinels = Sentinels.of(url)
    return AsyncRedis.from_url(url, **options) if sentinels is None else sentinels.async_client(**options)


def job_queue(redis: Redis, priority: Priority = Priority.NORMAL) -> Queue:
    """Return RQ's queue of a priority, with JSON in place of pickle."""
    return Queue(QUEUES[priority], connection=redis, serializer=JSONSerializer)


def job_queues(redis: Redis) -> list[Queue]:
    """Return all queues, that of the first priority first."""
    return [job_queue(redis, priority) for priority in Priority]


def enqueue(
    redis: Redis,
    job_id: str,
    *,
    timeout_s: int,
    priority: Priority = Priority.NORMAL,
    max_attempts: int = MAX_ATTEMPTS,
    pipeline: Pipeline | None = None,
) -> None:
    """Put a job at the end of the queue; its record and its image are stored before, or by the same transaction.

    Args:
        redis: a client as from `connect`.
        job_id: the record's id, letters, digits, ``-`` and ``_`` only.
        timeout_s: seconds that the job may run, once it runs.
        priority: whose queue.
        max_attempts: how often it may be run where its workers die.
        pipeline: the transaction of which this is a part.
    """
    job_queue(redis, priority).enqueue_call(
        TASK,
        args=(job_id,),
        job_id=job_id,
        timeout=timeout_s + TIMEOUT_GRACE_S,
        result_ttl=0,  # the record holds the outcome: nothing of RQ's stays after a job
        failure_ttl=FAILURE_TTL_S,
        # A job whose worker was lost has waited already.
        retry=Retry(max=max_attempts - 1, enqueue_at_front=True) if max_attempts > 1 else None,
        pipeline=pipeline,
    )


def waiting_in(queue: Queue) -> set[str]:
    """Return the ids in a queue, read in slices, the youngest first: jobs come at that end, so that none is missed."""
    found, stop = set[str](), -1
    while part := cast("list[bytes]", queue.connection.lrange(queue.key, stop - MOST_READ + 1, stop)):
        found.update(member.decode() for member in part)
        stop -= len(part)
    return found


def remove(redis: Redis, job_id: str, *, priority: Priority = Priority.NORMAL) -> bool:
    """Take a waiting job out of the queue; True where it was waiting.

    A job that a worker has taken is left alone: its worker stops when it sees what became of the record.
    """
    if not job_queue(redis, priority).remove(job_id):
        return False
    forget(redis, job_id)
    return True


def remove_all(redis: Redis, job_ids: Sequence[str], *, priority: Priority) -> None:
    """Take waiting jobs out of the queue as `remove` does, in two calls to Redis; the youngest are found fastest."""
    key = job_queue(redis, priority).key
    with redis.pipeline(transaction=False) as pipeline:
        for job_id in job_ids:
            pipeline.lrem(key, -1, job_id)
        waiting = [job_id for job_id, found in zip(job_ids, pipeline.execute(), strict=True) if found]
    kept = [_kept_of_waiting(redis, job_id) for job_id in waiting]
    if kept:
        redis.delete(*chain.from_iterable(kept))


def _kept_of_waiting(redis: Redis, job_id: str) -> tuple[str, str, str]:
    """Return the keys of what RQ keeps of a job that waits: itself, its runs before it was put back, their results."""
    return Job.key_for(job_id), ExecutionRegistry(job_id, connection=redis).key, Result.get_key(job_id)


def forget(redis: Redis, job_id: str) -> None:
    """Remove all that RQ keeps of a job; nothing happens where it keeps nothing."""
    forget_executions(redis, job_id)
    with suppress(NoSuchJobError):
        Job.fetch(job_id, connection=redis, serializer=JSONSerializer).delete()


def forget_executions(redis: Redis, job_id: str) -> None:
    """Remove the list of a job's executions: RQ 3.0 can't delete a job while one is in it whose lease has run out."""
    redis.delete(ExecutionRegistry(job_id, connection=redis).key)
