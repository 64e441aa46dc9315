"""Pool of an API process's decoders: images of all callers in turn, each within limits of time and memory."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect

from ep_core.errors import ImageTooLarge, InvalidInput, UnreadableImage
from ep_core.pictures.decoding import Behind
from service.access.shares import Shares
from service.http.errors import Unavailable

from .decoder import Decoder, DecoderEnded, DecodeRequest

IsWanted: TypeAlias = Callable[[], Awaitable[bool]]
RENEWED_AFTER = 500
"""Images after which a process is replaced, whatever its libraries keep."""
_ERRORS = {kind.__name__: kind for kind in (UnreadableImage, ImageTooLarge)}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checked:
    """Size of a decoded image, and the file as it is stored."""

    size: tuple[int, int]
    """Width and height, in pixels."""
    data: bytes
    """The file, as it is to be stored."""


class Decoders:
    """A few processes that decode; a caller uses all of them but one, so that others needn't wait for a slow image."""

    def __init__(self, processes: int, *, max_pixels: int, seconds: float, memory_bytes: int) -> None:
        """Start none yet.

        Args:
            processes: how many there are at most.
            max_pixels: most pixels of an image.
            seconds: how long decoding an image may take.
            memory_bytes: memory of a process, 0 for any.
        """
        self._count = processes
        self._max_pixels = max_pixels
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._shares = Shares(processes, most_each=max(1, processes - 1))
        self._threads = CapacityLimiter(processes)
        self._idle: list[Decoder] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the processes, so that the first images needn't wait for them."""
        self._idle += [self._new() for _ in range(self._count - len(self._idle))]

    def close(self) -> None:
        """End the processes that decode nothing."""
        while (decoder := self._pop()) is not None:
            decoder.close()

    async def check(
        self,
        data: bytes,
        *,
        who: str,
        keep_metadata: bool = False,
        white_level: int | None = None,
        is_wanted: IsWanted | None = None,
    ) -> Checked:
        """Decode an image, and return its size, and the file without its metadata.

        Args:
            data: the file's bytes.
            who: the caller, whose images wait for each other.
            keep_metadata: whether the file shall stay as it is.
            white_level: the sample value that is white, as for `read_image`.
            is_wanted: called when it is the image's turn.

        Raises:
            UnreadableImage: it is not a single, whole picture, or takes too long to decode.
            ImageTooLarge: it has more pixels than it may, or takes too much memory.
            InvalidInput: a white level is given that it has no use for.
            TooManyAtOnce: too many of the caller's images wait.
            ClientDisconnect: the client has left.
            Unavailable: no process can be started.
        """
        request = self._request(keep_metadata=keep_metadata, white_level=white_level)
        answer, stripped = await self._run(request, data, who, is_wanted)
        return Checked(tuple(answer["size"]), stripped if answer["is_stripped"] else data)

    async def make_thumbnail(
        self,
        data: bytes,
        size: int,
        *,
        who: str,
        white_level: int | None = None,
        behind: Behind = "white",
    ) -> bytes:
        """Return a small JPEG of an image (`thumbnail.make_thumbnail`); raises as `check`."""
        return (await self._run(self._request(size=size, white_level=white_level, behind=behind), data, who))[1]

    async def _run(
        self, request: DecodeRequest, data: bytes, who: str, is_wanted: IsWanted | None = None
    ) -> tuple[dict[str, Any], bytes]:
        async with self._shares.hold(who):
            if is_wanted is not None and not await is_wanted():
                raise ClientDisconnect
            answer, made = await to_thread.run_sync(partial(self._decode, request, data), limiter=self._threads)
        if "error" in answer:
            raise _error(answer["error"], answer["detail"], answer.get("field"))
        return answer, made

    def _request(self, **asked: Any) -> DecodeRequest:
        return DecodeRequest(max_pixels=self._max_pixels, seconds=self._seconds, **asked)

    def _decode(self, request: DecodeRequest, data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            return self._decode_once(request, data)
        except DecoderEnded as error:
            if error.is_late:
                raise self._why(error) from error
        try:  # whatever ended it, the image may be innocent
            return self._decode_once(request, data)
        except DecoderEnded as error:
            raise self._why(error) from error

    def _decode_once(self, request: DecodeRequest, data: bytes) -> tuple[dict[str, Any], bytes]:
        decoder = self._pop() or self._new()
        try:
            found = decoder.run(request, data)
        except DecoderEnded:
            self._push(self._new())
            raise
        if decoder.answers >= RENEWED_AFTER:
            decoder.close()
            decoder = self._new()
        self._push(decoder)
        return found

    def _why(self, error: DecoderEnded) -> InvalidInput | Unavailable:
        if not error.served:
            _log.error("a decoder ends at once", returncode=error.returncode)
            return Unavailable("No image can be decoded for now. Try again soon.")
        _log.warning("an image ended a decoder", returncode=error.returncode, late=error.is_late)
        if error.is_late:
            return UnreadableImage(
                f"decoding the image takes more than {self._seconds:g} s: save it again, as PNG or plain JPEG"
            )
        return UnreadableImage("the image can't be decoded (its decoder crashed): save it again, as PNG or plain JPEG")

    def _new(self) -> Decoder:
        try:
            return Decoder(memory_bytes=self._memory_bytes)
        except OSError as error:
            _log.error("no decoder can be started", error=str(error))
            raise Unavailable("No image can be decoded for now. Try again soon.") from error

    def _pop(self) -> Decoder | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _push(self, decoder: Decoder) -> None:
        with self._lock:
            self._idle.append(decoder)


def _error(kind: str, detail: str, field: str | None) -> InvalidInput:
    return _ERRORS[kind](detail) if kind in _ERRORS else InvalidInput(detail, field=field)
