"""Body of a webhook: a small JSON object, signed by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic_core import to_json
from standardwebhooks import Webhook

from service.http.links import Links
from worker.broker.contract import JobRecord, JobState

EVENTS = {JobState.SUCCEEDED: "job.succeeded", JobState.FAILED: "job.failed"}
"""The type of the message, by the state that the job ended in; of others there is no message."""


def body_of(record: JobRecord) -> bytes:
    """Return the body about a finished job, the same at each attempt. Its links are paths: the receiver knows the host.

    They begin with the path below which a proxy showed the service to who posted the job.

    Args:
        record: a job in one of the states in `EVENTS`.
    """
    address = Links(record.root_path or "")
    links = {"self": address.job(record.id), "dashboard": address.dashboard("job", record.id)}
    if record.state is JobState.SUCCEEDED:
        links["result"] = address.part(record.id, "result")
    data: dict[str, Any] = {
        "id": record.id,
        "status": record.state,
        "task": record.params.task,
        "created_at": record.created_at,
        "finished_at": record.finished_at,
        "links": links,
    }
    if record.error is not None:
        data["error"] = record.error.model_dump(mode="json")
    return to_json({"type": EVENTS[record.state], "timestamp": record.finished_at or record.created_at, "data": data})


def headers_of(job_id: str, body: bytes, *, secret: str, now: datetime) -> dict[str, str]:
    """Return the headers of one attempt.

    Args:
        job_id: names the message, so that a receiver can tell a repeated one.
        body: what is signed.
        secret: base64, with or without ``whsec_`` before it.
        now: the time of the attempt, in UTC.

    Raises:
        ValueError: the secret isn't base64.
    """
    message_id = f"msg_{job_id}"
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body.decode()),
    }
