"""Liveness of workers: one key per worker that expires unless its worker beats. Imports no torch.

Redis alone does the timing, so clocks that differ between machines don't matter.
"""

from __future__ import annotations

import os
import socket
from typing import cast

from redis import Redis

_WORKERS = "ep:workers"  # the names; their keys show which of them are alive


def worker_name() -> str:
    """Return this process's name as a worker: host and process id."""
    return f"{socket.gethostname()}.{os.getpid()}"


def beat(redis: Redis, name: str, *, ttl_s: float, memory_bytes: int | None = None) -> bool:
    """Say that the worker `name` is alive for the next `ttl_s` seconds, and what it holds of its GPU's memory, if any.

    Returns:
        False where Redis didn't know it as alive: at its first beat, or after Redis lost its data.
    """
    with redis.pipeline() as pipeline:
        pipeline.set(_key(name), "" if memory_bytes is None else memory_bytes, px=int(ttl_s * 1000), get=True)
        pipeline.sadd(_WORKERS, name)
        return pipeline.execute()[0] is not None


def sign_off(redis: Redis, name: str) -> None:
    """Say that the worker `name` has ended."""
    with redis.pipeline() as pipeline:
        pipeline.delete(_key(name))
        pipeline.srem(_WORKERS, name)
        pipeline.execute()


def worker_names(redis: Redis) -> list[str]:
    """Return the names of workers, those of killed ones included, until they are forgotten."""
    return [member.decode() for member in cast("set[bytes]", redis.smembers(_WORKERS))]


def seat_name(name: str, seat: int) -> str:
    """Return the name of one of the workers in the process of this name."""
    return f"{name}-{seat + 1}"


def live_processes(redis: Redis) -> int:
    """Return in how many processes workers are alive: those that run several jobs at once are several workers."""
    names = worker_names(redis)
    with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.exists(_key(name))
        alive = [name for name, there in zip(names, pipeline.execute(), strict=True) if there]
    return len({_process_of(name) for name in alive})


def live_workers(redis: Redis, *, host: str | None = None) -> int:
    """Return how many workers are alive, of all machines or of one. A killed one counts until its key expires.

    Args:
        redis: where they beat.
        host: the host's name, with which the names of its workers begin (`worker_name`).
    """
    names = [name for name in worker_names(redis) if host is None or name.rpartition(".")[0] == host]
    return redis.exists(*map(_key, names)) if names else 0


def device_memory(redis: Redis) -> dict[str, int]:
    """Return the bytes of GPU memory that each living worker holds; those without a GPU are left out."""
    names = worker_names(redis)
    held = cast("list[bytes | None]", redis.mget(map(_key, names))) if names else []
    return {name: int(size) for name, size in zip(names, held, strict=True) if size}


def forget_dead(redis: Redis) -> None:
    """Drop the names of workers that were killed."""
    names = worker_names(redis)
    with redis.pipeline() as pipeline:
        for name in names:
            pipeline.exists(_key(name))
        dead = [name for name, alive in zip(names, pipeline.execute(), strict=True) if not alive]
    if dead:
        redis.srem(_WORKERS, *dead)  # a worker that was only slow adds itself again at its next beat


def _process_of(name: str) -> str:
    host, _, process = name.rpartition(".")
    return f"{host}.{process.partition('-')[0]}"


def _key(name: str) -> str:
    return f"{_WORKERS}:{name}"
