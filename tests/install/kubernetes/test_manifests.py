"""docker/kubernetes: valid for current clusters and KEDA, hardened, consistent, and true to what the services read."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions

from ep_core.models.sources.model_list import read_model_list
from ep_core.version import __version__
from service.app import create_app
from service.settings import ApiSettings
from tests.install.kubernetes.kustomize import Manifest, build
from worker.__main__ import main
from worker.broker.contract import JobState
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docker" / "kubernetes"
OVERLAYS = ("cpu", "gpu", "production")
CURRENT = list(dict.fromkeys(all_versions()))[-3:]  # Kubernetes maintains three minor versions
KEDA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "keda.yaml").read_text())
SETTINGS = {"api": ApiSettings, "worker": WorkerSettings}
OF_OTHERS = {"AWS_REGION"}  # of what s3fs stands on
BESIDE = {"redis": {"password"}, "s3": set(), "api-keys": set(), "api-tls": set()}
"""Secrets that docs/kubernetes.md has people make, and the keys that are named."""


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def manifests(overlay: str) -> list[Manifest]:
    return build(FOLDER / "overlays" / overlay)


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] in kinds}


def workloads(manifests: list[Manifest]) -> dict[str, Manifest]:
    return of_kind(manifests, "Deployment", "StatefulSet")


def containers(workload: Manifest) -> list[Manifest]:
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def settings_of(manifests: list[Manifest]) -> dict[str, str]:
    data: dict[str, str] = of_kind(manifests, "ConfigMap")["settings"]["data"]
    return data


def labels_of(workload: Manifest) -> dict[str, str]:
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def selected(selector: Manifest, manifests: list[Manifest]) -> set[str]:
    """Return the workloads whose pods a selector matches."""
    wanted = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in among)
    return {
        name
        for name, workload in workloads(manifests).items()
        if wanted.items() <= labels_of(workload).items()
        and all(labels_of(workload).get(one["key"]) in one["values"] for one in among)
    }


def validate(manifest: Manifest, version: str) -> None:
    _validate(json.dumps(manifest), version)


@cache
def _validate(text: str, version: str) -> None:
    """Overlays have most of their manifests in common."""
    manifest = json.loads(text)
    if manifest["apiVersion"].startswith("keda.sh/"):
        jsonschema.Draft202012Validator(KEDA[manifest["kind"]]).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


class TestSchemas:
    @pytest.mark.parametrize("version", CURRENT)
    def test_each_manifest_is_valid(self, manifests: list[Manifest], version: str) -> None:
        for manifest in manifests:
            validate(manifest, version)

    @pytest.mark.parametrize(
        ("kind", "name", "spoil"),
        [
            ("Deployment", "api", lambda s: s.update(replica=2)),
            ("Deployment", "api", lambda s: s.pop("selector")),
            ("Deployment", "worker", lambda s: s["template"]["spec"]["containers"][0].update(livenesProbe={})),
            ("Deployment", "worker", lambda s: s["template"]["spec"].update(terminationGracePeriodSeconds="10m")),
            ("HorizontalPodAutoscaler", "api", lambda s: s.pop("maxReplicas")),
            ("NetworkPolicy", "https", lambda s: s["egress"][0]["to"][0].update(cidr="0.0.0.0/0")),
            ("PodDisruptionBudget", "worker", lambda s: s.update(maxUnavailabel=1)),
            ("ScaledObject", "worker", lambda s: s.update(minReplicas=0)),
            ("ScaledObject", "worker", lambda s: s["triggers"][0]["metadata"].update(listLength=4)),
            ("ScaledObject", "worker", lambda s: s["triggers"][0]["metadata"].update(listname="x")),
            ("ScaledObject", "worker", lambda s: s["triggers"][0]["metadata"].update(address="rediss://x:6379")),
            ("TriggerAuthentication", "redis", lambda s: s["secretTargetRef"][0].update(parameter="pasword")),
        ],
    )
    def test_a_wrong_key_or_type_would_be_found(
        self, kind: str, name: str, spoil: Callable[[dict[str, Any]], None]
    ) -> None:
        spoiled = copy.deepcopy(of_kind(build(FOLDER / "overlays" / "gpu"), kind)[name])
        validate(spoiled, CURRENT[-1])
        spoil(spoiled["spec"])
        with pytest.raises(jsonschema.ValidationError):
            validate(spoiled, CURRENT[-1])


def test_kubectl_renders_the_same(overlay: str, manifests: list[Manifest]) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    folder = FOLDER / "overlays" / overlay
    rendered = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True).stdout
    theirs = yaml.safe_load_all(re.sub(r"\bsettings-[a-z0-9]{10}\b", "settings", rendered))
    assert sorted(map(in_order, theirs)) == sorted(map(in_order, manifests))


def in_order(value: Any) -> str:
    """Return a manifest as JSON in which the order of keys and of lists doesn't show."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{in_order(value[key])}" for key in sorted(value)) + "}"
    return f"[{','.join(sorted(map(in_order, value)))}]" if isinstance(value, list) else json.dumps(value)


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


