"""The page with API keys: it asks for one, and shows its owner's jobs only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect
from redis import Redis

from ep_core.schemas.model_card import ModelCard
from service.access.keys import hash_key, new_key
from service.run.embedded_redis import EmbeddedRedis
from tests.browser import open_context
from worker.broker import catalogue

from .watching import Watch

KEY = new_key()
LISTED_EVERY_MS = 5000
PIXEL = Path(__file__).parents[3] / "service" / "dashboard" / "static" / "samples" / "pizza.small.jpg"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """An API with one key, on a Redis of its own; no worker is needed here."""
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[[keys]]\nname = "ann"\nsha256 = "{hash_key(KEY)}"\n')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with EmbeddedRedis(tmp_path / "redis") as server, Redis.from_url(server.url) as redis:
        card = ModelCard(name="mobilenet_v2", source="torchvision", input_size=(224, 224), labels=("cat", "dog"))
        catalogue.publish(redis, [card])
        env = os.environ | {"EP_REDIS_URL": server.url, "EP_PORT": str(port), "EP_API_KEYS_FILE": str(keys)}
        with (tmp_path / "log").open("wb") as log:
            api = subprocess.Popen([sys.executable, "-P", "-m", "service"], env=env, stderr=log)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        httpx.post(f"{url}/v1/jobs", files={"image": PIXEL.read_bytes()}, headers={"X-API-Key": KEY}).raise_for_status()
        yield url
        api.terminate()
        api.wait(20)


def test_a_key_is_asked_for_and_kept_for_the_tab(browser: Browser, address: str) -> None:
    watch = Watch(address)
    watch.allow("status of 401|status of 503")  # no key at first, and no worker
    context = open_context(browser, address)
    watch.follow(context)
    page = context.new_page()
    page.clock.install()
    page.goto("/")
    dialog = page.get_by_role("dialog", name="API key")
    expect(dialog).to_contain_text("needs an API key")
    dialog.get_by_role("button", name="Not now").click()
    with page.expect_response("**/v1/jobs?*"):
        page.clock.fast_forward(LISTED_EVERY_MS)
    page.wait_for_timeout(100)  # time to ask
    expect(dialog).to_be_hidden()  # whoever doesn't want to isn't asked again and again
    expect(page.locator("#jobs .error")).to_contain_text("needs an API key")
    page.get_by_role("button", name="API key").click()
    dialog.get_by_label("Key").fill("ep_wrong")
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_contain_text("none of this service's")
    dialog.get_by_label("Key").fill(KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Model")).to_have_value("mobilenet_v2")
    page.reload()
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
    assert context.new_page().goto("/") is not None  # another tab has no key
    expect(context.pages[1].get_by_role("dialog", name="API key")).to_be_visible()
    watch.check()
    context.close()
