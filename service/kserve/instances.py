"""Instances of the v1 protocol: each becomes the JSON body of a `POST /v1/jobs`, or of a `POST /v1/classify`."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from ep_core.schemas.targets import TARGET_PARTS
from ep_core.schemas.tasks import Task, task_of
from service.classify.reader import query_from_json
from service.uploads.body import upload_from_json
from service.uploads.images import PostedImage
from service.uploads.limits import UploadLimits, invalid
from service.uploads.options import JobOptions
from worker.broker.classify_queries import ClassifyQuery

from .pixels import image_file, nested_numbers
from .reader import at_field, within, without
from .service import Asked

Files = tuple[str, ...]
"""Keys of the files that are returned with an explanation."""
B64 = "b64"
FILES = "files"
DEFAULT_FILES = ("masks",)
_PICTURES = ("image", *TARGET_PARTS)
_PICTURE = 'send {"b64": the file in base64}, or H x W x C numbers as nested lists'


def read_explain(
    document: Mapping[str, Any], behind: bytes, *, model: str, limits: UploadLimits, most: int
) -> list[Asked[Files]]:
    """Return what is asked of each instance.

    Args:
        document: the request's body.
        behind: bytes that follow it: none.
        model: that the address names.
        limits: of all pictures.
        most: instances that there may be.

    Raises:
        InvalidFields: an instance can't be used; `errors` name it as ``instances.0``.
    """
    return [_asked(place, given, limits) for place, given in _instances(document, behind, model, most)]


def read_predict(
    document: Mapping[str, Any], behind: bytes, *, model: str, limits: UploadLimits, most: int
) -> list[tuple[str, ClassifyQuery, PostedImage | str]]:
    """Return the place, the query and the image of each instance; arguments and errors as for `read_explain`."""
    found = []
    for place, given in _instances(document, behind, model, most):
        with within(place):
            found.append((place, *query_from_json(to_json(given), limits)))
    return found


def _instances(
    document: Mapping[str, Any], behind: bytes, model: str, most: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the members of each instance, its pictures as files in base64, the model among them."""
    if behind:
        raise invalid("body", "v1 takes no bytes behind the JSON: send them to /v2")
    instances = document.get("instances")
    unknown = without(document, "instances")
    if unknown:
        raise invalid(next(iter(unknown))[:100], "there is no such field; parameters belong to an instance")
    if not isinstance(instances, list) or not instances:
        raise invalid("instances", "send a list with an instance for each image")
    if len(instances) > most:
        raise invalid("instances", f"there are {len(instances)}: at most {most} are taken at once")
    for k, instance in enumerate(instances):
        place = f"instances.{k}"
        with within(place):
            given = instance if isinstance(instance, dict) and B64 not in instance else {"image": instance}
            _check_members(given)
            pictures = {name: _picture(name, given[name]) for name in _PICTURES if name in given}
            yield place, {**given, **pictures, "model": model}


def _check_members(given: Mapping[str, Any]) -> None:
    if "image" not in given:
        raise invalid("image", f"it is missing: {_PICTURE}")
    if "model" in given:
        raise invalid("model", "the address names the model: leave it out here")
    if "image_url" in given:
        raise invalid("image_url", "there is no such field: send the file")
    if "params" in given:
        raise invalid("params", "here its fields stand beside the image, without params around them")


def _picture(name: str, given: Any) -> str:
    """Return a picture as a file in base64: it is that, or nested numbers."""
    if isinstance(given, list):
        with at_field(name):
            return base64.b64encode(image_file(nested_numbers(given))).decode()
    text = given.get(B64) if isinstance(given, dict) and set(given) == {B64} else given
    if not isinstance(text, str):
        raise invalid(name, _PICTURE)
    return text


def _asked(place: str, given: dict[str, Any], limits: UploadLimits) -> Asked[Files]:
    beside = (*_PICTURES, *JobOptions.model_fields)
    body = {name: given[name] for name in beside if name in given}
    with within(place):
        upload = upload_from_json(to_json(body | {"params": without(given, FILES, *beside)}), limits)
        return Asked(place, upload, _files(given.get(FILES), task_of(upload.params)))


def _files(wanted: Any, task: Task) -> Files:
    """Return the keys of the files that are returned with an explanation."""
    known = [one.key for one in task.artifacts if one.key is not None]
    if wanted is None:
        return tuple(key for key in DEFAULT_FILES if key in known)
    if not isinstance(wanted, list) or not all(one in known for one in wanted):
        raise invalid(FILES, f"send a list of some of {', '.join(known)}, or an empty one")
    return tuple(wanted)
