"""Draw the dashboard's first picture, the black bear at growing areas: `python -m docs.strip`. It needs a Chromium.

The pictures are the dashboard's own, of a finished sweep.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser import chromium, find_browser, open_context
from tests.running_stack import Stack

from .screenshots import finished

FOLDER = Path(__file__).parents[1] / "service" / "dashboard" / "static" / "welcome"
SHARES = (5, 10, 20, 40)
ENOUGH = 10
WIDTH = 240
QUALITY = 80


def main() -> int:
    """Draw the strip; return the exit code for the shell."""
    path = find_browser()
    if path is None:
        print("strip: no browser here", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
        chromium(path) as browser,
        closing(open_context(browser, stack.url)) as context,
    ):
        page = context.new_page()
        finished(page, stack)
        page.get_by_text(f"{ENOUGH}% of the image suffices").wait_for(timeout=1000)  # as the page says
        for share in SHARES:
            still(page, share).save(FOLDER / f"black_bear_{share}.jpg", quality=QUALITY, optimize=True)
    return 0


def still(page: Page, share: int) -> Image.Image:
    """Return what the page shows of an area, small."""
    page.goto(f"{page.url.split('?')[0]}?area={share / 100}")
    page.reload()
    page.get_by_text(f"{share}% of the image: score").wait_for()
    page.wait_for_timeout(700)
    data = page.evaluate("document.querySelector('canvas').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB")
    picture.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    return picture


if __name__ == "__main__":
    sys.exit(main())
