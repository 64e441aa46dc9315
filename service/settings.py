"""Settings that the API reads from the environment (``EP_...``)."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, FilePath
from pydantic_settings import NoDecode

from ep_core.schemas.specs import MAX_IMAGES
from service.access.keys import ApiKey, Rate
from service.http.prefix import check_prefix
from worker.settings import SharedSettings


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for one in value:
        if one != "*":
            ipaddress.ip_network(one, strict=False)  # its error names what is wrong
    return value


class ApiSettings(SharedSettings):
    """One API process."""

    host: Annotated[str, Field(description="Address that the API listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(gt=0, lt=65536, description="Port that the API listens on.")] = 8000
    api_keys_file: Annotated[
        FilePath | None, Field(description="API keys and their limits (TOML, see docs/deployment.md).")
    ] = None
    api_keys: Annotated[tuple[ApiKey, ...] | None, Field(description="Further keys, as a JSON list.")] = None
    allow_anonymous: Annotated[
        bool, Field(description="Without keys, listen on other addresses than the loopback interface's all the same.")
    ] = False
    allowed_hosts: Annotated[
        tuple[str, ...] | None,
        NoDecode,
        BeforeValidator(_split),
        Field(description="Host names answered to, beside this machine's own, separated by commas; `*` for all."),
    ] = None
    rate_limit: Annotated[
        Rate | None, Field(description="Most requests per key (per address without keys), such as `600/minute`.")
    ] = None
    max_queued: Annotated[
        int | None, Field(ge=0, description="Most jobs that may wait, per key (without keys: of all).")
    ] = None
    trusted_proxies: Annotated[
        Annotated[tuple[str, ...], AfterValidator(_networks)] | None,
        NoDecode,
        BeforeValidator(_split),
        Field(
            description="Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Prefix` are trusted: "
            "addresses or networks (`10.0.0.0/8`), separated by commas; unset: none."
        ),
    ] = None
    root_path: Annotated[
        Annotated[str, AfterValidator(check_prefix)] | None,
        Field(
            description="Path below which a proxy shows the service (`/explain`), cut off by the proxy or not; unset: "
            "what trusted proxies say, else the root of the host."
        ),
    ] = None
    cors_origins: Annotated[
        tuple[str, ...] | None,
        NoDecode,
        BeforeValidator(_split),
        Field(description="Origins of web pages that may call the API, separated by commas; `*` for all."),
    ] = None
    max_upload_bytes: Annotated[int, Field(gt=0, description="Bytes that a posted image may have.")] = 20_000_000
    max_images: Annotated[
        int, Field(ge=1, le=MAX_IMAGES, description="Images that a job of the task `class_channels` may have.")
    ] = 32
    max_total_upload_bytes: Annotated[
        int, Field(gt=0, description="Bytes that all images of a multipart form may have together.")
    ] = 100_000_000
    max_batch_images: Annotated[int, Field(ge=1, le=1000, description="Images that a batch may have.")] = 100
    fetch_urls: Annotated[bool, Field(description="Take images by their address (`image_url`), too.")] = False
    webhook_secret: Annotated[
        str | None,
        Field(pattern="^whsec_[A-Za-z0-9+/=]{32,}$", description="Signs webhooks (`whsec_...`); unset: none are sent."),
    ] = None
    max_unfinished: Annotated[
        int,
        Field(ge=1, description="Connections of an address that may be without a whole request (of a proxy: any)."),
    ] = 100
    max_wait_s: Annotated[
        int, Field(ge=0, le=600, description="Most seconds that `Prefer: wait=N` holds a request open.")
    ] = 60
    classify_s: Annotated[
        float, Field(gt=0, le=60, description="Most seconds that `POST /v1/classify` waits for a worker.")
    ] = 10.0
    max_total_pixels: Annotated[
        int, Field(gt=0, description="Pixels that all images of a request may have together.")
    ] = 1_500_000_000
    decoders: Annotated[
        int, Field(ge=1, le=64, description="Processes that decode images; a caller gets all but one at a time.")
    ] = 2
    decode_s: Annotated[float, Field(gt=0, le=600, description="Seconds that decoding an image may take.")] = 10.0
    decode_mb: Annotated[
        int, Field(ge=0, description="Megabytes of memory that a process which decodes may have; 0: any number.")
    ] = 560
    shutdown_s: Annotated[
        int, Field(ge=0, description="Seconds that open requests get to finish when the API stops.")
    ] = 5
    allow_private_urls: Annotated[
        bool, Field(description="Let webhooks and image addresses lead into private networks, and be plain http.")
    ] = False
