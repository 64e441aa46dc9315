"""ReX's side of the comparison, in a process and a Python environment of its own: `rex-xai` needs numpy below 2.

`PYTHON rex_side.py REQUEST ANSWER` is run there by `rex.py`. So this file imports nothing of `ep_core`. Nothing of ReX
is copied: the package is called, with its own defaults.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import torch

MISSING = "rex-xai isn't installed there"


def explanation(request: dict[str, Any]) -> dict[str, Any]:
    """Return ReX's responsibility map and its explanation, at its authors' budget.

    Args:
        request: `network`, a file of `torch.export` (N x 3 x H x W -> N x C, any N >= 1); `image`, 1 x 3 x H x W,
            preprocessed; `target`, a class index; `iterations`, None for ReX's own number; `seed`.

    Returns:
        `map`, H x W of float, higher is more responsible; `explanation`, H x W of bool, the part that suffices by
        itself; `seconds`; `passes`, the images that went through the network.
    """
    from rex_xai.explanation import rex
    from rex_xai.input.config import CausalArgs
    from rex_xai.input.input_data import Data
    from rex_xai.responsibility.prediction import from_pytorch_tensor

    torch.manual_seed(request["seed"])
    network = torch.export.load(request["network"]).module()
    image, passes = request["image"], 0

    @torch.no_grad()
    def predictions(mutants: Any, target: Any = None, raw: bool = False) -> Any:
        nonlocal passes
        batch = torch.cat(list(mutants)) if isinstance(mutants, list) else mutants
        passes += len(batch)
        scores = network(batch.view(-1, *image.shape[1:]))
        return scores.softmax(dim=1) if raw else from_pytorch_tensor(scores, target=target)

    def preprocess(_path: str, shape: Any, device: Any) -> Any:
        data = Data(image, shape, device, mode="RGB")
        data.data = image
        return data

    asked = CausalArgs()
    asked.seed, asked.progress_bar = request["seed"], False
    asked.iters = request["iterations"] or asked.iters
    asked.script = SimpleNamespace(preprocess=preprocess, prediction_function=predictions, model_shape=image.shape)
    started = time.perf_counter()
    found = rex.explanation(asked, torch.device("cpu"))
    seconds = time.perf_counter() - started
    if found.data.target.classification != request["target"]:
        raise SystemExit("ReX explains the top class only")
    return {
        "map": found.target_map.float(),
        "explanation": found.sufficiency_mask.view(image.shape)[0].any(dim=0),
        "seconds": seconds,
        "passes": passes,
    }


if __name__ == "__main__":
    try:
        answer = explanation(torch.load(sys.argv[1], weights_only=True))
    except ImportError as error:
        sys.exit(f"{MISSING}: {error}")
    torch.save(answer, sys.argv[2])
