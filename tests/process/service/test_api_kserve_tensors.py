"""KServe's v2 protocol, the Open Inference Protocol: an image as a tensor, masks as tensors."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.version import __version__
from service.jobs.examples import REPORT
from service.kserve import outputs
from worker.broker.store import JobStore

from .finishing import AREAS, IN_FRAME, ON_IMAGE, FinishingWorker
from .test_api_kserve import error_of

INFER = "/v2/models/mobilenet_v2/infer"
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture
def worker(redis: Redis, store: JobStore) -> Iterator[FinishingWorker]:
    with FinishingWorker(redis, store) as worker:
        yield worker


@pytest.fixture
def file(png: bytes) -> dict[str, Any]:
    return {"name": "image", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(png).decode()]}


def tensors(answer: httpx.Response) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["outputs"]}


def array(tensor: dict[str, Any]) -> np.ndarray:
    return np.array(tensor["data"]).reshape(tensor["shape"])


def test_masks_and_scores_are_tensors(client: TestClient, worker: FinishingWorker, file: Any, png: bytes) -> None:
    parameters = {"target": 1, "areas": "[0.3, 0.4]", "iterations": 7, "reuse": False}
    answer = client.post(INFER, json={"id": "42", "inputs": [file], "parameters": parameters})
    found = tensors(answer)
    ((job, posted),) = worker.taken
    assert (job.params.target, job.params.areas, job.params.iterations, posted) == (1, (0.3, 0.4), 7, png)
    assert job.content is None  # `reuse` is an option of the job
    assert {key: one for key, one in answer.json().items() if key != "outputs"} == {
        "model_name": "mobilenet_v2",
        "id": "42",
        "parameters": {"job": f"/v1/jobs/{job.id}"},
    }
    assert np.array_equal(array(found["masks"]), IN_FRAME)
    assert found["areas"] == {"name": "areas", "datatype": "FP32", "shape": [3], "data": list(AREAS)}
    for name in ("preserve", "delete"):
        assert found[name]["data"] == [point[name] for point in REPORT["curve"]]
    assert (found["optimal_area"]["shape"], found["optimal_area"]["data"]) == ([1], [0.2])
    assert json.loads(found["result"]["data"][0]) == client.get(f"/v1/jobs/{job.id}/result").json()
    assert "masks_on_image" not in found


def test_outputs_are_those_asked_for_in_their_order(client: TestClient, worker: FinishingWorker, file: Any) -> None:
    names = [{"name": "areas"}, {"name": "masks_on_image"}]
    found = tensors(client.post(INFER, json={"inputs": [file], "outputs": names}))
    assert list(found) == ["areas", "masks_on_image"]
    assert np.array_equal(array(found["masks_on_image"]), ON_IMAGE)


def test_bytes_behind_the_json_are_the_same_numbers(client: TestClient, worker: FinishingWorker, file: Any) -> None:
    asked = [{"name": "masks", "parameters": {"binary_data": True}}, {"name": "areas"}, {"name": "preserve"}]
    asked[2]["parameters"] = {"binary_data": False}
    first = client.post(INFER, json={"inputs": [file], "outputs": asked[:2]})
    length = int(first.headers[LENGTH])
    assert first.headers["content-type"] == "application/octet-stream"
    masks, areas = json.loads(first.content[:length])["outputs"]
    assert masks["parameters"] == {"binary_data_size": IN_FRAME.size}
    assert "data" not in masks
    assert first.content[length:] == IN_FRAME.tobytes()
    assert areas["data"] == list(AREAS)
    every = {"inputs": [file], "outputs": asked, "parameters": {"binary_data_output": True}}
    second = client.post(INFER, json=every)
    length = int(second.headers[LENGTH])
    assert second.content[length:] == IN_FRAME.tobytes() + struct.pack("<3f", *AREAS)
    assert json.loads(second.content[:length])["outputs"][2]["data"] == [6.7, 9.33, 14.12]


def test_an_image_may_be_numbers_or_bytes_behind_the_json(
    client: TestClient, worker: FinishingWorker, png: bytes
) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
    whole = {"name": "image", "shape": [1, 2, 4, 3], "datatype": "UINT8", "data": pixels.tolist()}
    parts = {"name": "image", "shape": [2, 4, 3], "datatype": "FP32", "data": (pixels / 255).ravel().tolist()}
    for given in (whole, parts):
        tensors(client.post(INFER, json={"inputs": [given], "outputs": [{"name": "areas"}]}))
    raw = struct.pack("<I", len(png)) + png
    head = {"name": "image", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
    text = json.dumps({"inputs": [head], "outputs": [{"name": "areas"}]}).encode()
    headers = {LENGTH: str(len(text)), "content-type": "application/octet-stream"}
    tensors(client.post(INFER, content=text + raw, headers=headers))
    first, second, third = [one for _, one in worker.taken]
    assert np.asarray(Image.open(io.BytesIO(first))).tolist() == pixels.tolist()
    assert (second, third) == (first, png)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": []}, "inputs: send one input, named image"),
        ({"inputs": 3}, "inputs: "),
        ({"outputs": [{"name": "heat"}]}, "outputs: there is no 'heat': the outputs are masks, areas"),
        ({"parameters": {"areas": "[2]"}}, "areas.0: 2 is not a share"),
        ({"parameters": {"areas": "0.1"}}, "areas: "),
        ({"parameters": {"content_type": "np"}}, "content_type: there is no such field"),
        ({"parameters": {"model": "x"}}, "model: the address names the model"),
        ({"parameters": {"task": "channels", "areas": [1]}}, "task: the tensors are those of the task extremal"),
        ({"parameters": {"target": "zebra"}}, "target: "),
        ({"inputs": [{"name": "image", "shape": [2, 2], "datatype": "UINT8", "data": [1]}]}, "image: its shape is"),
        ({"inputs": [{"name": "image", "shape": [-1], "datatype": "UINT8", "data": [1]}]}, "inputs.0.shape.0: "),
        ({"outputs": [None, {}]}, "outputs.0: null is not an object (and 1 more"),
        ({"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["aGk="]}]}, "image: the bytes"),
        ({"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES"}]}, "image: of BYTES it takes one"),
    ],
)
def test_mistakes_are_errors_that_say_what_to_change(
    client: TestClient, no_job_is_left: None, file: Any, changes: dict[str, Any], said: str
) -> None:
    error = error_of(client.post(INFER, json={"inputs": [file], **changes}))
    assert error["status"] == 422
    assert error["error"].startswith(said)


def test_lengths_that_are_wrong_are_errors(client: TestClient, file: Any) -> None:
    for length in ("1000000", "x", "-1"):
        answer = client.post(INFER, json={"inputs": [file]}, headers={LENGTH: length})
        assert error_of(answer)["error"].startswith(f"body: {LENGTH} is '{length}'")
    answer = client.post(INFER, content=b"{}", headers={LENGTH: "2", "content-type": "text/plain"})
    assert error_of(answer)["error"].startswith("The body's Content-Type is text/plain")


def test_masks_of_a_large_image_are_files(
    client: TestClient, worker: FinishingWorker, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "MOST_NUMBERS", 3 * 640 * 427 - 1)
    error = error_of(client.post(INFER, json={"inputs": [file], "outputs": [{"name": "masks_on_image"}]}))
    assert error["status"] == 422
    assert "819840 numbers" in error["error"]
    assert f"/v1/jobs/{worker.taken[0][0].id}" in error["error"]


def test_an_unfinished_job_is_named(client: TestClient, file: Any) -> None:
    error = error_of(client.post(INFER, json={"inputs": [file]}, headers={"Prefer": "wait=0"}))
    assert error["status"] == 504
    assert client.get(error["jobs"][0]).json()["status"] == "queued"


def test_server_and_models_describe_themselves(client: TestClient) -> None:
    assert client.get("/v2").json() == {
        "name": "extremal-perturbations",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }
    name = "timm:org/resnet10t.c3_in1k"
    model = client.get(f"/v2/models/{name}").json()
    assert (model["name"], model["platform"]) == (name, "pytorch")
    assert model["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [1]}]
    assert model["outputs"][0] == {"name": "masks", "datatype": "UINT8", "shape": [-1, 176, 176]}
    assert [one["name"] for one in model["outputs"]] == list(outputs.OUTPUTS)
    assert error_of(client.get("/v2/models/nothing"))["status"] == 404
    assert error_of(client.get("/v2/nothing"))["status"] == 404
    answer = client.post("/v2")
    assert (error_of(answer)["status"], answer.headers["allow"]) == (405, "GET, HEAD")
