"""docker/kubernetes: valid for current clusters and KEDA; our rendering is kubectl's."""

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

from tests.install.kubernetes.kustomize import Manifest
from tests.install.kubernetes.reading import FOLDER, of_kind, rendered

CURRENT = list(dict.fromkeys(all_versions()))[-3:]  # Kubernetes maintains three minor versions
KEDA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "keda.yaml").read_text())


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
        spoiled = copy.deepcopy(of_kind(rendered("gpu"), kind)[name])
        validate(spoiled, CURRENT[-1])
        spoil(spoiled["spec"])
        with pytest.raises(jsonschema.ValidationError):
            validate(spoiled, CURRENT[-1])


def test_kubectl_renders_the_same(overlay: str, manifests: list[Manifest]) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    folder = FOLDER / "overlays" / overlay
    text = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True).stdout
    theirs = yaml.safe_load_all(re.sub(r"\bsettings-[a-z0-9]{10}\b", "settings", text))
    assert sorted(map(in_order, theirs)) == sorted(map(in_order, manifests))


def in_order(value: Any) -> str:
    """Return a manifest as JSON in which the order of keys and of lists doesn't show."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{in_order(value[key])}" for key in sorted(value)) + "}"
    return f"[{','.join(sorted(map(in_order, value)))}]" if isinstance(value, list) else json.dumps(value)
