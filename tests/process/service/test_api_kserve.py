"""KServe's v1 protocol: instances become jobs as all others are, and the answer waits for them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from service.access.keys import ApiKey, hash_key
from service.app import create_app
from service.kserve import explanations, reader
from service.kserve.examples import EXPLAIN_BODY, INFER_BODY
from service.settings import ApiSettings
from worker.broker.contract import JobState
from worker.broker.liveness import beat
from worker.broker.problems import make_problem
from worker.broker.queue import job_queue
from worker.broker.store import JobStore

from .answering import BEAR, FakeWorker
from .finishing import AREAS, ON_IMAGE, FinishingWorker

MODEL = "/v1/models/mobilenet_v2"
EXPLAIN, PREDICT = f"{MODEL}:explain", f"{MODEL}:predict"


@pytest.fixture
def worker(redis: Redis, store: JobStore) -> Iterator[FinishingWorker]:
    with FinishingWorker(redis, store) as worker:
        yield worker


@pytest.fixture
def image(png: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(png).decode()}


def explain(client: TestClient, *instances: Any, **options: Any) -> httpx.Response:
    return client.post(EXPLAIN, json={"instances": list(instances)}, **options)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The members of an error, in the form that KServe's clients read."""
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["x-request-id"]
    assert "detail" not in found
    return found


def test_an_explanation_is_the_jobs_result_with_its_masks(
    client: TestClient, worker: FinishingWorker, image: dict[str, str], png: bytes
) -> None:
    answer = explain(client, {"image": image, "target": 1, "areas": [0.3], "priority": "low"})
    assert answer.status_code == 200, answer.text
    ((job, posted),) = worker.taken
    assert (job.params.model, job.params.target, job.priority, posted) == ("mobilenet_v2", 1, "low", png)
    assert job.params.areas == (0.3,)
    (found,) = answer.json()["explanations"]
    assert found["job"] == f"/v1/jobs/{job.id}"
    assert found["result"] == client.get(f"/v1/jobs/{job.id}/result").json()
    masks = {name: base64.b64decode(one["b64"]) for name, one in found["files"]["masks"].items()}
    assert list(found["files"]) == ["masks"]
    assert masks.keys() == {"0.05", "0.1", "0.2", "alternative-1", "contrast"}
    shown = [np.asarray(Image.open(io.BytesIO(masks[str(area)]))) for area in AREAS]
    assert np.array_equal(shown, ON_IMAGE)


