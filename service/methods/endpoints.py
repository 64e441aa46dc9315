"""`/v1/methods`: what a comparison can show."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ep_core.schemas.methods import method_cards
from ep_core.schemas.specs import DEFAULT_METHODS
from service.http.caching import NOT_MODIFIED, IfNoneMatch, checked_response

from .schemas import MethodList, MethodRead

router = APIRouter(prefix="/v1/methods", tags=["models"])


@router.get("", summary="List the methods", response_model=MethodList, responses={304: NOT_MODIFIED})
async def get_methods(if_none_match: IfNoneMatch = None) -> Response:
    """List the methods that the task `compare` can show beside each other, each with a sentence on it."""
    listed = [MethodRead(**card._asdict(), by_default=card.name in DEFAULT_METHODS) for card in method_cards()]
    content = MethodList(methods=listed).model_dump_json().encode()
    return checked_response(content, "application/json", if_none_match=if_none_match)
