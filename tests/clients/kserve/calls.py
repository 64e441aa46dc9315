"""Calls by KServe's own client, which run in its environment: `python calls.py URL PICTURE INFERENCE_SERVICE`.

Prints what it sent and what it made of the answers, as JSON. Beside, it says what KServe's models don't know of the
InferenceService.
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
import kubernetes.client
import numpy as np
import outline
import yaml
from PIL import Image

import kserve.api_client
import kserve.models
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.constants.constants import PredictorProtocol
from kserve.protocol.infer_type import RequestedOutput

MODEL = "mobilenet_v2"
PARAMS: dict[str, Any] = {"iterations": 1, "check_extremality": False, "alternatives": 0, "contrast": False}
INSTANCE = {**PARAMS, "areas": [0.2, 0.5]}
TENSOR = {**PARAMS, "areas": "[0.2, 0.5]"}
SENT = ("content-type", "inference-header-content-length")


class Recorder(httpx.AsyncHTTPTransport):
    """Sends requests, and keeps the last one with the status of its answer."""

    last: dict[str, Any]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        response = await super().handle_async_request(request)
        self.last = {
            "method": request.method,
            "path": request.url.path,
            "headers": {name: request.headers[name] for name in SENT if name in request.headers},
            "body": base64.b64encode(body).decode(),
            "status": response.status_code,
        }
        return response


class Calls:
    """KServe's client of both protocols, and the calls that it made.

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
        v1, v2 = self._v1, self._v2
        await self._call("v1: a model is ready", v1.is_model_ready, model_name=MODEL)
        await self._call("v2: the server is live", v2.is_server_live)
        await self._call("v2: the server is ready", v2.is_server_ready)
        await self._call("v2: a model is ready", v2.is_model_ready, model_name=MODEL)
        await self._call("v2: no such model", v2.is_model_ready, model_name="nothing")
        await self._instances()
        await self._tensors()

    async def _instances(self) -> None:
        pixels, text = self._pixels(), base64.b64encode(self._picture).decode()
        whole, parts, image = pixels[::3, ::3].tolist(), (pixels[::6, ::6] / 255).round(3).tolist(), {"b64": text}
        explain, infer = self._v1.explain, self._v1.infer
        await self._send("v1: a file", explain, {"image": image, **INSTANCE})
        await self._send("v1: whole numbers", explain, {"image": whole, **INSTANCE, "files": []})
        await self._send("v1: two instances", explain, {"image": parts, **INSTANCE}, {"image": image, **INSTANCE})
        await self._send("v1: a bad area", explain, {"image": image, **INSTANCE, "areas": [2]})
        await self._send("v1: classes", infer, {"image": image, "top": 2})

    async def _tensors(self) -> None:
        pixels, file = self._pixels(), np.array([self._picture], dtype=object)
        text = InferInput("image", [1], "BYTES", data=[base64.b64encode(self._picture).decode()])
        parts = (pixels[::6, ::6] / 255).round(3).astype(np.float32)
        await self._infer("v2: a file", text)
        await self._infer("v2: a file as bytes", _tensor(file))
        await self._infer("v2: UINT8 and masks as bytes", _tensor(pixels[::3, ::3]), "masks", "areas", binary=True)
        await self._infer("v2: FP32, masks on the image", _tensor(parts, binary=False), "masks_on_image")
        await self._infer("v2: a bad output", text, "heat")

    async def _call(self, name: str, call: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
        """Call the client; keep the request, and what was raised or is returned."""
        try:
            answer = await call(self._url, **arguments)
        except httpx.HTTPStatusError as error:
            answer = {"raised": str(error).partition(", '")[0]}
        self.made.append({"name": name, **self._transport.last, "answer": answer})
        return answer

    async def _send(self, name: str, call: Callable[..., Awaitable[Any]], *instances: Any) -> None:
        answer = await self._call(name, call, model_name=MODEL, data={"instances": instances})
        if "explanations" in answer:
            self.made[-1]["answer"] = outline.of_explanations(answer["explanations"])
        elif "predictions" in answer:
            self.made[-1]["answer"] = outline.of_predictions(answer["predictions"])

    async def _infer(self, name: str, image: InferInput, *outputs: str, binary: bool = False) -> None:
        asked = [RequestedOutput(one, parameters={"binary_data": True} if binary else None) for one in outputs]
        request = InferRequest(MODEL, [image], request_id=name, parameters=TENSOR, request_outputs=asked or None)
        answer = await self._call(name, self._v2.infer, model_name=MODEL, data=request)
        if not isinstance(answer, dict):
            tensors = [outline.of_tensor(one.name, one.datatype, one.as_numpy().shape) for one in answer.outputs]
            self.made[-1]["answer"] = {"id": answer.id, "outputs": tensors}

    def _pixels(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self._picture)).convert("RGB"))


def _tensor(array: np.ndarray, *, binary: bool = True) -> InferInput:
    datatype = {"uint8": "UINT8", "float32": "FP32", "object": "BYTES"}[array.dtype.name]
    made = InferInput("image", list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def unknown_fields(path: Path) -> list[str]:
    """Return what KServe's own models don't know of an InferenceService, which they pass over in silence."""
    (document,) = (one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == "InferenceService")
    kserve.models.__getattr__ = lambda name: object  # of parts of pods, which Kubernetes' models know
    explainer = document["spec"]["explainer"]
    pod = {name: explainer[name] for name in ("containers", "volumes")}
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
    """Make all calls, and print them."""
    url, picture, service = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    calls = Calls(url, picture.read_bytes())
    await calls.make()
    print(json.dumps({"calls": calls.made, "unknown": unknown_fields(service)}))


asyncio.run(main())
