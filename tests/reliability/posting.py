"""Actions of clients: post tiny jobs, retry where they must, and list all jobs."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from PIL import Image

from tests.pictures import encode

from .stack import TINY

FINAL = frozenset({"succeeded", "failed", "canceled"})
PATIENCE_S = 60.0  # with a service that is away
PAUSE_S = 0.2
LOOK_S = 0.02

JsonObject = dict[str, Any]


class GaveUp(RuntimeError):
    """A request wasn't answered as it should, however often it was sent."""


@cache
def picture(seed: int, *, side: int = 48) -> bytes:
    """Return a PNG of coarse random colours, another one for each seed."""
    chance = random.Random(seed)
    small = Image.frombytes("RGB", (6, 6), chance.randbytes(108))
    return encode(small.resize((side, side), Image.Resampling.BICUBIC), "PNG")


def tiny_params(*, iterations: int) -> JsonObject:
    """Return parameters that make a small job."""
    return {"model": TINY, "areas": [0.1], "iterations": iterations, "check_extremality": False}


def no_reuse(client: httpx.Client) -> JsonObject:
    """Return the field that asks for a run of its own, where the API knows it."""
    document = client.get("/openapi.json").json()
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in body:
        body = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    return {"reuse": False} if "reuse" in body.get("properties", {}) else {}


@dataclass
class Poster:
    """Posts through several API processes in turn, and sends a request again until it is answered.

    Args:
        clients: one per API process.
        extra: more fields beside the parameters.
        params: of each job.
    """

    clients: Sequence[httpx.Client]
    params: JsonObject
    extra: JsonObject = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    """Failures in place of an answer, with their counts."""
    _turn: int = 0

    def post(self, image: bytes) -> str:
        """Post a job with an `Idempotency-Key`; returns its id."""
        key = str(uuid.uuid4())
        answer = self.ask(
            "POST", "/v1/jobs", headers={"Idempotency-Key": key}, files={"image": image}, data=self.form()
        )
        return str(answer.json()["id"])

    def finish(self, job_id: str) -> JsonObject:
        """Wait until a job has ended, and return it."""
        while True:
            job: JsonObject = self.ask("GET", f"/v1/jobs/{job_id}").json()
            if job["status"] in FINAL:
                return job
            time.sleep(LOOK_S)

    def form(self) -> dict[str, str]:
        """Return the form's fields but for the image."""
        return {name: json.dumps(value) for name, value in ({"params": self.params} | self.extra).items()}

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return the answer to a request, sent again while the service is away; never one above 299.

        Raises:
            GaveUp: it was refused, or the service stayed away.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self._turn += 1
            try:
                answer = self.clients[self._turn % len(self.clients)].request(method, path, **more)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if answer.is_success:
                    return answer
                reason = str(answer.status_code)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    raise GaveUp(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
            self.refused[reason] += 1
            if time.monotonic() > deadline:
                raise GaveUp(f"{method} {path}: {reason} for {PATIENCE_S:.0f} s")
            time.sleep(PAUSE_S)

    def all_jobs(self) -> Iterator[JsonObject]:
        """Yield all jobs, the newest first, page by page."""
        path: str | None = "/v1/jobs?limit=100"
        while path is not None:
            page = self.ask("GET", path).json()
            yield from page["jobs"]
            path = page["next"]
