"""Inference requests of the v2 protocol: each becomes the JSON body of a `POST /v1/jobs`; its answer is tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.specs import ExtremalSpec
from ep_core.schemas.wording import in_words
from service.http.errors import InvalidFields
from service.http.links import Links
from service.http.validation import MAX_ERRORS, FieldError
from service.jobs.service import JobService
from service.uploads.body import upload_from_json
from service.uploads.limits import UploadLimits, invalid
from service.uploads.options import JobOptions
from worker.broker.contract import JobRecord

from .outputs import OUTPUTS, Found, Values, check_names
from .reader import at_field, without
from .schemas import InferRequest, InferResponse, OutputTensor
from .service import Asked
from .tensors import BINARY_SIZE, as_binary, image_text, take_binary

IMAGE = "image"
ALL_BINARY, ONE_BINARY = "binary_data_output", "binary_data"
"""Parameters of a request, and of an output, that ask for bytes behind the JSON."""


@dataclass(frozen=True)
class Wanted:
    """The tensors to return, in their order, and which of them as bytes behind the JSON."""

    request_id: str | None
    names: tuple[str, ...]
    as_bytes: frozenset[str]

    @classmethod
    def of(cls, request: InferRequest) -> Wanted:
        """Return what a request asks for; raises `InvalidFields` where there is no such tensor."""
        asked = {one.name: one.parameters.get(ONE_BINARY) for one in request.outputs or ()}
        names = check_names(list(asked))
        by_default = request.parameters.get(ALL_BINARY)
        as_bytes = {name for name in names if (by_default if asked.get(name) is None else asked[name])}
        return cls(request.id, names, frozenset(as_bytes))


def read_infer(document: Mapping[str, Any], behind: bytes, *, model: str, limits: UploadLimits) -> Asked[Wanted]:
    """Return what a request asks of its image.

    Args:
        document: the request's JSON.
        behind: the bytes that follow it.
        model: that the address names.
        limits: of all pictures.

    Raises:
        InvalidFields: inputs, parameters or outputs can't be used.
    """
    try:
        request = InferRequest.model_validate(document)
    except ValidationError as error:
        raise InvalidFields([_field_error(one) for one in error.errors()[:MAX_ERRORS]]) from error
    if [one.name for one in request.inputs] != [IMAGE]:
        raise invalid("inputs", f"send one input, named {IMAGE}: all else that is asked stands in parameters")
    with at_field(IMAGE):
        (binary,) = take_binary(request.inputs, behind)
        image = image_text(request.inputs[0], binary)
    wanted = Wanted.of(request)
    upload = upload_from_json(to_json(_body(request.parameters, image, model)), limits)
    if not isinstance(upload.params, ExtremalSpec):
        raise invalid("task", "the tensors are those of the task extremal: post others to :explain, or to /v1/jobs")
    return Asked("", upload, wanted)


def _field_error(error: ErrorDetails) -> FieldError:
    """Return an error of the protocol's own members, such as ``inputs.0.shape``."""
    return FieldError(field=".".join(map(str, error["loc"])), detail=in_words(error))


def _body(parameters: Mapping[str, Any], image: str, model: str) -> dict[str, Any]:
    """Return the body of a job; a parameter that is a list or an object may be its JSON text, as the protocol wants."""
    if "model" in parameters:
        raise invalid("model", "the address names the model: leave it out here")
    options = {name: one for name, one in parameters.items() if name in JobOptions.model_fields}
    params = without(parameters, ALL_BINARY, *options)
    return {IMAGE: image, **options, "params": {name: _opened(one) for name, one in params.items()} | {"model": model}}


def _opened(value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith(("[", "{"))):
        return value
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError:  # a text, then
        return value


def make_response(job: JobRecord, wanted: Wanted, jobs: JobService, links: Links) -> tuple[bytes, int | None]:
    """Return the answer for a job that has succeeded, and the length of its JSON, where bytes follow it.

    Raises:
        NotFound, NoResult: the result was removed meanwhile, or can't be read.
        InvalidFields: a tensor is larger than those that are sent.
    """
    report = jobs.report(job.id)
    assert isinstance(report, ExtremalReport)  # noqa: S101
    found = Found(job, report, jobs, links)
    made = [_tensor(name, OUTPUTS[name].values(found), is_binary=name in wanted.as_bytes) for name in wanted.names]
    response = InferResponse(
        model_name=job.params.model,
        id=wanted.request_id or job.id,
        parameters={"job": links.job(job.id)},
        outputs=[tensor for tensor, _ in made],
    )
    text = to_json(response, exclude_none=True)
    behind = b"".join(binary for _, binary in made if binary is not None)
    return text + behind, len(text) if wanted.as_bytes else None


def _tensor(name: str, values: Values, *, is_binary: bool) -> tuple[OutputTensor, bytes | None]:
    """Return a tensor, and its data where they follow the JSON."""
    datatype = OUTPUTS[name].datatype
    shape = list(values.shape) if isinstance(values, np.ndarray) else [len(values)]
    if is_binary:
        binary = as_binary(values, datatype)
        return OutputTensor(name=name, shape=shape, datatype=datatype, parameters={BINARY_SIZE: len(binary)}), binary
    data = values.ravel().tolist() if isinstance(values, np.ndarray) else values
    return OutputTensor.model_construct(name=name, shape=shape, datatype=datatype, parameters=None, data=data), None
