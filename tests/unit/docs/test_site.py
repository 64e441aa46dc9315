"""The documentation site, without the packages that build it: links, navigation, walkthroughs, what is generated."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.site.interactive import OURS
from docs.site.links import Link, anchors, rewrite_links
from docs.site.schema_tables import SchemaTables
from docs.site.staging import ROOT, BrokenLinkError, check, place, resolve, sources, stage
from docs.site.walkthrough import agree, steps
from ep_core.pictures.script_bundle import bundle

DENO = shutil.which("deno", path=str(Path(sys.executable).parent)) or shutil.which("deno")
NAVIGATION = re.findall(
    r"^ +- (?:[^:]+: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2], re.MULTILINE
)


class TestLinks:
    def test_all_lead_to_files_and_headings_that_are_there(self) -> None:
        assert check(sources()) == []

    def test_only_those_of_prose_are_changed(self) -> None:
        page = "[a](x.md#y) `[b](x.md)` [c](https://host/x.md)\n\n    [d](x.md)\n\n```sh\n[e](x.md)\n```\n![f](x.md)"
        made = rewrite_links(page, lambda link: Link("z.md", link.anchor))
        assert made == page.replace("(x.md#y)", "(z.md#y)").replace("![f](x.md)", "![f](z.md)")

    def test_headings_have_the_anchors_of_github(self) -> None:
        page = "# What's `new`?\n## A & B\n### [Here](x.md), too\n## A & B\n```sh\n# no heading\n```\n"
        assert anchors(page) == {"whats-new", "a--b", "here-too", "a--b-1"}

    @pytest.mark.parametrize("link", [Link("nothing.md", ""), Link("api.md", "no-such-heading"), Link("../..", "")])
    def test_a_broken_one_is_named_with_its_page(self, link: Link) -> None:
        with pytest.raises(BrokenLinkError, match=re.escape(f"docs/models.md links to {link}")):
            resolve(ROOT / "docs" / "models.md", link)


def test_every_page_is_in_the_navigation() -> None:
    missing = {str(place(page)) for page in sources()} - set(NAVIGATION) - {"images/ATTRIBUTION.md"}
    assert not missing, f"add {', '.join(sorted(missing))} to `nav` in mkdocs.yml"
    assert len(NAVIGATION) == len(set(NAVIGATION))


def test_the_navigation_names_only_pages_that_are_there() -> None:
    assert set(NAVIGATION) <= {str(place(page)) for page in sources()}


def test_what_pages_link_to_is_laid_out_beside_them(tmp_path: Path) -> None:
    stage(tmp_path)
    assert "](contributing.md)" in (tmp_path / "overview.md").read_text()
    assert "](../overview.md#in-python)" in (tmp_path / "reference" / "python.md").read_text()
    assert "(samples/index.md)" in (tmp_path / "results.md").read_text()
    assert "- [goose.jpg](goose.jpg)" in (tmp_path / "samples" / "index.md").read_text()
    assert (tmp_path / "samples" / "goose.jpg").read_bytes() == (ROOT / "samples" / "goose.jpg").read_bytes()


class TestWalkthroughs:
    PAGE = (
        "```sh\nEP_X=1 make run\n```\n```python\n# a/b.py\nprint(1)\n```\n```python\nexample()\n```\n"
        "```sh\npython a/b.py\n```\nIt prints\n\n```text\n1\n```\n```sh\nls\n```\n"
    )

    def test_a_page_has_its_service_files_commands_and_what_they_print(self) -> None:
        service, file, command, last = steps(self.PAGE)
        assert (service.settings, service.line) == ("EP_X=1 ", 1)
        assert (file.file, file.text) == ("a/b.py", "# a/b.py\nprint(1)\n")
        assert (command.text, command.output, command.line) == ("python a/b.py\n", "1\n", 11)
        assert (last.text, last.output) == ("ls\n", None)

    @pytest.mark.parametrize(
        ("shown", "printed", "same"),
        [
            ("a 3.54 b", "a 3.57 b\n", True),
            ("a 3.54 b", "a 3.74 b", False),
            ("a ... z", "a b\nc z", True),
            ("a ... z", "a b", False),
            ("v0.5 (640, 480)", "v0.5 (640, 480)", True),
            ("0", "0.001", False),
        ],
    )
    def test_what_is_printed_is_compared_but_for_dots_and_last_digits(
        self, shown: str, printed: str, same: bool
    ) -> None:
        assert agree(shown, printed) is same

    def test_every_how_to_page_has_commands_and_something_to_compare(self) -> None:
        for page in (ROOT / "docs" / "tutorial.md", *(ROOT / "docs" / "how-to").glob("*.md")):
            todo = list(steps(page.read_text()))
            assert any(step.output for step in todo), page


def test_an_object_s_fields_are_a_table() -> None:
    tables = SchemaTables({"Part": {"properties": {"a": {"type": "string"}}}}, lambda name: f"#{name}")
    schema = {
        "required": ["parts"],
        "properties": {
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "description": "Its | parts."},
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 3},
        },
    }
    *_, parts, size = tables.fields(schema).splitlines()
    assert parts == "| `parts` * | list of [Part](#Part) | Its \\| parts. |"
    assert size == "| `size` | integer or null | Default: `3`. |"


@pytest.mark.skipif(DENO is None, reason="there is no deno to run it")
def test_the_mask_that_one_can_paint_is_the_engine_s() -> None:
    import torch

    from ep_core.masks.smooth import MaskLattice

    parameters = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    parameters[parameters < 0.6] = 0
    expected = MaskLattice((27, 27), step=3, samples=3, sharpness=15.0, dtype=torch.float64).smooth(parameters)
    modules = {path.stem: path.read_text() for path in OURS.glob("smooth.js")}
    modules["main"] = (
        'import { lattice } from "./smooth.js";\n'
        f"const parameters = Float64Array.from({parameters.flatten().tolist()});\n"
        "console.log(JSON.stringify([...lattice(9, 3).mask(parameters, 15)]));\n"
    )
    done = subprocess.run([DENO, "run", "-"], input=bundle(modules, "main"), text=True, capture_output=True, check=True)
    torch.testing.assert_close(torch.tensor(json.loads(done.stdout)), expected.flatten().float())
