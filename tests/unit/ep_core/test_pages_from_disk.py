"""Pages of results in a real browser: opened from disk, without a server and a network, their sliders moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Frame, Page, expect

import ep_core
from ep_core.dataset.job import Job
from ep_core.dataset.listing import list_items
from ep_core.dataset.run import explain_dataset
from ep_core.models import Classifier, Preprocessing
from ep_core.pictures.embedded import thumbnail
from ep_core.pictures.gallery import SIDE, GalleryImage, gallery_page, shown_areas
from ep_core.schemas.reports.file_names import mask_name
from tests.browser import chromium, find_browser
from tests.networks import plain

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[3] / "samples"
SLIDER = "How much to reveal"
QUICK = {"preset": "paper", "iterations": 2, "check_extremality": False, "threshold": 0.01}
HALF = (0.5, 0.5, 0.5)
CANVASES = "[...document.querySelectorAll('canvas')].map((one) => one.toDataURL())"
SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no browser here")
    with chromium(path) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page without a network; what it asks for elsewhere, or fails by, is an error."""
    context = browser.new_context(offline=True, viewport={"width": 1100, "height": 800})
    page, wrong = context.new_page(), list[str]()
    page.on("request", lambda one: one.url.startswith(("file:", "data:", "blob:", "about:")) or wrong.append(one.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    yield page
    context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def model() -> Classifier:
    """A network that looks at the left of a picture."""
    return Classifier(
        plain(),
        name="plain",
        labels=["<i>a", "b", "c"],
        preprocessing=Preprocessing(input_size=(64, 64), mean=HALF, std=HALF),
    )


@pytest.fixture(scope="module")
def goose() -> Image.Image:
    with Image.open(SAMPLES / "goose.jpg") as photograph:
        return photograph.resize((180, 120))


@pytest.fixture(scope="module")
def found(model: Classifier, goose: Image.Image) -> ep_core.Explanation:
    return ep_core.explain(model, goose, {"areas": (0.1, 0.2, 0.4), **QUICK})


def opened(page: Page, html: str, tmp_path: Path) -> Page:
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    return page


def test_a_notebooks_frame_has_the_slider_and_fits(page: Page, found: ep_core.Explanation, tmp_path: Path) -> None:
    opened(page, f"<body style='margin: 0; width: 900px'>{found._repr_html_()}", tmp_path)
    frame = page.frames[1]
    _reveals_each_area(frame, found)
    assert not frame.evaluate(SIDEWAYS)
    assert frame.evaluate("document.querySelector('.slide').getBoundingClientRect().bottom < innerHeight")
    still = page.locator("table")
    box, outer = still.bounding_box(), page.locator("iframe").bounding_box()
    assert box
    assert outer
    assert box["y"] >= outer["y"]
    assert (
        page.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", [outer["x"] + 9, box["y"] + 9]) == "IFRAME"
    )
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None  # nothing is shared
    page.locator("iframe").evaluate("frame => frame.remove()")
    expect(still.get_by_text("the image")).to_be_visible()
    assert page.evaluate("document.elementFromPoint(30, 60).closest('td, p') !== null")


def test_results_stand_beside_each_other_in_a_notebook(
    page: Page, model: Classifier, goose: Image.Image, found: ep_core.Explanation, tmp_path: Path
) -> None:
    compared = ep_core.compare(model, goose, {"methods": ("center",), "areas": (0.1, 0.3)})
    opened(page, f"<body style='margin: 0; width: 1000px'>{ep_core.beside(found, compared)._repr_html_()}", tmp_path)
    left, right = (one.bounding_box() for one in page.locator("iframe").all())
    assert left
    assert right
    assert (left["y"], left["width"]) == (right["y"], right["width"])
    assert left["x"] + left["width"] <= right["x"]
    _reveals_each_area(page.frames[1], found)
    page.frames[2].get_by_label(SLIDER).fill("1")
    expect(page.frames[2].locator(".keeps").first).to_contain_text("30% kept: ")
    assert not any(frame.evaluate(SIDEWAYS) for frame in page.frames)
    page.locator("iframe").last.evaluate("frame => frame.remove()")
    expect(page.get_by_role("img", name="what 1 methods find in plain")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("body").evaluate("body => body.style.width = '390px'")
    assert not page.evaluate(SIDEWAYS)


def test_what_a_page_says_can_be_cited(page: Page, found: ep_core.Explanation, tmp_path: Path) -> None:
    opened(page, found.to_html(), tmp_path)
    expect(page.locator("pre")).to_be_hidden()
    page.get_by_text("How to cite").click()
    cited = page.locator("pre").inner_text()
    for words in (
        "arXiv:1910.08485",
        f"extremal-perturbations {ep_core.__version__}",
        f"model plain (weights {found.model.weights_digest[:19]}), target “<i>a”",
        "areas 0.1 0.2 0.4",
        "preset paper",
        "iterations 2",
        "@inproceedings{",
        f"version = {{{ep_core.__version__}}}",
    ):
        assert words in cited
    page.get_by_role("button", name="Copy citation").click()
    expect(page.get_by_role("status").filter(has_text=re.compile("Copied.|Copy it from here:"))).to_be_visible()


def test_one_slider_shows_the_top_areas_of_all_methods(
    page: Page, model: Classifier, goose: Image.Image, tmp_path: Path
) -> None:
    spec = {"methods": ("gradient", "center", "attention_rollout", "extremal"), "areas": (0.1, 0.3), **QUICK}
    del spec["check_extremality"]
    opened(page, ep_core.compare(model, goose, spec).to_html(), tmp_path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("keeps the most of “<i>a” at")
    expect(page.get_by_alt_text("The image")).to_be_visible()
    heats = page.locator(".tile-button img")
    assert [heats.nth(k).evaluate("image => image.naturalWidth") for k in range(heats.count())] == [180] * 3
    seen = [page.evaluate(CANVASES)]
    for place, area in enumerate(("10%", "30%")):
        page.get_by_label(SLIDER).fill(str(place))
        expect(page.locator(".tile-button canvas:visible")).to_have_count(3)
        expect(page.locator(".keeps").first).to_contain_text(f"{area} kept: ")
        page.wait_for_function(f"before => {CANVASES}.every((one, k) => one !== before[k])", arg=seen[-1])
        seen.append(page.evaluate(CANVASES))
    page.get_by_role("button", name="Enlarge: Gradient").click()
    expect(page.get_by_role("dialog").get_by_alt_text("Gradient")).to_be_visible()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 800})
    assert not page.evaluate(SIDEWAYS)
    expect(page.get_by_text("attention", exact=False).first).to_be_visible()  # why it has no map


def test_one_slider_shows_all_images_at_one_area(page: Page, found: ep_core.Explanation, tmp_path: Path) -> None:
    files, report = dict(found.files()), found.report()
    masks = {area: files[mask_name(area, frame="model")] for area in shown_areas(report)}
    picture = thumbnail(found.image, SIDE)
    images = [
        GalleryImage(name=f"<b>{40 * 'long'}.jpg", report=report, picture=picture, masks=masks),
        GalleryImage(name="b.jpg", report=report, picture=picture),
        GalleryImage(name="c.jpg", note="the bytes aren't a picture"),
    ]
    opened(page, gallery_page(images, more=2), tmp_path)
    expect(page.get_by_role("heading", level=1)).to_have_text("5 images")
    first = page.locator("figure").first
    expect(first).to_contain_text("<b>long")
    expect(first).to_contain_text("<i>a: a* 10%")
    expect(page.get_by_alt_text("b.jpg")).to_be_visible()
    expect(page.get_by_text("the bytes aren't a picture")).to_be_visible()
    expect(page.get_by_text("2 more are not on this page.")).to_be_visible()
    slider = page.get_by_label(SLIDER)
    expect(slider).to_have_attribute("aria-valuetext", "Each at the smallest area that suffices")
    expect(first).to_contain_text("10% kept: “<i>a”")
    page.wait_for_function("document.querySelector('canvas').width === 180")
    before = page.evaluate(CANVASES)
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "40% of each image")
    expect(first).to_contain_text("40% kept: “<i>a”")
    page.wait_for_function(f"before => {CANVASES}[0] !== before[0]", arg=before)
    lit = page.evaluate(
        "() => { const one = document.querySelector('canvas');"
        "const { data } = one.getContext('2d').getImageData(0, 0, one.width, one.height);"
        "let lit = 0; for (let k = 0; k < data.length; k += 4)"
        "lit += Math.max(data[k], data[k + 1], data[k + 2]) - Math.min(data[k], data[k + 1], data[k + 2]) > 8;"
        "return lit; }"
    )
    assert lit > 0  # in colour
    page.set_viewport_size({"width": 390, "height": 800})
    assert not page.evaluate(SIDEWAYS)


def test_the_summary_of_a_dataset_has_the_extremes_under_one_slider_and_a_table_of_classes(
    page: Page, model: Classifier, goose: Image.Image, tmp_path: Path
) -> None:
    for k, folder in enumerate(("<i>a", "b", "cow")):
        (tmp_path / "in" / folder).mkdir(parents=True)
        goose.crop((20 * k, 0, 180, 120)).save(tmp_path / "in" / folder / "goose.png")
    (tmp_path / "in" / "b" / "broken.png").write_text("no picture")
    spec = ep_core.ExtremalSpec(areas=(0.1, 0.2, 0.4), alternatives=0, contrast=False, **QUICK)
    job = Job(out=str(tmp_path / "out"), spec=spec)
    explain_dataset(job, model, list_items(str(tmp_path / "in")))
    opened(page, (tmp_path / "out" / "index.html").read_text(encoding="utf-8"), tmp_path)
    expect(page.get_by_role("heading", level=1)).to_have_text("3 images: half of them need 10% or less")
    expect(page.get_by_text("3 of 4 images explained; 1 predicted right, 1 wrong (50% right).")).to_be_visible()
    expect(page.get_by_role("img", name="How many images need each area at least")).to_be_visible()
    smallest = page.locator("section", has=page.get_by_role("heading", name="Where a* is smallest"))
    wrong = page.locator("section", has=page.get_by_role("heading", name="Wrong predictions"))
    expect(smallest.locator("figure")).to_have_count(3)
    expect(wrong.locator("figure")).to_have_count(1)
    expect(wrong.locator("figure")).to_contain_text("labelled “b”")
    page.wait_for_function("[...document.querySelectorAll('canvas')].every((one) => one.width > 100)")
    before = page.evaluate(CANVASES)
    page.get_by_label(SLIDER).press("End")
    expect(wrong.locator("figure")).to_contain_text("40% kept: “<i>a”")
    page.wait_for_function(f"before => {CANVASES}.every((one, k) => one !== before[k])", arg=before)
    expect(page.get_by_role("row", name="<i>a 1 10% 0 100%")).to_be_visible()
    expect(page.get_by_role("row", name="cow 1 10% 0 –")).to_be_visible()
    expect(page.get_by_text("the bytes aren't a picture")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    assert not page.evaluate(SIDEWAYS)


def _reveals_each_area(frame: Frame | Page, found: ep_core.Explanation) -> None:
    seen = [""]
    for place, point in enumerate(found.curve):
        frame.get_by_label(SLIDER).fill(str(place))
        expect(frame.locator("output").first).to_contain_text(f"{100 * point.area:g}%")
        frame.wait_for_function(f"before => {CANVASES}[0] && {CANVASES}[0] !== before", arg=seen[-1])
        seen.append(frame.evaluate(CANVASES)[0])
    assert len(set(seen)) == 1 + len(found.curve)
