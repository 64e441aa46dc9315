"""`make attacks`: while one hostile client attacks, others are served in time, and the API's memory stays bounded."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer

from service.access.keys import hash_key, new_key

from . import report
from .api_memory import Memory, descendants, memory
from .client_process import ClientProcess
from .hostile_client import ATTACKS
from .other_tenant import Timings
from .stack import Process, Stack, cpu_s, wait_until

MB = 1e6
POST_MS, POLL_MS = 1000.0, 100.0  # p99 of the other tenant's answers
PEAK_MB, REST_MB, DECODER_MB = 400.0, 150.0, 600.0
REST_S = 60.0  # after the last attack
SETTLE_S = 60.0  # for what an attack has left behind
QUIET_SHARE, QUIET_S = 0.2, 0.5  # of a core, over so long
HOSTILE_QUEUED = 20  # jobs of the hostile client that may wait, or Redis would fill up
GRACE_S = 60.0  # beyond its seconds and `SETTLE_S`, an attack may prepare

Name = StrEnum("Name", {name.upper(): name for name in ATTACKS})  # type: ignore[misc]


@dataclass(frozen=True)
class Figures:
    """Outcome of one attack."""

    posts: Timings
    polls: Timings
    hostile: dict[str, int]
    """Answers to the attacker by their status."""
    peak_mb: float
    after_mb: float
    decoder_mb: float | None
    """The most that any child of the API process has held; None where it has none."""
    settled_s: float
    """Seconds until the API was idle again; infinite where it never was."""
    server_errors: list[str]
    """Lines of the API's log."""


class Attacks:
    """A stack, a hostile client's key, and another tenant's."""

    def __init__(self, stack: Stack, keys: dict[str, str], seconds: float) -> None:
        self._stack = stack
        self._keys = keys
        self._seconds = seconds
        self._known_errors = 0

    @property
    def api(self) -> Process:
        """The API process."""
        return self._stack.apis[0]

    def measure(self, name: str) -> Figures:
        """Let the hostile client attack while the other tenant posts and polls; then wait until all is quiet."""
        port, seconds = str(self._stack.ports[0]), str(self._seconds)
        with ExitStack() as running:
            hostile = running.enter_context(
                ClientProcess("tests.reliability.hostile_client", name, port, self._keys["hostile"], seconds)
            )
            tenant = running.enter_context(
                ClientProcess("tests.reliability.other_tenant", port, self._keys["tenant"], seconds)
            )
            watched = running.enter_context(Memory(self.api.pid))
            hostile.go()
            tenant.go()
            timings, tally = tenant.result(), hostile.result()
            after = memory(self.api.pid, "VmRSS")
            settled_s = self._settle()
        decoder = watched.peak_of_decoders()
        return Figures(
            posts=Timings(**timings["posts"]),
            polls=Timings(**timings["polls"]),
            hostile=tally,
            peak_mb=round(watched.peak() / MB, 1),
            after_mb=round(after / MB, 1),
            decoder_mb=None if decoder is None else round(decoder / MB, 1),
            settled_s=round(settled_s, 1),
            server_errors=self._new_errors(),
        )

    def clean(self) -> None:
        """Remove all jobs, so that the next attack meets the same stack; an API that isn't quiet is started anew."""
        if not self._is_quiet():
            self.api.kill()
            self.api.start()
            self._stack.wait_api()
        for key in self._keys.values():
            with self._stack.client(timeout_s=SETTLE_S) as client:
                client.headers["X-API-Key"] = key
                for path in _all_jobs(client):
                    client.delete(path)

    def rest(self) -> float:
        """Return the memory that the API holds now, in MB."""
        return round(memory(self.api.pid, "VmRSS") / MB, 1)

    def _settle(self) -> float:
        began = time.monotonic()
        is_quiet = wait_until(self._is_quiet, within_s=SETTLE_S)
        return time.monotonic() - began if is_quiet else float("inf")

    def _is_quiet(self) -> bool:
        before = self._cpu_s()
        time.sleep(QUIET_S)
        return self._cpu_s() - before < QUIET_SHARE * QUIET_S

    def _cpu_s(self) -> float:
        used = self.api.cpu_s()
        for pid in descendants(self.api.pid):
            with suppress(OSError):  # it has ended
                used += cpu_s(pid)
        return used

    def _new_errors(self) -> list[str]:
        errors = self._stack.server_errors()
        self._known_errors, known = len(errors), self._known_errors
        return errors[known:]


