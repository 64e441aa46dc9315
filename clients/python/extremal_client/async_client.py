"""The client for asyncio."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from .core.address import RETRY_S, make_site
from .core.calls import Calls
from .core.remote_file import RemoteFile
from .generated.schemas import JobRead
from .transports.awaiting import AsyncTransport, awaited, awaited_feed


class AsyncFile:
    """A file of a result, fetched when it is first awaited."""

    def __init__(self, core: RemoteFile, transport: AsyncTransport) -> None:
        self._core = core
        self._transport = transport

    read = awaited(RemoteFile.read)
    image = awaited(RemoteFile.image)
    array = awaited(RemoteFile.array)
    text = awaited(RemoteFile.text)
    json = awaited(RemoteFile.json)
    save = awaited(RemoteFile.save)
    extract = awaited(RemoteFile.extract)

    @property
    def url(self) -> str:
        """The file's address."""
        return self._core.url

    @property
    def in_frame(self) -> AsyncFile:
        """The same mask in the network's own frame, instead of at the image's size."""
        return AsyncFile(self._core.in_frame, self._transport)

    def __repr__(self) -> str:
        return f"AsyncFile({self._core.link!r})"


class AsyncClient:
    """The service, from asyncio: the methods of `Client`, to be awaited; `batch`, `jobs`, `watch` with ``async for``.

    Arguments and errors as of `Client`, but that `http` is an asynchronous httpx client.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        retry_s: float = RETRY_S,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        site = make_site(url, key=key, retry_s=retry_s)
        transport = self._transport = AsyncTransport(http)
        self._core = Calls(site, lambda link: AsyncFile(RemoteFile(site, link), transport))

    explain = awaited(Calls[AsyncFile].explain)
    compare = awaited(Calls[AsyncFile].compare)
    channels = awaited(Calls[AsyncFile].channels)
    class_channels = awaited(Calls[AsyncFile].class_channels)
    batch = awaited_feed(Calls[AsyncFile].batch)
    run = awaited(Calls[AsyncFile].run)
    submit = awaited(Calls[AsyncFile].submit)
    result = awaited(Calls[AsyncFile].result)
    watch = awaited_feed(Calls[AsyncFile].watch)
    job = awaited(Calls[AsyncFile].job)
    jobs = awaited_feed(Calls[AsyncFile].jobs)
    cancel = awaited(Calls[AsyncFile].cancel)
    delete = awaited(Calls[AsyncFile].delete)
    delete_all = awaited(Calls[AsyncFile].delete_all)
    classify = awaited(Calls[AsyncFile].classify)
    models = awaited(Calls[AsyncFile].models)
    model = awaited(Calls[AsyncFile].model)
    tasks = awaited(Calls[AsyncFile].tasks)

    def dashboard(self, job: JobRead) -> str:
        """Return the whole address of a job's page on the dashboard, for a browser."""
        return self._core.dashboard(job)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._core.url!r})"
