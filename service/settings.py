"""Settings that the API reads from the environment (``EP_...``)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ep_core.spec import MAX_IMAGES
from worker.settings import SharedSettings


class ApiSettings(SharedSettings):
    """One API process."""

    host: Annotated[str, Field(description="Address that the API listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(gt=0, lt=65536, description="Port that the API listens on.")] = 8000
    max_upload_bytes: Annotated[int, Field(gt=0, description="Bytes that a posted image may have.")] = 20_000_000
    max_images: Annotated[
        int, Field(ge=1, le=MAX_IMAGES, description="Images that a job of the task `class_channels` may have.")
    ] = 32
    max_total_upload_bytes: Annotated[
        int, Field(gt=0, description="Bytes that all images of a multipart form may have together.")
    ] = 100_000_000
    max_wait_s: Annotated[
        int, Field(ge=0, le=600, description="Most seconds that `Prefer: wait=N` holds a request open.")
    ] = 60
    decode_threads: Annotated[
        int, Field(ge=1, le=64, description="Posted images checked at the same time; each takes its pixels' memory.")
    ] = 2
    shutdown_s: Annotated[
        int, Field(ge=0, description="Seconds that open requests get to finish when the API is asked to stop.")
    ] = 5
    allow_private_urls: Annotated[
        bool, Field(description="Let webhooks and image addresses lead into private networks, and be plain http.")
    ] = False
