"""Calls to a running service, as a client makes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpcore
from prometheus_client.parser import text_string_to_metric_families

ANSWER_S = 60.0

JsonObject = dict[str, Any]

_AWAY = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol)


class LoadFailed(Exception):
    """The service can't be reached, refuses a request, or fails a job."""


@dataclass(frozen=True)
class Ran:
    """A job that has succeeded, with its times in seconds since the epoch, by the service's clocks."""

    small: bool
    posted: float
    taken: float
    first_step: float | None
    """None where it has no steps."""
    finished: float

    @property
    def wait_s(self) -> float:
        """Seconds from its posting to its end."""
        return self.finished - self.posted

    @property
    def run_s(self) -> float:
        """Seconds from its start to its end."""
        return self.finished - self.taken


@dataclass(frozen=True)
class Service:
    """A running service.

    Args:
        url: its address.
        key: an API key, where it wants one.
    """

    url: str
    key: str | None = None

    def post(self, image: bytes, params: Mapping[str, Any]) -> str:
        """Post a job that is computed anew; return its id."""
        body = {"image": base64.b64encode(image).decode(), "params": dict(params), "reuse": False}
        return str(json.loads(self._ask("POST", "/v1/jobs", json.dumps(body).encode()))["id"])

    def look(self, job_id: str, *, small: bool) -> Ran | None:
        """Return a job once it has succeeded, None until then.

        Raises:
            LoadFailed: it has failed, or was canceled.
        """
        job: JsonObject = json.loads(self._ask("GET", f"/v1/jobs/{job_id}"))
        if job["status"] in ("queued", "running"):
            return None
        if job["status"] != "succeeded":
            reason = (job["error"] or {}).get("detail", "it was canceled")
            raise LoadFailed(f"job {job_id} has not succeeded: {reason}")
        first = (job["progress"] or {}).get("first_step_at")
        return Ran(
            small=small,
            posted=_seconds(job["created_at"]),
            taken=_seconds(job["started_at"]),
            first_step=None if first is None else _seconds(first),
            finished=_seconds(job["finished_at"]),
        )

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return the samples of `/metrics`, by name and the values of their labels."""
        text = self._ask("GET", "/metrics").decode()
        families = text_string_to_metric_families(text)
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = [("Content-Type", "application/json")]
        headers += [("Authorization", f"Bearer {self.key}")] if self.key else []
        url = self.url.rstrip("/") + path
        timeouts = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), ANSWER_S)}
        try:
            answer = httpcore.request(method, url, headers=headers, content=body, extensions=timeouts)
        except _AWAY as error:
            raise LoadFailed(f"{method} {url}: {str(error) or type(error).__name__}; is the service there?") from error
        if answer.status >= 300:
            raise LoadFailed(f"{method} {url}: {answer.status} {answer.content[:500].decode(errors='replace')}")
        return answer.content


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
