"""Requests and responses of KServe's protocols."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from service.http.problems import ProblemDetails
from service.http.validation import FieldError
from service.jobs.answers import Answer
from worker.broker.classify_queries import Classified

Datatype = Annotated[str, Field(description="Kind of its elements, such as `UINT8`, `FP32` or `BYTES`.")]
Shape = Annotated[list[Annotated[int, Field(ge=0)]], Field(description="Its size in each dimension.")]
Parameters = Annotated[dict[str, Any], Field(description="Texts, numbers and booleans by their names.")]


_DATA = {
    "anyOf": [
        {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "boolean"}]}},
        {"type": "null"},
    ]
}


class Base64File(BaseModel):
    """A file."""

    b64: Annotated[str, Field(description="Its bytes in base64.")]


class Explanation(BaseModel):
    """Explanation of one instance."""

    job: Annotated[str, Field(description="The job that made it, at this service's own address.")]
    result: Annotated[Answer, Field(description="As `GET /v1/jobs/{id}/result` returns it.")]
    files: Annotated[
        dict[str, Base64File | dict[str, Base64File]],
        Field(description="The files that were asked for, as the job's `links` call them: a single one, or by name."),
    ]


class Explanations(BaseModel):
    """Explanations of all instances, in their order."""

    explanations: list[Explanation]


class Predictions(BaseModel):
    """Classes of all instances, in their order."""

    predictions: list[Classified]


class ServerMetadata(BaseModel):
    """The server, as the Open Inference Protocol describes one."""

    name: Literal["extremal-perturbations"] = "extremal-perturbations"
    version: str
    extensions: list[str] = ["binary_tensor_data"]


class ServerLive(BaseModel):
    """The API answers."""

    live: Literal[True] = True


class ServerReady(BaseModel):
    """Jobs are taken and run."""

    ready: Literal[True] = True


class ModelReady(BaseModel):
    """Jobs for the model are taken and run."""

    name: str
    ready: Literal[True] = True


class TensorMetadata(BaseModel):
    """Name, kind and shape of a tensor; -1 is any size."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelMetadata(BaseModel):
    """The tensors of a model."""

    name: str
    platform: Literal["pytorch"] = "pytorch"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class InputTensor(BaseModel):
    """A tensor that is sent."""

    name: str
    shape: Shape
    datatype: Datatype
    parameters: Parameters = {}
    data: Annotated[
        list[Any] | None,
        WithJsonSchema(_DATA),
        Field(description="Its elements, row by row (or nested); without it they follow the JSON, as bytes."),
    ] = None


class RequestedOutput(BaseModel):
    """An output that is asked for."""

    name: str
    parameters: Parameters = {}


class InferRequest(BaseModel):
    """What is asked of a model; further members of other versions of the protocol are passed over."""

    id: Annotated[str | None, Field(max_length=200)] = None
    parameters: Parameters = {}
    inputs: Annotated[list[InputTensor], Field(max_length=16)]
    outputs: Annotated[list[RequestedOutput] | None, Field(max_length=16)] = None


class OutputTensor(BaseModel):
    """A tensor that is returned."""

    name: str
    shape: Shape
    datatype: Datatype
    parameters: Parameters | None = None
    data: Annotated[
        list[Any] | None,
        WithJsonSchema(_DATA),
        Field(description="Its elements, row by row; without it they follow the JSON, as bytes."),
    ] = None


class InferResponse(BaseModel):
    """Masks, areas and scores as tensors."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    id: Annotated[str, Field(description="That of the request; without one, the job's.")]
    parameters: Annotated[Parameters, Field(description="`job` is the job's address.")]
    outputs: list[OutputTensor]


class InferenceError(BaseModel):
    """An error, as clients of KServe's protocols read it; the other members are those of problem details."""

    model_config = ConfigDict(extra="allow")

    error: Annotated[str, Field(description="What is wrong and what to change.")]
    type: Annotated[str, Field(description=ProblemDetails.model_fields["type"].description)]
    title: str
    status: int
    request_id: Annotated[str | None, Field(description="Names the request in the logs.")] = None
    errors: Annotated[list[FieldError] | None, Field(description="One entry per field that can't be used.")] = None
    jobs: Annotated[list[str] | None, Field(description="Addresses of the jobs that go on.")] = None
