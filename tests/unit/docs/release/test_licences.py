"""Licences of dependencies: the page has all of them, and only those that may be used are."""

from __future__ import annotations

import pytest

from docs.release.images import IMAGES, extras, packages
from docs.release.licences import EXCEPTIONS, PAGE, allowed, installed, licence, pins, rows

TABLE = rows(PAGE.read_text())


def test_the_page_has_every_pinned_package_with_its_version() -> None:
    assert {name: version for name, (version, *_) in TABLE.items()} == pins(), "make licences"


def test_each_licence_is_that_of_the_installed_package() -> None:
    here = {name: about for name in TABLE if (about := installed(name)) and about["version"] == TABLE[name][0]}
    assert len(here) > 100
    assert {name: licence(name, about) for name, about in here.items()} == {name: TABLE[name][1] for name in here}


def test_only_named_exceptions_have_other_licences_than_those_allowed() -> None:
    other = {name for name, (_, held, _) in TABLE.items() if not allowed(held)}
    assert other <= set(EXCEPTIONS) <= set(TABLE)


def test_what_the_images_hold_may_be_passed_on() -> None:
    for image in IMAGES:
        held = {name: TABLE[name][1] for name in packages(image) if name in TABLE}
        assert len(held) > 50
        assert {name for name, one in held.items() if not allowed(one)} == set()


def test_an_image_has_what_its_dockerfile_installs_and_what_that_needs() -> None:
    assert extras("api") == ("api", "blobs", "otel")
    assert {"fastapi", "starlette", "aiobotocore"} <= packages("api")
    assert not {"torch", "captum", "pytest"} & packages("api")
    assert {"torch", "transformers", "tokenizers"} <= packages("worker")


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True),
        ("GPL-3.0", False),
        ("MIT AND GPL-3.0", False),
        ("MIT OR GPL-3.0", True),
        ("(Apache-2.0 WITH LLVM-exception) AND MIT", True),
        ("", False),
    ],
)
def test_an_expression_is_allowed_where_one_of_its_choices_is(expression: str, may: bool) -> None:
    assert allowed(expression) is may


def test_a_licence_is_read_from_the_expression_then_the_classifiers_then_the_words() -> None:
    classified = {"classifier": ["License :: OSI Approved :: MIT License"], "license": "FreeBSD"}
    assert licence("a", {**classified, "license_expression": "ISC"}) == "ISC"
    assert licence("a", classified) == "MIT"
    assert licence("a", {"license": "FreeBSD\nand a long text"}) == "BSD-2-Clause"
    assert licence("a", {}) == ""
