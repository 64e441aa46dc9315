"""Modules as one script: what runs first, what they take of each other, and what is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ep_core.pictures.result_page import VIEW, Entry
from ep_core.pictures.script_bundle import bundle

DASHBOARD = Path(__file__).parents[3] / "service/dashboard/static"
DENO = shutil.which("deno", path=str(Path(sys.executable).parent)) or shutil.which("deno")
MODULES = {
    "main": 'import { half as part, Pair } from "./two-words.js";\nimport { log } from "./log.js";\n'
    "const secret = 7;\nlog(part(new Pair(1, 5).sum()));\n",
    "two-words": 'import { log } from "./log.js"; // says when it runs\n\nconst secret = 2;\nlog("first");\n'
    "export const half = (value) => value / secret;\nexport class Pair {\n  constructor(a, b) { this.both = [a, b]; }\n"
    "  sum() { return this.both[0] + this.both[1]; }\n}\n",
    "log": "export function log(said) {\n  console.log(said);\n}\nexport async function later() {}\n",
    "unused": "this is no JavaScript",
}


def test_modules_run_once_each_after_what_they_import() -> None:
    script = bundle(MODULES, "main")
    order = re.findall(r"^const module_(\w+) =", script, re.MULTILINE)
    assert order == ["log", "two_words", "main"]
    if DENO is None:
        pytest.skip("there is no deno to run it")
    said = subprocess.run([DENO, "run", "-"], input=script, text=True, capture_output=True, check=True).stdout
    assert said.split() == ["first", "3"]  # both have a constant of the same name


def test_modules_in_a_circle_are_refused() -> None:
    circle = {"a": 'import { b } from "./b.js";\n', "b": 'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match="import each other: a -> b -> a"):
        bundle(circle, "a")


@pytest.mark.parametrize(
    "line", ["export default 1;", 'import all from "./b.js";', 'import * as b from "./b.js";', "export { a };"]
)
def test_other_forms_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        bundle({"a": f"{line}\n"}, "a")


def test_an_unknown_module_is_refused() -> None:
    with pytest.raises(KeyError):
        bundle({"a": 'import { b } from "./b.js";\n'}, "a")


@pytest.mark.parametrize("entry", Entry)
def test_the_views_of_results_are_in_a_form_that_can_be_bundled(entry: Entry) -> None:
    script = bundle({path.stem: path.read_text() for path in VIEW.glob("*.js")}, entry)
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


def test_what_the_views_are_made_of_has_its_styles_beside_them() -> None:
    scripts = "".join(path.read_text() for path in VIEW.glob("*.js") if path.name != "dom.js")
    used = {name for names in re.findall(r'\bel\(\s*"\w*((?:\.[\w-]+)+)"', scripts) for name in names[1:].split(".")}
    beside, dashboard = (
        set(re.findall(r"\.([a-z][\w-]*)", "".join(path.read_text() for path in folder.glob("*.css"))))
        for folder in (VIEW, DASHBOARD)
    )
    assert {"dot", "tile-button"} <= used
    assert used & dashboard <= beside
