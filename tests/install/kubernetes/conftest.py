"""Fixtures: each overlay of docker/kubernetes, rendered."""

from __future__ import annotations

import pytest

from tests.install.kubernetes.kustomize import Manifest
from tests.install.kubernetes.reading import OVERLAYS, rendered


@pytest.fixture(scope="package", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="package")
def manifests(overlay: str) -> list[Manifest]:
    return rendered(overlay)
