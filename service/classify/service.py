"""Classification by a worker: the query is sent, and its answer awaited."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from redis import Redis, RedisError
from redis.asyncio import Redis as AsyncRedis

from service.http.errors import Unavailable, WorkerProblem
from worker.broker import classify_queries
from worker.broker.classify_queries import Classified, ClassifyQuery
from worker.broker.contract import Problem

LOOK_S = 1.0  # between reads, the waiting one looks whether it has to end


def put(redis: Redis, query: ClassifyQuery, image: bytes, *, wait_s: float) -> None:
    """Put a query to the workers.

    Raises:
        Unavailable: too many queries wait.
    """
    if not classify_queries.post(redis, query, image, wait_s=wait_s):
        raise Unavailable(f"{classify_queries.MOST_WAITING} images wait to be classified already. Try again soon.")


async def wait_for_answer(
    watchers: AsyncRedis, query: ClassifyQuery, *, wait_s: float, go_on: Callable[[], Awaitable[bool]]
) -> Classified | Problem | None:
    """Return the answer to a query, or None where none comes in time; no thread is held meanwhile.

    Args:
        watchers: a client whose reads may wait for `LOOK_S`.
        query: the query.
        wait_s: seconds, at most.
        go_on: called before every read.
    """
    deadline = time.monotonic() + wait_s
    while (left_s := deadline - time.monotonic()) > 0 and await go_on():
        # Redis takes 0 for ever.
        found = await watchers.blpop([classify_queries.answer_key(query.id)], timeout=min(LOOK_S, max(0.01, left_s)))
        if found:
            return classify_queries.read_answer(found[1])
    return None


def withdraw(redis: Redis, query: ClassifyQuery) -> None:
    """Withdraw the query, if Redis is there; else it expires by itself."""
    with suppress(RedisError):
        classify_queries.withdraw(redis, query)


def open_answer(answer: Classified | Problem | None) -> Classified:
    """Return the answer of a worker.

    Raises:
        Unavailable: no worker has answered.
        WorkerProblem: a worker has reported why it can't.
    """
    if answer is None:
        raise Unavailable("No worker has answered in time: none may be running, or many images wait. Try again soon.")
    if isinstance(answer, Problem):
        raise WorkerProblem(answer)
    return answer
