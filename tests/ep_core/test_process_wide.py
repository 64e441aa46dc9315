"""Networks beside each other in several threads of a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import fx, nn

from ep_core.models import load_model
from ep_core.models.precision import exact_convolutions
from ep_core.models.tuned import tune
from ep_core.process_wide import random_numbers, tracing, undisturbed


@contextmanager
def in_a_thread(work) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(30)
    assert not thread.is_alive()


def test_a_call_that_a_trace_runs_into_is_made_again():
    network, zeros, calls = nn.Sequential(nn.ReLU()), torch.zeros(1), []
    begun, called = threading.Event(), threading.Event()

    class Slow(nn.Module):
        def forward(self, x):
            begun.set()
            called.wait(10)
            return x

    def trace():
        with tracing():
            fx.symbolic_trace(Slow())

    def call():
        calls.append(len(calls))
        if len(calls) == 1:
            tracer.start()
            begun.wait(10)
            try:
                return network(zeros)
            finally:
                called.set()
        return network(zeros)

    tracer = threading.Thread(target=trace)
    assert undisturbed(call).tolist() == [0]
    assert len(calls) == 2
    tracer.join()


def test_an_error_of_its_own_is_raised_at_once():
    calls = []

    def call():
        calls.append(None)
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        undisturbed(call)
    assert len(calls) == 1


def test_networks_answer_beside_one_that_is_made_ready_for_a_job(mobilenet):
    x, ended, answers = torch.rand(1, 3, 224, 224), threading.Event(), []
    other = load_model("mobilenet_v2", device="cpu")

    def ask():
        with torch.inference_mode():
            while not ended.is_set():
                answers.append(undisturbed(lambda: other.network(x)))

    with in_a_thread(ask):
        with mobilenet.frozen() as network, torch.no_grad():
            tuned = [tune(network, x)(x) for _ in range(3)]
        ended.set()
    assert all(torch.equal(scores, tuned[0]) for scores in tuned)
    assert len({tuple(scores[0].tolist()) for scores in answers}) == 1
    assert torch.allclose(answers[0], tuned[0], atol=1e-3)


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
