"""`/v1/tasks`: what can be asked here."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.deps import SettingsDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch, checked_response

from .schemas import TaskList
from .service import list_tasks

router = APIRouter(prefix="/v1/tasks", tags=["models"])


@router.get("", summary="List the tasks", response_model=TaskList, responses={304: NOT_MODIFIED})
async def get_tasks(settings: SettingsDep, if_none_match: IfNoneMatch = None) -> Response:
    """List what can be asked of an image: for forms and lists that need not change when there is another task."""
    content = list_tasks(most_images=settings.max_images).model_dump_json().encode()
    return checked_response(content, "application/json", if_none_match=if_none_match)
