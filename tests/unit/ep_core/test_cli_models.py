"""`ep models` on a list with something wrong in it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from ep_core.cli.main import app


def test_a_preprocessing_that_cannot_be_right_is_said_below_the_list(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        '[models.good]\ntorchvision = "mobilenet_v2"\n'
        '[models.large]\ntorchvision = "mobilenet_v2"\n'
        "preprocessing = { mean = [123.675, 116.28, 103.53], std = [58.395, 57.12, 57.375] }\n"
    )
    done = CliRunner().invoke(app, ["models", "--models-file", str(path)])
    assert done.exit_code == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("warning: ")]
    assert line.startswith("warning: large: mean = [123.675, 116.28, 103.53], std = [58.395, 57.12, 57.375]: ")
    assert line.endswith("divide by 255: mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]")
