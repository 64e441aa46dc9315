"""One thread at a time uses a network, whatever else it is a part of."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
import torch
from torch import Tensor, nn

from ep_core.models.runtime.turns import one_thread


def enters(network: nn.Module) -> bool:
    """Return whether another thread gets in at once; where it has to wait, it gets in as soon as the caller is out."""
    entered = threading.Event()

    def enter() -> None:
        with one_thread(network):
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    return entered.wait(0.5)


@pytest.fixture
def body() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())


def test_a_network_is_one_threads_at_a_time(body: nn.Module) -> None:
    with one_thread(body):
        assert not enters(body)
    assert enters(body)


def test_the_thread_that_is_in_may_enter_again(body: nn.Module) -> None:
    with one_thread(body):
        with one_thread(body):
            pass
        assert not enters(body)


def test_an_error_lets_the_next_one_in(body: nn.Module) -> None:
    with pytest.raises(KeyError), one_thread(body):
        raise KeyError
    assert enters(body)


def test_networks_that_share_a_part_take_turns(body: nn.Module) -> None:
    first, second = (nn.Sequential(body, nn.Linear(4, 2)) for _ in range(2))
    with one_thread(first):
        assert not enters(second)
        assert not enters(body)
        assert enters(nn.Linear(1, 1))


def test_a_network_of_parts_that_were_in_use_apart_waits_for_both(body: nn.Module) -> None:
    other = nn.Linear(4, 2)
    with one_thread(body), one_thread(other):
        pass
    both = nn.Sequential(body, other)
    for part in (body, other):
        with one_thread(part):
            assert not enters(both)


def test_modules_that_compare_in_their_own_way_and_scripted_ones() -> None:
    class Odd(nn.Module):
        def __eq__(self, other: object) -> bool:
            raise NotImplementedError

        __hash__ = nn.Module.__hash__

        def forward(self, x: Tensor) -> Tensor:
            return x

    for network in (Odd(), torch.jit.trace(nn.ReLU(), torch.zeros(1))):
        with one_thread(network):
            assert not enters(network)
        assert enters(network)


def test_a_network_is_forgotten_with_its_last_reference() -> None:
    network = nn.Sequential(nn.ReLU())
    with one_thread(network):
        pass
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None
