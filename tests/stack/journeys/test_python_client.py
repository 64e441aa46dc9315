"""The main job by a client that openapi-python-client generates, as it comes: nothing configured, nothing left out."""

from __future__ import annotations

import base64
import importlib
import pkgutil
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.generators import find_generator, run
from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

pytestmark = pytest.mark.e2e

PACKAGE = "generated_ep_client"
AREAS = [0.1, 0.4]
QUICK = {"areas": AREAS, "iterations": 3, **MASKS_ONLY}


class Generated:
    """The generated client of a running stack."""

    def __init__(self, url: str) -> None:
        self.models: Any = importlib.import_module(f"{PACKAGE}.models")
        self._file: Any = importlib.import_module(f"{PACKAGE}.types").File
        client = importlib.import_module(f"{PACKAGE}.client").Client
        self._client: Any = client(base_url=url, timeout=httpx.Timeout(90), raise_on_unexpected_status=True)

    def call(self, operation: str, *path: object, **arguments: object) -> Any:
        """Return the parsed response of an operation, named as ``"jobs.get_job"``."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        return module.sync(*path, client=self._client, **arguments)

    def file(self, sample: str) -> Any:
        """Return a photograph as a part of a form."""
        return self._file(payload=(SAMPLES / f"{sample}.jpg").open("rb"), file_name=f"{sample}.jpg")

    def poll(self, operation: str, identity: str, *, within_s: float = 120) -> Iterator[Any]:
        """Yield an operation's responses, again and again."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            yield self.call(operation, identity)
            time.sleep(0.2)
        raise AssertionError(f"{operation} goes on after {within_s} s")


@pytest.fixture(scope="module")
def package(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the generated package, which can be imported."""
    folder = tmp_path_factory.mktemp("client")
    generate = ["generate", "--url", f"{stack.url}/openapi.json", "--meta", "none", "--fail-on-warning"]
    run(find_generator("openapi-python-client"), *generate, "--output-path", folder / PACKAGE, cwd=folder)
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def api(package: Path, stack: Stack) -> Generated:
    return Generated(stack.url)


@pytest.fixture(scope="module")
def finished(api: Generated) -> Any:
    """A job posted as a form, polled to its end."""
    body = api.models.JobForm(image=[api.file("black_bear")], params=api.models.ExtremalSpec(**QUICK))
    posted = api.call("jobs.create_job", body=body)
    assert isinstance(posted, api.models.JobRead), posted
    over = (api.models.JobState.SUCCEEDED, api.models.JobState.FAILED)
    return next(job for job in api.poll("jobs.get_job", posted.id) if job.status in over)


def test_every_module_can_be_imported(package: Path) -> None:
    names = [module.name for module in pkgutil.walk_packages([str(package)], f"{PACKAGE}.")]
    for name in names:
        importlib.import_module(name)
    assert {f"{PACKAGE}.api.models.classify", f"{PACKAGE}.api.results.get_mask"} < set(names)


def test_a_posted_form_has_a_typed_result(api: Generated, finished: Any) -> None:
    assert finished.status == api.models.JobState.SUCCEEDED, finished.error
    assert isinstance(finished.params, api.models.ExtremalSpec)
    result = api.call("results.get_result", finished.id)
    assert isinstance(result, api.models.ExtremalReport)
    assert [point.area for point in result.curve] == AREAS
    assert (result.image.width, result.image.height) == (640, 427)
    assert (result.model.resolution.width, result.model.resolution.height) == (224, 224)
    assert 0 < result.frame.left < result.frame.right < result.image.width
    assert 0 < result.frame.top < result.frame.bottom < result.image.height


def test_pictures_and_the_bundle_are_bytes(api: Generated, finished: Any) -> None:
    mask = api.call("results.get_mask", finished.id, "0.1")
    assert Image.open(mask.payload).size == (640, 427)
    overlay = api.call("results.get_overlay", finished.id, "0.4")
    assert Image.open(overlay.payload).size == (640, 427)
    assert b"<svg" in api.call("results.get_curve", finished.id).payload.read()
    bundle = api.call("results.get_bundle", finished.id)
    assert "result.json" in zipfile.ZipFile(bundle.payload).namelist()


def test_json_and_another_task_have_typed_results_too(api: Generated) -> None:
    image = base64.b64encode((SAMPLES / "goose.jpg").read_bytes()).decode()
    body = api.models.JobBody(image=image, params=api.models.ChannelsSpec(task="channels", areas=[5, 50]))
    job = api.call("jobs.create_job", body=body, prefer="wait=60")
    assert job.status == api.models.JobState.SUCCEEDED, job.error
    result = api.call("results.get_result", job.id)
    assert isinstance(result, api.models.ChannelsReport)
    masks = api.call("results.get_channel_masks", job.id)
    assert masks.areas == [5, 50]
    assert [sum(mask) for mask in masks.masks] == pytest.approx([5, 50])


def test_a_batch_is_posted_and_followed(api: Generated) -> None:
    images = [api.file("goose"), api.file("pizza")]
    body = api.models.JobForm(image=images, params=api.models.ExtremalSpec(**QUICK), keep_images=True)
    posted = api.call("batches.create_batch", body=body)
    done = next(batch for batch in api.poll("batches.get_batch", posted.id) if batch.done)
    assert done.counts.additional_properties == {"succeeded": 2}
    found = api.call("batches.get_results", posted.id).results
    assert [one.name for one in found] == ["goose.jpg", "pizza.jpg"]
    assert all(isinstance(one.result, api.models.ExtremalReport) for one in found)
    small = api.call("jobs.get_image", found[0].job, 0, size=64)
    assert max(Image.open(small.payload).size) == 64


def test_classes_by_form_and_by_json(api: Generated) -> None:
    form = api.models.ClassifyForm(image=api.file("black_bear"), top=2)
    seen = api.call("models.classify", body=form)
    assert seen.classes[0].label == "American black bear"
    image = base64.b64encode((SAMPLES / "black_bear.jpg").read_bytes()).decode()
    again = api.call("models.classify", body=api.models.ClassifyBody(image=image, top=2))
    assert again == seen


def test_models_and_their_labels(api: Generated) -> None:
    listed = api.call("models.get_models")
    assert listed.default in [one.name for one in listed.models]
    model = api.call("models.get_model", listed.default)
    assert model.labels[295] == "American black bear"
    assert model.resolution == api.models.PixelSize(width=224, height=224)


def test_a_mistake_is_a_typed_problem(api: Generated) -> None:
    problem = api.call("jobs.create_job", body=api.models.JobForm(params=api.models.ExtremalSpec()))
    assert isinstance(problem, api.models.ProblemDetails)
    assert (problem.status, problem.errors[0].field) == (422, "image")
