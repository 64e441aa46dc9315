"""Take the dashboard's pictures on a stack of its own: `make screenshots` or `python -m docs.screenshots [NAME ...]`.

NAMEs choose the shots that have one of them in their name; without any, all are taken. It needs a Chromium.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from docs.ages import note
from tests.browser import NAMES, Theme, chromium, find_browser, open_context
from tests.running_stack import SAMPLES, Stack

FOLDER = Path(__file__).parent / "images" / "dashboard"
QUALITY = 88
SETTLE_MS = 700
FINISH_S = 240.0
METHODS = ["gradient", "guided_backprop", "grad_cam", "rise", "excitation_backprop", "extremal"]


@dataclass(frozen=True)
class Shot:
    """One picture: what is done on an empty page before it is taken."""

    name: str
    step: Callable[[Page, Stack], None]
    theme: Theme = "light"
    phone: bool = False
    scale: float = 1.5
    """Pixels of the picture for one of the page."""
    whole: bool = False
    """The whole page, not just what fits the window."""


def finished(page: Page, stack: Stack) -> None:
    """Show a sweep: the smallest area that suffices, and its scores."""
    open_job(page, stack, "black_bear", {})
    page.locator("canvas").wait_for()


def running(page: Page, stack: Stack, *, share: float) -> None:
    """Show a sweep of which a share is done."""
    job = post(stack, "school_bus", {"seed": round(100 * share)})  # a known result would be there at once
    page.goto(f"/#/job/{job['id']}")
    stack.wait(job, until=lambda seen: (seen["progress"] or {"fraction": 0})["fraction"] >= share, limit_s=FINISH_S)


def compared(page: Page, stack: Stack) -> None:
    """Show several methods beside each other."""
    open_job(page, stack, "black_bear", {"task": "compare", "methods": METHODS})
    page.locator("svg path.line").first.wait_for()


def channels(page: Page, stack: Stack) -> None:
    """Show a layer's channels and what they look for."""
    open_job(page, stack, "goose", {"task": "channels", "layer": "features.18", "invert": True})
    page.get_by_alt_text("An image with the chosen ones").wait_for()


def beside(page: Page, stack: Stack) -> None:
    """Show two results of a photograph beside each other, and their difference."""
    other = stack.finish(post(stack, "black_bear", {"seed": 7}), limit_s=FINISH_S)
    open_job(page, stack, "black_bear", {})
    page.get_by_text("Compare with another result").click()
    page.get_by_label("The other result").select_option(other["id"])
    page.locator(".pair figure").nth(2).wait_for()


def batch(page: Page, stack: Stack) -> None:
    """Show what a batch has found."""
    files = [
        ("image", (f"{name}.jpg", (SAMPLES / f"{name}.jpg").read_bytes())) for name in ("goose", "pizza", "airliner")
    ]
    data = {"params": json.dumps({"areas": [0.05, 0.1, 0.2, 0.4]}), "keep_images": "true"}
    posted = stack.client.post("/v1/batches", files=files, data=data).raise_for_status().json()
    for one in stack.client.get(posted["links"]["self"]).json()["jobs"]:
        stack.finish(stack.client.get(f"/v1/jobs/{one['job']}").json(), limit_s=FINISH_S)
    page.goto(f"/#/batch/{posted['id']}")
    page.get_by_text("How much to reveal, in all of them").wait_for()


def first_visit(page: Page, stack: Stack) -> None:
    """Show what a stranger sees first."""
    del stack
    page.goto("/")
    page.locator("canvas").wait_for()


def models(page: Page, stack: Stack) -> None:
    """Choose another model for a sample."""
    page.goto("/")
    page.get_by_role("button", name="A school bus").click()
    page.get_by_role("button", name="school bus ").wait_for()
    page.get_by_role("combobox", name="Model").fill("resnet")


def comparison(page: Page, stack: Stack) -> None:
    """Choose the methods of a comparison."""
    page.goto("/#/?task=compare")
    page.get_by_role("button", name="A goose").click()
    page.get_by_role("button", name="goose ").first.wait_for()
    page.get_by_label("RISE").scroll_into_view_if_needed()


def open_job(page: Page, stack: Stack, image: str, params: dict[str, Any]) -> None:
    """Open a finished job; the same one again is known already."""
    job = stack.finish(post(stack, image, params), limit_s=FINISH_S)
    page.goto(f"/#/job/{job['id']}")
    page.locator("h1.answer").wait_for()


def post(stack: Stack, image: str, params: dict[str, Any]) -> dict[str, Any]:
    """Post a sample as the page does: with its image kept."""
    files = {"image": (f"{image}.jpg", (SAMPLES / f"{image}.jpg").read_bytes())}
    data = {"params": json.dumps(params), "keep_images": "true"}
    return dict(stack.client.post("/v1/jobs", files=files, data=data).raise_for_status().json())


SHOTS = (
    Shot("finished", finished),
    Shot("finished_dark", finished, theme="dark"),
    Shot("finished_phone", finished, phone=True, scale=2, whole=True),
    Shot("running_10", partial(running, share=0.1), scale=1),
    Shot("running_40", partial(running, share=0.4), scale=1),
    Shot("running_80", partial(running, share=0.8), scale=1),
    Shot("compare", compared, whole=True),
    Shot("channels", channels, whole=True),
    Shot("beside", beside, scale=1, whole=True),
    Shot("batch", batch, scale=1),
    Shot("first_visit", first_visit, scale=1),
    Shot("first_visit_phone", first_visit, phone=True, scale=1, whole=True),
    Shot("first_visit_dark", first_visit, theme="dark", scale=1),
    Shot("models", models),
    Shot("methods_phone", comparison, phone=True, scale=2),
)


def main(names: list[str]) -> int:
    """Take the shots; return the exit code for the shell."""
    shots = [shot for shot in SHOTS if not names or any(name in shot.name for name in names)]
    path = find_browser()
    if path is None or not shots:
        reason = f"no browser here: install one of {', '.join(NAMES)}" if path is None else f"no shot is called {names}"
        print(f"screenshots: {reason}", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack, chromium(path) as browser:
        for shot in shots:
            picture = FOLDER / f"{shot.name}.webp"
            picture.write_bytes(packed(take(shot, browser, stack)))
            print(f"{picture.name:<28} {picture.stat().st_size / 1000:4.0f} kB")
    if len(shots) == len(SHOTS):
        note(["docs/images/dashboard"])
    return 0


def take(shot: Shot, browser: Browser, stack: Stack) -> Image.Image:
    """Run a shot's steps in a fresh profile and take its picture."""
    with closing(
        open_context(browser, stack.url, theme=shot.theme, phone=shot.phone, device_scale_factor=shot.scale)
    ) as context:
        page = context.new_page()
        shot.step(page, stack)
        page.wait_for_timeout(SETTLE_MS)  # for pictures that are still being decoded
        return Image.open(io.BytesIO(page.screenshot(full_page=shot.whole, animations="disabled"))).convert("RGB")


def packed(picture: Image.Image) -> bytes:
    """Return it as a WebP file: photographs and small letters, in few bytes."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
