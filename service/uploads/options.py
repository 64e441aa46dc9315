"""Options of a job beside its parameters: the parameters say what to compute, the options how the job is handled."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from worker.broker.contract import Priority


class JobOptions(BaseModel):
    """Options of a job."""

    model_config = ConfigDict(extra="forbid")

    priority: Annotated[
        Priority, Field(description="`low` lets others go first: workers take one such job after four normal ones.")
    ] = Priority.NORMAL
    reuse: Annotated[
        bool,
        Field(
            description="Where the same image was explained with the same parameters and weights before, the job "
            "has that result at once (`cached`); `false` computes it anew."
        ),
    ] = True
    keep_images: Annotated[
        bool, Field(description="Keep the posted images as long as the result; by default they go when the job ends.")
    ] = False
    keep_metadata: Annotated[
        bool,
        Field(
            description="Store the posted images with their files' metadata: place, camera, times, "
            "texts. By default that is removed before anything is stored; the pixels stay as they are."
        ),
    ] = False
    webhook: Annotated[
        str | None, Field(description="URL that gets a signed message when the job has ended (Standard Webhooks).")
    ] = None
