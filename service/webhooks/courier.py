"""Delivers webhooks: tells those who asked for it that their jobs are finished, again and again until they hear it.

At least once: where a courier dies between the receiver's answer and writing it down, the message goes out again, under
the same ``webhook-id``. Any number of couriers share the work (`schedule`).
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import structlog
from anyio.to_thread import run_sync

from service.outbound.requests import AddressRefused, Outbound, OutboundError
from service.settings import ApiSettings
from worker.broker.contract import Delivery, DeliveryAttempt, JobRecord
from worker.broker.queue import REDIS_UNUSABLE, connect
from worker.broker.statistics import Stats
from worker.broker.store import JobStore

from .hosts import Hosts
from .message import EVENTS, body_of, headers_of
from .schedule import Deliveries

RETRY_AFTER_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 21600.0)
JITTER = 0.1  # so that what failed together doesn't come again together
TIMEOUT_S = 10.0
KEPT_ATTEMPTS = 10  # more than there are

AT_ONCE = 64
IN_HAND = 256  # jobs claimed, those that wait for a place at their host included
PATIENCE_S = 60.0  # a job that waited longer for its place is left alone: others may have it soon
POLL_S = 0.5
REDIS_AWAY_S = 1.0
WRITE_TRIES = 15  # what came of an attempt is kept for so long while Redis is away
STOP_GRACE_S = 1.0

Find = Callable[[str], JobRecord | None]
SecretOf = Callable[[str | None], str | None]
_T = TypeVar("_T")

log = structlog.get_logger(__name__)


def run_courier(settings: ApiSettings, stop: threading.Event, *, secret_of: SecretOf) -> None:
    """Deliver until `stop` is set, in any number of processes. Redis may come and go.

    Args:
        settings: the API's.
        stop: when to end.
        secret_of: as for `Courier`.
    """
    redis = connect(settings.redis_url)
    courier = Courier(
        Deliveries(redis),
        Outbound(allow_private=settings.allow_private_urls),
        find=JobStore(redis, retention_s=settings.retention_s).get,
        secret_of=secret_of,
        count=Stats(redis).delivery,
    )
    asyncio.run(courier.run(stop))
    redis.close()


@dataclass(frozen=True)
class _Parcel:
    """A job whose webhook is to be delivered now."""

    record: JobRecord
    url: str
    secret: str | None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


class Courier:
    """Takes what is due and delivers it, many at once; to be used on one event loop.

    Args:
        deliveries: what is due.
        outbound: makes the requests.
        find: returns a job's record, None where it is gone. Called in threads, as `secret_of` is.
        secret_of: returns the secret of the API key with this name, to sign with; None where there is none (any more).
        count: told of each attempt's outcome, one of `worker.broker.statistics.DELIVERY_OUTCOMES`.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        outbound: Outbound,
        *,
        find: Find,
        secret_of: SecretOf,
        count: Callable[[str], None],
    ) -> None:
        self._count = count
        self._deliveries = deliveries
        self._outbound = outbound
        self._find = find
        self._secret_of = secret_of
        self._hosts = Hosts()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._in_hand: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; what isn't done a moment later is left to the next courier."""
        taking = asyncio.create_task(self._keep_taking())
        while not stop.is_set():
            await asyncio.sleep(POLL_S)
        self._stopping = True
        taking.cancel()  # it may be waiting for Redis
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=STOP_GRACE_S)

    async def _keep_taking(self) -> None:
        while True:
            try:
                await self._take()
                due_s = await _in_thread(self._deliveries.next_due_s)
                await asyncio.sleep(POLL_S if due_s is None else min(POLL_S, max(due_s, 0.05)))
            except REDIS_UNUSABLE as error:
                log.debug("no deliveries, Redis is away", error=str(error))
                await asyncio.sleep(REDIS_AWAY_S)
            except Exception:
                log.exception("taking deliveries failed")
                await asyncio.sleep(REDIS_AWAY_S)

    async def _take(self) -> None:
        free = IN_HAND - len(self._in_hand)
        if not free:
            return
        for job_id in await _in_thread(lambda: self._claim(min(free, AT_ONCE))):
            task = asyncio.create_task(self._handle(job_id))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)

    def _claim(self, limit: int) -> list[str]:
        ids = self._deliveries.claim(limit)
        if not self._stopping:
            return ids
        for job_id in ids:  # Redis answered when nobody waited any more
            self._deliveries.later(job_id, 0)
        return []

    async def _handle(self, job_id: str) -> None:
        taken = time.monotonic()
        try:
            parcel = await _in_thread(lambda: self._parcel(job_id))
            if parcel is None:
                await self._write(lambda: self._deliveries.done(job_id))
            elif self._hosts.is_full(parcel.host):
                delay_s = self._hosts.come_back_s(parcel.host)
                await self._write(lambda: self._deliveries.later(job_id, delay_s))
            else:
                async with self._hosts.place(parcel.host), self._places:
                    if time.monotonic() - taken > PATIENCE_S:
                        return
                    attempt, refused = await self._attempt(parcel)
                await self._settle(parcel, attempt, refused=refused)
        except REDIS_UNUSABLE as error:  # it comes up again when the lease is over
            log.warning("a delivery is left for later, Redis is away", job_id=job_id, error=str(error))
        except Exception:
            log.exception("a delivery failed that should not", job_id=job_id)

    def _parcel(self, job_id: str) -> _Parcel | None:
        """Return what is to be delivered, or None where there is nothing (any more)."""
        record = self._find(job_id)
        if record is None or record.webhook is None or record.state not in EVENTS:
            return None
        if record.delivery is not None and record.delivery.status != "pending":
            return None
        return _Parcel(record, record.webhook, self._secret_of(record.owner))

    async def _attempt(self, parcel: _Parcel) -> tuple[DeliveryAttempt, bool]:
        """Make one attempt; returns it, and whether the address is none that the service calls."""
        now = datetime.now(UTC)
        if parcel.secret is None:
            return DeliveryAttempt(at=now, error="there is no secret (any more) to sign it with", ms=0), True
        body = body_of(parcel.record)
        headers = headers_of(parcel.record.id, body, secret=parcel.secret, now=now)
        started = time.perf_counter()
        status, error = None, None
        try:
            status = await self._outbound.post(parcel.url, content=body, headers=headers, timeout_s=TIMEOUT_S)
        except OutboundError as caught:
            error = caught
        ms = round(1000 * (time.perf_counter() - started))
        attempt = DeliveryAttempt(at=now, status_code=status, error=None if error is None else str(error), ms=ms)
        return attempt, isinstance(error, AddressRefused)

    async def _settle(self, parcel: _Parcel, attempt: DeliveryAttempt, *, refused: bool) -> None:
        earlier = parcel.record.delivery.attempts if parcel.record.delivery is not None else []
        attempts = [*earlier, attempt][-KEPT_ATTEMPTS:]
        bound = log.bind(
            job_id=parcel.record.id,
            host=parcel.host,
            attempt=len(attempts),
            status_code=attempt.status_code,
            error=attempt.error,
            ms=attempt.ms,
        )
        delay_s = None
        if attempt.status_code is not None and attempt.status_code // 100 == 2:
            delivery, outcome = Delivery(status="delivered", attempts=attempts), "delivered"
            bound.info("webhook delivered")
        elif refused or attempt.status_code == HTTPStatus.GONE or len(attempts) > len(RETRY_AFTER_S):
            delivery, outcome = Delivery(status="failed", attempts=attempts), "failed"
            bound.warning("webhook failed")
        else:
            delay_s = RETRY_AFTER_S[len(attempts) - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311
            at = datetime.now(UTC) + timedelta(seconds=delay_s)
            delivery, outcome = Delivery(status="pending", attempts=attempts, next_attempt_at=at), "retried"
            bound.info("webhook will be tried again", in_s=round(delay_s, 1))
        await self._write(lambda: self._deliveries.settle(parcel.record.id, delivery, delay_s=delay_s))
        await _in_thread(lambda: self._count(outcome))

    async def _write(self, write: Callable[[], object]) -> None:
        """Write to Redis, also where it is away for some seconds: a message isn't sent again for that."""
        for _ in range(WRITE_TRIES):
            try:
                await _in_thread(write)
            except REDIS_UNUSABLE:
                await asyncio.sleep(REDIS_AWAY_S)
            else:
                return
        await _in_thread(write)


async def _in_thread(call: Callable[[], _T]) -> _T:
    """Call what waits for Redis; a stop doesn't wait for it."""
    return await run_sync(call, abandon_on_cancel=True)
