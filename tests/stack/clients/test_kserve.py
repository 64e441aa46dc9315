"""What KServe's own client sent once (`make kserve`) is answered as it was then, in a form that it reads."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.clients.kserve import RECORDED, outline
from tests.running_stack import Stack

pytestmark = pytest.mark.e2e

CALLS = json.loads(RECORDED.read_text())
DTYPES = {"UINT8": np.uint8, "FP32": np.float32}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["name"])
def test_a_recorded_request_is_answered_as_then(stack: Stack, call: dict[str, Any]) -> None:
    answer = stack.client.request(
        call["method"], call["path"], headers=call["headers"], content=base64.b64decode(call["body"])
    )
    assert answer.status_code == call["status"], answer.text
    assert understood(answer) == call["answer"]


def understood(answer: httpx.Response) -> Any:
    """What KServe's client makes of an answer."""
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    found = json.loads(answer.content[:length])
    if not answer.is_success:
        assert answer.headers["content-type"] == "application/json"  # else the client shows no message
        return False if answer.request.method == "GET" else {"raised": found["error"]}
    if "explanations" in found:
        return outline.of_explanations(found["explanations"])
    if "predictions" in found:
        return outline.of_predictions(found["predictions"])
    if isinstance(found.get("outputs"), list):
        return {"id": found["id"], "outputs": tensors(found["outputs"], answer.content[length:])}
    return found.get("ready", found.get("live"))


def tensors(outputs: list[dict[str, Any]], behind: bytes) -> list[dict[str, Any]]:
    """Outlines of tensors, whose data fill their shapes."""
    found = []
    for one in outputs:
        if size := one.get("parameters", {}).get("binary_data_size"):
            values, behind = np.frombuffer(behind[:size], DTYPES[one["datatype"]]), behind[size:]
        else:
            values = np.array(one["data"])
        found.append(outline.of_tensor(one["name"], one["datatype"], values.reshape(one["shape"]).shape))
    assert not behind
    return found
