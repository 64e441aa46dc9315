"""The tools: what an agent can ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from pydantic import Field

from extremal_client.async_client import AsyncClient
from extremal_client.core.forms import PICTURES
from extremal_client.core.messages import Site
from extremal_client.errors import ExtremalError
from extremal_client.generated.schemas import ClassifyOptions, JobRead
from extremal_client.progress import fraction_of, words_of

from .answers import (
    Classes,
    JobAnswer,
    Models,
    classes_answer,
    models_answer,
    result_answer,
    unfinished_answer,
)
from .images import Images

RETRY_S = 30.0
WAIT_S = 45
"""Seconds that a call waits for its job: agents' own limits begin at a minute."""
MOST_WAIT_S = 600
CANCEL_S = 5.0
"""Seconds that a cancelled call takes to remove its job, at most."""

GivenImage = Annotated[
    str,
    Field(
        description="The address of an image (https://...), a data: URL in base64, or the path of a file in one of the "
        "folders that the server was started with."
    ),
]
Model = Annotated[str | None, Field(description="A name that list_models gives; by default the service's own default.")]
Target = Annotated[
    int | str | dict[str, Any] | None,
    Field(
        description='A class by its label or index, as classify gives them, or an object: {"class": 295, "instead_of": '
        '294}, {"text": "a bus in snow"}, {"box": [left, top, right, bottom]}, {"segment": "dog"}. By default the top '
        "class."
    ),
]
Areas = Annotated[
    list[float] | None, Field(description="Shares of the image that masks keep, each in (0, 1): [0.05, 0.1, 0.2].")
]
Params = Annotated[
    dict[str, Any] | None,
    Field(
        description='Further parameters of the job: {"variant": "delete", "fit": "whole", "seed": 1}. '
        "`target_image` and `target_mask` are images, given as `image` is, but by no address."
    ),
]
Wait = Annotated[
    int,
    Field(ge=0, le=MOST_WAIT_S, description="Seconds to wait; get_result waits on for what takes longer."),
]


class Tools:
    """The tools of a server.

    Args:
        site: the service, with the key of callers who send none.
        images: reads the images that agents name.
    """

    def __init__(self, site: Site, images: Images) -> None:
        self._site = site
        self._images = images

    async def classify(
        self,
        context: Context,
        image: GivenImage,
        model: Model = None,
        top: Annotated[int, Field(ge=1, le=20, description="How many classes.")] = 5,
    ) -> Annotated[CallToolResult, Classes]:
        """Say which classes a model sees in an image, the best first. Each may be the target of explain."""
        asked: ClassifyOptions = {"top": top} if model is None else {"top": top, "model": model}
        with _problems():
            async with self._client(context) as client:
                return classes_answer(await client.classify(self._images.read(image), **asked))

    async def explain(
        self,
        context: Context,
        image: GivenImage,
        target: Target = None,
        model: Model = None,
        areas: Areas = None,
        params: Params = None,
        wait_s: Wait = WAIT_S,
    ) -> Annotated[CallToolResult, JobAnswer]:
        """Find the smallest part of an image that suffices for a model to see a class (an extremal perturbation).

        Returns that area (a*), the scores of the masks, and a picture: in colour what a* keeps, the rest in grey.
        """
        asked = {"target": target, "model": model, "areas": areas} | (params or {})
        return await self._run(context, "extremal", image, asked, wait_s)

    async def compare(
        self,
        context: Context,
        image: GivenImage,
        methods: Annotated[
            list[str] | None, Field(description='Such as ["extremal", "grad_cam", "rise"]; by default nearly all.')
        ] = None,
        target: Target = None,
        model: Model = None,
        areas: Areas = None,
        params: Params = None,
        wait_s: Wait = WAIT_S,
    ) -> Annotated[CallToolResult, JobAnswer]:
        """Compare attribution methods on an image: how much of a class's score the top areas of each method keep.

        Returns the scores of each method, and a picture of all of their maps.
        """
        asked = {"methods": methods, "target": target, "model": model, "areas": areas} | (params or {})
        return await self._run(context, "compare", image, asked, wait_s)

    async def get_result(
        self,
        context: Context,
        job: Annotated[str, Field(description="The id of a job, as explain and compare give it.")],
        wait_s: Wait = WAIT_S,
    ) -> Annotated[CallToolResult, JobAnswer]:
        """Wait for a job that was posted before, and return its result."""
        with _problems():
            async with self._client(context) as client:
                return await self._wait(context, client, await client.job(job), wait_s)

    async def list_models(self, context: Context) -> Annotated[CallToolResult, Models]:
        """List the models that can be explained."""
        with _problems():
            async with self._client(context) as client:
                return models_answer(await client.models())

    def _client(self, context: Context) -> AsyncClient:
        """Return a client with the key of the caller, where it sends one over HTTP."""
        scheme, _, key = (context.headers or {}).get("authorization", "").partition(" ")
        sent = key.strip() if scheme.lower() == "bearer" else None
        try:
            return AsyncClient(self._site.url, key=sent or self._site.key, retry_s=RETRY_S)
        except ValueError as error:  # of characters that no key has
            raise ToolError(str(error)) from error

    async def _run(
        self, context: Context, task: str, image: str, asked: dict[str, Any], wait_s: float
    ) -> CallToolResult:
        """Post a job and return its answer; a call that is cancelled takes its job along, whose id nobody knows."""
        given: dict[str, Any] = {
            name: self._images.file(str(value)) if name in PICTURES else value
            for name, value in asked.items()
            if value is not None
        }
        with _problems():
            async with self._client(context) as client:
                job = await client.submit(task, self._images.read(image), **given)
                try:
                    return await self._wait(context, client, job, wait_s)
                except anyio.get_cancelled_exc_class():
                    with anyio.move_on_after(CANCEL_S, shield=True), suppress(ExtremalError):
                        await client.cancel(job)
                    raise

    async def _wait(self, context: Context, client: AsyncClient, job: JobRead, wait_s: float) -> CallToolResult:
        link = self._site.follow(job.links.dashboard).url
        with anyio.move_on_after(wait_s) as limit:
            await _follow(context, client, job)
        if limit.cancelled_caught:
            job = await client.job(job.id)
            if job.finished_at is None:
                return unfinished_answer(job, link)
        return await result_answer(await client.result(job.id), link)


async def _follow(context: Context, client: AsyncClient, job: JobRead) -> None:
    """Report a job's progress until it has ended; MCP asks that each report be of more."""
    told = -1.0
    async for event in client.watch(job):
        fraction = fraction_of(event.job)
        if fraction > told:
            told = fraction
            await context.report_progress(fraction, 1.0, words_of(event.job))


@contextmanager
def _problems() -> Iterator[None]:
    """Give the agent what a problem says, which is what to change."""
    try:
        yield
    except (ExtremalError, OSError) as error:
        raise ToolError("\n".join([str(error), *getattr(error, "__notes__", [])])) from error
