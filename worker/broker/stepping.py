"""Speed at which workers step the masks of several jobs, as of the last seconds. Imports no torch.

One key per worker process that expires unless it steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, cast

from pydantic import BaseModel
from redis import Redis

from .liveness import worker_names

TTL_S = 6.0


class Stepping(BaseModel):
    """Speed of common batches, of one worker process or of several together."""

    jobs: int
    """Jobs that run there."""
    batches_per_s: float
    lanes_per_s: float
    """Steps of masks."""
    rows_per_s: float
    """How many they could be, were all batches full."""

    @property
    def lanes(self) -> float:
        """Masks in a batch, on average."""
        return self.lanes_per_s / self.batches_per_s

    @property
    def filled(self) -> float:
        """Share of the batches' rows that masks fill."""
        return self.lanes_per_s / self.rows_per_s

    @classmethod
    def of(cls, workers: Iterable[Self]) -> Self | None:
        """Return the speed of several workers together; None where there is none."""
        speeds = [speed.model_dump() for speed in workers]
        if not speeds:
            return None
        return cls.model_validate({name: sum(speed[name] for speed in speeds) for name in cls.model_fields})


def tell(redis: Redis, name: str, speed: Stepping) -> None:
    """Publish the speed of the process of worker `name` for the next `TTL_S` seconds; some batch was stepped."""
    redis.set(_key(name), speed.model_dump_json(), px=int(TTL_S * 1000))


def stepping(redis: Redis) -> Stepping | None:
    """Return the speed of all workers that step masks of several jobs; None where there are none."""
    names = worker_names(redis)
    found = cast("list[bytes | None]", redis.mget(map(_key, names))) if names else []
    return Stepping.of(Stepping.model_validate_json(speed) for speed in found if speed is not None)


def _key(name: str) -> str:
    return f"ep:stepping:{name}"
