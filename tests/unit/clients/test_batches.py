"""Many images: how they are divided, posted, watched and handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from extremal_client import BatchProgress, InvalidRequest, JobFailed, Outcome, Unavailable
from extremal_client.core import batches
from extremal_client.core.batches import Batches
from extremal_client.core.messages import Answer, Request
from extremal_client.core.steps import Course, Emit, Flow, Pause, Send
from extremal_client.generated.schemas import JobRead

from .playing import Script, answer, job_document, problem

BAD = b"no image"
QUEUE_FULL = {"type": "/problems/queue-full", "title": "Queue full", "status": 429, "detail": "It is full."}
UNREADABLE = {
    "type": "/problems/unreadable-image",
    "title": "",
    "status": 422,
    "detail": "It is no image.",
    "field": "image",
}


class Service:
    """A service of batches: each job is done when its batch is looked at for the second time.

    Args:
        most: images that a batch may have.
        room: jobs that may be unfinished.
    """

    def __init__(self, *, most: int = 100, room: int = 1000) -> None:
        self.most = most
        self.room = room
        self.posted: list[list[bytes]] = []
        self.open = 0
        self._looks: dict[int, int] = {}
        self._jobs: dict[int, list[dict[str, Any]]] = {}

    def reply(self, request: Request) -> Answer:
        kind, _, rest = request.url.partition("/v1/")[2].partition("/")
        if request.method == "POST":
            return self._post([part.content for part in request.form if part.name.startswith("image")])
        if kind == "batches":
            return self._look(int(rest))
        return answer(job_document("succeeded", id=rest))

    def _post(self, images: list[bytes]) -> Answer:
        if len(images) > self.most:
            errors = [{"field": "image", "detail": f"at most {self.most} are taken"}]
            return problem("invalid-input", 422, errors=errors)
        if all(image == BAD for image in images):
            errors = [{"field": f"image.{k}", "detail": "It is no image."} for k in range(len(images))]
            return problem("invalid-input", 422, errors=errors)
        if self.open >= self.room:
            return problem("queue-full", 429, retry_after=30)
        number = len(self.posted)
        self.posted.append(images)
        self._looks[number] = 0
        self._jobs[number] = [self._job(image, f"{number}-{k}") for k, image in enumerate(images)]
        return answer(self._read(number), 202)

    def _job(self, image: bytes, name: str) -> dict[str, Any]:
        if image == BAD:
            return {"name": "", "error": UNREADABLE, "fraction": 0, "cached": False}
        if self.open >= self.room:
            return {"name": "", "error": QUEUE_FULL, "fraction": 0, "cached": False}
        self.open += 1
        return {
            "name": "",
            "job": name,
            "status": "running",
            "fraction": 0.5,
            "cached": False,
            "link": f"/v1/jobs/{name}",
        }

    def _look(self, number: int) -> Answer:
        self._looks[number] += 1
        if self._looks[number] == 2:
            for job in self._jobs[number]:
                if job.get("status") == "running":
                    self.open -= 1
                    job |= {"status": "succeeded", "fraction": 1}
        return answer(self._read(number))

    def _read(self, number: int) -> dict[str, Any]:
        address = f"/v1/batches/{number}"
        links = {"self": address, "dashboard": f"/#/batch/{number}"}
        links |= {"results": f"{address}/results", "page": f"{address}/result.html"}
        fixed = {"id": str(number), "created_at": "2026-01-31T12:00:00Z", "done": False, "fraction": 0, "counts": {}}
        return fixed | {"jobs": self._jobs[number], "links": links}


def explain(
    service: Service, images: list[Any], on_change: Callable[[BatchProgress], None] = lambda _: None, **asked: Any
) -> list[Outcome[str]]:
    """What becomes of images."""
    script = Script([])

    def fetch(job: JobRead) -> Flow[str]:
        yield from ()
        return f"result of {job.id}"

    work = Batches(script.site(), images, asked, fetch=fetch, on_change=on_change)
    course = Course(work.outcomes())
    step, found = course.advance(), []
    while step is not None:
        outcome: object = None
        match step:
            case Send(request):
                outcome = service.reply(request)
            case Pause(seconds):
                script.now += seconds
            case Emit(value):
                found.append(value)
        step = course.advance(outcome)
    return found


def test_each_image_has_its_result_or_its_reason() -> None:
    found = explain(Service(), [b"a", BAD, b"c"])
    assert {one.image: one.error is None for one in found} == {b"a": True, BAD: False, b"c": True}
    assert {one.result for one in found if one.error is None} == {"result of 0-0", "result of 0-2"}
    (failed,) = [one for one in found if one.error is not None]
    assert found[0] is failed  # known at once
    with pytest.raises(JobFailed, match="It is no image") as caught:
        _ = failed.result
    assert caught.value.field == "image"


def test_many_images_are_posted_a_few_at_a_time() -> None:
    service = Service()
    images = [f"{k}".encode() for k in range(80)]
    found = explain(service, images)
    assert sorted(one.image for one in found) == sorted(images)
    assert [len(posted) for posted in service.posted] == [32, 32, 16]
    assert [image for posted in service.posted for image in posted] == images


def test_large_images_are_divided_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 10)
    service = Service()
    explain(service, [b"12345", b"67890", b"1", b"x" * 20, b"y" * 20])
    assert [len(posted) for posted in service.posted] == [2, 1, 1, 1]


def test_images_by_address_come_behind_files_as_the_service_lists_them() -> None:
    service = Service()
    found = explain(service, ["https://pictures.test/1.jpg", b"a"])
    assert service.posted == [[b"a", b"https://pictures.test/1.jpg"]]
    assert {one.image: one.result for one in found} == {
        b"a": "result of 0-0",
        "https://pictures.test/1.jpg": "result of 0-1",
    }


def test_a_service_that_takes_fewer_is_given_fewer() -> None:
    service = Service(most=10)
    found = explain(service, [f"{k}".encode() for k in range(40)])
    assert len(found) == 40
    assert {len(posted) for posted in service.posted} == {8}


def test_where_no_image_can_be_used_each_is_told() -> None:
    service = Service()
    found = explain(service, [BAD, BAD, BAD])
    assert [type(one.error) for one in found] == [InvalidRequest] * 3
    assert service.posted == []


def test_a_full_queue_is_waited_for_while_there_are_jobs_of_ours() -> None:
    service = Service(room=5)
    found = explain(service, [f"{k}".encode() for k in range(40)])
    assert len([one for one in found if one.error is None]) == 40
    assert [len(posted) for posted in service.posted] == [32, *[5] * 7]  # what has no room isn't sent again and again
    with pytest.raises(Unavailable):
        explain(Service(room=0), [b"a"])


def test_wrong_parameters_are_told_at_once() -> None:
    class Refusing(Service):
        def _post(self, images: list[bytes]) -> Answer:
            return problem("invalid-input", 422, errors=[{"field": "areas.0", "detail": "too large"}])

    with pytest.raises(InvalidRequest) as caught:
        explain(Refusing(), [b"a", b"b"], areas=[2])
    assert caught.value.field == "areas.0"


def test_progress_counts_what_is_done_and_what_runs() -> None:
    seen: list[BatchProgress] = []
    explain(Service(), [b"a", BAD, b"c", b"d"], seen.append)
    assert BatchProgress(total=4, done=1, failed=1, fraction=(1 + 3 * 0.5) / 4) in seen
    assert seen[-1] == BatchProgress(total=4, done=4, failed=1, fraction=1)
    assert [one.fraction for one in seen] == sorted(one.fraction for one in seen)
    assert explain(Service(), []) == []
