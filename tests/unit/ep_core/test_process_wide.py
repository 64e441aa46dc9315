"""Networks in several threads of a process."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from matplotlib import rcParams
from torch import Tensor, nn

from ep_core.models import load_model
from ep_core.models.runtime.backend_flags import quietly, random_numbers
from ep_core.models.runtime.precision import exact_convolutions
from ep_core.models.sources.weights import weights_only
from ep_core.models.tuning.traced import Tracer, trace
from ep_core.models.tuning.tune import tune
from ep_core.pictures.plot import svg_style


@contextmanager
def in_a_thread(work) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(30)
    assert not thread.is_alive()


class Scaled(nn.Module):
    """Reads a parameter of its own, which torch.fx watches too."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1,), 2.0), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


def test_networks_compute_while_another_thread_traces_one():
    network, ones = nn.Sequential(Scaled(), nn.ReLU()), torch.ones(1)
    begun, called, graphs, calls = threading.Event(), threading.Event(), [], []

    class Slow(nn.Module):
        def forward(self, x):
            begun.set()
            called.wait(10)
            return x

    def tracing():
        graphs.append(trace(nn.Sequential(Slow(), Scaled()), AnyModule()))

    class AnyModule(Tracer):
        def is_leaf_module(self, m, module_qualified_name):
            return False

    with in_a_thread(tracing):
        begun.wait(10)
        assert network(ones).tolist() == [2]
        calls.append(nn.Module.__call__)
        called.set()
    assert nn.Module.__call__ is not calls[0]
    assert calls[0](network, ones).tolist() == [2]  # as by a thread that has just begun its call when the trace ends
    assert [node.op for node in graphs[0].graph.nodes] == ["placeholder", "get_attr", "call_function", "output"]
    assert graphs[0](ones).tolist() == [2]


@pytest.mark.slow
def test_networks_answer_beside_one_that_is_made_ready_for_a_job(mobilenet):
    x, ended, answers = torch.rand(1, 3, 224, 224), threading.Event(), []
    other = load_model("mobilenet_v2", device="cpu")

    def ask():
        with torch.inference_mode():
            while not ended.is_set():
                answers.append(other.network(x))

    with in_a_thread(ask):
        with mobilenet.frozen() as network, torch.no_grad():
            tuned = [tune(network, x)(x) for _ in range(3)]
        ended.set()
    assert all(torch.equal(scores, tuned[0]) for scores in tuned)
    assert len({tuple(scores[0].tolist()) for scores in answers}) == 1
    assert torch.allclose(answers[0], tuned[0], atol=1e-3)


@pytest.mark.slow
def test_a_model_is_not_made_while_another_thread_uses_the_random_numbers():
    with random_numbers:
        before = torch.random.get_rng_state()
        with in_a_thread(lambda: load_model("mobilenet_v2", device="cpu")) as loading:
            loading.join(1.0)
            assert loading.is_alive()
            assert torch.equal(torch.random.get_rng_state(), before)
            random_numbers.release()
            loading.join(30)
            random_numbers.acquire()


def test_convolutions_stay_exact_until_the_last_thread_is_done():
    convolutions = torch.backends.cudnn.conv
    before = convolutions.fp32_precision
    first_is_in, second_is_in = threading.Event(), threading.Event()

    def first():
        with exact_convolutions():
            first_is_in.set()
            second_is_in.wait(10)

    with in_a_thread(first) as thread:
        first_is_in.wait(10)
        with exact_convolutions():
            second_is_in.set()
            thread.join(10)
            assert convolutions.fp32_precision == "ieee"
    assert convolutions.fp32_precision == before


@pytest.mark.parametrize(
    ("inside", "setting"),
    [
        (quietly, lambda: list(warnings.filters)),
        (weights_only, lambda: os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")),
        (lambda: svg_style(10), lambda: rcParams["svg.hashsalt"]),
    ],
    ids=["warnings", "weights only", "plots"],
)
def test_a_setting_comes_back_when_threads_overlap(inside, setting):
    """The second one begins while the first is inside, and would end last."""
    before, first_is_done = setting(), threading.Event()

    def second():
        with inside():
            first_is_done.wait(10)

    thread = threading.Thread(target=second, daemon=True)
    with inside():
        thread.start()
        thread.join(0.2)
    first_is_done.set()
    thread.join(30)
    assert not thread.is_alive()
    assert setting() == before
