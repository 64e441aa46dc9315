"""Jobs on channels: what is posted, what is refused, and what a finished one has."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.model_card import Surveyed
from ep_core.schemas.reports.channels import MASKS, SHEET, inversion_name
from ep_core.schemas.reports.file_names import CURVE, RESULT, SALIENCY
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec
from service.jobs.examples import CHANNELS_REPORT, CLASS_REPORT
from worker.broker import catalogue
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobState, input_name
from worker.broker.store import JobStore

CHANNELS = {"task": "channels", "layer": "features.18", "areas": [12, 121, 1280], "invert": True}
CLASS = {"task": "class_channels", "layer": "features.18", "target": "American black bear", "top": 2}


def post(client: TestClient, params: dict[str, Any], *images: bytes) -> Any:
    files = [("image", (f"photo{k}.png", image)) for k, image in enumerate(images)]
    return client.post("/v1/jobs", files=files, data={"params": json.dumps(params)})


def finished(client: TestClient, redis: Redis, store: JobStore, params: dict[str, Any], png: bytes) -> str:
    """A job that is done, as a worker leaves it."""
    job_id = str(post(client, params, png).json()["id"])
    attempt = store.start(job_id, worker="test")
    blobs = RedisBlobs(redis)
    report, files = (
        (CHANNELS_REPORT, [SALIENCY, CURVE, MASKS, *map(inversion_name, ("full", "masked", "comparison"))])
        if params is CHANNELS
        else (CLASS_REPORT, [SHEET, inversion_name(997), inversion_name(511)])
    )
    blobs.put(job_id, RESULT, json.dumps(report | {"id": job_id, "artifacts": {}}).encode())
    for name in files:
        blobs.put(job_id, name, png if name in (SALIENCY, SHEET) else name.encode())
    assert store.finish(job_id, JobState.SUCCEEDED, attempt=attempt)
    return f"/v1/jobs/{job_id}"


def test_several_images_become_one_job(client: TestClient, store: JobStore, redis: Redis, png: bytes) -> None:
    answer = post(client, CLASS, png, png, png)
    assert answer.status_code == 202, answer.text
    record = store.get(answer.json()["id"])
    assert isinstance(record.params, ClassChannelsSpec)
    assert record.images == ["photo0.png", "photo1.png", "photo2.png"]
    assert [RedisBlobs(redis).get(record.id, input_name(k)) for k in range(3)] == [png] * 3


def test_params_of_a_channels_job_are_kept(client: TestClient, store: JobStore, png: bytes) -> None:
    answer = post(client, {"task": "channels"}, png)
    assert answer.json()["params"]["task"] == "channels"
    assert isinstance(store.get(answer.json()["id"]).params, ChannelsSpec)


def test_images_that_cannot_be_read_are_named_all(client: TestClient, redis: Redis, png: bytes) -> None:
    problem = post(client, CLASS, png, b"no picture", png[:40], png).json()
    assert problem["status"] == 422
    assert [error["field"] for error in problem["errors"]] == ["image.1", "image.2"]
    assert problem["errors"][0]["detail"].startswith("photo1.png: ")
    assert list(redis.scan_iter("ep:job:*")) == []  # no job was made


def test_one_image_too_large_of_several_is_named(client: TestClient, png: bytes) -> None:
    problem = post(client, CLASS, png, png + bytes(300_001)).json()
    assert (problem["status"], problem["errors"][0]["field"]) == (413, "image.1")
    assert problem["errors"][0]["detail"].startswith("photo1.png: ")


@pytest.mark.parametrize("size", [200_001, 250_000])
def test_all_together_may_be_too_large(client: TestClient, size: int) -> None:
    """Also where the body is short enough to be read."""
    problem = post(client, CLASS, bytes(size), bytes(size)).json()
    assert problem["status"] == 413
    assert "400000 bytes that it may have, all images together; each may have 300000" in problem["detail"]


def test_images_in_json_may_together_have_what_one_may_have(client: TestClient) -> None:
    images = [base64.b64encode(bytes(150_001)).decode()] * 2
    problem = client.post("/v1/jobs", json={"images": images, "params": CLASS}).json()
    assert problem["status"] == 413
    assert "send several as multipart/form-data" in problem["detail"]


def test_images_that_are_not_base64_are_named_all(client: TestClient, png: bytes) -> None:
    images = ["*", base64.b64encode(png).decode(), "!"]
    problem = client.post("/v1/jobs", json={"images": images, "params": CLASS}).json()
    assert [error["field"] for error in problem["errors"]] == ["image.0", "image.2"]


@pytest.mark.parametrize("count", [5, 30])
def test_too_many_images_are_refused_with_the_limit(client: TestClient, png: bytes, count: int) -> None:
    """Also where the form has more parts than are read."""
    problem = post(client, CLASS, *[png] * count).json()
    assert problem["status"] == 422
    assert "at most 4" in problem["detail"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("C:\\fakepath\\goose.jpg", "goose.jpg"), ("photos/goose.jpg", "goose.jpg"), ("g\x1bose", "g\ufffdose"), ("", "")],
)
def test_names_of_files_are_kept_without_folders(
    client: TestClient, store: JobStore, png: bytes, sent: str, kept: str
) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="image"; filename="{sent}"\r\n\r\n'.encode()
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/jobs", content=head + png + b"\r\n--x--\r\n", headers=kind)
    assert store.get(answer.json()["id"]).images == [kept]


def test_other_tasks_take_one_image(client: TestClient, png: bytes) -> None:
    problem = post(client, CHANNELS, png, png).json()
    assert problem["status"] == 422
    assert "only the task class_channels takes several" in problem["detail"]


def test_a_wrong_layer_has_near_matches(client: TestClient, png: bytes) -> None:
    problem = post(client, CHANNELS | {"layer": "feature.18"}, png).json()
    assert problem["status"] == 422
    assert problem["errors"][0]["nearest"][0] == "features.18"


def test_layers_that_are_not_known_yet_are_left_to_the_worker(client: TestClient, png: bytes) -> None:
    params = {"task": "channels", "model": "timm:org/resnet10t.c3_in1k", "layer": "layer3"}
    assert post(client, params, png).status_code == 202


def test_models_list_their_layers(client: TestClient, redis: Redis) -> None:
    layers = client.get("/v1/models/mobilenet_v2").json()["layers"]
    shown = {"name": "features.13", "type": "InvertedResidual", "channels": 96, "height": 14, "width": 14}
    assert layers[1] == shown | {"tokens": None, "default_for": ["channels", "excitation_backprop"]}
    assert "layers" not in client.get("/v1/models").json()["models"][0]
    assert client.get("/v1/models/timm:org/resnet10t.c3_in1k").json()["layers"] is None
    catalogue.publish_survey(redis, "timm:org/resnet10t.c3_in1k", Surveyed((), ("blur", "fade")))
    assert client.get("/v1/models/timm:org/resnet10t.c3_in1k").json()["layers"] == []


@pytest.mark.parametrize("params", [CHANNELS, CLASS], ids=["channels", "class_channels"])
def test_everything_a_result_names_is_there(
    client: TestClient, redis: Redis, store: JobStore, png: bytes, params: dict[str, Any]
) -> None:
    job = finished(client, redis, store, params, png)
    links = client.get(job).json()["links"]
    result = client.get(links["result"]).json()
    assert result["task"] == params["task"]
    named = [*result["artifacts"].values()]
    named += [one["inversion"] for one in result["channels"] if params is CLASS]
    del links["events"]  # which go on
    named += [link for link in links.values() if isinstance(link, str)] + list(links["inversions"].values())
    assert len(set(named)) == (11 if params is CHANNELS else 8)
    assert all(client.get(link).status_code == 200 for link in named)


def test_the_bundle_has_all_files_and_names_them(client: TestClient, redis: Redis, store: JobStore, png: bytes) -> None:
    job = finished(client, redis, store, CLASS, png)
    RedisBlobs(redis).put(job.rsplit("/", 1)[1], input_name(1), png)  # not removed yet
    with zipfile.ZipFile(io.BytesIO(client.get(f"{job}/bundle.zip").content)) as bundle:
        assert set(bundle.namelist()) == {"result.json", "channels.png", "inversions/997.png", "inversions/511.png"}
        result = json.loads(bundle.read("result.json"))
    assert result["artifacts"] == {"sheet": "channels.png"}
    assert result["channels"][0]["inversion"] == "inversions/997.png"


@pytest.mark.parametrize("part", ["masks/0.1.png", "overlays/0.1.png", "channels.png"])
def test_what_a_task_does_not_have_is_not_found(
    client: TestClient, redis: Redis, store: JobStore, png: bytes, part: str
) -> None:
    problem = client.get(f"{finished(client, redis, store, CHANNELS, png)}/{part}")
    assert problem.status_code == 404
    assert "`links` name what it has" in problem.json()["detail"]


def test_an_inversion_that_the_result_lacks_names_those_it_has(
    client: TestClient, redis: Redis, store: JobStore, png: bytes
) -> None:
    for params, has in ((CHANNELS, "full, masked, comparison"), (CLASS, "997, 511")):
        problem = client.get(f"{finished(client, redis, store, params, png)}/inversions/5.png")
        assert problem.status_code == 404
        assert f"no inversion 5: its inversions are {has}." in problem.json()["detail"]
