"""The addresses of jobs, their parts and models, as paths from the root of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ep_core.schemas.reports.any import Report
from ep_core.schemas.reports.channels import INVERSIONS, MASKS, SHEET, ClassChannelsReport, inversion_name
from ep_core.schemas.reports.comparison import COMPARISON, ComparedMethod, CompareReport, heat_name, map_name
from ep_core.schemas.reports.extremal import (
    CONTRAST_KEY,
    CURVE,
    SALIENCY,
    CurvePoint,
    ExtremalReport,
    area_key,
    mask_name,
    overlay_name,
)
from ep_core.schemas.specs import EXTREMAL, ChannelsSpec, ClassChannelsSpec, CompareSpec, Spec, spatial_areas
from service.jobs.schemas import JobLinks
from worker.broker.contract import JobRecord, JobState

BUNDLE = "bundle.zip"


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

    def page(self, **query: str | int | None) -> str:
        """Return the address of a page of jobs; what is None is left out."""
        return f"{self.root_path}/v1/jobs?{urlencode({name: value for name, value in query.items() if value})}"

    def part(self, job_id: str, name: str) -> str:
        """Return the address of one of the job's files, by its name in `ep_core.schemas.reports.extremal`."""
        return f"{self.job(job_id)}/{name}"

    def all(self, record: JobRecord) -> JobLinks:
        """Return the links that a job has in its state."""
        links: dict[str, Any] = {"self_": self.job(record.id), "events": self.part(record.id, "events")}
        if record.batch is not None:
            links["batch"] = self.batch(record.batch)
        if record.keep_images:
            links["images"] = [self.part(record.id, f"images/{k}") for k in range(len(record.images))]
        if record.state is JobState.SUCCEEDED:
            files = {name: self.part(record.id, file) for name, file in _files(record.params).items()}
            links |= files | {"result": self.part(record.id, "result"), "bundle": self.part(record.id, BUNDLE)}
            links |= self._pictures(record)
        return JobLinks(**links)

    def into(self, report: Report, job_id: str) -> Report:
        """Return the report with the addresses of its pictures in it."""
        artifacts = {"result": "result", **_files(report.params), "bundle": BUNDLE}
        return _with_files(report, base=f"{self.job(job_id)}/", artifacts=artifacts)

    def _pictures(self, record: JobRecord) -> dict[str, dict[str, str]]:
        """Return the links that there are several of."""
        params = record.params
        if areas := spatial_areas(params):
            masks = {area_key(area): self.part(record.id, mask_name(area)) for area in areas}
            return {"masks": masks, "overlays": {area_key(a): self.part(record.id, overlay_name(a)) for a in areas}}
        if isinstance(params, ChannelsSpec) and params.invert:
            return {"inversions": {name: self.part(record.id, inversion_name(name)) for name in INVERSIONS}}
        return {}


def for_bundle(report: Report) -> Report:
    """Return the report with the names of the files that lie beside it in the bundle."""
    return _with_files(report, base="", artifacts=_files(report.params))


def _files(params: Spec) -> dict[str, str]:
    """Return the files that every result of a task has one of, by what a client calls them."""
    if isinstance(params, ClassChannelsSpec):
        return {"sheet": SHEET}
    if isinstance(params, CompareSpec):
        return {"comparison": COMPARISON, "curve": CURVE}
    files = {"saliency": SALIENCY, "curve": CURVE}
    return files | {"channel_masks": MASKS} if isinstance(params, ChannelsSpec) else files


def _with_files(report: Report, *, base: str, artifacts: dict[str, str]) -> Report:
    located = {name: base + file for name, file in artifacts.items()}
    if isinstance(report, ExtremalReport):
        pictures = {"curve": _with_masks(report.curve, base), **_named_masks(report, base)}
        return report.model_copy(update={**pictures, "artifacts": located})
    if isinstance(report, CompareReport):
        methods = [_with_map(one, base) for one in report.methods]
        return report.model_copy(update={"methods": methods, "artifacts": located})
    if isinstance(report, ClassChannelsReport):
        channels = report.channels
        if report.params.invert:
            files = [base + inversion_name(one.channel) for one in channels]
            channels = [one.model_copy(update={"inversion": file}) for one, file in zip(channels, files, strict=True)]
        return report.model_copy(update={"channels": channels, "artifacts": located})
    if report.params.invert:
        located |= {f"inversion_{name}": base + inversion_name(name) for name in INVERSIONS}
    return report.model_copy(update={"artifacts": located})


def _with_masks(curve: list[CurvePoint], base: str) -> list[CurvePoint]:
    return [point.model_copy(update=_mask_files(point.area, base)) for point in curve]


def _named_masks(report: ExtremalReport, base: str) -> dict[str, Any]:
    """Return the report's alternatives and contrast with the places of their pictures."""
    named = {key: one.model_copy(update=_mask_files(key, base)) for key, one in report.named_masks.items()}
    return {"contrast": named.pop(CONTRAST_KEY, None), "alternatives": list(named.values())}


def _mask_files(which: float | str, base: str) -> dict[str, str]:
    return {"mask": base + mask_name(which), "overlay": base + overlay_name(which)}


def _with_map(one: ComparedMethod, base: str) -> ComparedMethod:
    if one.unavailable is not None:
        return one
    found = {"map": base + map_name(one.method), "overlay": base + heat_name(one.method)}
    curve = _with_masks(one.curve, base) if one.method == EXTREMAL else one.curve
    return one.model_copy(update=found | {"curve": curve})
