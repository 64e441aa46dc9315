"""docker/kubernetes: selectors, budgets, networks and scaling fit the pods, and each other."""

from __future__ import annotations

from typing import Any

from tests.install.kubernetes.kustomize import Manifest
from tests.install.kubernetes.reading import of_kind, rendered, selected, settings_of, workloads
from worker.broker.contract import JobState


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
        triggers = of_kind(rendered("gpu"), "ScaledObject")["worker"]["spec"]["triggers"]
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
        spec = of_kind(rendered("gpu"), "ScaledObject")["worker"]["spec"]
        assert spec["minReplicaCount"] == 0
        assert spec["initialCooldownPeriod"] > 0  # a worker has to publish the models before the first job
        down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_a_gpu_is_asked_for_where_the_device_is_one(overlay: str, manifests: list[Manifest]) -> None:
    (worker,) = workloads(manifests)["worker"]["spec"]["template"]["spec"]["containers"]
    device = next(entry["value"] for entry in worker["env"] if entry["name"] == "EP_DEVICE")
    assert device == ("cpu" if overlay == "cpu" else "cuda")
    assert ("nvidia.com/gpu" in worker["resources"]["limits"]) == (device == "cuda")
