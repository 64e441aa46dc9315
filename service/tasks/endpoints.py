"""`/v1/tasks`: what can be asked here."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ep_core.schemas.tasks import DEFAULT_TASK, TASKS, Task
from service.deps import SettingsDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch, checked_response

from .schemas import TaskFile, TaskList, TaskRead

router = APIRouter(prefix="/v1/tasks", tags=["models"])


@router.get("", summary="List the tasks", response_model=TaskList, responses={304: NOT_MODIFIED})
async def get_tasks(settings: SettingsDep, if_none_match: IfNoneMatch = None) -> Response:
    """List what can be asked of an image: for forms and lists that need not change when there is another task."""
    listed = [_read(task, most_images=settings.max_images) for task in TASKS.values()]
    content = TaskList(default=DEFAULT_TASK.name, tasks=listed).model_dump_json().encode()
    return checked_response(content, "application/json", if_none_match=if_none_match)


def _read(task: Task, *, most_images: int) -> TaskRead:
    files = [
        TaskFile(key=one.key, title=one.summary, media_type=one.media_type, many=one.name is not None)
        for one in task.artifacts
        if one.key is not None
    ]
    least, most = task.images
    return TaskRead(
        name=task.name,
        title=task.title,
        question=task.question,
        spec=task.spec.__name__,
        python=task.python,
        least_images=least,
        most_images=min(most, most_images),
        unit=task.unit,
        picture=task.picture,
        form=list(task.form),
        files=files,
    )
