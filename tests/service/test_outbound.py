"""Requests to addresses that clients name lead to public hosts only, and end in time and in size."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Coroutine
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ep_core import __version__
from service import outbound as module
from service.addresses import MAX_URL_CHARS, is_public
from service.outbound import Outbound, OutboundError, Refused, check_url

from .receivers import Answering, body, silent, status

T = TypeVar("T")

NAT64 = ipaddress.ip_network("64:ff9b::/96")

PRIVATE_IPS = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.0.9",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:0:7f00:1::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC_IPS = ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def post(url: str, *, timeout_s: float = 5.0, allow_private: bool = True, **options: Any) -> int:
    outbound = Outbound(allow_private=allow_private, **options)
    return run(outbound.post(url, content=b"{}", headers={"content-type": "application/json"}, timeout_s=timeout_s))


def fetch(url: str, *, max_bytes: int = 1000, timeout_s: float = 5.0, **options: Any) -> bytes:
    return run(Outbound(allow_private=True, **options).fetch(url, max_bytes=max_bytes, timeout_s=timeout_s))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A function that says what names lead to, one answer after the other; returns the list of look-ups."""

    def lead_to(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: int) -> list[str]:
            asked.append(host)
            return answers[min(len(asked), len(answers)) - 1]

        monkeypatch.setattr(module, "look_up", look_up)
        return asked

    return lead_to


@pytest.mark.parametrize("address", PRIVATE_IPS)
def test_private_addresses_are_refused_literally_and_by_name(address: str, names: Callable[..., list[str]]) -> None:
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(Refused) as caught:
        check_url(f"https://{literal}/", allow_private=False)
    assert address not in str(caught.value)
    names([address])
    with pytest.raises(Refused) as caught:
        post("https://hooks.example.com/", allow_private=False)
    assert address not in str(caught.value)


@pytest.mark.parametrize("address", PUBLIC_IPS)
def test_public_addresses_are_not(address: str) -> None:
    assert is_public(address)


@given(st.one_of(st.ip_addresses(), st.ip_addresses(v=6, network="2000::/4"), st.ip_addresses(network=NAT64)))
def test_what_passes_is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not is_public(str(address)):
        return
    if isinstance(address, ipaddress.IPv6Address):
        inside = ipaddress.IPv4Address(address.packed[-4:])
        address = inside if address in NAT64 or address.ipv4_mapped else address
    assert address.is_global
    assert not address.is_multicast


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "app.localhost",
        "redis",
        "metadata.google.internal",
        "printer.local",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.0.1.",
        "0",
        "0xa9fea9fe",
        "１２７.０.０.１",
        "①27。0。0。1",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:7f00:1]",
    ],
)
def test_private_hosts_are_refused_in_any_spelling(host: str) -> None:
    with pytest.raises(Refused, match="has no address on the public internet"):
        check_url(f"https://{host}:8443/hook", allow_private=False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begin with https://"),
        ("example.com/hook", "begin with https://"),
        ("//example.com/hook", "begin with https://"),
        ("http://example.com/", "begin with https://"),
        ("ftp://example.com/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("gopher://example.com/", "begin with https://"),
        ("unix:///var/run/docker.sock", "begin with https://"),
        ("https://", "no host"),
        ("https:///hook", "no host"),
        ("https://:443/", "no host"),
        ("https://user:secret@example.com/", "user name or password"),
        ("https://example.com@127.0.0.1/", "user name or password"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "isn't a URL"),
        ("https://example.com:https/", "isn't a URL"),
        ("https://a:b:443/", "isn't a URL"),
        ("https://[::1/", "isn't a (URL|valid IPv6)"),
        ("https://[::1]example.com/", "isn't a (URL|valid IPv6)"),
        ("https://example.com[::1]/", "isn't a (URL|valid IPv6)"),
        ("https://[fe80::1%25eth0]/", "isn't a (URL|valid IPv6)"),
        ("https://[1.2.3.4]/", "isn't a (URL|valid IPv6)"),
        ("https://example.com/a b", "blanks"),
        ("https://example.com\\@127.0.0.1/", "blanks"),
        ("https://example.com/\r\nHost: other", "unprintable"),
        ("https://exam\tple.com/", "unprintable"),
        (" https://example.com/", "blanks"),
        ("https://%31%32%37.0.0.1/", "valid name"),
        ("https://exa$mple.com/", "valid name"),
        ("https://a..example.com/", "valid name"),
        ("https://" + "a" * 64 + ".example.com/", "valid name"),
        ("https://xn--\u00fc.example.com/", "valid name"),
        ("https://256.1.1.1/", "IPv4"),
        ("https://1.2.3.4.5/", "IPv4"),
        ("https://example.com/" + "a" * MAX_URL_CHARS, "2048 characters"),
        ("https://example.com/" + "ü" * 400, "2048 characters"),
    ],
)
def test_addresses_that_are_refused_say_why(url: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        check_url(url, allow_private=False)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM.:443/Hook?a=1&b=%20#part", "https://example.com/Hook?a=1&b=%20"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://bücher.example/größe?q=ä", "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe?q=%C3%A4"),
        ("https://my_host.example.com/?x=a'b", "https://my_host.example.com/?x=a'b"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://[2606:4700:0:0::1111]:99/", "https://[2606:4700::1111]:99/"),
    ],
)
def test_addresses_get_their_normal_form(url: str, normal: str) -> None:
    assert check_url(url, allow_private=False) == normal
    assert check_url(normal, allow_private=False) == normal


