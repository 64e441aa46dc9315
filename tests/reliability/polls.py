"""Latency of the API with a long queue, and polls per second of one process."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack

import httpx

from .lean_client import Plan, Timings, get, post_json, send
from .posting import Poster, no_reuse, picture, tiny_params
from .report import Line, Report
from .stack import Stack

MOST_P99_MS = 50.0
LEAST_PER_S = 1000.0
POSTS = 300
GETS = 3000
GET_CONNECTIONS = 4
POLL_CONNECTIONS = 16
FILL_CONNECTIONS = 8
FILL_S = 600.0
NEVER = 10**9


def measure_polls(result: Report, line: Line, *, jobs: int, seconds: float) -> None:
    """Fill the queue while no worker runs; then post and poll from one client process."""
    with ExitStack() as running:
        stack = running.enter_context(Stack())
        client = running.enter_context(stack.client())
        stack.workers[0].stop()  # it has said what it offers, and that's all that posting needs
        line.show(f"queueing {jobs} jobs")
        filled = send(Plan(stack.ports[0], _posts(client, jobs), FILL_CONNECTIONS, jobs, FILL_S))
        paths = [job["links"]["self"] for job in Poster([client], {}).all_jobs()]
        result.equals("jobs queued", len(paths), jobs)
        result.tell("queued per second", round(filled.per_second))
        _posting(result, line, stack, _posts(client, POSTS, first=jobs))
        _polling(result, line, stack, paths, seconds)


def _posting(result: Report, line: Line, stack: Stack, posts: list[str]) -> None:
    line.show("posting, one at a time")
    timings = send(Plan(stack.ports[0], posts, 1, len(posts), 60))
    _tell_latency(result, "POST, one at a time", timings, "202")


def _polling(result: Report, line: Line, stack: Stack, paths: list[str], seconds: float) -> None:
    gets = [get(path) for path in paths]
    line.show("asking for the state of random jobs")
    timings = send(Plan(stack.ports[0], gets, GET_CONNECTIONS, GETS, 60, seed=0))
    _tell_latency(result, f"GET of random jobs, {GET_CONNECTIONS} at a time", timings, "200")
    line.show("as many as it takes")
    api_cpu = stack.apis[0].cpu_s()
    timings = send(Plan(stack.ports[0], gets, POLL_CONNECTIONS, NEVER, seconds, seed=1))
    api_cpu = stack.apis[0].cpu_s() - api_cpu
    what = f"GET, {POLL_CONNECTIONS} at a time"
    _tell_statuses(result, what, timings, "200")
    result.at_least(f"{what}: per second", round(timings.per_second), LEAST_PER_S)
    result.tell(f"{what}: ms, median and p99", f"{timings.quantile(0.5):.1f}, {timings.quantile(0.99):.1f}")
    result.tell("CPU of the API meanwhile, %", round(100 * api_cpu / timings.seconds))
    result.tell("CPU of the client meanwhile, %", round(100 * timings.cpu_s / timings.seconds))


def _tell_latency(result: Report, what: str, timings: Timings, wanted: str) -> None:
    _tell_statuses(result, what, timings, wanted)
    result.tell(f"{what}: ms, median", round(timings.quantile(0.5), 2))
    result.at_most(f"{what}: ms, p99", round(timings.quantile(0.99), 2), MOST_P99_MS)


def _tell_statuses(result: Report, what: str, timings: Timings, wanted: str) -> None:
    result.equals(f"{what}: answers", json.dumps(timings.statuses), json.dumps({wanted: len(timings.ms)}))


def _posts(client: httpx.Client, count: int, *, first: int = 0) -> list[str]:
    """Return requests for so many jobs, all different."""
    image, extra = base64.b64encode(picture(0)).decode(), no_reuse(client)
    bodies = ({"image": image, "params": tiny_params(iterations=2) | {"seed": first + k}} | extra for k in range(count))
    return [post_json("/v1/jobs", json.dumps(body)) for body in bodies]
