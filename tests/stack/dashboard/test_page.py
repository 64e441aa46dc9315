"""The page at `/`: properties that hold in every state."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.running_stack import Stack

from .accessibility import axe
from .conftest import OpenPage
from .shifts import note_shifts, shifts
from .using import bounds, changes_the_picture, pixels

pytestmark = pytest.mark.e2e

STATIC = Path(__file__).parents[3] / "service" / "dashboard" / "static"
WEIGHT_B = 300_000
FIRST_PAINT_MS = 1000
LOADS = 3
MOST_SHIFT = 0.05
QUIET_MS = 3000  # a page that polls is never quiet

# Without the small pictures of jobs that other tests have posted.
WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((entry) => !entry.name.includes("/thumbnail"))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
FIRST_PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName("first-contentful-paint")) resolve(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""
INLINE = """() => [...document.querySelectorAll("*")].filter((element) =>
  (element.localName === "script" && !element.src) || [...element.attributes].some((a) => a.name.startsWith("on"))
).map((element) => element.outerHTML.slice(0, 120))"""


def load(page: Page) -> Page:
    """Open `/` and wait until it has fetched what it needs."""
    page.goto("/")
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=QUIET_MS)
    return page


def test_it_loads_without_errors_and_says_what_it_is(page: Page) -> None:
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == httpx.codes.OK
    assert page.title().strip()
    assert re.fullmatch(r"[a-z]{2}(-[A-Za-z]+)?", page.locator("html").get_attribute("lang") or "")
    assert page.locator("h1").count() == 1
    load(page)


def test_its_head_is_one_line(page: Page) -> None:
    page.goto("/")
    boxes = [bounds(page.locator(part)) for part in (".brand", "header [role=status]", "header nav")]
    middles = [box["y"] + box["height"] / 2 for box in boxes]
    assert max(middles) - min(middles) < 10


def test_the_line_at_the_top_tells_what_jobs_share(phone: Page) -> None:
    sharing = {"jobs": 3, "masks": 11.6, "steps_per_s": 3.14, "filled": 0.72}
    ready = {"status": "ready", "workers": 8, "queued": 0, "running": 3, "sharing": sharing}
    phone.route("**/readyz", lambda route: route.fulfill(json=ready))
    line = load(phone).locator("header [role=status]")
    expect(line).to_have_text("8 workers, 3 running3 jobs together: 12 masks at a time (72% full), 3.1 steps a second")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ready["sharing"] = None
    phone.reload()
    expect(line).to_have_text("8 workers, 3 running")


def test_it_is_light(page: Page) -> None:
    assert 0 < load(page).evaluate(WEIGHT) < WEIGHT_B


def test_it_paints_at_once(open_page: OpenPage) -> None:
    times = []
    for _ in range(LOADS):  # the best one: others may keep the cores busy
        page = open_page()
        page.goto("/")
        times.append(page.evaluate(FIRST_PAINT))
    assert min(times) < FIRST_PAINT_MS


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(open_page: OpenPage, theme: str, phone: bool) -> None:
    axe(load(open_page(theme=theme, phone=phone)))


def test_a_phone_shows_its_whole_width(phone: Page) -> None:
    assert load(phone).evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_script_is_inline(page: Page, stack: Stack) -> None:
    policy = stack.client.get("/").headers["Content-Security-Policy"]
    directives = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    scripts = directives.get("script-src", directives.get("default-src"))
    assert scripts is not None
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:"} & set(scripts)
    assert load(page).evaluate(INLINE) == []


def test_texts_are_packed_for_who_can_unpack_them(stack: Stack) -> None:
    for name in ("main.js", "style.css", "samples/goose.small.jpg"):
        plain = stack.client.get(f"/static/{name}", headers={"Accept-Encoding": "identity"})
        packed = stack.client.get(f"/static/{name}")
        assert "Content-Encoding" not in plain.headers
        assert packed.content == plain.content
        assert packed.headers["Vary"] == "Accept-Encoding"
        assert (packed.headers.get("Content-Encoding") == "gzip") is not name.endswith(".jpg")
        assert int(packed.headers["Content-Length"]) <= int(plain.headers["Content-Length"])


def test_static_files_are_asked_for_again_only_when_they_change(page: Page, stack: Stack) -> None:
    paths = {f"/static/{path.relative_to(STATIC)}" for path in STATIC.rglob("*") if path.is_file()}
    paths = {path for path in paths if not path.endswith(".html")}  # served at `/`
    page.on("response", lambda answer: paths.add(answer.url.removeprefix(stack.url)))
    load(page)
    static = sorted(path for path in paths if path.startswith("/static/"))
    if not static:
        pytest.skip("no static files are served")
    for path in static:
        first = stack.client.get(path)
        assert first.status_code == httpx.codes.OK, path
        assert first.headers.get("ETag"), path
        again = stack.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (httpx.codes.NOT_MODIFIED, b""), path


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
def test_nothing_jumps_while_it_loads(open_page: OpenPage, phone: bool) -> None:
    page = open_page(phone=phone)
    note_shifts(page)
    seen = shifts(load(page))
    assert sum(shift["value"] for shift in seen) < MOST_SHIFT, seen


def test_the_first_visit_has_a_result_to_play_with(page: Page) -> None:
    load(page)
    canvas = page.get_by_role("img", name="The image under the mask of 10%")
    expect(canvas).to_be_visible()
    expect(page.locator(".welcome .best")).to_contain_text(
        "10% of what the network sees suffices for “American black bear”"
    )
    expect(page.locator(".reading li")).to_have_count(3)
    says = page.locator(".welcome .says")
    expect(says).to_contain_text("American black bear 87% → 93% with only 10% kept")
    kept = pixels(page)
    page.get_by_role("button", name="Remove this").click()
    changes_the_picture(page, kept)
    expect(says).to_contain_text("with 10% removed")
    removed = pixels(page)
    page.get_by_label("How much to reveal").press("End")
    changes_the_picture(page, removed)
    expect(says).to_contain_text("with 80% removed")
