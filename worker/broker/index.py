"""Index of the jobs by state and age: sorted sets in Redis beside the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

from redis import Redis

from ep_core.schemas.tasks import TASKS

from .contract import NORMAL_PER_LOW, JobState, Priority

MOST_FORGOTTEN = 1000
"""Expired jobs taken out of the index at once."""
MOST_READ = 10_000
"""Ids read at once: Redis answers others between."""


@dataclass(frozen=True, order=True)
class Place:
    """Position of a job in the index: by the time of its posting, then by its id."""

    created_us: int
    """Microseconds since 1970."""
    job_id: str


def jobs_before(rank: int, others: int, priority: Priority) -> int:
    """Return how many jobs workers take before one that waits.

    Args:
        rank: how many of its own priority are older.
        others: how many of the other priority wait.
        priority: its own.
    """
    turns = rank // NORMAL_PER_LOW if priority is Priority.NORMAL else NORMAL_PER_LOW * (rank + 1)
    return rank + min(others, turns)


class JobIndex:
    """The ids of all jobs in ``{prefix}:jobs``, those in a state in ``{prefix}:jobs:{state}``, scored by their age.

    An owner's are in ``{prefix}:jobs:of:{owner}`` and ``{prefix}:jobs:of:{owner}:{state}`` too; a task's, of all and of
    an owner, in the same with ``:task:{task}`` before the state; those that wait, in
    ``{prefix}:jobs:queued:{priority}``. Finished ones are in ``{prefix}:expiring``, with their owner, scored by when
    their records go. `scripts` writes all of them.
    """

    def __init__(self, redis: Redis, *, prefix: str = "ep") -> None:
        self._redis = redis
        self._all = f"{prefix}:jobs"
        self._expiring = f"{prefix}:expiring"

    @property
    def keys(self) -> list[str]:
        """The keys that the scripts need, after the record's."""
        return [self._all, self._expiring]

    def members(self, state: JobState) -> set[str]:
        """Return the ids of all jobs in a state, read in slices: of those that come or go meanwhile, some."""
        found = cast("Iterator[tuple[bytes, float]]", self._redis.zscan_iter(self._key(state), count=MOST_READ))
        return {member.decode() for member, _ in found}

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for state in JobState:
                pipeline.zcard(self._key(state))
            return dict(zip(JobState, pipeline.execute(), strict=True))

    def waiting(self, owner: str | None) -> int:
        """Return how many jobs of an owner wait; of all, where there is none."""
        return self._redis.zcard(self._key(JobState.QUEUED, owner))

    def before(self, job_id: str, priority: Priority) -> int | None:
        """Return how many jobs will be taken before this one, those of the other priority too; None if it isn't queued.

        Other jobs that are posted meanwhile can change that.
        """
        other = Priority.LOW if priority is Priority.NORMAL else Priority.NORMAL
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zrank(self._waiting(priority), job_id)
            pipeline.zcard(self._waiting(other))
            rank, others = pipeline.execute()
        return None if rank is None else jobs_before(rank, others, priority)

    def page(
        self,
        state: JobState | None,
        *,
        owner: str | None = None,
        task: str | None = None,
        after: Place | None,
        limit: int,
    ) -> tuple[list[Place], Place | None]:
        """Return up to `limit` places after another one, the newest first, and the last of them where more follow."""
        key = self._key(state, owner, task)
        found: list[Place] = []
        offset = 0
        while len(found) <= limit:
            part = self._range(key, after=after, offset=offset, count=limit + 1)
            found += [place for place in part if after is None or place < after]
            offset += len(part)
            if len(part) <= limit:
                break
        page = found[:limit]
        return page, page[-1] if len(found) > limit else None

    def forget_expired(self) -> int:
        """Remove jobs whose records have expired; returns how many there were."""
        forgotten = 0
        while expired := self._expired():
            of_owners = defaultdict[str, list[str]](list)
            for member in expired:
                job_id, _, owner = member.partition(" ")
                of_owners[owner].append(job_id)
            with self._redis.pipeline() as pipeline:
                for owner, job_ids in of_owners.items():
                    for key in self._keys_of(owner or None):
                        pipeline.zrem(key, *job_ids)
                pipeline.zrem(self._expiring, *expired)
                pipeline.execute()
            forgotten += len(expired)
        return forgotten

    def _expired(self) -> list[str]:
        now_s, _ = self._redis.time()  # by the clock that lets records go
        members = self._redis.zrange(
            self._expiring, cast("Any", "-inf"), now_s - 1, byscore=True, offset=0, num=MOST_FORGOTTEN
        )
        return [member.decode() for member in cast("list[bytes]", members)]

    def _range(self, key: str, *, after: Place | None, offset: int, count: int) -> list[Place]:
        """Return places from the one after `after` on, also those of the very same time."""
        newest: Any = after.created_us if after else "+inf"
        found = self._redis.zrange(
            key, newest, cast("Any", "-inf"), desc=True, byscore=True, withscores=True, offset=offset, num=count
        )
        return [Place(int(score), member.decode()) for member, score in cast("list[tuple[bytes, float]]", found)]

    def _keys_of(self, owner: str | None) -> list[str]:
        """Return all keys that a finished job of an owner can be in."""
        owners = (None,) if owner is None else (None, owner)
        final = [state for state in JobState if state.is_final]
        return [self._key(state, *of) for of in product(owners, (None, *TASKS)) for state in (None, *final)]

    def _key(self, state: JobState | None, owner: str | None = None, task: str | None = None) -> str:
        whose = self._all if owner is None else f"{self._all}:of:{owner}"
        which = whose if task is None else f"{whose}:task:{task}"
        return which if state is None else f"{which}:{state}"

    def _waiting(self, priority: Priority) -> str:
        return f"{self._all}:queued:{priority}"
