"""Page of one result: everything is in it, and nothing in a label is read as HTML."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ep_core import Classifier, Explanation, Preprocessing, explain
from ep_core.extremal.page import page_html
from tests.pictures import decode

LABEL = "</script><script>alert(1)</script> & <b>"
SIZE = 96


@pytest.fixture(scope="module")
def explained() -> Explanation:
    network = nn.Sequential(nn.Conv2d(3, 2, 9, stride=8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        network[0].bias.copy_(torch.tensor([4.0, -4.0]))  # the first class is the top one
    model = Classifier(network, labels=[LABEL, "other"], preprocessing=Preprocessing((SIZE, SIZE), SIZE))
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    return explain(model, Image.fromarray(noise), {"areas": [0.1, 0.4], "iterations": 3, "contrast": True})


def test_the_result_and_its_pictures_are_in_it(explained: Explanation) -> None:
    data = json.loads(_data(page_html(explained)))
    result = data["result"]
    assert result["target"]["label"] == LABEL
    assert [point["area"] for point in result["curve"]] == [0.1, 0.4]
    assert decode(data["image"]).size == (200, 100)
    mask = np.asarray(decode(result["curve"][1]["mask"])) / 255
    assert mask.shape == (50, 100)
    smaller = np.asarray(
        Image.fromarray(explained.frame.mask_to_image(explained.masks[1, 0].numpy())).resize((100, 50))
    )
    assert np.abs(mask - smaller).mean() < 0.02
    assert decode(result["contrast"]["mask"]).size == (100, 50)


def test_nothing_is_fetched_and_no_label_is_read_as_html(explained: Explanation) -> None:
    page = page_html(explained)
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert page.count("<script") == page.count("</script>") == 2
    assert "<title>&lt;/script&gt;" in page
    assert "default-src 'none'" in page


def test_files_of_a_result_have_it(explained: Explanation) -> None:
    assert dict(explained.files())["result.html"].decode() == page_html(explained)


def _data(page: str) -> str:
    found = re.search(r'<script type="application/json" id="held">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found.group(1)
