"""Stored and sent data are JSON or plain bytes: reading a pickle runs code that its writer chose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from rq.serializers import JSONSerializer

from worker.broker.queue import connect, job_queues

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for floor in ("ep_core", "worker", "service") for path in (ROOT / floor).rglob("*.py"))
FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def loads(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of ``torch.load``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            yield node


def test_no_module_reads_pickles() -> None:
    found = 0
    for path in MODULES:
        tree = ast.parse(path.read_text())
        assert not FORBIDDEN & set(imported(tree)), path
        for call in loads(tree):
            assert "weights_only=True" in [ast.unparse(keyword) for keyword in call.keywords], path
            found += 1
    assert found >= 3


def test_the_queue_does_not_either() -> None:
    assert {queue.serializer for queue in job_queues(connect("redis://127.0.0.1:1/0"))} == {JSONSerializer}
