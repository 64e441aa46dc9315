"""Settings that workers read from the environment (``EP_...``), and those that they share with the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.broker.contract import MAX_ATTEMPTS
from worker.broker.redis_url import has_password, with_password
from worker.broker.sentinel import Sentinels


def _check_address(url: str) -> str:
    Sentinels.of(url)  # its error says what is missing
    return url


class SharedSettings(BaseSettings):
    """Settings on which the API and the workers must agree."""

    model_config = SettingsConfigDict(env_prefix="EP_", env_ignore_empty=True)

    redis_url: Annotated[
        str,
        AfterValidator(_check_address),
        Field(description="Redis, for records, queue and (by default) blobs; by Sentinels, too."),
    ] = "redis://127.0.0.1:6379/0"
    redis_password: Annotated[
        SecretStr | None, Field(description="Redis's password, where it isn't a part of `EP_REDIS_URL`.")
    ] = None
    blob_url: Annotated[
        str | None, Field(description="An fsspec URL for images and results (`s3://...`, `file://...`); unset: Redis.")
    ] = None
    retention_s: Annotated[int, Field(gt=0, description="Seconds that a finished job and its results are kept.")] = (
        24 * 3600
    )
    job_timeout_s: Annotated[int, Field(gt=0, description="Seconds that one job may run.")] = 3600
    max_attempts: Annotated[
        int, Field(ge=1, le=100, description="Runs of a job whose workers die (or hang, then two), before it fails.")
    ] = MAX_ATTEMPTS
    max_pixels: Annotated[int, Field(gt=0, description="Pixels that an image may have.")] = 50_000_000
    log_json: Annotated[bool, Field(description="Log lines as JSON (containers) instead of readable text.")] = False

    @field_validator("redis_password")
    @classmethod
    def _the_only_one(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password is not None and has_password(info.data.get("redis_url", "")):
            raise ValueError("EP_REDIS_URL has a password, too: leave one of them out")
        return password

    @model_validator(mode="after")
    def _where_clients_look(self) -> Self:
        """Put the password into the address."""
        if self.redis_password is not None:
            self.redis_url = with_password(self.redis_url, self.redis_password.get_secret_value())
            self.redis_password = None
        return self


class WorkerSettings(SharedSettings):
    """One worker process."""

    threads: Annotated[
        int | None, Field(ge=1, description="Torch threads; unset: the cores this process may use / `EP_WORKERS`.")
    ] = None
    workers: Annotated[int, Field(ge=1, description="Workers that share this machine's cores.")] = 1
    device: Annotated[
        str | None, Field(description="`cpu`, `cuda` or `cuda:N`; unset: the GPU where there is one.")
    ] = None
    models_file: Annotated[Path | None, Field(description="The operator's model list (TOML).")] = None
    max_lanes: Annotated[
        int | None,
        Field(ge=1, description="Masks optimised in one batch, at most; unset: 16 on a CPU, 128 on a GPU."),
    ] = None
    jobs_at_once: Annotated[
        int,
        Field(ge=1, le=64, description="Jobs that a worker runs at once, the masks of all of them in common batches."),
    ] = 1
    warm_models: Annotated[int, Field(ge=1, description="Models kept loaded, the least recently used dropped.")] = 3
    preload: Annotated[str | None, Field(description="Model loaded at start; unset: the default one, if listed.")] = (
        None
    )
    heartbeat_s: Annotated[
        float, Field(gt=0, description="Seconds between heartbeats during a job; a worker is given up after five.")
    ] = 3.0
    stall_s: Annotated[
        float, Field(gt=0, description="Seconds without an engine step after which a worker counts as hung.")
    ] = 300.0
    stop_grace_s: Annotated[
        float, Field(ge=0, description="Seconds after SIGTERM in which a running job may finish; then it is put back.")
    ] = 8.0  # Docker kills after 10
