"""One thread at a time uses a network, whatever else it is a part of."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest
import torch
from torch import Tensor, nn

from ep_core.models.runtime.stillness import still
from ep_core.models.runtime.turns import aside, give_way, is_free, one_thread


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


def test_a_thread_that_steps_aside_lets_others_in_and_has_its_turn_again(body: nn.Module) -> None:
    with one_thread(body), one_thread(body):
        with aside():
            assert is_free(body)
            assert enters(body)
        assert not is_free(body)
        assert not enters(body)
    assert enters(body)


def test_threads_get_in_in_the_order_in_which_they_came(body: nn.Module) -> None:
    order: list[int] = []
    threads = []

    def enter(number: int) -> None:
        with one_thread(body):
            order.append(number)

    with one_thread(body):
        for number in range(6):
            threads.append(threading.Thread(target=enter, args=(number,)))
            threads[-1].start()
            time.sleep(0.02)  # it waits by now
    for thread in threads:
        thread.join(10)
    assert order == list(range(6))


def test_the_last_one_out_puts_a_network_back(body: nn.Module) -> None:
    """Of threads that are in at once, each aside in its turn; they may hold networks that share a part."""
    body.train()
    other = nn.Sequential(body, nn.Linear(4, 2)).train()
    leave = threading.Event()
    inside = threading.Event()

    def stay() -> None:
        with still(other):
            inside.set()
            leave.wait(10)

    with still(body):
        thread = threading.Thread(target=stay)
        thread.start()
        assert inside.wait(10)
    assert not body.training
    assert not any(parameter.requires_grad for parameter in body.parameters())
    leave.set()
    thread.join(10)
    assert all(module.training for module in other.modules())
    assert all(parameter.requires_grad for parameter in other.parameters())


def test_who_gives_way_has_its_turn_after_those_that_waited(body: nn.Module) -> None:
    seen: list[str] = []

    def enter() -> None:
        with one_thread(body):
            seen.append("other")

    with one_thread(body):
        give_way()  # nobody waits
        other = threading.Thread(target=enter)
        other.start()
        time.sleep(0.05)  # it waits by now
        seen.append("mine")
        give_way()
        seen.append("mine again")
        assert not is_free(body)
    other.join()
    assert seen == ["mine", "other", "mine again"]
