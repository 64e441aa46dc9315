"""The addresses of jobs, their parts and models, as paths from the root of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Links:
    """Builds links; `root_path` is the path below which a proxy shows the service."""

    root_path: str = ""

    def model(self, name: str) -> str:
        """Return the address of a model."""
        return f"{self.root_path}/v1/models/{quote(name, safe=':/')}"

    def job(self, job_id: str) -> str:
        """Return the job's own address."""
        return f"{self.root_path}/v1/jobs/{job_id}"

    def batch(self, batch_id: str) -> str:
        """Return the address of a batch."""
        return f"{self.root_path}/v1/batches/{batch_id}"

    def dashboard(self, kind: Literal["job", "batch"], its_id: str) -> str:
        """Return where the dashboard shows a job or a batch: an address for people."""
        return f"{self.root_path}/#/{kind}/{its_id}"

    def page(self, **query: str | int | None) -> str:
        """Return the address of a page of jobs; what is None is left out."""
        return f"{self.root_path}/v1/jobs?{urlencode({name: value for name, value in query.items() if value})}"

    def part(self, job_id: str, name: str) -> str:
        """Return the address of one of the job's files, by its name in the result."""
        return f"{self.job(job_id)}/{name}"
