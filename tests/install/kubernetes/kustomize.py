"""Kustomize, as far as `docker/kubernetes` uses it, so that manifests are checked where there is no `kubectl`.

What it doesn't know it refuses. Where `kubectl` is here, a test compares both, but for the hashes at the ends of names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_KNOWN = {"apiVersion", "kind", "namespace", "resources", "components", "configMapGenerator", "patches", "images"}
_CLUSTER_WIDE = {"Namespace"}
_MERGED_BY = {"volumeMounts": "mountPath", "ports": "containerPort"}
"""The keys by which lists in a pod are merged; `name` for all others."""
_REPLACED = {"envFrom", "tolerations", "triggers"}


def build(folder: Path) -> list[Manifest]:
    """Return the manifests of a folder with a `kustomization.yaml`."""
    return _build(folder, [])


def _build(folder: Path, before: list[Manifest]) -> list[Manifest]:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unknown = told.keys() - _KNOWN
    if unknown:
        raise ValueError(f"{folder}: {sorted(unknown)} isn't known here")
    manifests = list(before)
    for resource in told.get("resources", []):
        path = folder / resource
        manifests += _build(path, []) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))
    for component in told.get("components", []):
        manifests = _build(folder / component, manifests)
    for generator in told.get("configMapGenerator", []):
        _generate(folder, generator, manifests)
    for patch in told.get("patches", []):
        _patch(yaml.safe_load((folder / patch["path"]).read_text()), manifests)
    for image in told.get("images", []):
        _rename(image, manifests)
    if "namespace" in told:
        for manifest in manifests:
            if manifest["kind"] not in _CLUSTER_WIDE:
                manifest["metadata"]["namespace"] = told["namespace"]
    return manifests


def _generate(folder: Path, generator: Manifest, manifests: list[Manifest]) -> None:
    literals = list(generator.get("literals", []))
    for path in generator.get("envs", []):
        lines = (folder / path).read_text().splitlines()
        literals += [line for line in lines if line and not line.startswith("#")]
    data = dict(literal.split("=", 1) for literal in literals)
    data |= {Path(path).name: (folder / path).read_text() for path in generator.get("files", [])}
    if generator.get("behavior") == "merge":
        _find("ConfigMap", generator["name"], manifests)["data"].update(data)
    else:
        metadata = {"name": generator["name"]}
        manifests.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _patch(patch: Manifest, manifests: list[Manifest]) -> None:
    target = _find(patch["kind"], patch["metadata"]["name"], manifests)
    merged = _merge(target, patch)
    target.clear()
    target.update(merged)


def _merge(old: Any, new: Any, key: str = "") -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {name: _merge(old[name], value, name) if name in old else value for name, value in new.items()}
    if isinstance(old, list) and isinstance(new, list) and key not in _REPLACED:
        by = _MERGED_BY.get(key, "name")
        added = {entry[by]: entry for entry in new}
        merged = [_merge(entry, added.pop(entry[by])) if entry[by] in added else entry for entry in old]
        return [*added.values(), *merged]
    return new


def _rename(image: Manifest, manifests: list[Manifest]) -> None:
    for manifest in manifests:
        pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*pod.get("initContainers", []), *pod.get("containers", [])]:
            name, _, tag = container["image"].partition(":")
            if name == image["name"]:
                container["image"] = f"{image['newName']}:{tag}"


def _find(kind: str, name: str, manifests: list[Manifest]) -> Manifest:
    return next(m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