def measure(result: report.Report, line: report.Line, names: list[str], *, seconds: float) -> None:
    """Run each attack on the same stack, and wait a minute at the end."""
    keys = {"hostile": new_key(), "tenant": new_key()}
    listed = [{"name": name, "sha256": hash_key(key)} for name, key in keys.items()]
    listed[0]["max_queued"] = HOSTILE_QUEUED
    settings = {"EP_API_KEYS": json.dumps(listed), "EP_FETCH_URLS": "true", "EP_ALLOW_PRIVATE_URLS": "true"}
    with Stack(**settings) as stack:
        attacks = Attacks(stack, keys, seconds)
        for number, name in enumerate(names):
            line.show(f"{name}: {ATTACKS[name].what}", number, len(names))
            figures = attacks.measure(name)
            result.figures[name] = asdict(figures)
            _tell(result, name, figures)
            attacks.clean()
        line.show("a minute's rest")
        time.sleep(REST_S)
        result.at_most(f"API: MB, {REST_S:.0f} s after the last attack", attacks.rest(), REST_MB)


def _all_jobs(client: httpx.Client) -> Iterator[str]:
    while jobs := client.get("/v1/jobs?limit=100").raise_for_status().json()["jobs"]:
        yield from (job["links"]["self"] for job in jobs)


def _tell(result: report.Report, name: str, figures: Figures) -> None:
    for kind, timings, most_ms, wanted in (
        ("posts", figures.posts, POST_MS, {"202"}),
        ("polls", figures.polls, POLL_MS, {"200"}),
    ):
        p50, p99, most = timings.quantile(0.5), timings.quantile(0.99), max(timings.ms, default=float("inf"))
        text = f"{p50:,.0f} / {p99:,.0f} / {most:,.0f}"
        result.check(f"{name}: {kind}, ms: median / p99 / most", text, f"p99 <= {most_ms:g}", met=p99 <= most_ms)
        if set(timings.statuses) != wanted:
            result.check(f"{name}: {kind}, answers", json.dumps(timings.statuses), f"{', '.join(wanted)}", met=False)
    text = f"{figures.peak_mb:,.0f} / {figures.after_mb:,.0f}"
    is_small = figures.peak_mb <= PEAK_MB
    result.check(f"{name}: API, MB: peak / at once after", text, f"peak <= {PEAK_MB:g}", met=is_small)
    if figures.decoder_mb is not None:
        result.at_most(f"{name}: largest decoder, MB: peak", figures.decoder_mb, DECODER_MB)
    if figures.settled_s > 2 * QUIET_S:
        result.at_most(f"{name}: s until the API is quiet", figures.settled_s, SETTLE_S)
    fives = sum(count for status, count in figures.hostile.items() if status.startswith("5"))
    met = fives == 0 and not figures.server_errors
    result.check(f"{name}: attacker's answers", json.dumps(figures.hostile), "none of 5xx", met=met)
    result.lines += [f"{name}: {error}" for error in figures.server_errors[:5]]


def main(
    only: Annotated[list[Name] | None, typer.Option(help="Only this attack; may be given several times.")] = None,
    seconds: Annotated[float, typer.Option(help="Of each attack.")] = 15.0,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Measure another tenant's requests while a hostile client attacks, in one way after the other."""
    names = [str(name) for name in only or list(Name)]
    limit_s = 300 + len(names) * (seconds + SETTLE_S + GRACE_S)
    title = f"Attacks of {seconds:g} s each, seen by another tenant"
    sys.exit(report.run(title, lambda r, line: measure(r, line, names, seconds=seconds), limit_s=limit_s, out=out))


if __name__ == "__main__":
    typer.run(main)
