"""`/v1/jobs/{id}/...`: the pictures of the task `compare`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from ep_core.schemas.reports.comparison import COMPARISON, heat_name, map_name
from service.http.downloads import one_download

from .artifacts import ArtifactsDep, file_responses

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"], dependencies=[Depends(one_download)])

MethodName = Annotated[str, Path(description="One of the job's methods.", examples=["grad_cam"])]


@router.get(
    "/maps/{method}.png",
    summary="A method's map",
    response_class=Response,
    responses=file_responses("image/png", "8-bit grey: from 0 (or the least value of the map) to its maximum."),
)
def get_map(artifacts: ArtifactsDep, method: MethodName) -> Response:
    """Return a method's map for the class, at the image's size, 0 outside of the network's crop."""
    return artifacts.respond(artifacts.file(map_name(artifacts.method(method))), "image/png")


@router.get(
    "/heat/{method}.png",
    summary="A method's map over the image",
    response_class=Response,
    responses=file_responses("image/png", "Heat over the image."),
)
def get_heat(artifacts: ArtifactsDep, method: MethodName) -> Response:
    """Return a method's map as heat over the image."""
    return artifacts.respond(artifacts.file(heat_name(artifacts.method(method))), "image/png")


@router.get(
    f"/{COMPARISON}",
    summary="All methods beside each other",
    response_class=Response,
    responses=file_responses("image/png", "The image and all maps, as heat over it."),
)
def get_comparison(artifacts: ArtifactsDep) -> Response:
    """Return the maps of all methods in one picture (figure 2)."""
    return artifacts.respond(artifacts.file(COMPARISON), "image/png")
