"""Body and signature of a webhook's message."""

from __future__ import annotations

from datetime import datetime

from redis import Redis
from standardwebhooks import Webhook

from tests.process.service.receivers import Answering
from worker.broker.contract import JobState
from worker.broker.store import JobStore

from .sending import DUE, SECRET, EndJob, Run, delivery, is_settled, wait_until


def test_a_message_is_signed_and_says_what_became_of_the_job(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering() as receiver, run():
        job_id = end_job(receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
    (request,) = receiver.requests
    message = Webhook(SECRET).verify(request.body, request.headers)
    record = JobStore(redis, retention_s=3600).get(job_id)
    assert message == {
        "type": "job.succeeded",
        "timestamp": message["data"]["finished_at"],
        "data": {
            "id": job_id,
            "status": "succeeded",
            "task": "extremal",
            "created_at": message["data"]["created_at"],
            "finished_at": message["data"]["finished_at"],
            "links": {
                "self": f"/v1/jobs/{job_id}",
                "dashboard": f"/#/job/{job_id}",
                "result": f"/v1/jobs/{job_id}/result",
            },
        },
    }
    assert datetime.fromisoformat(message["timestamp"]) == record.finished_at
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == f"msg_{job_id}"
    assert record.delivery.status == "delivered"
    assert record.delivery.next_attempt_at is None
    (attempt,) = record.delivery.attempts
    assert (attempt.status_code, attempt.error) == (204, None)
    assert 0 <= attempt.ms < 10_000
    assert redis.zcard(DUE) == 0


def test_a_failed_jobs_message_says_why_and_has_no_result(redis: Redis, end_job: EndJob, run: Run) -> None:
    with Answering() as receiver, run():
        job_id = end_job(receiver.url, state=JobState.FAILED)
        wait_until(lambda: is_settled(redis, job_id))
    message = Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)
    assert message["type"] == "job.failed"
    assert message["data"]["error"]["type"] == "/problems/worker-lost"
    assert message["data"]["links"] == {"self": f"/v1/jobs/{job_id}", "dashboard": f"/#/job/{job_id}"}


def test_each_owners_messages_are_signed_with_the_owners_secret(redis: Redis, end_job: EndJob, run: Run) -> None:
    other = "whsec_" + "b3RoZXIgb3RoZXIgb3RoZXI="
    with Answering() as receiver, run(secret_of={"ann": SECRET, "bob": other, None: None}.get):
        jobs = [end_job(receiver.url, owner=owner) for owner in ("ann", "bob", None)]
        wait_until(lambda: all(is_settled(redis, job_id) for job_id in jobs))
    requests = {request.headers["webhook-id"]: request for request in receiver.requests}
    ann, bob = (requests.pop(f"msg_{job_id}") for job_id in jobs[:2])
    Webhook(SECRET).verify(ann.body, ann.headers)
    Webhook(other).verify(bob.body, bob.headers)
    assert requests == {}  # without a secret (any more) nothing goes out
    assert "no secret" in str(delivery(redis, jobs[2]).attempts[0].error)
