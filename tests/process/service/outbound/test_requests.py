"""Requests reach the address that was checked, and no other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from ep_core import __version__
from service.outbound import requests as module
from service.outbound.requests import AddressRefused, Outbound, OutboundError, check_url
from tests.process.service.receivers import Answering, body, status

from .asking import fetch, post, run


def test_a_post_arrives_whole() -> None:
    with Answering(status(202)) as server:
        url = check_url(f"{server.url}?a=ü", allow_private=True)
        assert post(url) == 202
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=%C3%BC", b"{}")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["user-agent"] == f"extremal-perturbations/{__version__}"
    assert "cookie" not in request.headers


def test_an_ipv6_host_is_named_in_brackets() -> None:
    class V6(Answering):
        address_family = socket.AF_INET6

    try:
        server = V6(body(b"six"), host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        assert fetch(f"http://[::1]:{server.port}/") == b"six"
    assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


def test_a_redirect_is_not_followed() -> None:
    with Answering() as private, Answering(status(307, Location=private.url)) as server:
        assert post(server.url) == 307
        with pytest.raises(OutboundError, match="redirects aren't followed"):
            fetch(server.url)
    assert private.requests == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Answering() as proxy, Answering(body(b"direct")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert fetch(server.url) == b"direct"
    assert proxy.requests == []


def test_no_cookie_is_sent_back() -> None:
    async def twice(url: str) -> None:
        outbound = Outbound(allow_private=True)
        for _ in range(2):
            await outbound.post(url, content=b"", headers={}, timeout_s=5)

    with Answering(status(204, Set_Cookie="id=1")) as server:
        run(twice(server.url))
    assert all("cookie" not in request.headers for request in server.requests)


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_called(
    names: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer counts as public, as a name server of an attacker's gives it; the second does not."""
    monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")
    asked = names(["127.0.0.1"], ["127.0.0.2"])
    with Answering() as public, socket.create_server(("127.0.0.2", public.port)) as private:
        private.setblocking(False)
        with pytest.raises(OutboundError, match="TLS"):  # the server here speaks none, so it was reached
            post(f"https://rebind.example.com:{public.port}/", allow_private=False)
        assert asked == ["rebind.example.com"]
        with pytest.raises(AddressRefused):
            post(f"https://rebind.example.com:{public.port}/", allow_private=False)
        assert asked == ["rebind.example.com"] * 2
        with pytest.raises(BlockingIOError):
            private.accept()


@pytest.mark.parametrize("addresses", [["8.8.8.8", "10.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"]])
def test_one_private_address_among_a_names_is_enough_to_refuse(
    addresses: list[str], names: Callable[..., list[str]]
) -> None:
    names(addresses)
    with pytest.raises(AddressRefused, match="no address on the public internet"):
        post("https://both.example.com/", allow_private=False)


def test_a_names_addresses_are_tried_in_their_order(names: Callable[..., list[str]]) -> None:
    with Answering(body(b"second")) as server:
        asked = names(["127.0.0.3", "127.0.0.1"])
        assert fetch(f"http://two.example.com:{server.port}/") == b"second"
        assert asked == ["two.example.com"]
        names(["127.0.0.3", "127.0.0.4"])
        with pytest.raises(OutboundError, match="can't be reached"):
            fetch(f"http://two.example.com:{server.port}/")
    assert [request.headers["host"] for request in server.requests] == [f"two.example.com:{server.port}"]


def test_a_name_that_there_is_not_may_be_tried_again() -> None:
    with pytest.raises(OutboundError, match="can't be found") as caught:
        fetch("http://nothing.invalid/")
    assert not isinstance(caught.value, AddressRefused)
    with pytest.raises(OutboundError, match="no address on the public internet") as caught:
        post("https://nothing.invalid/", allow_private=False)
    assert not isinstance(caught.value, AddressRefused)


def test_a_name_server_that_does_not_answer_counts_against_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answering = threading.Event()
    monkeypatch.setattr(module, "look_up", lambda host, port: answering.wait(30))
    started = time.perf_counter()
    try:
        with pytest.raises(OutboundError, match="in time"):
            fetch("http://slow.example.com/", timeout_s=0.2)
        assert time.perf_counter() - started < 15
    finally:
        answering.set()


def test_what_was_allowed_when_it_was_posted_is_checked_again() -> None:
    with Answering() as server, pytest.raises(AddressRefused):
        post(server.url, allow_private=False)
    assert server.requests == []


def test_no_unix_sockets() -> None:
    with pytest.raises(AddressRefused):
        run(Outbound(allow_private=True)._network.connect_unix_socket("/var/run/docker.sock"))
