"""HEAD wherever there is GET (RFC 9110, 9.3.2): its response without the body."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def install(app: FastAPI) -> None:
    """Let `app` answer HEAD."""
    app.add_middleware(_AnswerHead)


class _AnswerHead:
    """Asks the application for GET, and sends the headers of its answer as soon as they are there, nothing else.

    For the application the client leaves then, so that a stream ends at once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        answered = asyncio.Event()

        async def send_headers(message: Message) -> None:
            if message["type"] != "http.response.start":
                return
            if "route" in asked:
                scope["route"] = asked["route"]  # logs and metrics name it
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            answered.set()

        await self._app(asked, _nothing_until(answered), send_headers)


def _nothing_until(answered: asyncio.Event) -> Receive:
    """Return a `receive` of an empty body, and once it is `answered`, of the client's disconnect."""
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if not is_read:
            is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await answered.wait()
        return {"type": "http.disconnect"}

    return receive
