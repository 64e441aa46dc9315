"""docker/kubernetes: pods are hardened, and true to the images, the settings and the probes of the services."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ep_core.models.sources.model_list import read_model_list
from ep_core.version import __version__
from service.app import create_app
from service.settings import ApiSettings
from tests.install.kubernetes.kustomize import Manifest
from tests.install.kubernetes.reading import FOLDER, ROOT, containers, of_kind, selected, settings_of, workloads
from worker.__main__ import main
from worker.settings import WorkerSettings

SETTINGS = {"api": ApiSettings, "worker": WorkerSettings}
OF_OTHERS = {"AWS_REGION"}  # of what s3fs stands on
BESIDE: dict[str, set[str]] = {"redis": {"password"}, "s3": set(), "api-keys": set(), "api-tls": set()}
"""Secrets that docs/kubernetes.md has people make, and the keys that are named."""


class TestPods:
    def test_are_not_root_and_cannot_become_it(self, manifests: list[Manifest]) -> None:
        for workload in workloads(manifests).values():
            pod = workload["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["runAsUser"] > 0
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["automountServiceAccountToken"] is False
            assert pod["enableServiceLinks"] is False  # they would set EP_... where a Service is called so
            for container in containers(workload):
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }

    def test_run_as_the_users_of_their_images(self, manifests: list[Manifest]) -> None:
        for name in ("api", "worker"):
            security = workloads(manifests)[name]["spec"]["template"]["spec"]["securityContext"]
            user = f"{security['runAsUser']}:{security['runAsGroup']}"
            assert f"\nUSER {user}\n" in (ROOT / "docker" / f"{name}.Dockerfile").read_text()

    def test_say_what_they_need_and_have_a_limit_of_memory(self, manifests: list[Manifest]) -> None:
        for workload in workloads(manifests).values():
            for container in containers(workload):
                assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
                assert "memory" in container["resources"]["limits"]
                assert "cpu" not in container["resources"]["limits"]  # an idle core is nobody's loss

    def test_have_images_of_this_version_or_a_fixed_one(self, manifests: list[Manifest]) -> None:
        for workload in workloads(manifests).values():
            for container in containers(workload):
                name, _, tag = container["image"].rpartition(":")
                ours = name.rpartition("/")[2].startswith("extremal-perturbations-")
                assert tag == __version__ if ours else re.fullmatch(r"\d+\.\d+\.\d+[\w.-]*", tag)

    def test_mount_volumes_that_are_there_and_write_nowhere_else(self, manifests: list[Manifest]) -> None:
        for name, workload in workloads(manifests).items():
            pod = workload["spec"]["template"]["spec"]
            claims = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])]
            volumes = {volume["name"] for volume in pod.get("volumes", [])} | set(claims)
            mounted = {mount["name"] for one in containers(workload) for mount in one["volumeMounts"]}
            assert mounted == volumes
            paths = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
            assert "/data" in paths if name == "redis" else "/tmp" in paths

    def test_the_models_are_a_folder_that_follows_its_config_map(self, manifests: list[Manifest]) -> None:
        (worker,) = workloads(manifests)["worker"]["spec"]["template"]["spec"]["containers"]
        (mount,) = (one for one in worker["volumeMounts"] if one["name"] == "models")
        assert "subPath" not in mount  # the kubelet never changes such a file
        listed = Path(settings_of(manifests)["EP_MODELS_FILE"])
        assert str(listed.parent) == mount["mountPath"]
        assert list(of_kind(manifests, "ConfigMap")["models"]["data"]) == [listed.name]

    def test_the_model_list_is_one(self) -> None:
        assert list(read_model_list(FOLDER / "base" / "models.toml")) == ["mobilenet_v2"]

    def test_weights_of_the_image_are_copied_to_where_the_worker_looks(self, manifests: list[Manifest]) -> None:
        pod = workloads(manifests)["worker"]["spec"]["template"]["spec"]
        (copying,), (worker,) = pod["initContainers"], pod["containers"]
        (target,) = copying["volumeMounts"]
        (mount,) = (one for one in worker["volumeMounts"] if one["name"] == target["name"])
        assert copying["command"] == ["cp", "-R", f"{mount['mountPath']}/.", f"{target['mountPath']}/"]
        assert f"TORCH_HOME={mount['mountPath']}/" in (ROOT / "docker" / "worker.Dockerfile").read_text()


class TestProbes:
    def test_addresses_exist_and_say_nothing_of_redis_and_workers(self, manifests: list[Manifest]) -> None:
        (api,) = workloads(manifests)["api"]["spec"]["template"]["spec"]["containers"]
        paths = {api[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
        assert paths == {"/healthz"}  # /readyz is 503 while there is no worker: nobody could post the first job
        assert paths <= create_app(ApiSettings()).openapi()["paths"].keys()

    def test_commands_are_the_workers(
        self, manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("EP_REDIS_URL", "redis://127.0.0.1:1/0")  # nobody is there
        (worker,) = workloads(manifests)["worker"]["spec"]["template"]["spec"]["containers"]
        codes = {}
        for probe in ("startupProbe", "livenessProbe"):
            python, module, name, *arguments = worker[probe]["exec"]["command"]
            assert (python, module, name) == ("python", "-m", "worker")
            codes[probe] = main(arguments)
        assert codes == {"startupProbe": 1, "livenessProbe": 0}
        assert "Redis: " in capsys.readouterr().err

    def test_ports_have_the_names_that_services_and_probes_use(self, manifests: list[Manifest]) -> None:
        for service in of_kind(manifests, "Service").values():
            (target,) = selected({"matchLabels": service["spec"]["selector"]}, manifests)
            named = {port["name"] for one in containers(workloads(manifests)[target]) for port in one["ports"]}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
        (port,) = workloads(manifests)["api"]["spec"]["template"]["spec"]["containers"][0]["ports"]
        assert str(port["containerPort"]) == settings_of(manifests)["EP_PORT"]

    def test_the_ingress_leads_to_a_port_of_a_service(self, manifests: list[Manifest]) -> None:
        services = of_kind(manifests, "Service")
        for ingress in of_kind(manifests, "Ingress").values():
            for path in ingress["spec"]["rules"][0]["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = [port["name"] for port in services[backend["name"]]["spec"]["ports"]]
                assert backend["port"]["name"] in ports


class TestSettings:
    def test_are_known_and_valid(
        self, manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        data = settings_of(manifests)
        ours = {key: value for key, value in data.items() if key not in OF_OTHERS}
        known = ApiSettings.model_fields.keys() | WorkerSettings.model_fields.keys()
        assert {key.removeprefix("EP_").lower() for key in ours} <= known
        assert all(key.startswith("EP_") for key in ours)
        keys = tmp_path / "keys.toml"
        keys.touch()
        for key, value in ours.items():
            monkeypatch.setenv(key, str(keys) if key == "EP_API_KEYS_FILE" else value)
        for settings in SETTINGS.values():
            settings()
        for name, settings in SETTINGS.items():
            (container,) = workloads(manifests)[name]["spec"]["template"]["spec"]["containers"]
            variables = [entry["name"] for entry in container["env"]]
            assert {key.removeprefix("EP_").lower() for key in variables} <= settings.model_fields.keys()

    def test_come_from_what_is_there(self, manifests: list[Manifest]) -> None:
        maps = of_kind(manifests, "ConfigMap")
        for workload in workloads(manifests).values():
            for container in containers(workload):
                for source in container.get("envFrom", []):
                    assert source.get("configMapRef", {}).get("name", "settings") in maps
                    assert source.get("secretRef", {}).get("name", "redis") in BESIDE
                for entry in container.get("env", []):
                    secret = entry.get("valueFrom", {}).get("secretKeyRef")
                    assert secret is None or secret["key"] in BESIDE[secret["name"]]

    def test_a_stopped_pod_has_longer_than_its_process_takes(self, manifests: list[Manifest]) -> None:
        data, running = settings_of(manifests), workloads(manifests)
        worker = running["worker"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert int(data["EP_STOP_GRACE_S"]) + 30 <= worker
        api = running["api"]["spec"]["template"]["spec"]
        pause = api["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause + int(data["EP_SHUTDOWN_S"]) + 10 <= api["terminationGracePeriodSeconds"]

    def test_nobody_but_the_holder_of_a_key_reaches_what_others_reach(self, manifests: list[Manifest]) -> None:
        data = settings_of(manifests)
        exposed = bool(of_kind(manifests, "Ingress"))
        assert exposed == ("EP_API_KEYS_FILE" in data)
        assert exposed != ("EP_ALLOW_ANONYMOUS" in data)
        assert data.get("EP_ALLOWED_HOSTS", "localhost") == "localhost"
