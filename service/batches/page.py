"""Page of a batch: what was found in its images, all at one area, in one file that opens from disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ep_core.errors import InvalidInput
from ep_core.pictures.gallery import MOST, GalleryImage, gallery_page, shown_areas, side_among
from ep_core.schemas.reports.file_names import mask_name
from service.access.turns import turn_of
from service.deps import Services
from service.http.errors import NoResult, NotFound
from service.jobs.service import JobService
from service.jobs.small_pictures import Picture
from service.jobs.thumbnail import glance_at
from worker.broker.contract import JobRecord, JobState

from .contract import BatchItem, BatchRecord

GONE = "it was removed, or has expired"


@dataclass(frozen=True)
class BatchPage:
    """Request for the page of a batch."""

    request: Request
    who: str
    """Caller."""
    jobs: JobService

    async def make(self, record: BatchRecord) -> str:
        """Return the page of the first `MOST` images, as far as their jobs are done.

        One image after the other is in memory, and made small by the decoding processes of small pictures.

        Raises:
            TooManyAtOnce: the caller has too many small pictures under way.
        """
        found = await run_in_threadpool(self.jobs.get_all, record.jobs)
        records = {one.id: one for one in found if one is not None}
        side = side_among(len(record.items))
        images = [await self._image(k, item, records, side) for k, item in enumerate(record.items[:MOST], 1)]
        return await run_in_threadpool(gallery_page, images, more=max(0, len(record.items) - MOST))

    async def _image(self, place: int, item: BatchItem, records: Mapping[str, JobRecord], side: int) -> GalleryImage:
        one = GalleryImage(name=item.name or f"Image {place}")
        job = records.get(item.job or "")
        if job is None or job.state is not JobState.SUCCEEDED:
            return replace(one, note=_why_not(item, job))
        try:
            one, picture = await run_in_threadpool(self._read, one, job)
        except (NotFound, NoResult) as error:  # removed just now, or it can't be read
            return replace(one, note=error.problem.detail)
        return replace(one, picture=await self._small(picture, side))

    def _read(self, one: GalleryImage, job: JobRecord) -> tuple[GalleryImage, Picture]:
        """Return an image with what was found, and its picture; where the image isn't kept, no masks of it either."""
        report = self.jobs.report(job.id)
        areas = shown_areas(report) if job.keep_images else []
        masks = {area: self.jobs.artifact(job.id, mask_name(area, frame="model")) for area in areas}
        return replace(one, report=report, masks=masks), glance_at(self.jobs, job)

    async def _small(self, picture: Picture, side: int) -> bytes | None:
        services = Services.of(self.request.app)
        # Who waits has no image in memory but this one, and lets others of its caller go on.
        async with turn_of(self.request).resting(), services.thumbnail_shares.hold(self.who):
            try:
                return await services.thumbnails.make_thumbnail(
                    picture.data, side, who=self.who, white_level=picture.white_level, behind=picture.behind
                )
            except InvalidInput:  # it was taken when it was posted: the limit is another one now
                return None


def _why_not(item: BatchItem, job: JobRecord | None) -> str:
    if job is None:
        return item.error.detail if item.error else GONE
    return job.error.detail if job.error else f"{job.state}"
