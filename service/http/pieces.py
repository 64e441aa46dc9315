"""Large responses, streamed in pieces."""

from __future__ import annotations

from fastapi import Response
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 128 * 1024


class InPieces(Response):
    """An answer that is sent piece by piece: what a client doesn't read stays out of its connection's buffer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; each piece when the one before has gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for start in range(0, max(1, len(body)), PIECE_BYTES):
            end = start + PIECE_BYTES
            piece = {"body": bytes(body[start:end]), "more_body": end < len(body)}
            await send({"type": "http.response.body", **piece})
