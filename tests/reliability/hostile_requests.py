"""Whole requests that a hostile client sends over and over, by attack."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import hostile_images as images
from .posting import FINAL, JsonObject, picture, tiny_params
from .raw_http import Connection, post_form, post_json, request

MILLION = 1_000_000
BATCH = 20  # images
LISTED = 200  # jobs, so that all pages are full
MOST_URLS = 100  # of a batch, by default
JOB_S = 60.0
LOOK_S = 0.1
SMALL = base64.b64encode(picture(0)).decode()


@dataclass(frozen=True)
class Target:
    """The service that is attacked, and the attacker's key and address."""

    port: int
    key: str
    source: str
    """The address of this machine that connections come from."""

    def connection(self) -> Connection:
        """Return a connection of its own."""
        return Connection(self.port, source=self.source)

    def job(self, value: Any) -> bytes:
        """Return the post of a job in JSON."""
        return post_json("/v1/jobs", value, key=self.key)

    def form(self, *parts: tuple[str, str | bytes], path: str = "/v1/jobs", params: JsonObject | None = None) -> bytes:
        """Return the post of a form, with small parameters where there are none."""
        params = params or tiny_params(iterations=2)
        return post_form(path, [("params", json.dumps(params)), *parts], key=self.key)

    def get(self, path: str) -> bytes:
        """Return a GET."""
        return request("GET", path, key=self.key)


def long_lists(target: Target) -> list[bytes]:
    """Return posts of JSON whose lists are long, wherever there is one."""
    numbers, texts, long_texts = [0.1] * MILLION, ["a"] * MILLION, ["a" * 1024] * 19_000  # long ones pass as images
    params = [{"areas": numbers}, {"areas": long_texts}, {"task": "compare", "methods": texts}]
    bodies = [{"image": SMALL, "params": one} for one in params]
    more: list[JsonObject] = [
        {"images": texts},
        {"images": long_texts},
        {"image_url": texts},
        {"image_url": long_texts},
    ]
    keys = {f"{k:x}": 0 for k in range(MILLION)}
    odd = [{"image": SMALL, "params": {"target": "a" * 19_000_000}}, keys, {"image": "\\" * 9_000_000}]
    return [*map(target.job, [*bodies, *more, *odd]), target.job(b'{"image":' + b"[" * MILLION)]


def files(*makers: Callable[[], bytes]) -> Callable[[Target], list[bytes]]:
    """Return a function that makes the posts of these files, a job each."""
    return lambda target: [target.form(("image", make())) for make in makers]


def batches(*makers: Callable[[], bytes], count: int = BATCH) -> Callable[[Target], list[bytes]]:
    """Return a function that makes the posts of batches, each of so many copies of a file."""
    return lambda target: [target.form(*[("image", make())] * count, path="/v1/batches") for make in makers]


def odd_forms(target: Target) -> list[bytes]:
    """Return forms of thousands of parts, of giant ones, and of what looks like a boundary at every byte."""
    photo = images.plain_webp()
    return [
        target.form(("image", photo), *[("priority", "low")] * 100_000),
        target.form(*[("image", b"")] * 100_000),
        target.form(("image", photo), ("params", "[" * 19_000_000)),
        target.form(("image", b"\r\n--" * 4_900_000)),
        target.form(("image", b"\r" * 19_500_000)),
        target.form(("image", photo), ("a" * 10_000_000, "")),
    ]


def bad_urls(target: Target, server: str) -> list[bytes]:
    """Return batches whose images lie at addresses of a server that is slow, silent or endless, or of none at all."""
    sets = [
        [f"{server}/{kind}/{k}" for k in range(MOST_URLS)]
        for kind in ("silent", "slow", "endless")  # `bad_server.py` answers so
    ]
    nowhere = [f"http://nowhere-{k}.invalid/" for k in range(MOST_URLS)]
    forbidden = ["file:///etc/passwd", "http://user@localhost/", "gopher://localhost/", "http://[::1", "//" * MOST_URLS]
    params = tiny_params(iterations=2)
    bodies = [{"images": [], "image_url": urls, "params": params} for urls in (*sets, nowhere, forbidden)]
    return [post_json("/v1/batches", body, key=target.key) for body in bodies]


def wrong_keys(target: Target) -> list[bytes]:
    """Return requests with keys that are none, and with none at all."""
    keys = ("ep_" + "a" * 43, "b" * 60_000, None)
    return [request("GET", "/v1/jobs", key=key) for key in keys] + [post_json("/v1/jobs", {"image": SMALL}, key="ep_c")]


def classify(target: Target) -> list[bytes]:
    """Return queries for the classes of a small image."""
    body = {"image": SMALL, "model": tiny_params(iterations=2)["model"]}
    return [post_json("/v1/classify", body, key=target.key)]


async def results(target: Target) -> list[bytes]:
    """Let jobs be made, most of them by reuse; return requests for pages of them and for all that one has."""
    connection = target.connection()
    post = target.form(("image", picture(0, side=1024)), ("keep_images", "true"))
    job = await finished(target, connection, post)
    for _ in range(LISTED - 1):
        await connection.ask(post)
    connection.close()
    links: JsonObject = job["links"]
    paths = [value for value in links.values() if isinstance(value, str) and value != links["events"]]
    paths += [*links["masks"].values(), *links["overlays"].values()]
    paths += [f"{path}{query}" for path in links["images"] for query in ("", "?size=2048", "?size=1024")]
    return [*map(target.get, paths), *[target.get("/v1/jobs?limit=100")] * len(paths)]


async def finished(target: Target, connection: Connection, post: bytes) -> JsonObject:
    """Post a job and return it once it has succeeded; raises `RuntimeError` where it doesn't."""
    answer = await connection.ask(post)
    try:
        async with asyncio.timeout(JOB_S):
            while (job := answer.json())["status"] not in FINAL:
                await asyncio.sleep(LOOK_S)
                answer = await connection.ask(target.get(job["links"]["self"]))
    except KeyError:
        raise RuntimeError(f"the job was answered with {answer.status}: {answer.body[:300]!r}") from None
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job has {job['status']}: {job['error']}")
    return job
