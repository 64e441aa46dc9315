"""Small JPEGs of a job's pictures, made by the decoding processes of small pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from ep_core.errors import InvalidInput
from ep_core.pictures.decoding import Behind
from service.access.authentication import CallerDep
from service.access.turns import turn_of
from service.decoding.decoders import Decoders
from service.decoding.thumbnail import MEDIA_TYPE
from service.deps import Services, SettingsDep
from service.http.caching import IfNoneMatch, derived_response, entity_tag
from service.http.media_types import Accept, negotiate
from service.uploads.limits import invalid


class Picture(NamedTuple):
    """A stored picture."""

    data: bytes
    white_level: int | None = None
    """Of an image of 16 bits, as its job has it."""
    behind: Behind = "white"
    """What transparent parts lie on."""


@dataclass(frozen=True)
class SmallPictures:
    """Request for small pictures."""

    request: Request
    who: str
    """Caller."""
    max_age_s: int
    if_none_match: str | None
    accept: str | None

    async def respond(self, find: Callable[[], Picture], size: int) -> Response:
        """Return the answer that carries a picture whose longer side has `size` pixels at most.

        Args:
            find: returns the picture; called in a thread. What it raises passes through.
            size: in pixels.

        Raises:
            InvalidFields: it can't be shown smaller.
            TooManyAtOnce: the caller has too many small pictures under way.
        """
        services = Services.of(self.request.app)
        # Who waits has no image in memory, and lets others of its caller go on.
        async with turn_of(self.request).resting(), services.thumbnail_shares.hold(self.who):
            found = await run_in_threadpool(find)
            answer = await derived_response(
                entity_tag(found.data, variant=f"{size}-on-{found.behind}"),
                partial(_made, services.thumbnails, found, size, who=self.who),
                MEDIA_TYPE,
                if_none_match=self.if_none_match,
                max_age_s=self.max_age_s,
            )
        return negotiate(answer, self.accept)


async def _small_pictures(
    request: Request,
    caller: CallerDep,
    settings: SettingsDep,
    if_none_match: IfNoneMatch = None,
    accept: Accept = None,
) -> SmallPictures:
    return SmallPictures(request, caller.who, settings.retention_s, if_none_match, accept)


SmallPicturesDep = Annotated[SmallPictures, Depends(_small_pictures)]


async def _made(decoders: Decoders, picture: Picture, size: int, *, who: str) -> bytes:
    try:
        return await decoders.make_thumbnail(
            picture.data, size, who=who, white_level=picture.white_level, behind=picture.behind
        )
    except InvalidInput as error:  # it was taken when it was posted: the limit is another one now
        raise invalid("size", f"the image can't be shown smaller: {error.detail}") from error
