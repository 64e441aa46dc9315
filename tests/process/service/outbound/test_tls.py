"""Certificates of servers that are called: verified against trusted authorities."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from service.outbound.requests import OutboundError
from tests.process.service.receivers import Answering, body

from .asking import fetch


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
