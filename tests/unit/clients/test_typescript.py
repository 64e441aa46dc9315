"""The TypeScript client's parts, run by deno; its webhooks are the service's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ep_core.version import __version__

from .test_webhooks import NOW, OTHER, RECORD, SECRET, message

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "clients" / "typescript"
SCRIPTS = ROOT / "tests" / "clients" / "typescript"


def deno(*arguments: str | Path) -> str:
    """What deno says, which must succeed."""
    command = [sys.executable, "-m", "deno", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_parts_do_what_they_say() -> None:
    assert "7 passed" in deno("test", "--no-check", "--config", PACKAGE / "deno.json", SCRIPTS / "parts.test.ts")


def test_it_verifies_what_the_service_signs_and_nothing_else() -> None:
    headers, body = message()
    text, now = body.decode(), NOW.timestamp()
    both = headers | {
        "webhook-signature": f"v2,abc v1,?? {message(OTHER)[0]['webhook-signature']} {headers['webhook-signature']}"
    }
    cases = [
        (headers, text, SECRET, now),
        (both, text, SECRET.removeprefix("whsec_"), now + 299),
        (headers, text + " ", SECRET, now),
        (headers, text, OTHER, now),
        (headers | {"webhook-id": "msg_2"}, text, SECRET, now),
        (headers, text, SECRET, now + 301),
        ({"webhook-timestamp": headers["webhook-timestamp"]}, text, SECRET, now),
    ]
    told = json.loads(deno("run", "--no-check", SCRIPTS / "webhooks.ts", json.dumps(cases)))
    assert told[:2] == [[f"msg_{RECORD.id}", "job.failed", RECORD.id, "failed"]] * 2
    assert {name for name, *_ in told[2:]} == {"WebhookInvalid"}
    assert [said for _, said in told[2:5]] == [told[2][1]] * 3
    assert "verify the bytes as they came in" in told[2][1]
    assert "300 s old at most" in told[5][1]
    assert "no webhook-id, webhook-signature" in told[6][1]


def test_its_version_is_the_service_s() -> None:
    for name in ("package.json", "deno.json"):
        assert json.loads((PACKAGE / name).read_text())["version"] == __version__
