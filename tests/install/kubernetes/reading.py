"""Parts of rendered manifests, by what they are."""

from __future__ import annotations

from pathlib import Path

from tests.install.kubernetes.kustomize import Manifest, build

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docker" / "kubernetes"
OVERLAYS = ("cpu", "gpu", "production")


def rendered(overlay: str) -> list[Manifest]:
    """Return the manifests of an overlay."""
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
