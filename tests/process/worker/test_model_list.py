"""A changed model list, and changed files of its models, without a restart of the worker."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ep_core.models.sources.catalogue import list_models
from ep_core.schemas.reports.file_names import RESULT
from tests.networks import model_list
from tests.pictures import encode
from worker.broker import catalogue
from worker.broker.contract import JobState
from worker.broker.reuse import KnownResults

from .small_jobs import TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess

SOON_S = 30.0
IMAGE = encode(Image.linear_gradient("L").convert("RGB").resize((48, 40)), "PNG")
OTHER = model_list("plain").replace("models.plain", "models.other")


class MountedList:
    """A model list that is replaced as the kubelet replaces a ConfigMap: by turning a symbolic link."""

    def __init__(self, folder: Path, text: str) -> None:
        self._folder = folder
        self._count = 0
        self.path = folder / "models.toml"
        self.replace(text)
        self.path.symlink_to("..data/models.toml")

    def replace(self, text: str) -> None:
        self._count += 1
        place = self._folder / f"..{self._count}"
        place.mkdir()
        (place / "models.toml").write_text(text)
        link = self._folder / "..new"
        link.symlink_to(place.name)
        os.replace(link, self._folder / "..data")


def wait_for(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def label(client: Client, model: str) -> str:
    """Return the label of the target of a job by a model."""
    record = client.wait_final(client.post(IMAGE, **TINY | {"model": model, "target": 0}))
    assert record.state is JobState.SUCCEEDED, record.error
    result = json.loads(client.blobs.get(record.id, RESULT) or b"")
    return str(result["target"]["label"])


def test_models_are_added_changed_and_removed_while_a_worker_runs(
    own: Callable[..., tuple[Client, WorkerProcess]], tmp_path: Path
) -> None:
    plain = model_list("plain")
    mounted = MountedList(tmp_path, plain)
    client, worker = own(EP_MODELS_FILE=mounted.path, EP_PRELOAD="plain")
    redis, pid = client.redis, worker.pid
    assert label(client, "plain") == "a"
    known = KnownResults(redis, retention_s=60)
    known.add("content", model="plain", job_id="job")
    assert known.find("content", model="plain") == "job"

    mounted.replace(plain.replace('"a", "b"', '"d", "b"') + OTHER)
    wait_for(lambda: catalogue.names(redis) == ["other", "plain"])
    assert catalogue.get(redis, "plain").labels == ("d", "b", "c")
    assert known.find("content", model="plain") is None  # the other version's
    assert label(client, "plain") == "d"
    assert label(client, "other") == "a"

    mounted.replace("[models.plain]\n")
    worker.wait_line("the changed model list can't be used")
    assert label(client, "plain") == "d"
    mounted.replace(OTHER)
    wait_for(lambda: catalogue.names(redis) == ["other"])
    assert worker.alive
    assert worker.pid == pid


def test_a_job_waits_for_a_model_that_only_another_worker_s_list_has_yet(
    own: Callable[..., tuple[Client, WorkerProcess]], tmp_path: Path
) -> None:
    mounted = MountedList(tmp_path, model_list("plain"))
    client, worker = own(EP_MODELS_FILE=mounted.path, EP_PRELOAD="plain")
    newer = tmp_path / "newer.toml"
    newer.write_text(model_list("plain") + OTHER)
    catalogue.publish(client.redis, list_models(newer))
    job_id = client.post(IMAGE, **TINY | {"model": "other"})
    worker.wait_line("job starts")
    assert client.get(job_id).state is JobState.RUNNING
    mounted.replace(newer.read_text())
    assert client.wait_final(job_id).state is JobState.SUCCEEDED
    record = client.wait_final(client.post(IMAGE, **TINY | {"model": "compiled"}))  # nobody has it
    assert (record.state, record.attempt) == (JobState.FAILED, 1)
