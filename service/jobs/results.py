"""`/v1/jobs/{id}/...`: the result of a finished job and its files, a route for each that some task can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import JSONResponse

from ep_core.schemas.tasks import TASKS, Artifact, FileName
from service.access.downloads import one_download
from service.deps import LinksDep

from .answers import Answer
from .artifacts import ArtifactsDep, file_responses, json_responses
from .bundle import make_bundle
from .examples import REPORTS
from .links import BUNDLE, linked

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"], dependencies=[Depends(one_download)])

Frame = Annotated[
    Literal["image", "model"],
    Query(
        description="`image`: the original image's pixels, 0 outside the network's crop. `model`: the network's frame."
    ),
]


@router.get(
    "/result",
    summary="Result",
    response_model=Answer,
    responses=json_responses("Scores, curve and optimal area.", examples=REPORTS),
)
def get_result(artifacts: ArtifactsDep, links: LinksDep) -> Response:
    """Return the scores, the curve over the areas, the optimal area, and the links to the pictures."""
    report = linked(artifacts.report(), artifacts.record.id, links, files=artifacts.record.files)
    return artifacts.respond_json(report.model_dump_json().encode())


@router.get(
    f"/{BUNDLE}",
    summary="Everything in one file",
    response_class=Response,
    responses=file_responses("application/zip", "result.json, curve.svg, saliency.png, masks/ and overlays/."),
)
def get_bundle(artifacts: ArtifactsDep) -> Response:
    """Return the result and all pictures as a zip file."""
    content = make_bundle(artifacts.all_files(), made_at=artifacts.record.finished_at)
    return artifacts.respond(content, "application/zip", filename=f"explanation-{artifacts.record.id[:8]}.zip")


def _add_routes() -> None:
    """Add a route for each file that a result of some task can have."""
    found = {one.pattern: one for task in TASKS.values() for one in task.artifacts}
    for artifact in found.values():
        is_json = artifact.document is not None
        router.add_api_route(
            f"/{artifact.pattern}",
            _endpoint(artifact),
            name=artifact.operation,
            summary=artifact.summary,
            description=artifact.description,
            response_model=artifact.document,
            response_class=JSONResponse if is_json else Response,
            responses=json_responses(artifact.content)
            if is_json
            else file_responses(artifact.media_type, artifact.content),
        )


def _endpoint(artifact: Artifact) -> Callable[..., Response]:
    if artifact.name is None:
        return _single(artifact)
    return _in_frames(artifact) if artifact.has_frames else _of_family(artifact)


def _single(artifact: Artifact) -> Callable[..., Response]:
    def get(artifacts: ArtifactsDep) -> Response:
        return artifacts.send(artifact, artifact.file())

    return get


def _of_family(artifact: Artifact) -> Callable[..., Response]:
    def get(artifacts: ArtifactsDep, name: str = _parameter(artifact)) -> Response:
        return artifacts.send(artifact, artifact.file(artifacts.name(artifact, name)))

    return get


def _in_frames(artifact: Artifact) -> Callable[..., Response]:
    def get(artifacts: ArtifactsDep, name: str = _parameter(artifact), frame: Frame = "image") -> Response:
        return artifacts.send(artifact, artifact.file(artifacts.name(artifact, name), frame=frame))

    return get


def _parameter(artifact: Artifact) -> Any:
    name = cast("FileName", artifact.name)
    return Path(alias=name.parameter, description=name.description, pattern=name.pattern, examples=[name.example])


_add_routes()