def test_private_ones_and_plain_http_can_be_allowed() -> None:
    for url in ("http://localhost:8080/", "http://127.0.0.1/", "https://redis/", "http://[::1]:99/"):
        assert check_url(url, allow_private=True) == url
    with pytest.raises(Refused, match="https:// or http://"):
        check_url("ftp://localhost/", allow_private=True)


@given(st.text(max_size=40))
def test_any_text_is_either_refused_or_leads_to_a_host_in_ascii(text: str) -> None:
    try:
        url = check_url(f"https://{text}", allow_private=False)
    except Refused:
        return
    assert url.isascii()
    assert check_url(url, allow_private=False) == url


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
        with pytest.raises(Refused):
            post(f"https://rebind.example.com:{public.port}/", allow_private=False)
        assert asked == ["rebind.example.com"] * 2
        with pytest.raises(BlockingIOError):
            private.accept()


@pytest.mark.parametrize("addresses", [["8.8.8.8", "10.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"]])
def test_one_private_address_among_a_names_is_enough_to_refuse(
    addresses: list[str], names: Callable[..., list[str]]
) -> None:
    names(addresses)
    with pytest.raises(Refused, match="no address on the public internet"):
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
    assert not isinstance(caught.value, Refused)
    with pytest.raises(OutboundError, match="no address on the public internet") as caught:
        post("https://nothing.invalid/", allow_private=False)
    assert not isinstance(caught.value, Refused)


def test_a_name_server_that_does_not_answer_counts_against_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "look_up", lambda host, port: time.sleep(1.5))
    started = time.perf_counter()
    with pytest.raises(OutboundError, match="in time"):
        fetch("http://slow.example.com/", timeout_s=0.2)
    assert time.perf_counter() - started < 1.2


def test_what_was_allowed_when_it_was_posted_is_checked_again() -> None:
    with Answering() as server, pytest.raises(Refused):
        post(server.url, allow_private=False)
    assert server.requests == []


def test_no_unix_sockets() -> None:
    with pytest.raises(Refused):
        run(Outbound(allow_private=True)._network.connect_unix_socket("/var/run/docker.sock"))


def endless(sent: list[int], *, length: str | None = None) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with 10 GB; `sent` gets the sizes of what went out."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status(200, **({} if length is None else {"Content_Length": length}))(handler)
        for _ in range(10_000):
            sent.append(handler.wfile.write(b"x" * 1_000_000))

    return answer


def test_a_body_without_end_is_cut_off() -> None:
    sent: list[int] = []
    with Answering(endless(sent)) as server:
        with pytest.raises(OutboundError, match="more than the 100000 bytes"):
            fetch(server.url, max_bytes=100_000)
        assert post(server.url) == 200
    assert sum(sent) < 50_000_000  # what the buffers of both sides hold


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    with Answering(status(200, Content_Length="10000000000")) as server, pytest.raises(OutboundError, match="1000 by"):
        fetch(server.url, timeout_s=5)


