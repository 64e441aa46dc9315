"""docker-compose.yml: valid by the compose specification, hardened, and true to what the services read."""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from redis import Redis

from service.run.embedded_redis import find_redis_server
from service.settings import ApiSettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[3]
SETTINGS = {"api": ApiSettings, "worker": WorkerSettings, "worker-gpu": WorkerSettings}


def interpolate(text: str) -> str:
    """Fill in ${NAME:-default} as compose does when no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(interpolate((ROOT / "docker-compose.yml").read_text()))


def validate(document: dict[str, Any]) -> None:
    PyCompose.from_yaml(yaml.safe_dump(document, sort_keys=False)).validate()


class TestSpecification:
    def test_the_file_is_valid(self, compose: dict[str, Any]) -> None:
        validate(compose)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda c: c.update(servces={}),
            lambda c: c["services"]["api"].update(prots=["8000:8000"]),
            lambda c: c["services"]["api"].update(ports="8000:8000"),
            lambda c: c["services"]["api"]["build"].update(dockerfil="Dockerfile"),
            lambda c: c["services"]["api"]["depends_on"]["redis"].update(condition="healthy"),
            lambda c: c["services"]["redis"]["healthcheck"].update(interval="often"),
            lambda c: c["services"]["redis"]["healthcheck"].update(retry=3),
            lambda c: c["services"]["worker"].update(stop_grace_period="long"),
            lambda c: c["services"]["worker"].update(read_only=["yes"]),
            lambda c: c["services"]["worker-gpu"]["deploy"]["resources"].update(reserved={}),
            lambda c: c["services"]["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"][0].pop(
                "capabilities"
            ),
        ],
    )
    def test_a_wrong_key_or_type_would_be_found(
        self, compose: dict[str, Any], spoil: Callable[[dict[str, Any]], None]
    ) -> None:
        spoiled = copy.deepcopy(compose)
        spoil(spoiled)
        with pytest.raises(ValueError, match=r"extension key|invalid type|unknown variant|duration|missing field"):
            validate(spoiled)


def services() -> list[str]:
    return list(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


@pytest.fixture(params=services())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service(compose: dict[str, Any], name: str) -> dict[str, Any]:
    return compose["services"][name]


class TestEveryService:
    def test_is_not_root_and_cannot_become_it(self, service: dict[str, Any]) -> None:
        assert service["user"].partition(":")[0] not in ("", "0", "root")
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert "cap_add" not in service

    def test_writes_only_to_volumes_and_tmp(self, service: dict[str, Any]) -> None:
        assert service["read_only"] is True
        assert "/tmp" in service["tmpfs"]

    def test_has_a_health_check(self, service: dict[str, Any]) -> None:
        if "build" in service:
            assert "\nHEALTHCHECK " in (ROOT / service["build"]["dockerfile"]).read_text()
        else:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")

    def test_comes_back_by_itself_and_gets_time_to_stop(self, service: dict[str, Any]) -> None:
        assert service["restart"] == "unless-stopped"
        assert int(service["stop_grace_period"].removesuffix("s")) >= 30

    def test_is_pulled_at_a_version_or_built_from_a_file_that_is_there(self, service: dict[str, Any]) -> None:
        if "build" in service:
            assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        else:
            assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", service["image"])

    def test_has_a_limit_of_memory(self, service: dict[str, Any]) -> None:
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])

    def test_runs_as_the_user_of_its_image(self, service: dict[str, Any]) -> None:
        if "build" in service:
            users = re.findall(r"^USER (\S+)$", (ROOT / service["build"]["dockerfile"]).read_text(), re.MULTILINE)
            assert users[-1] == service["user"]

    def test_a_worker_ends_its_job_before_docker_kills_it(self, service: dict[str, Any]) -> None:
        grace_s = service.get("environment", {}).get("EP_STOP_GRACE_S", "0")
        assert int(grace_s) < int(service["stop_grace_period"].removesuffix("s"))

    def test_waits_for_services_that_exist(self, compose: dict[str, Any], service: dict[str, Any]) -> None:
        for needed, how in service.get("depends_on", {}).items():
            assert needed in compose["services"]
            assert how["condition"] == "service_healthy"

    def test_mounts_volumes_that_are_declared_and_files_that_are_there(
        self, compose: dict[str, Any], service: dict[str, Any]
    ) -> None:
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            if source.startswith("./"):
                assert (ROOT / source).exists()
                assert target.endswith(":ro")
            else:
                assert source in compose["volumes"]

    def test_sets_only_what_its_settings_know(
        self, name: str, service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = {key: str(value) for key, value in service.get("environment", {}).items() if key.startswith("EP_")}
        if name not in SETTINGS:
            assert not ours
            return
        settings = SETTINGS[name]
        assert {key.removeprefix("EP_").lower() for key in ours} <= settings.model_fields.keys()
        for key, value in ours.items():
            monkeypatch.setenv(key, value)
        settings()  # and the values are valid


def test_only_this_machine_reaches_what_is_published_and_nobody_redis(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {
        "api": ["127.0.0.1:8000:8000"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_a_gpu_is_asked_for_only_with_the_profile(compose: dict[str, Any]) -> None:
    with_gpu = {name for name, service in compose["services"].items() if "deploy" in service}
    with_profile = {name for name, service in compose["services"].items() if service.get("profiles") == ["gpu"]}
    assert with_gpu == with_profile == {"worker-gpu"}


@pytest.fixture(scope="module")
def redis_of_compose(compose: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    program, *arguments = compose["services"]["redis"]["command"]
    assert program == "redis-server"
    folder = tmp_path_factory.mktemp("redis")
    socket = Path("/tmp") / f"ep-test-{folder.stat().st_ino}.sock"  # its path may have 107 characters at most
    extra = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    with subprocess.Popen([find_redis_server(), *arguments, *extra], stdout=subprocess.DEVNULL) as server:
        while not socket.exists():
            assert server.poll() is None, "redis-server does not take these arguments"
        yield Redis(unix_socket_path=str(socket))
        server.terminate()


def test_a_real_redis_takes_the_command_and_keeps_every_job(redis_of_compose: Redis) -> None:
    config = redis_of_compose.config_get("*")
    assert config["appendonly"] == "yes"
    assert config["save"] == ""
    assert config["maxmemory-policy"] == "noeviction"
    assert config["hash-max-listpack-value"] == "8192"
    assert int(config["maxmemory"]) == 2 * 1024**3
