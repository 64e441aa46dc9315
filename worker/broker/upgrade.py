"""Version of the state in Redis: an older one is upgraded at the first sweep. Imports no torch.

1: before jobs were listed by their task. 2: every record has its `task` by itself, and is listed by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import structlog
from redis import Redis

from ep_core.schemas.specs import ExtremalSpec

from . import scripts
from .events import event_key
from .index import JobIndex

VERSION = 2
_KEY = "ep:state"
_LOCK_S = 5.0  # renewed after each `_AT_ONCE` jobs: the others wait so long for a process that died in the middle
_WAIT_S = 60.0
_AT_ONCE = 500
_FIRST_TASK = str(ExtremalSpec.model_fields["task"].default)  # of records from before there were others

log = structlog.get_logger(__name__)


def bring_up_to_date(redis: Redis) -> int:
    """Bring what older versions wrote up to date, once; processes that start together do it one after the other.

    Returns:
        How many jobs were changed.
    """
    if _version(redis) >= VERSION:
        return 0
    with redis.lock(f"{_KEY}:lock", timeout=_LOCK_S, blocking_timeout=_WAIT_S) as lock:
        if _version(redis) >= VERSION:
            return 0
        changed = 0
        for job_ids in _all_jobs(redis):
            changed += _list_by_task(redis, job_ids)
            lock.reacquire()
        redis.set(_KEY, VERSION)
    if changed:
        log.info("jobs of an older version are listed by their task, too", jobs=changed)
    return changed


def _version(redis: Redis) -> int:
    return int(cast("bytes | None", redis.get(_KEY)) or 1)


def _all_jobs(redis: Redis) -> Iterator[list[str]]:
    listed = JobIndex(redis).keys[0]
    start = 0
    while found := cast("list[bytes]", redis.zrange(listed, start, start + _AT_ONCE - 1)):
        yield [job_id.decode() for job_id in found]
        start += len(found)


def _list_by_task(redis: Redis, job_ids: list[str]) -> int:
    with redis.pipeline(transaction=False) as pipeline:
        for job_id in job_ids:
            pipeline.hmget(f"ep:job:{job_id}", ["task", "params"])
        found = pipeline.execute()
    missing = {job_id: params for job_id, (task, params) in zip(job_ids, found, strict=True) if params and not task}
    script = redis.register_script(scripts.LIST_BY_TASK)
    with redis.pipeline(transaction=False) as pipeline:
        for job_id, params in missing.items():
            keys = [f"ep:job:{job_id}", event_key(job_id), *JobIndex(redis).keys]
            script(keys=keys, args=[job_id, _task(params)], client=pipeline)
        return sum(pipeline.execute())


def _task(params: bytes) -> str:
    parsed: Any = json.loads(params)
    return str(parsed.get("task", _FIRST_TASK))
