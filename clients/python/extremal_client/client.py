"""The client with blocking calls."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from .core.address import RETRY_S, make_site
from .core.calls import Calls
from .core.remote_file import RemoteFile
from .generated.schemas import JobRead
from .transports.blocking import Transport, blocking, iterating


class File:
    """A file of a result, fetched when it is first asked for."""

    def __init__(self, core: RemoteFile, transport: Transport) -> None:
        self._core = core
        self._transport = transport

    read = blocking(RemoteFile.read)
    image = blocking(RemoteFile.image)
    array = blocking(RemoteFile.array)
    text = blocking(RemoteFile.text)
    json = blocking(RemoteFile.json)
    save = blocking(RemoteFile.save)
    extract = blocking(RemoteFile.extract)

    @property
    def url(self) -> str:
        """The file's address."""
        return self._core.url

    @property
    def in_frame(self) -> File:
        """The same mask in the network's own frame, instead of at the image's size."""
        return File(self._core.in_frame, self._transport)

    def __repr__(self) -> str:
        return f"File({self._core.link!r})"


class Client:
    """The service, from Python. Threads may share it; ``with`` closes its connections at the end.

    Args:
        url: the service's address; by default ``EP_URL`` of the environment, else ``http://127.0.0.1:8000``.
        key: the API key, where the service has some; by default ``EP_KEY`` of the environment.
        retry_s: seconds for which a request is sent again where the connection is lost, or the service asks to come
            back later. Nothing is made twice by that.
        http: the httpx client to send with, for proxies and certificates of one's own.

    Raises:
        ValueError: the address or the key can't be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        retry_s: float = RETRY_S,
        http: httpx.Client | None = None,
    ) -> None:
        site = make_site(url, key=key, retry_s=retry_s)
        transport = self._transport = Transport(http)
        self._core = Calls(site, lambda link: File(RemoteFile(site, link), transport))

    explain = blocking(Calls[File].explain)
    compare = blocking(Calls[File].compare)
    channels = blocking(Calls[File].channels)
    class_channels = blocking(Calls[File].class_channels)
    batch = iterating(Calls[File].batch)
    run = blocking(Calls[File].run)
    submit = blocking(Calls[File].submit)
    result = blocking(Calls[File].result)
    watch = iterating(Calls[File].watch)
    job = blocking(Calls[File].job)
    jobs = iterating(Calls[File].jobs)
    cancel = blocking(Calls[File].cancel)
    delete = blocking(Calls[File].delete)
    delete_all = blocking(Calls[File].delete_all)
    classify = blocking(Calls[File].classify)
    models = blocking(Calls[File].models)
    model = blocking(Calls[File].model)
    tasks = blocking(Calls[File].tasks)

    def dashboard(self, job: JobRead) -> str:
        """Return the whole address of a job's page on the dashboard, for a browser."""
        return self._core.dashboard(job)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._core.url!r})"
