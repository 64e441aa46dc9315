"""Posts broken and hostile image files: each is refused as the OpenAPI document says, or made a job that ends."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from .hostile_images import HOSTILE
from .mutations import Mutant, mutants
from .posting import FINAL, JsonObject, Poster, no_reuse
from .report import Line, Report
from .stack import Stack, wait_until

PARAMS = {"areas": [0.1], "iterations": 2, "check_extremality": False}
MOST_MS = 5000.0  # of one answer
HOSTILE_MS = 20_000.0  # of one to a hostile image
END_S = 120.0  # for the last accepted job
UNEXPECTED = "/problems/internal-error"


def measure_images(result: Report, line: Line, stack: Stack, *, count: int, seed: int, keep: Path) -> None:
    """Post broken files; those that aren't answered as declared are kept in a folder, with a line to send them again.

    Args:
        result: gets what was measured.
        line: shows how far it is.
        stack: with one API process and one worker.
        count: how many files.
        seed: draws what is broken.
        keep: the folder, made where one is kept.
    """
    _measure(result, line, stack, "broken images", mutants(count, seed), count=count, most_ms=MOST_MS, keep=keep)


def measure_hostile(result: Report, line: Line, stack: Stack, *, keep: Path) -> None:
    """Post each hostile image once, as `measure_images` does the broken ones."""
    files = (Mutant(name, make()) for name, make in HOSTILE.items())
    _measure(result, line, stack, "hostile images", files, count=len(HOSTILE), most_ms=HOSTILE_MS, keep=keep)


def _measure(
    result: Report,
    line: Line,
    stack: Stack,
    what: str,
    files: Iterable[Mutant],
    *,
    count: int,
    most_ms: float,
    keep: Path,
) -> None:
    with stack.client() as client:
        poster = Poster([client], PARAMS, no_reuse(client))
        declared = _Declared(client.get("/openapi.json").json())
        statuses, ms, accepted, failures = Counter[str](), [], [], 0
        for number, mutant in enumerate(files):
            line.show(what, number, count)
            began = time.perf_counter()
            answer, wrong = _post(client, poster, mutant, declared)
            ms.append(1000 * (time.perf_counter() - began))
            statuses[str(answer.status_code) if answer else "none"] += 1
            if wrong:
                failures += 1
                result.lines += [f"{mutant.name}: {wrong}", _curl(mutant, poster, keep)]
            elif answer and answer.is_success:
                accepted.append((mutant, answer.json()["id"]))
        result.tell(f"{what}: answers", json.dumps(dict(sorted(statuses.items()))))
        result.equals(f"{what}: not answered as declared", failures, 0)
        result.at_most(f"{what}: ms, slowest answer", round(max(ms)), most_ms)
        line.show("waiting for the accepted ones")
        _tell_jobs(result, poster, what, accepted, keep)


class _Declared:
    """Responses that the OpenAPI document declares for a posted job."""

    def __init__(self, document: JsonObject) -> None:
        self._components = document["components"]
        self._responses = document["paths"]["/v1/jobs"]["post"]["responses"]

    def fault(self, answer: httpx.Response) -> str:
        """Return what is wrong with an answer, or nothing."""
        status = str(answer.status_code)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if status.startswith("5") or status not in self._responses:
            return f"status {status}: {answer.text[:200]}"
        contents: dict[str, Any] = self._responses[status]["content"]
        if kind not in contents:
            return f"status {status} with content type {kind!r}"
        schema = contents[kind]["schema"] | {"components": self._components}
        faults = [error.message for error in Draft202012Validator(schema).iter_errors(answer.json())]
        return f"status {status}, schema: {'; '.join(faults)[:500]}" if faults else ""


def _post(
    client: httpx.Client, poster: Poster, mutant: Mutant, declared: _Declared
) -> tuple[httpx.Response | None, str]:
    try:
        answer = client.post("/v1/jobs", files={"image": (mutant.name, mutant.data)}, data=poster.form())
    except httpx.TransportError as error:
        return None, f"no answer: {type(error).__name__} {error}"
    return answer, declared.fault(answer)


def _tell_jobs(result: Report, poster: Poster, what: str, accepted: list[tuple[Mutant, str]], keep: Path) -> None:
    """Report how the accepted jobs ended: those that can't be explained fail with a reason that isn't our fault."""
    deadline = time.monotonic() + END_S
    ends, stuck, unexpected = Counter[str](), 0, 0
    for mutant, job_id in accepted:
        job = wait_until(lambda job_id=job_id: _ended(poster, job_id), within_s=max(1.0, deadline - time.monotonic()))
        stuck += job is None
        if job is not None:
            ends[job["status"] if job["error"] is None else f"{job['status']} {job['error']['type']}"] += 1
            if job["error"] is not None and job["error"]["type"] == UNEXPECTED:
                unexpected += 1
                result.lines += [f"{mutant.name}: {job['error']}", _curl(mutant, poster, keep)]
    result.tell(f"{what}, accepted ones: ends", json.dumps(dict(ends)))
    result.equals(f"{what}, accepted ones: not ended", stuck, 0)
    result.equals(f"{what}, accepted ones: failed unexpectedly", unexpected, 0)


def _ended(poster: Poster, job_id: str) -> JsonObject | None:
    job: JsonObject = poster.ask("GET", f"/v1/jobs/{job_id}").json()
    return job if job["status"] in FINAL else None


def _curl(mutant: Mutant, poster: Poster, keep: Path) -> str:
    """Keep a file; return the line that posts it to a service with the default address."""
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / mutant.name
    path.write_bytes(mutant.data)
    fields = " ".join(f"-F '{name}={value}'" for name, value in poster.form().items())
    return f"    curl -i -F image=@{path} {fields} http://127.0.0.1:8000/v1/jobs"
