"""A worker that answers classifications with what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable

from redis import Redis

from ep_core.schemas.reports.common import ClassScore
from worker.broker import classify_queries
from worker.broker.classify_queries import Classified, ClassifyQuery
from worker.broker.contract import Problem

BEAR = ClassScore(index=1, label="American black bear", score=13.76, probability=0.869)
Say = Callable[[ClassifyQuery], "Classified | Problem"]


class FakeWorker(threading.Thread):
    """Worker with given answers, which records its queries."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(daemon=True)
        self._redis = redis
        self.say: Say = lambda query: Classified(model=query.model, classes=[BEAR])
        self.asked: list[tuple[ClassifyQuery, bytes]] = []
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            taken = classify_queries.take(self._redis, wait_s=0.1)
            if taken:
                self.asked.append(taken)
                classify_queries.answer(self._redis, taken[0].id, self.say(taken[0]))
