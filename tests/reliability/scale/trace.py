"""Trace of a job: what a client, the API and a worker send to Redis for it, as the product's own code has sent it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import ApiSettings
from tests.reliability.posting import FINAL
from tests.reliability.stack import Stack, wait_until

from .recorder import Recorder, Sent, commands_in, packed

LOOK_S = 0.25
BESIDE_S = 2.0
JANITOR = b"ep:janitor"
GAP_S = 1.0  # between heartbeats, which are several units each
_HASHES = re.compile(rb"ep:(?:request|results):([0-9a-f]{64})")
_WORKER = re.compile(rb"rq:worker:([^\s:]+)")
_TIME = re.compile(rb"(?<=\r\n)1\d{9}(?=\r\n)")  # seconds since 1970: when RQ's leases end
_LATER_S = 24 * 3600


@dataclass(frozen=True)
class Trace:
    """Units of a job in their order: each was sent at once, and is answered before the next one."""

    job_id: str
    post: list[bytes]
    poll: list[bytes]
    fetch: list[bytes]
    """Of the result and a picture, once it has ended."""
    run: list[tuple[float, bytes]]
    """From its taking to its worker's next wait, with the seconds since its taking."""
    beat: list[bytes]
    """A heartbeat of its worker."""
    beside: list[bytes]
    """Commands of its worker's other threads in `BESIDE_S` seconds, such as waits for questions."""

    @property
    def own(self) -> list[str]:
        """Texts that are another job's own, or another worker's: of the same length there."""
        whole = b"".join(
            [*self.post, *self.poll, *self.fetch, *self.beat, *self.beside, *(data for _, data in self.run)]
        )
        hashes = {found.decode() for found in _HASHES.findall(whole)}
        return [self.job_id, *sorted(hashes), *sorted({found.decode() for found in _WORKER.findall(whole)})]

    @property
    def bytes_sent(self) -> int:
        """Bytes that are sent to be written, by API and worker."""
        return sum(map(len, self.post)) + sum(len(data) for _, data in self.run)

    def without_files(self) -> Trace:
        """Return the same without its blobs, as where `EP_BLOB_URL` is set."""
        return replace(
            self,
            post=_without_files(self.post),
            fetch=_without_files(self.fetch),
            run=[(at, data) for at, unit in self.run for data in _without_files([unit])],
        )


@dataclass(frozen=True)
class ClientSide:
    """Units of a job's client, as an API process sends them."""

    job_id: str
    post: list[bytes]
    poll: list[bytes]
    fetch: list[bytes]


def record_client(stack: Stack, bodies: Sequence[dict[str, Any]], *, patience_s: float) -> ClientSide:
    """Post jobs through an API in this process, follow each to its end, and return what was sent for the last one.

    The first ones load what is loaded once: scripts and connections.
    """
    settings = ApiSettings(redis_url=stack.redis.url, retention_s=int(stack.env["EP_RETENTION_S"]))
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as api:
        for body in bodies:
            recorder = Recorder()
            recorder.install()
            try:
                side = _follow(api, body, recorder, patience_s)
            finally:
                recorder.remove()
    return side


def _follow(api: TestClient, body: dict[str, Any], recorder: Recorder, patience_s: float) -> ClientSide:
    def sent() -> list[Sent]:
        found, recorder.sent = recorder.sent, []
        return found

    posted = api.post("/v1/jobs", json=body, headers={"Idempotency-Key": f"scale-{body['params']['seed']}"})
    posted.raise_for_status()
    job_id, links = posted.json()["id"], posted.json()["links"]
    post = sent()
    api.get(links["self"])
    poll = sent()
    wait_until(lambda: api.get(links["self"]).json()["status"] in FINAL, within_s=patience_s, every_s=LOOK_S)
    links = api.get(links["self"]).json()["links"]
    sent()
    for name in ("result", "saliency"):
        api.get(links[name]).raise_for_status()
    fetch = sent()
    return ClientSide(job_id, *([one.data for one in part if _is_of(one, job_id)] for part in (post, poll, fetch)))


def _is_of(sent: Sent, job_id: str) -> bool:
    """Return whether it is a job's, or what its request reads; the courier's own looks are neither."""
    return job_id.encode() in sent.data or b"ep:deliveries" not in sent.data


def trace(client: ClientSide, worker: Sequence[Sent]) -> Trace:
    """Return the trace of a job.

    Args:
        client: what its client made an API send.
        worker: all that the worker has sent that ran it.
    """
    job_id = client.job_id.encode()
    main = [one for one in worker if one.thread == "MainThread"]
    first = next(k for k, one in enumerate(main) if job_id in one.data)
    taken = max(k for k in range(first) if _is_wait(main[k]))
    left = next(k for k in range(first, len(main)) if _is_wait(main[k]))
    run = [(one.at - main[taken + 1].at, one.data) for one in main[taken + 1 : left]]
    beats = _beats([one for one in worker if one.thread == "heartbeat"])
    beat = next((one for one in beats if any(job_id in data for data in one)), beats[-1])
    run, beat = [(at, _prolonged(data)) for at, data in run], [_prolonged(data) for data in beat]
    beside = _beside(worker, since=main[taken].at)
    return Trace(client.job_id, client.post, client.poll, client.fetch, run, beat, beside)


def _beside(worker: Sequence[Sent], *, since: float) -> list[bytes]:
    """Return what other threads sent; of the janitor, its look whether it has its turn, by a key of its own."""
    others = [one for one in worker if one.thread not in ("MainThread", "heartbeat", "janitor")]
    turn = next(one.data for one in worker if one.thread == "janitor" and commands_in(one.data)[0][1] == JANITOR)
    sent = [one.data for one in others if since <= one.at < since + BESIDE_S]
    return [*sent, turn.replace(JANITOR, JANITOR[:-1] + b"R")]


def _prolonged(unit: bytes) -> bytes:
    """Return a unit whose leases still last when it is sent again."""
    return _TIME.sub(lambda found: b"%d" % (int(found[0]) + _LATER_S), unit)


def _beats(sent: Sequence[Sent]) -> list[list[bytes]]:
    beats: list[list[bytes]] = []
    before = float("-inf")
    for one in sent:
        if one.at - before > GAP_S:
            beats.append([])
        beats[-1].append(one.data)
        before = one.at
    return beats


def _is_wait(sent: Sent) -> bool:
    return commands_in(sent.data)[0][0].upper() == b"BLPOP"


def _without_files(units: Sequence[bytes]) -> list[bytes]:
    """Leave out the commands on blobs; a unit that has others, too, keeps those."""
    kept = []
    for unit in units:
        commands = [words for words in commands_in(unit) if not any(word.startswith(b"ep:blobs:") for word in words)]
        if commands:
            kept.append(b"".join(map(packed, commands)))
    return kept
