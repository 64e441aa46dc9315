"""The addresses of jobs, their parts and models, as paths from the root of the host."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ep_core.report import CURVE, SALIENCY, ExtremalReport, area_key, mask_name, overlay_name
from worker.contract import JobRecord, JobState

from .jobs.schemas import JobLinks

BUNDLE = "bundle.zip"


@dataclass(frozen=True)
class Links:
    """Builds links; `root_path` is what a proxy in front cuts off."""

    root_path: str = ""

    def model(self, name: str) -> str:
        """Return the address of a model."""
        return f"{self.root_path}/v1/models/{quote(name, safe=':/')}"

    def job(self, job_id: str) -> str:
        """Return the job's own address."""
        return f"{self.root_path}/v1/jobs/{job_id}"

    def part(self, job_id: str, name: str) -> str:
        """Return the address of one of the job's files, by its name in `ep_core.report`."""
        return f"{self.job(job_id)}/{name}"

    def all(self, record: JobRecord) -> JobLinks:
        """Return the links that a job has in its state."""
        if record.state is not JobState.SUCCEEDED:
            return JobLinks(self_=self.job(record.id))
        areas = record.params.areas
        return JobLinks(
            self_=self.job(record.id),
            result=self.part(record.id, "result"),
            saliency=self.part(record.id, SALIENCY),
            curve=self.part(record.id, CURVE),
            bundle=self.part(record.id, BUNDLE),
            masks={area_key(area): self.part(record.id, mask_name(area)) for area in areas},
            overlays={area_key(area): self.part(record.id, overlay_name(area)) for area in areas},
        )

    def into(self, report: ExtremalReport, job_id: str) -> ExtremalReport:
        """Return the report with the addresses of its pictures in it."""
        artifacts = {"result": "result", "saliency": SALIENCY, "curve": CURVE, "bundle": BUNDLE}
        return _with_files(report, base=f"{self.job(job_id)}/", artifacts=artifacts)


def for_bundle(report: ExtremalReport) -> ExtremalReport:
    """Return the report with the names of the files that lie beside it in the bundle."""
    return _with_files(report, base="", artifacts={"saliency": SALIENCY, "curve": CURVE})


def _with_files(report: ExtremalReport, *, base: str, artifacts: dict[str, str]) -> ExtremalReport:
    curve = [
        point.model_copy(update={"mask": base + mask_name(point.area), "overlay": base + overlay_name(point.area)})
        for point in report.curve
    ]
    located = {name: base + file for name, file in artifacts.items()}
    return report.model_copy(update={"curve": curve, "artifacts": located})
