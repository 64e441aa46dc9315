"""Fixtures for arguments of Python callers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ep_core.models import Classifier, Preprocessing

from .counting import SIDE, Counting


@pytest.fixture
def network() -> Counting:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Counting()


@pytest.fixture
def model(network: Counting) -> Classifier:
    return Classifier(network, preprocessing=Preprocessing((SIDE, SIDE), resize=SIDE))


@pytest.fixture
def untouched(network: Counting, model: Classifier) -> Iterator[None]:
    """The network isn't run in the test."""
    assert model.layers
    before = network.passes
    yield
    assert network.passes == before
