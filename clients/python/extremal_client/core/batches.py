"""Many images: posted as batches, a few at a time, and handed over as they are done."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from extremal_client.errors import ExtremalError, InvalidRequest, JobRemoved, Unavailable
from extremal_client.generated.schemas import BatchJob, BatchRead, JobRead
from extremal_client.progress import BatchProgress

from .following import FINAL
from .forms import job_form
from .images import GivenImage, image_parts, name_of
from .messages import Part, Site
from .problems import item_error
from .reading import read_as
from .retries import call
from .steps import Emit, Feed, Flow, Pause

R = TypeVar("R")

MOST_IMAGES = 32
MOST_BYTES = 32_000_000
"""Of one batch: the service takes more, but each is posted again as a whole where the connection is lost."""
AT_ONCE = 2
"""Batches that are open: the workers have the next while one ends."""
POLL_S = 1.0


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """Outcome of one image of a batch."""

    image: GivenImage
    """The image as it was given: its path, as a rule."""
    error: ExtremalError | None = None
    """The reason why it has no result."""
    _result: R | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name of the image's file."""
        return name_of(self.image)

    @property
    def result(self) -> R:
        """The result; raises `error` where there is none."""
        if self._result is None:
            raise self.error or LookupError(f"{self.name} has no result")
        return self._result


_Image = tuple[GivenImage, list[Part]]


@dataclass
class _Open:
    """A posted batch, and which of its images are still awaited, by their places."""

    read: BatchRead
    images: list[_Image]
    awaited: set[int]


class Batches(Generic[R]):
    """The images of one call, from their posting to their results.

    Args:
        site: the service.
        images: paths and the like; each is read when its batch is posted.
        asked: parameters and options of all.
        fetch: the flow from a job that has succeeded to its result.
        on_change: called with the progress of all.
    """

    def __init__(
        self,
        site: Site,
        images: Iterable[GivenImage],
        asked: Mapping[str, Any],
        *,
        fetch: Callable[[JobRead], Flow[R]],
        on_change: Callable[[BatchProgress], None],
    ) -> None:
        given = list(images)
        self._site = site
        self._unread = deque(given)
        self._read: deque[_Image] = deque()  # and not, or no longer, posted
        self._most = MOST_IMAGES
        self._is_full = False
        """Whether the queue had no room for an image, and none has ended since: posting it again would be in vain."""
        self._asked = asked
        self._fetch = fetch
        self._on_change = on_change
        self._open: list[_Open] = []
        self._total, self._done, self._failed = len(given), 0, 0

    def outcomes(self) -> Feed[Outcome[R]]:
        """Emit what becomes of each image, as it is done.

        Raises:
            ServiceError: no image can be explained so.
            OSError, TypeError: an image can't be read.
            Unreachable: the service is away.
        """
        while self._open or self._unread or self._read:
            while self._may_post() and (chunk := self._next()):
                yield from self._post(chunk)
            for one in self._open:
                yield from self._look(one)
            self._open = [one for one in self._open if one.awaited]
            self._tell()
            if self._open:
                yield Pause(POLL_S)

    def _may_post(self) -> bool:
        return not self._open or (len(self._open) < AT_ONCE and not self._is_full)

    def _next(self) -> list[_Image]:
        """Return the next images, as many as one post may have: files first, as the service lists them."""
        chunk: list[_Image] = []
        size = 0
        while len(chunk) < self._most and (self._read or self._unread):
            if not self._read:
                given = self._unread.popleft()
                self._read.append((given, image_parts(given)))
            size += sum(len(part.content) for part in self._read[0][1])
            if chunk and size > MOST_BYTES:
                break
            chunk.append(self._read.popleft())
        return sorted(chunk, key=lambda image: image[1][0].name != "image")

    def _post(self, chunk: list[_Image]) -> Feed[Outcome[R]]:
        """Post images; those that the queue has no room for are kept for later."""
        form = [*(part for _, parts in chunk for part in parts), *job_form("extremal", [], self._asked)]
        request = self._site.request("create_batch", form=form).with_headers(Idempotency_Key=uuid.uuid4().hex)
        try:
            answer = yield from call(self._site, request)
        except Unavailable:
            if not self._open:
                raise
            self._is_full = True
            self._read.extendleft(reversed(chunk))
        except InvalidRequest as error:
            if not _is_about_images(error):
                raise
            yield from self._refused(chunk, error)
        else:
            self._open.append(self._posted(chunk, read_as(BatchRead, answer.json())))

    def _posted(self, chunk: list[_Image], read: BatchRead) -> _Open:
        """Return a posted batch without the images that the queue had no room for."""
        left = {place for place, item in enumerate(read.jobs) if _had_no_room(item)}
        if left:
            self._is_full = True
            self._most = max(1, sum(item.job is not None for item in read.jobs))
            self._read.extend(chunk[place] for place in sorted(left))
        return _Open(read, chunk, set(range(len(chunk))) - left)

    def _refused(self, chunk: list[_Image], error: InvalidRequest) -> Feed[Outcome[R]]:
        """Let a post that was refused for its images be tried in halves; a single image is at fault itself."""
        if len(chunk) == 1:
            yield from self._end(chunk[0], error=error)
        else:
            self._most = len(chunk) // 2
            self._read.extendleft(reversed(chunk))

    def _look(self, one: _Open) -> Feed[Outcome[R]]:
        """Emit what has become of a batch's images since the last look."""
        answer = yield from call(self._site, self._site.follow(one.read.links.self))
        one.read = read_as(BatchRead, answer.json())
        for place in sorted(one.awaited):
            item = one.read.jobs[place]
            if item.status is None or item.status in FINAL:
                one.awaited.remove(place)
                yield from self._ended(one.images[place], item)

    def _ended(self, image: _Image, item: BatchJob) -> Feed[Outcome[R]]:
        self._is_full = self._is_full and item.job is None
        if item.error is not None:
            yield from self._end(image, error=item_error(item.error))
        elif item.status != "succeeded" or item.link is None:
            yield from self._end(image, error=JobRemoved(f"the job of {name_of(image[0])} was removed"))
        else:
            answer = yield from call(self._site, self._site.follow(item.link))
            result = yield from self._fetch(read_as(JobRead, answer.json()))
            yield from self._end(image, result=result)

    def _end(self, image: _Image, *, result: R | None = None, error: ExtremalError | None = None) -> Feed[Outcome[R]]:
        self._done += 1
        self._failed += error is not None
        self._tell()
        yield Emit(Outcome(image[0], error, result))

    def _tell(self) -> None:
        running = sum(one.read.jobs[place].fraction for one in self._open for place in one.awaited)
        fraction = (self._done + running) / max(1, self._total)
        self._on_change(BatchProgress(self._total, self._done, self._failed, fraction))


def _had_no_room(item: BatchJob) -> bool:
    return item.job is None and item.error is not None and item.error["type"].endswith("/queue-full")


def _is_about_images(error: InvalidRequest) -> bool:
    return bool(error.errors) and all(one.field.partition(".")[0] in ("image", "images") for one in error.errors)