def test_a_body_may_have_all_its_bytes_but_no_more() -> None:
    with Answering(body(b"x" * 1000)) as server:
        assert fetch(server.url, max_bytes=1000) == b"x" * 1000
        with pytest.raises(OutboundError, match="999 bytes"):
            fetch(server.url, max_bytes=999)


def test_what_is_compressed_is_refused() -> None:
    with Answering(body(b"\x1f\x8b", Content_Encoding="gzip")) as server, pytest.raises(OutboundError, match="compres"):
        fetch(server.url)
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("code", [204, 206, 404, 500])
def test_a_fetch_takes_nothing_but_200(code: int) -> None:
    with Answering(status(code)) as server, pytest.raises(OutboundError, match=f"status {code}"):
        fetch(server.url)


def drip(text: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        for k in range(len(text)):
            handler.wfile.write(text[k : k + 1])
            handler.wfile.flush()
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200]
)
def test_an_answer_that_drips_hits_the_deadline(answer: bytes) -> None:
    started = time.perf_counter()
    with Answering(drip(answer)) as server, pytest.raises(OutboundError, match=r"in time \(within 1.5 s\)"):
        fetch(server.url, timeout_s=1.5)
    assert 1.4 < time.perf_counter() - started < 4


def test_informational_answers_without_end_hit_the_deadline() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        while True:
            handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            time.sleep(0.01)

    with Answering(answer) as server, pytest.raises(OutboundError, match="in time"):
        post(server.url, timeout_s=0.5)


def test_a_status_counts_though_its_body_drips() -> None:
    started = time.perf_counter()
    with Answering(drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 400)) as server:
        assert post(server.url, timeout_s=10) == 200
    assert time.perf_counter() - started < 5


def test_a_server_that_never_answers_hits_the_deadline() -> None:
    started = time.perf_counter()
    with silent() as dead, pytest.raises(OutboundError, match="in time"):
        post(dead.url, timeout_s=0.5)
    assert time.perf_counter() - started < 3
    assert len(dead.calls) == 1


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OutboundError, match="can't be reached"):
        post(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("answer", [b"", b"220 smtp ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_what_speaks_no_http_or_breaks_off(answer: bytes) -> None:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(answer)

    with Answering(say) as server, pytest.raises(OutboundError, match="broke off the connection, or doesn't speak"):
        fetch(server.url)


def test_headers_without_end_are_cut_off() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for k in range(1_000_000):
            handler.wfile.write(b"X-%d: %s\r\n" % (k, b"x" * 1000))

    with Answering(answer) as server, pytest.raises(OutboundError, match="broke off"):
        fetch(server.url, timeout_s=20)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and its certificate for hooks.example.com, signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    name = ["-subj", "/CN=hooks.example.com", "-addext", "subjectAltName=DNS:hooks.example.com"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        [openssl, "req", "-x509", *kind, *name, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


@pytest.fixture
def tls_server(certificate: Path) -> Answering:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return Answering(body(b"safe"), tls=context)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls_server: Answering, names: Callable[..., list[str]]
) -> None:
    names(["127.0.0.1"])
    with tls_server, pytest.raises(OutboundError, match=r"certificate isn't valid: self.signed certificate"):
        fetch(f"https://hooks.example.com:{tls_server.port}/")
    assert tls_server.requests == []


def test_the_certificate_must_be_for_the_name_in_the_address(
    tls_server: Answering, names: Callable[..., list[str]], certificate: Path
) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    names(["127.0.0.1"])
    with tls_server:
        assert fetch(f"https://hooks.example.com:{tls_server.port}/", tls=trusted) == b"safe"
        with pytest.raises(OutboundError, match="certificate isn't valid: Hostname mismatch"):
            fetch(f"https://other.example.com:{tls_server.port}/", tls=trusted)
        with pytest.raises(OutboundError, match="certificate isn't valid: IP address mismatch"):
            fetch(f"https://127.0.0.1:{tls_server.port}/", tls=trusted)
    assert len(tls_server.requests) == 1


def test_a_plain_server_behind_https() -> None:
    with Answering() as server, pytest.raises(OutboundError, match="TLS"):
        fetch(f"https://127.0.0.1:{server.port}/")
