"""Webhooks that the service signs are verified, and nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from extremal_client import WebhookInvalid, verify_webhook
from standardwebhooks import Webhook

from service.webhooks.message import body_of, headers_of
from worker.broker.contract import JobRecord, JobState, Problem

SECRET = "whsec_" + "c2VjcmV0" * 6
OTHER = "whsec_" + "b3RoZXIh" * 6
NOW = datetime(2026, 1, 31, 12, 0, 9, tzinfo=UTC)
RECORD = JobRecord(
    id="0f8fad5bd9cb469fa165708677289501",
    state=JobState.FAILED,
    params={"task": "extremal"},
    created_at=NOW,
    finished_at=NOW,
    error=Problem(type="/problems/timed-out", title="Timed out", status=504, detail="The job ran longer than 600 s."),
)


def message(secret: str = SECRET, *, sent: datetime = NOW) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a message as the service sends it."""
    body = body_of(RECORD)
    return headers_of(RECORD.id, body, secret=secret, now=sent), body


def test_a_message_of_the_service_is_verified() -> None:
    headers, body = message()
    found = verify_webhook({name.title(): value for name, value in headers.items()}, body, SECRET, now=NOW.timestamp())
    assert (found.id, found.type, found.job_id) == (f"msg_{RECORD.id}", "job.failed", RECORD.id)
    assert found.data["error"]["detail"] == "The job ran longer than 600 s."
    assert found.data == json.loads(body)["data"]
    assert verify_webhook(headers, body.decode(), SECRET.removeprefix("whsec_"), now=NOW.timestamp()) == found


def test_it_says_the_same_as_the_library_of_the_standard() -> None:
    headers, body = message(sent=datetime.now(UTC))
    assert verify_webhook(headers, body, SECRET).data == Webhook(SECRET).verify(body, headers)["data"]


def test_one_of_several_signatures_suffices() -> None:
    headers, body = message()
    both = headers | {
        "webhook-signature": f"v2,abc v1,?? {message(OTHER)[0]['webhook-signature']} {headers['webhook-signature']}"
    }
    assert verify_webhook(both, body, SECRET, now=NOW.timestamp()).job_id == RECORD.id


def test_another_body_or_secret_is_refused() -> None:
    headers, body = message()
    for changed, secret in [(body + b" ", SECRET), (body, OTHER), (body.replace(b"failed", b"succeeded"), SECRET)]:
        with pytest.raises(WebhookInvalid, match="verify the bytes as they came in"):
            verify_webhook(headers, changed, secret, now=NOW.timestamp())
    moved = headers | {"webhook-id": "msg_2"}
    with pytest.raises(WebhookInvalid):
        verify_webhook(moved, body, SECRET, now=NOW.timestamp())


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_message_is_refused_and_one_of_the_future(minutes: int) -> None:
    headers, body = message(sent=NOW + timedelta(minutes=minutes))
    with pytest.raises(WebhookInvalid, match="300 s old at most"):
        verify_webhook(headers, body, SECRET, now=NOW.timestamp())


def test_what_is_missing_or_no_secret_is_told() -> None:
    headers, body = message()
    with pytest.raises(WebhookInvalid, match="no webhook-id, webhook-signature"):
        verify_webhook({"webhook-timestamp": headers["webhook-timestamp"]}, body, SECRET)
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook(headers, body, "whsec_nö")
