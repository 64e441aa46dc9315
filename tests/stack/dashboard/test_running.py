"""A job that waits or runs: its photograph in focus where its masks are, and the best finding so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.running_stack import Stack

from .accessibility import axe
from .shifts import note_shifts, shifts
from .using import LONG, changes_the_picture, pixels, post
from .watching import Watch

pytestmark = pytest.mark.e2e

Begin = Callable[..., dict[str, Any]]

SWEEP = LONG | {"iterations": 800, "areas": [0.05, 0.1, 0.2, 0.4, 0.6, 0.8]}
DOING = re.compile("Finding what slow needs for “[abc]”…")
SO_FAR = """async ([variant, steps, seen]) => {
  const { bestSoFar } = await import("/static/sofar.js");
  const said = bestSoFar({ task: "extremal", variant });
  const target = { label: "pizza", index: 963 };
  const coverage = { image: seen, frame: 1 };
  const scores = { original: 20, threshold: variant === "delete" ? 5 : 20 };
  return steps.map(([stage, points]) => {
    const found = said({ stage, subject: { target, scores, coverage } }, points);
    return found && found.map((one) => one.textContent ?? one).join("");
  });
}"""

# What a comparison shows of a map of the left half, after a preview whose picture is none: how far the mean colours
# of its right and of its left edge are from grey.
GATHERED = """async () => {
  const { gathering } = await import("/static/gathering.js");
  const { make } = await import("/static/canvas.js");
  const links = { images: ["/static/samples/pizza.small.jpg"] };
  const { node, progress, preview } = gathering({ params: { methods: ["gradient"] }, links });
  const frame = { left: 0, top: 0, right: 112, bottom: 112 };
  const size = { width: 112, height: 112 };
  progress({ stage: "gradient", subject: { image: size, frame, resolution: size } });
  const map = make(2, 2);
  const context = map.getContext("2d");
  context.fillRect(0, 0, 2, 2);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 1, 2);
  await preview({ maps: [{ method: "gradient", map: "data:image/png;base64,none" }] });
  await preview({ maps: [{ method: "gradient", map: map.toDataURL() }] });
  const canvas = node.querySelector("canvas[role=img]");
  const { width, height } = canvas;
  const colour = (x) => {
    const { data } = canvas.getContext("2d").getImageData(x, 0, width / 4, height);
    const sums = [0, 0, 0, 0];
    data.forEach((value, k) => (sums[k % 4] += 4 * value / data.length));
    return Math.max(...sums.slice(0, 3)) - Math.min(...sums.slice(0, 3));
  };
  return [colour(3 * width / 4), colour(0)];
}"""


@pytest.fixture
def begin(stack: Stack) -> Iterator[Callable[..., dict[str, Any]]]:
    """A function that posts a job, which goes with the test."""
    jobs: list[dict[str, Any]] = []

    def run(params: dict[str, Any], *, keep: bool = True) -> dict[str, Any]:
        jobs.append(post(stack, params, keep=keep))
        return jobs[-1]

    yield run
    for job in jobs:
        stack.client.delete(job["links"]["self"])


def test_a_sweep_has_a_place_for_each_area_from_the_start_and_comes_into_focus(page: Page, begin: Begin) -> None:
    job = begin(SWEEP)
    note_shifts(page)
    page.goto(f"/#/job/{job['id']}")
    expect(page.locator(".place")).to_have_count(6)
    expect(page.get_by_role("heading", name=DOING)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("status").filter(has_text="Next in line")).to_have_count(0)
    expect(page.locator(".focus canvas")).to_be_visible()
    before = len(shifts(page))
    expect(page.locator("img.masks:visible")).to_have_count(6)
    changes_the_picture(page, pixels(page))
    jumped = shifts(page)[before:]
    assert sum(shift["value"] for shift in jumped) < 0.005, jumped
    axe(page)
    of_all = pixels(page)
    page.get_by_role("button", name=re.compile("^The mask of 5% so far")).press("Enter")
    expect(page.locator(".place[aria-pressed=true]")).to_have_count(1)
    changes_the_picture(page, of_all)


def test_masks_alone_are_shown_where_the_image_is_not_kept(page: Page, begin: Begin) -> None:
    job = begin(SWEEP | {"seed": 3}, keep=False)
    page.goto(f"/#/job/{job['id']}")
    expect(page.get_by_role("img", name=re.compile("sharpest where slow needs it"))).to_be_visible(timeout=30_000)


def test_a_comparison_shows_each_method_as_it_is_done(page: Page, begin: Begin) -> None:
    compared = {"task": "compare", "model": "slow", "methods": ["gradient", "rise", "center"], "samples": 100_000}
    job = begin(compared)
    page.goto(f"/#/job/{job['id']}")
    expect(page.get_by_role("heading", name=re.compile("Comparing 3 methods on “[abc]”, by slow"))).to_be_visible()
    expect(page.get_by_role("img", name="What gradient finds")).to_be_visible(timeout=30_000)
    expect(page.locator(".gathering figcaption")).to_have_text(
        ["gradient · done", "rise · running…", "center · waiting"]
    )
    expect(
        page.get_by_role("status").filter(has_text=re.compile(r"\d+%, about \d+ .* to go: rise runs"))
    ).to_be_visible()


def test_a_job_that_waits_says_how_many_are_ahead(page: Page, watch: Watch, stack: Stack, begin: Begin) -> None:
    watch.allow("status of 404")  # the list still shows jobs that are deleted
    jobs = [begin(LONG | {"seed": 20 + k}) for k in range(3)]
    stack.wait(jobs[0], until=lambda job: job["status"] == "running", limit_s=30)
    page.goto(f"/#/job/{jobs[2]['id']}")
    expect(page.get_by_role("status").filter(has_text="1 job ahead")).to_be_visible()
    stack.client.delete(jobs[1]["links"]["self"])
    expect(page.get_by_role("status").filter(has_text="Next in line")).to_be_visible()
    stack.client.delete(jobs[0]["links"]["self"])
    expect(page.get_by_role("heading", name=DOING)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("status").filter(has_text="Next in line")).to_have_count(0)


def points(**scores: float) -> list[dict[str, Any]]:
    """Return the points of a partial curve: `at_10=18` is the score that 10% keeps, or leaves."""
    named = {int(name.removeprefix("at_")) / 100: score for name, score in scores.items()}
    return [{"area": area, "preserve": score, "delete": score} for area, score in named.items()]


@pytest.mark.parametrize(
    ("variant", "steps", "said"),
    [
        (
            "preserve",
            [
                ("walks", points(at_20=30)),
                ("masks", points(at_20=9, at_40=15)),
                ("masks", points(at_20=14, at_40=13)),
                ("masks", points(at_20=12, at_40=22)),
                ("masks", points(at_20=21, at_40=25)),
                ("contrast", points(at_20=19, at_40=25)),
            ],
            [
                None,
                "So far, 40% of the image keeps 75% of the score of “pizza”.",
                "So far, 40% of the image keeps 75% of the score of “pizza”.",
                "So far, 40% of the image suffices for “pizza”.",
                "So far, 20% of the image suffices for “pizza”.",
                "So far, 20% of the image suffices for “pizza”.",
            ],
        ),
        (
            "delete",
            [
                ("masks", points(at_20=12, at_40=8)),
                ("masks", points(at_20=9, at_40=11)),
                ("masks", points(at_20=5, at_40=1)),
            ],
            [
                "So far, 40% of the image removed lowers the score of “pizza” to 40%.",
                "So far, 40% of the image removed lowers the score of “pizza” to 40%.",
                "So far, 20% of the image removed lowers the score of “pizza” to 25%.",
            ],
        ),
        ("hybrid", [("masks", points(at_20=3))], [None]),
    ],
)
def test_the_best_finding_so_far_never_gets_worse(
    blank: Page, variant: str, steps: list[Any], said: list[str | None]
) -> None:
    assert blank.evaluate(SO_FAR, [variant, steps, 1]) == said


@pytest.mark.parametrize(("variant", "does"), [("preserve", "keeps 50%"), ("delete", "removed lowers")])
def test_a_finding_is_a_share_of_what_the_network_sees(blank: Page, variant: str, does: str) -> None:
    (said,) = blank.evaluate(SO_FAR, [variant, [("masks", points(at_20=10))], 0.5])
    assert said.startswith(f"So far, 20% of what the network sees {does}")


def test_a_deletion_says_what_each_area_leaves(page: Page, begin: Begin) -> None:
    job = begin(SWEEP | {"variant": "delete", "seed": 4})
    page.goto(f"/#/job/{job['id']}")
    expect(page.locator(".place")).to_have_text(
        [re.compile(rf"^{size}%leaves \d+%$") for size in (5, 10, 20, 40, 60, 80)], timeout=30_000
    )


def test_a_map_that_fails_comes_with_the_next_preview_in_the_spotlight_of_a_result(blank: Page) -> None:
    outside, inside = blank.evaluate(GATHERED)
    assert outside < 1
    assert inside > 20
