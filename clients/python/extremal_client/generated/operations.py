"""Addresses at which a client begins; all others are links. Made by `make client`: change nothing."""

from typing import Literal

Name = Literal[
    "create_job",
    "list_jobs",
    "delete_jobs",
    "get_job",
    "create_batch",
    "classify",
    "get_models",
    "get_model",
    "get_tasks",
]
OPERATIONS: dict[Name, tuple[str, str]] = {
    "create_job": ("POST", "/v1/jobs"),
    "list_jobs": ("GET", "/v1/jobs"),
    "delete_jobs": ("DELETE", "/v1/jobs"),
    "get_job": ("GET", "/v1/jobs/{job_id}"),
    "create_batch": ("POST", "/v1/batches"),
    "classify": ("POST", "/v1/classify"),
    "get_models": ("GET", "/v1/models"),
    "get_model": ("GET", "/v1/models/{name}"),
    "get_tasks": ("GET", "/v1/tasks"),
}
"""Method and path of each."""
