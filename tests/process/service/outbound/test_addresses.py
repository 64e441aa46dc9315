"""Addresses that clients name: only those of public hosts are called."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.outbound.addresses import MAX_URL_CHARS, is_public
from service.outbound.requests import AddressRefused, check_url

from .asking import post

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


@pytest.mark.parametrize("address", PRIVATE_IPS)
def test_private_addresses_are_refused_literally_and_by_name(address: str, names: Callable[..., list[str]]) -> None:
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused) as caught:
        check_url(f"https://{literal}/", allow_private=False)
    assert address not in str(caught.value)
    names([address])
    with pytest.raises(AddressRefused) as caught:
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
    with pytest.raises(AddressRefused, match="has no address on the public internet"):
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
    with pytest.raises(AddressRefused, match=why) as caught:
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
    with pytest.raises(AddressRefused, match="https:// or http://"):
        check_url("ftp://localhost/", allow_private=True)


@given(st.text(max_size=40))
def test_any_text_is_either_refused_or_leads_to_a_host_in_ascii(text: str) -> None:
    try:
        url = check_url(f"https://{text}", allow_private=False)
    except AddressRefused:
        return
    assert url.isascii()
    assert check_url(url, allow_private=False) == url