class TestSelectors:
    def test_match_the_pods_of_their_workload(self, manifests: list[Manifest]) -> None:
        for name, workload in workloads(manifests).items():
            assert selected(workload["spec"]["selector"], manifests) == {name}
            account = workload["spec"]["template"]["spec"]["serviceAccountName"]
            assert account in of_kind(manifests, "ServiceAccount")

    def test_budgets_and_autoscalers_have_their_workloads(self, manifests: list[Manifest]) -> None:
        budgets = of_kind(manifests, "PodDisruptionBudget")
        assert {name: selected(b["spec"]["selector"], manifests) for name, b in budgets.items()} == {
            "api": {"api"},
            "worker": {"worker"},
        }
        for scaler in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject").values():
            target = workloads(manifests)[scaler["spec"]["scaleTargetRef"]["name"]]
            assert "replicas" not in target["spec"]  # each `kubectl apply` would set them back

    def test_networks_are_closed_but_for_what_is_named(self, manifests: list[Manifest]) -> None:
        policies = of_kind(manifests, "NetworkPolicy")
        closed = policies.pop("nothing-else")["spec"]
        assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        ingress, egress = set[tuple[str, Any]](), set[tuple[str, Any]]()
        for policy in policies.values():
            spec = policy["spec"]
            for name in selected(spec["podSelector"], manifests):
                ingress |= {(name, port["port"]) for rule in spec.get("ingress", []) for port in rule["ports"]}
                egress |= {(name, port["port"]) for rule in spec.get("egress", []) for port in rule["ports"]}
        own_redis = "redis" in workloads(manifests)
        assert ingress == {("api", "http")} | ({("redis", "redis")} if own_redis else set())
        assert egress == {(name, 53) for name in workloads(manifests)} | {
            (name, port) for name in ("api", "worker") for port in (443, "redis" if own_redis else 6379)
        }


class TestScaling:
    def test_follows_the_jobs_that_wait_and_those_that_run(self) -> None:
        """While a job runs its worker isn't one too many, although nothing waits."""
        triggers = of_kind(build(FOLDER / "overlays" / "gpu"), "ScaledObject")["worker"]["spec"]["triggers"]
        states = [trigger["metadata"]["listName"] for trigger in triggers]
        assert states == [f"ep:jobs:{state}" for state in (JobState.QUEUED, JobState.RUNNING)]

    def test_asks_the_redis_of_the_services(self, overlay: str, manifests: list[Manifest]) -> None:
        url = settings_of(manifests)["EP_REDIS_URL"]
        scheme, _, rest = url.partition("://")
        for scaled in of_kind(manifests, "ScaledObject").values():
            for trigger in scaled["spec"]["triggers"]:
                metadata, host = trigger["metadata"], rest.partition("/")[0]
                own = f"redis.{scaled['metadata']['namespace']}.svc.cluster.local:6379"  # from another namespace
                assert metadata["address"] == (own if host == "redis:6379" else host)
                assert metadata.get("enableTLS", "false") == str(scheme == "rediss").lower()
                assert metadata.get("databaseIndex", "0") == rest.rpartition("/")[2]
                assert trigger["authenticationRef"]["name"] in of_kind(manifests, "TriggerAuthentication")

    def test_goes_to_none_and_by_one_at_a_time(self) -> None:
        spec = of_kind(build(FOLDER / "overlays" / "gpu"), "ScaledObject")["worker"]["spec"]
        assert spec["minReplicaCount"] == 0
        assert spec["initialCooldownPeriod"] > 0  # a worker has to publish the models before the first job
        down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_a_gpu_is_asked_for_where_the_device_is_one(overlay: str, manifests: list[Manifest]) -> None:
    (worker,) = workloads(manifests)["worker"]["spec"]["template"]["spec"]["containers"]
    device = next(entry["value"] for entry in worker["env"] if entry["name"] == "EP_DEVICE")
    assert device == ("cpu" if overlay == "cpu" else "cuda")
    assert ("nvidia.com/gpu" in worker["resources"]["limits"]) == (device == "cuda")
