"""Addresses, links and keys."""

from __future__ import annotations

import pytest
from extremal_client import Client, UnexpectedAnswer
from extremal_client.core.address import make_site

from .playing import Script


def test_a_client_begins_below_the_path_of_a_proxy_and_follows_links_from_the_root() -> None:
    site = Script([]).site(url="http://service.test/explain", key="ep_1")
    begin = site.request("get_model", name="timm:org/resnet 10t")
    assert begin.url == "http://service.test/explain/v1/models/timm:org/resnet%2010t"
    assert site.follow("/explain/v1/jobs/1").url == "http://service.test/explain/v1/jobs/1"
    assert begin.headers["Authorization"] == "Bearer ep_1"
    assert begin.headers["User-Agent"].startswith("extremal-client/")


@pytest.mark.parametrize("link", ["https://elsewhere.test/v1/jobs", "//elsewhere.test/v1", "https://service.test/v1"])
def test_a_link_to_another_host_does_not_get_the_key(link: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="another host"):
        Script([]).site(key="ep_1").follow(link)


def test_what_is_not_asked_for_is_left_out_of_a_query() -> None:
    site = Script([]).site()
    assert site.request("list_jobs", query={"status": None, "task": "compare"}).url.endswith("/v1/jobs?task=compare")


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EP_URL", "https://masks.test/")
    monkeypatch.setenv("EP_KEY", " ep_secret\n")
    site = make_site(None, key=None)
    assert (site.url, site.key) == ("https://masks.test", "ep_secret")
    assert make_site("http://other.test", key="ep_2").url == "http://other.test"
    assert "ep_secret" not in f"{Client()!r} {site!r}"
    monkeypatch.delenv("EP_URL")
    assert make_site(None, key=None).url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://service.test", "http://", "http://service.test?key=1"])
def test_an_address_that_is_none_is_refused_with_how_to_write_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"write it as http://|leave out"):
        Client(url)


def test_a_key_with_what_no_header_takes_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="characters that no key has") as caught:
        Client(key="ep_schlüssel")
    assert "schl" not in str(caught.value)
