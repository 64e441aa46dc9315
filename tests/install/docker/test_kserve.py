"""docker/kserve/inference_service.yaml: true to what the service reads and serves."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import service.__main__
from ep_core.models.sources.model_list import read_model_list
from service.http.prefix import FOR_MACHINES
from service.settings import ApiSettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ADDED = ["--model_name", "flowers", "--predictor_host", "flowers-predictor.default", "--http_port", "8080"]
"""Arguments that KServe adds to the explainer's first container."""


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    text = (ROOT / "docker" / "kserve" / "inference_service.yaml").read_text()
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def explainer(documents: dict[str, Any]) -> dict[str, Any]:
    return documents["InferenceService"]["spec"]["explainer"]


@pytest.fixture(scope="module")
def containers(explainer: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in explainer["containers"]}


def env(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


def test_containers_run_the_images_of_compose_with_settings_that_are_read(containers: dict[str, Any]) -> None:
    for name, image, settings in (("kserve-container", "api", ApiSettings), ("worker", "worker", WorkerSettings)):
        assert containers[name]["image"] == COMPOSE[image]["image"]
        given = {key.removeprefix("EP_").lower(): value for key, value in env(containers[name]).items()}
        assert given.keys() <= settings.model_fields.keys()
        settings.model_validate({key: value for key, value in given.items() if key != "models_file"})  # not here
    assert containers["redis"]["image"] == COMPOSE["redis"]["image"]
    assert len({env(containers[name])["EP_REDIS_URL"] for name in ("kserve-container", "worker")}) == 1


def test_kserve_reaches_the_api_which_answers_before_it_gives_up(
    explainer: dict[str, Any], containers: dict[str, Any]
) -> None:
    assert next(iter(containers)) == "kserve-container"
    api = containers["kserve-container"]
    (port,) = api["ports"]
    assert str(port["containerPort"]) == env(api)["EP_PORT"]
    assert int(env(api)["EP_MAX_WAIT_S"]) < explainer["timeout"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert api[probe]["httpGet"]["port"] == port["containerPort"]
        assert api[probe]["httpGet"]["path"] in FOR_MACHINES


def test_the_arguments_that_kserve_adds_are_ignored(
    containers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert containers["kserve-container"]["command"] == ["python", "-m", "service"]
    monkeypatch.setattr(sys, "argv", ["service", *ADDED])
    monkeypatch.setattr(service.__main__, "give_back_memory_at_once", lambda: None)  # for a process of its own
    monkeypatch.setenv("EP_PORT", "0")  # else it would serve
    assert service.__main__.main() == 1
    assert "settings: EP_PORT" in capsys.readouterr().err


def test_the_model_has_the_name_and_the_weights_of_the_predictors(
    documents: dict[str, Any], explainer: dict[str, Any], containers: dict[str, Any], tmp_path: Path
) -> None:
    kserve, models = documents["InferenceService"], documents["ConfigMap"]
    (tmp_path / "models.toml").write_text(models["data"]["models.toml"])
    ((name, entry),) = read_model_list(tmp_path / "models.toml").items()
    assert name == kserve["metadata"]["name"]
    assert re.fullmatch(r"[\w-]+", name)  # KServe's ingress passes on no others
    mounts = {one["name"]: one["mountPath"] for one in containers["worker"]["volumeMounts"]}
    volumes = {one["name"]: one for one in explainer["volumes"]}
    assert mounts.keys() <= volumes.keys()
    assert volumes["model-list"]["configMap"]["name"] == models["metadata"]["name"]
    assert env(containers["worker"])["EP_MODELS_FILE"] == f"{mounts['model-list']}/models.toml"
    claim, _, folder = kserve["spec"]["predictor"]["model"]["storageUri"].removeprefix("pvc://").partition("/")
    assert volumes["models"]["persistentVolumeClaim"]["claimName"] == claim
    assert Path(str(entry.file)).parent == Path(mounts["models"], folder)
