"""The TypeScript client on the running stack: typed, run by deno and node, and an API that is killed meanwhile."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium, find_browser, open_context
from tests.generators import find_generator, run
from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "clients" / "typescript"
JOURNEY = ROOT / "tests" / "clients" / "typescript" / "journey.ts"
DENO = [sys.executable, "-m", "deno"]
GOOSE = SAMPLES / "goose.jpg"


QUICK = {"iterations": 3, "areas": [0.3], "check_extremality": False, "alternatives": 0, "contrast": False}
IN_NODE = """
import { Client } from "./dist/index.js";
import { openAsBlob } from "node:fs";
const [url, file, asked] = process.argv.slice(2);
const found = await new Client(url).explain(await openAsBlob(file), JSON.parse(asked));
console.log(found.target.label, (await found.masks[0.3].blob()).type);
"""
IN_A_BROWSER = """
async ([image, asked]) => {
    const { Client, InvalidRequest } = await import("/client/index.js");
    const client = new Client(location.origin);
    const blob = await (await fetch(image)).blob();
    const found = await client.explain(blob, asked);
    const { width, height } = await createImageBitmap(await found.masks[0.3].blob());
    const wrong = await client.explain(blob, { areas: [2] }).catch((error) => error instanceof InvalidRequest);
    return [found.target.label, width, height, wrong];
}
"""


def test_deno_runs_the_main_job_while_the_api_is_killed(stack: Stack, tmp_path: Path) -> None:
    config = tmp_path / "deno.json"
    options = json.loads((PACKAGE / "deno.json").read_text())["compilerOptions"]
    imports = {"extremal-client": (PACKAGE / "src" / "index.ts").as_uri()}
    config.write_text(json.dumps({"compilerOptions": options, "imports": imports}))
    checked = subprocess.run([*DENO, "check", "--config", config, JOURNEY], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    command = [*DENO, "run", "--config", config, "--no-check", "--allow-net", "--allow-read", JOURNEY]
    found = killing(stack, [*command, stack.url, GOOSE])
    assert "was removed while it was waited for" in found.pop("removed")
    assert "write 0.02 for 2 %" in found.pop("wrong")
    assert "mobilenet_v9" in found.pop("missing")
    assert found == {
        "status": "succeeded",
        "attempt": 1,  # the same run of the same job
        "ordered": True,
        "last": True,
        "areas": [0.2, 0.5],
        "mask": "image/png",
        "page": True,
        "maps": ["center", "gradient"],
        "both": ["InvalidRequest", "goose"],
        "label": "goose",
    }


def killing(stack: Stack, command: Sequence[str | Path]) -> dict[str, Any]:
    """Run the script, kill the API as soon as it says that its job runs, and return what it found."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n", process.communicate()[1]
        killed = stack.api_pid()
        os.kill(killed, signal.SIGKILL)
        told, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert killed != stack.api_pid()
    found: dict[str, Any] = json.loads(told)
    return found


def test_node_and_browsers_run_what_the_compiler_makes_of_it(stack: Stack, tmp_path: Path) -> None:
    node, compiler = map(find_generator, ("node", "tsc"))
    dist = tmp_path / "dist"
    run(compiler, "--project", PACKAGE, "--outDir", dist, cwd=tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "explain.js").write_text(IN_NODE)
    assert run(node, "explain.js", stack.url, GOOSE, json.dumps(QUICK), cwd=tmp_path) == "goose image/png\n"
    path = find_browser()
    if path is None:
        pytest.skip("there is no Chromium: `make browser`")
    image = f"data:image/jpeg;base64,{base64.b64encode(GOOSE.read_bytes()).decode()}"
    with chromium(path) as browser, open_context(browser, stack.url, bypass_csp=True) as context:
        page = context.new_page()
        page.route(
            "**/client/**", lambda route: route.fulfill(path=f"{dist}{route.request.url.partition('/client')[2]}")
        )
        page.goto("/")
        assert page.evaluate(IN_A_BROWSER, [image, QUICK]) == ["goose", 640, 498, True]