def test_files_are_those_that_were_asked_for_up_to_a_limit(
    client: TestClient, worker: FinishingWorker, image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = explain(client, {"image": image, "files": ["saliency"]}, {"image": image, "files": []})
    one, none = answer.json()["explanations"]
    assert one["files"] == {"saliency": {"b64": base64.b64encode(b"heat").decode()}}
    assert none["files"] == {}
    monkeypatch.setattr(explanations, "MOST_FILE_BYTES", 3)
    assert error_of(explain(client, {"image": image, "files": ["saliency"]}))["error"].startswith("files: they have")


def test_an_instance_may_be_the_image_alone_and_an_image_numbers(
    client: TestClient, worker: FinishingWorker, image: dict[str, str], png: bytes
) -> None:
    colour = [[[0, 10, 20], [30, 40, 50]], [[60, 70, 80], [255, 0, 90]]]
    grey = [[0.0, 0.5], [1.0, 0.25]]
    answer = explain(client, image, colour, {"image": grey, "areas": [0.5]})
    assert answer.status_code == 200, answer.text
    posted = [one for _, one in worker.taken]
    assert posted[0] == png
    pixels = [np.asarray(Image.open(io.BytesIO(one))).tolist() for one in posted[1:]]
    assert pixels == [colour, [[[value] * 3 for value in row] for row in [[0, 128], [255, 64]]]]


def test_a_models_name_may_have_colons_and_slashes(client: TestClient, worker: FinishingWorker, image: Any) -> None:
    name = "timm:org/resnet10t.c3_in1k"
    for address in (name, "timm%3Aorg%2Fresnet10t.c3_in1k"):
        assert client.post(f"/v1/models/{address}:explain", json={"instances": [image]}).status_code == 200
    assert [job.params.model for job, _ in worker.taken] == [name, name]


@pytest.mark.parametrize(
    ("instance", "status", "said"),
    [
        ({"areas": [2]}, 422, "instances.1.areas.0: 2 is not a share"),
        ({"targt": 1}, 422, "instances.1.targt: there is no such field; did you mean target"),
        ({"target": "zebra"}, 422, "instances.1.target: "),
        ({"model": "x"}, 422, "instances.1.model: the address names the model"),
        ({"params": {}}, 422, "instances.1.params: here its fields stand beside the image"),
        ({"files": ["heat"]}, 422, "instances.1.files: send a list of some of masks, "),
        ({"image_url": "https://example.org/a.png"}, 422, "instances.1.image_url: there is no such field"),
        ({"image": None}, 422, "instances.1.image: send {"),
        ({"image": {"b64": "?"}}, 422, "instances.1.image: is not base64"),
        ({"image": {"b64": "aGk="}}, 422, "instances.1.image: the bytes aren't a picture"),
        ({"image": [[[1, 2]]]}, 422, "instances.1.image: it is C x H x W (1 x 1 x 2)"),
        ({"task": "compare", "methods": ["x"]}, 422, "instances.1.methods"),
    ],
)
def test_one_bad_instance_is_named_and_no_job_is_made(
    client: TestClient, no_job_is_left: None, image: Any, instance: dict[str, Any], status: int, said: str
) -> None:
    error = error_of(explain(client, image, {"image": image, **instance}))
    assert error["status"] == status
    assert error["error"].startswith(said)
    assert error["errors"][0]["field"] == said.partition(":")[0].partition(" ")[0] or "methods" in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "body: EOF"),
        (b"[]", "body: it is no JSON object"),
        (b'{"instances": [1e999]}', "instances.0.image"),
        (b"{}", "instances: send a list"),
        (b'{"instances": []}', "instances: send a list"),
        (b'{"instances": [{}]}', "instances.0.image: it is missing"),
        (b'{"instances": [1], "parameters": {}}', "parameters: there is no such field"),
        (b'{"instances": [%b]}' % b",".join([b"1"] * 101), "instances: there are 101"),
        (b"[" * 100_000, "body: "),
    ],
)
def test_a_body_that_is_no_list_of_instances_is_told_in_words(client: TestClient, body: bytes, said: str) -> None:
    answer = client.post(EXPLAIN, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert error_of(answer)["error"].startswith(said)


def test_other_addresses_types_and_sizes_have_the_form_too(
    client: TestClient, image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = client.post("/v1/models/mobilenet:explain", json={"instances": [image]})
    assert error_of(unknown)["error"].startswith("there is no model 'mobilenet'; did you mean 'mobilenet_v2'")
    assert unknown.status_code == 404
    assert error_of(client.post(EXPLAIN, data={"instances": "1"}))["status"] == 415
    read = client.get(EXPLAIN)
    assert (error_of(read)["status"], read.headers["allow"]) == (405, "POST")
    assert error_of(client.post(EXPLAIN, json={"instances": ["A" * 500_000]}))["status"] == 413
    monkeypatch.setattr(reader, "MOST_PARTS", 100)
    assert "100 lists" in error_of(explain(client, [[[0, 0, 0]] * 100]))["error"]
    monkeypatch.setattr(reader, "MOST_NUMBERS_BYTES", 1000)
    assert "1000 bytes" in error_of(explain(client, [[[0, 0, 0]] * 300]))["error"]
    assert client.get("/v1/jobs/none").headers["content-type"] == "application/problem+json"


def test_what_takes_too_long_is_a_504_with_the_jobs_which_go_on(
    client: TestClient, redis: Redis, store: JobStore, image: Any
) -> None:
    headers = {"Prefer": "wait=0", "Idempotency-Key": "once"}
    error = error_of(explain(client, image, {"image": image, "areas": [0.5]}, headers=headers))
    assert (error["status"], error["type"]) == (504, "/problems/not-finished")
    jobs = [client.get(link).json() for link in error["jobs"]]
    assert [job["status"] for job in jobs] == ["queued", "queued"]
    assert error["jobs"][0] in error["error"]
    assert f"{jobs[0]['links']['dashboard']} shows it in a browser" in error["error"]
    with FinishingWorker(redis, store) as worker:
        again = explain(client, image, {"image": image, "areas": [0.5]}, headers={"Idempotency-Key": "once"})
    assert again.headers["idempotent-replayed"] == "true"
    assert [one["job"] for one in again.json()["explanations"]] == error["jobs"]
    assert len(worker.taken) == 2
    other = explain(client, {"image": image, "areas": [0.25]}, headers={"Idempotency-Key": "once"})
    assert error_of(other)["type"] == "/problems/key-reused"


def test_a_failed_job_is_its_problem(client: TestClient, worker: FinishingWorker, image: Any) -> None:
    worker.problem = make_problem("invalid-input", "the network finds no dog", field="target")
    error = error_of(explain(client, image))
    assert (error["status"], error["error"]) == (422, "instances.0.target: the network finds no dog")
    assert error["errors"] == [{"field": "instances.0.target", "detail": "the network finds no dog"}]


def test_keys_quotas_and_owners_are_those_of_posted_jobs(redis: Redis, settings: ApiSettings, image: Any) -> None:
    keys = tuple(
        ApiKey(name=name, sha256=hash_key(f"ep_{name}"), max_queued=1, rate="9/minute") for name in ("ann", "bob")
    )
    ann, bob = ({"Authorization": f"Bearer ep_{name}", "Prefer": "wait=0"} for name in ("ann", "bob"))
    app = create_app(settings.model_copy(update={"api_keys": keys}))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for method, address in (
            ("POST", EXPLAIN),
            ("POST", PREDICT),
            ("GET", "/v2"),
            ("GET", "/v2/models/mobilenet_v2"),
        ):
            assert error_of(client.request(method, address))["status"] == 401
        assert client.get("/v2/health/live").status_code == 200
        full = error_of(explain(client, image, {"image": image, "areas": [0.5]}, headers=ann))
        assert full["type"] == "/problems/queue-full"
        assert job_queue(redis).job_ids == []  # the first instance's job went with the second's
        (link,) = error_of(explain(client, image, headers=ann))["jobs"]
        assert client.get(link, headers=bob).status_code == 404
        assert client.get(link, headers=ann).json()["status"] == JobState.QUEUED
        answers = [client.get("/v2", headers=ann) for _ in range(7)]
        assert error_of(answers[-1])["type"] == "/problems/rate-limited"


def test_classes_are_those_of_classify(client: TestClient, redis: Redis, image: Any, png: bytes) -> None:
    worker = FakeWorker(redis)
    worker.start()
    try:
        answer = client.post(PREDICT, json={"instances": [{"image": image, "top": 1}, [[[1, 2, 3]]]]})
        assert answer.json() == {
            "predictions": [{"model": "mobilenet_v2", "classes": [BEAR.model_dump()], "warnings": []}] * 2
        }
        bad = client.post(PREDICT, json={"instances": [image, {"image": image, "top": 99}]})
        assert error_of(bad)["error"].startswith("instances.1.top: ")
    finally:
        worker.ending.set()
        worker.join(5)
    (first, posted), (second, _) = worker.asked
    assert (first.top, second.top, first.model, posted) == (1, 5, "mobilenet_v2", png)


def test_a_model_says_whether_a_worker_lives(client: TestClient, redis: Redis) -> None:
    assert client.get(MODEL).json()["ready"] is False
    assert error_of(client.get("/v2/models/mobilenet_v2/ready"))["status"] == 503
    assert error_of(client.get("/v2/health/ready"))["status"] == 503
    beat(redis, "worker", ttl_s=60)
    assert client.get(MODEL).json()["ready"] is True
    assert client.get("/v2/models/mobilenet_v2/ready").json() == {"name": "mobilenet_v2", "ready": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}


@pytest.mark.parametrize(
    ("address", "body"), [(EXPLAIN, EXPLAIN_BODY), ("/v2/models/mobilenet_v2/infer", INFER_BODY)], ids=["v1", "v2"]
)
def test_the_example_requests_are_accepted(client: TestClient, address: str, body: dict[str, Any]) -> None:
    for example in body["content"]["application/json"]["examples"].values():
        answer = client.post(address, json=example["value"], headers={"Prefer": "wait=0"})
        assert error_of(answer)["type"] == "/problems/not-finished", answer.text
