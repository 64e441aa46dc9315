"""Calls by KServe's own client, which run in its environment: `python calls.py URL PICTURE INFERENCE_SERVICE`.

Prints what it sent and what it made of the answers, as JSON. Beside, it says what KServe's models don't
know of the InferenceService.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import kserve.api_client
import kserve.models
import kubernetes.client
import numpy as np
import yaml
from kserve import (
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)
from kserve.constants.constants import PredictorProtocol
from kserve.protocol.infer_type import RequestedOutput
from PIL import Image

MODEL = "mobilenet_v2"
PARAMS: dict[str, Any] = {"iterations": 1, "check_extremality": False, "alternatives": 0, "contrast": False}
INSTANCE = {**PARAMS, "areas": [0.2, 0.5]}
TENSOR = {**PARAMS, "areas": "[0.2, 0.5]"}


class Recorder(httpx.AsyncHTTPTransport):
    """Sends requests, and keeps the last one with the status of its answer."""

    last: dict[str, Any]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        response = await super().handle_async_request(request)
        names = ("content-type", "inference-header-content-length")
        self.last = {
            "method": request.method,
            "path": request.url.path,
            "headers": {name: request.headers[name] for name in names if name in request.headers},
            "body": base64.b64encode(body).decode(),
            "status": response.status_code,
        }
        return response


class Calls:
    """The client of both protocols, and the calls that it made.

    Args:
        url: of the service.
        picture: an image file.
    """

    def __init__(self, url: str, picture: bytes) -> None:
        self.made: list[dict[str, Any]] = []
        self._url = url
        self._picture = picture
        self._transport = Recorder()
        self._v1, self._v2 = (
            InferenceRESTClient(RESTConfig(transport=self._transport, protocol=protocol, timeout=100))
            for protocol in (PredictorProtocol.REST_V1, PredictorProtocol.REST_V2)
        )

    async def make(self) -> None:
        """Make all calls."""
        v1, v2, pixels = self._v1, self._v2, np.asarray(Image.open(sys.argv[2]).convert("RGB"))
        image = {"b64": base64.b64encode(self._picture).decode()}
        await self._call("v1 model is ready", v1.is_model_ready, model_name=MODEL)
        await self._call("v2 server is live", v2.is_server_live)
        await self._call("v2 server is ready", v2.is_server_ready)
        await self._call("v2 model is ready", v2.is_model_ready, model_name=MODEL)
        await self._call("v2 no such model", v2.is_model_ready, model_name="nothing")
        explain, infer = v1.explain, v1.infer
        await self._instances("v1 a file", explain, {"image": image, **INSTANCE})
        await self._instances("v1 whole numbers", explain, {"image": pixels[::2, ::2].tolist(), **INSTANCE, "files": []})
        await self._instances("v1 fractions", explain, {"image": (pixels[::4, ::4] / 255).tolist(), **INSTANCE})
        await self._instances("v1 a bad area", explain, {"image": image, **INSTANCE, "areas": [2]})
        await self._instances("v1 classes", infer, {"image": image, "top": 2})
        await self._infer("v2 a file", self._text(), parameters=TENSOR)
        await self._infer("v2 a file as bytes", _tensor(np.array([self._picture], dtype=object)), parameters=TENSOR)
        await self._infer("v2 UINT8 as bytes", _tensor(pixels), outputs=("masks",), binary=True, parameters=TENSOR)
        await self._infer("v2 FP32", _tensor((pixels[::4, ::4] / 255).astype(np.float32), binary=False))
        await self._infer("v2 a bad output", self._text(), outputs=("heat",), parameters=TENSOR)

    async def _call(self, name: str, call: Callable[..., Awaitable[Any]], **arguments: Any) -> None:
        try:
            answer = await call(self._url, **arguments)
        except httpx.HTTPStatusError as error:
            answer = {"raised": str(error).replace(self._url, "")}
        self.made.append({"name": name, **self._transport.last, "answer": answer})

    async def _instances(self, name: str, call: Callable[..., Awaitable[Any]], *instances: Any) -> None:
        await self._call(name, call, model_name=MODEL, data={"instances": list(instances)})
        answer = self.made[-1]["answer"]
        if "explanations" in answer:
            self.made[-1]["answer"] = [_explained(one) for one in answer["explanations"]]
        elif "predictions" in answer:
            self.made[-1]["answer"] = [[seen["index"] for seen in one["classes"]] for one in answer["predictions"]]

    async def _infer(
        self,
        name: str,
        image: InferInput,
        *,
        outputs: tuple[str, ...] = (),
        binary: bool = False,
        parameters: dict[str, Any] = PARAMS,
    ) -> None:
        asked = [RequestedOutput(one, parameters={"binary_data": True} if binary else None) for one in outputs]
        request = InferRequest(MODEL, [image], request_id=name, parameters=parameters, request_outputs=asked or None)
        await self._call(name, self._v2.infer, model_name=MODEL, data=request)
        answer = self.made[-1]["answer"]
        if not isinstance(answer, dict):
            self.made[-1]["answer"] = {"id": answer.id, "outputs": [_read(one) for one in answer.outputs]}

    def _text(self) -> InferInput:
        return InferInput("image", [1], "BYTES", data=[base64.b64encode(self._picture).decode()])


def _tensor(array: np.ndarray, *, binary: bool = True) -> InferInput:
    datatype = {"uint8": "UINT8", "float32": "FP32", "object": "BYTES"}[array.dtype.name]
    made = InferInput("image", list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def _explained(explanation: dict[str, Any]) -> dict[str, Any]:
    masks = explanation["files"].get("masks", {})
    sizes = {area: _size(one["b64"]) for area, one in masks.items()}
    return {"areas": [point["area"] for point in explanation["result"]["curve"]], "masks": sizes}


def _size(text: str) -> list[int]:
    return list(Image.open(io.BytesIO(base64.b64decode(text))).size)


def _read(output: Any) -> dict[str, Any]:
    """Name, kind and shape of an output, as the client reads it; numbers have to be as many as that says."""
    if output.datatype != "BYTES":
        assert list(output.as_numpy().shape) == output.shape, output.name
    return {"name": output.name, "datatype": output.datatype, "shape": output.shape}


def _unknown_fields(path: Path) -> list[str]:
    """Return what KServe's own models don't know of an InferenceService, which they pass over in silence."""
    (document,) = (one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == "InferenceService")
    kserve.models.__getattr__ = lambda name: object  # of parts of pods, which Kubernetes' models know
    explainer = document["spec"]["explainer"]
    pod = {name: explainer[name] for name in ("containers", "volumes") if name in explainer}
    ours, pods = kserve.api_client.ApiClient(), kubernetes.client.ApiClient()
    service = ours.deserialize(SimpleNamespace(data=json.dumps(document)), "V1beta1InferenceService")
    spec = pods.deserialize(json.dumps(pod), "V1PodSpec", "application/json")
    return [
        *_lost(document, ours.sanitize_for_serialization(service)),
        *_lost(pod, pods.sanitize_for_serialization(spec), "/spec/explainer"),
    ]


def _lost(given: Any, kept: Any, place: str = "") -> list[str]:
    """Return the places of what is given and not kept."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [one for key in given for one in _lost(given[key], kept.get(key), f"{place}/{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [one for k, item in enumerate(given) for one in _lost(item, kept[k], f"{place}/{k}")]
    return [] if given == kept else [place]


async def main() -> None:
    calls = Calls(sys.argv[1], Path(sys.argv[2]).read_bytes())
    await calls.make()
    print(json.dumps({"calls": calls.made, "unknown": _unknown_fields(Path(sys.argv[3]))}))


asyncio.run(main())
