"""Everything that a client can ask, as flows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, Unpack, cast

from extremal_client.generated.schemas import (
    ChannelsArguments,
    ClassChannelsArguments,
    Classified,
    ClassifyOptions,
    CompareArguments,
    ExtremalArguments,
    JobPage,
    JobRead,
    JobState,
    ModelList,
    ModelRead,
    Removed,
    TaskList,
)
from extremal_client.progress import Progress, shown
from extremal_client.results import Channels, ClassChannels, Comparison, Explanation, Result, make_result

from .batches import Batches, Outcome
from .following import FINAL, Event, follow, look
from .forms import job_form, option_parts
from .images import GivenImage, image_parts
from .messages import Site
from .problems import job_error
from .reading import read_as
from .retries import call
from .steps import Emit, Feed, Flow

F = TypeVar("F")


class Calls(Generic[F]):
    """The service's calls.

    Args:
        site: the service.
        file: makes a file of a link.
    """

    def __init__(self, site: Site, file: Callable[[str], F]) -> None:
        self._site = site
        self._file = file

    @property
    def url(self) -> str:
        """The service's address."""
        return self._site.url

    def dashboard(self, job: JobRead) -> str:
        """Return the whole address of a job's page on the dashboard, for a browser."""
        return self._site.follow(job.links.dashboard).url

    def explain(
        self, image: GivenImage, *, progress: Progress = None, **asked: Unpack[ExtremalArguments]
    ) -> Flow[Explanation[F]]:
        """Return the masks of an image: for each area the one that keeps the score highest.

        Args:
            image: a path, the bytes of a file, a Pillow image, an array, or an address (``https://...``).
            progress: a bar (True), none (False), or a function that is called with the job at each change; by default
                a bar where standard error is a terminal or a notebook.
            asked: parameters and options of the job: ``target="bus"``, ``areas=[0.1, 0.2]``, ``model=...``, ...

        Raises:
            ServiceError: `InvalidRequest` where the image or a parameter can't be used; `JobFailed` where it fails.
            Unreachable: no answer came for `retry_s` seconds of the client.
        """
        return cast("Explanation[F]", (yield from self.run("extremal", image, progress=progress, **asked)))

    def compare(
        self, image: GivenImage, *, progress: Progress = None, **asked: Unpack[CompareArguments]
    ) -> Flow[Comparison[F]]:
        """Return the maps of several methods on an image, scored alike; arguments and errors as of `explain`."""
        return cast("Comparison[F]", (yield from self.run("compare", image, progress=progress, **asked)))

    def channels(
        self, image: GivenImage, *, progress: Progress = None, **asked: Unpack[ChannelsArguments]
    ) -> Flow[Channels[F]]:
        """Return the channels of a layer that an image's score needs; arguments and errors as of `explain`."""
        return cast("Channels[F]", (yield from self.run("channels", image, progress=progress, **asked)))

    def class_channels(
        self, images: Sequence[GivenImage], *, progress: Progress = None, **asked: Unpack[ClassChannelsArguments]
    ) -> Flow[ClassChannels[F]]:
        """Return the channels of a layer that a class needs, from several images of it; else as `explain`."""
        return cast("ClassChannels[F]", (yield from self.run("class_channels", *images, progress=progress, **asked)))

    def run(self, /, task: str, *images: GivenImage, progress: Progress = None, **asked: Any) -> Flow[Result[F]]:
        """Return the result of any task that the service has; arguments and errors as of `explain`."""
        job = yield from self.submit(task, *images, **asked)
        return (yield from self.result(job, progress=progress))

    def submit(
        self, /, task: str, *images: GivenImage, idempotency_key: str | None = None, **asked: Any
    ) -> Flow[JobRead]:
        """Post a job and return it, most often still queued.

        Args:
            task: its name: ``extremal``, ``compare``, ``channels``, ``class_channels``.
            images: one; for ``class_channels`` several.
            idempotency_key: names the request: sent again, by another process too, it makes no second job. By default
                it is drawn, so that a lost answer makes none either.
            asked: parameters and options.

        Raises:
            ServiceError, Unreachable: as `explain`.
        """
        key = idempotency_key or uuid.uuid4().hex
        request = self._site.request("create_job", form=job_form(task, images, asked))
        answer = yield from call(self._site, request.with_headers(Idempotency_Key=key))
        return read_as(JobRead, answer.json())

    def result(self, job: JobRead | str, *, progress: Progress = None) -> Flow[Result[F]]:
        """Wait for a job, given by itself or by its id, and return its result.

        Raises:
            JobFailed: it has none; `detail` says why.
            JobRemoved: it was removed.
            ServiceError, Unreachable: as `explain`.
        """
        if isinstance(job, str):
            job = yield from self.job(job)
        try:
            with shown(progress, job.params.get("task", "extremal")) as on_change:
                on_change(job)
                job = yield from follow(self._site, job, on_change)
        except KeyboardInterrupt as stopped:
            stopped.add_note(
                f"The job goes on: client.result({job.id!r}) waits for it, client.cancel({job.id!r}) ends it."
            )
            raise
        return (yield from self._fetch(job))

    def watch(self, job: JobRead | str) -> Feed[Event]:
        """Iterate over what happens to a job, given by itself or by its id, until it is over; raises as `result`."""
        if isinstance(job, str):
            job = yield from self.job(job)
        yield from follow(self._site, job, lambda _: None)

    def batch(
        self, images: Iterable[GivenImage], *, progress: Progress = None, **asked: Unpack[ExtremalArguments]
    ) -> Feed[Outcome[Explanation[F]]]:
        """Explain many images, and iterate over what becomes of each, as it is done.

        Nothing is posted before the first is asked for. An image that can't be explained is an `Outcome` with an
        `error`, whose `result` raises it.

        Args:
            images: paths and the like.
            progress: as of `explain`; a function is called with a `BatchProgress`.
            asked: parameters and options of all.

        Raises:
            ServiceError: a parameter can't be used.
            Unreachable: as `explain`.
        """

        def fetch(job: JobRead) -> Flow[Explanation[F]]:
            return cast("Explanation[F]", (yield from self._fetch(job)))

        with shown(progress, "images") as on_change:
            yield from Batches(self._site, images, asked, fetch=fetch, on_change=on_change).outcomes()

    def job(self, job_id: str) -> Flow[JobRead]:
        """Return a job as it is now; raises `NotFound` where there is none of this id (any more)."""
        answer = yield from call(self._site, self._site.request("get_job", job_id=job_id))
        return read_as(JobRead, answer.json())

    def jobs(self, *, status: JobState | None = None, task: str | None = None) -> Feed[JobRead]:
        """Iterate over the key's jobs, the newest first, page by page."""
        request = self._site.request("list_jobs", query={"status": status, "task": task})
        while True:
            answer = yield from call(self._site, request)
            page = read_as(JobPage, answer.json())
            for job in page.jobs:
                yield Emit(job)
            if page.next is None:
                return
            request = self._site.follow(page.next)

    def cancel(self, job: JobRead | str) -> Flow[bool]:
        """Stop and remove a job that waits or runs; return whether it did. A finished one stays."""
        now = yield from self.job(job) if isinstance(job, str) else look(self._site, job)
        if now.status in FINAL:
            return False
        yield from self.delete(now)
        return True

    def delete(self, job: JobRead | str) -> Flow[None]:
        """Remove a job with its images and results; one that runs is stopped.

        Raises:
            NotFound: there is none.
        """
        if isinstance(job, str):
            job = yield from self.job(job)
        yield from call(self._site, self._site.follow(job.links.self, method="DELETE"), removes=True)

    def delete_all(self) -> Flow[int]:
        """Remove all jobs of the key, with all that is kept of them, and return how many there were."""
        answer = yield from call(self._site, self._site.request("delete_jobs", query={"all": "true"}))
        return read_as(Removed, answer.json()).deleted

    def classify(self, image: GivenImage, **asked: Unpack[ClassifyOptions]) -> Flow[Classified]:
        """Return the classes that a model sees in an image, the best first: each may be a target.

        Args:
            image: as of `explain`.
            asked: ``model``, ``top``, ``fit``, ``white_level``.
        """
        form = [*image_parts(image), *option_parts(asked)]
        answer = yield from call(self._site, self._site.request("classify", form=form))
        return read_as(Classified, answer.json())

    def models(self) -> Flow[ModelList]:
        """Return the models on offer, and which is the default."""
        answer = yield from call(self._site, self._site.request("get_models"))
        return read_as(ModelList, answer.json())

    def model(self, name: str) -> Flow[ModelRead]:
        """Return a model with its labels, its layers and the perturbations that it takes."""
        answer = yield from call(self._site, self._site.request("get_model", name=name))
        return read_as(ModelRead, answer.json())

    def tasks(self) -> Flow[TaskList]:
        """Return what can be asked here."""
        answer = yield from call(self._site, self._site.request("get_tasks"))
        return read_as(TaskList, answer.json())

    def _fetch(self, job: JobRead) -> Flow[Result[F]]:
        """Return the result of a job that is over; raises where it has none."""
        if job.links.result is None:
            raise job_error(job)
        answer = yield from call(self._site, self._site.follow(job.links.result))
        return make_result(answer.json(), job, self._file)
