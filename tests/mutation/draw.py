"""Mutants: single faults in lines of the product's code."""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PRODUCT = ("ep_core", "worker", "service")

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*",
    ast.BitAnd: "|", ast.BitOr: "&", ast.And: "or", ast.Or: "and",
}  # fmt: skip
"""Operators that take the place of each."""


@dataclass(frozen=True)
class Mutant:
    """A fault: bytes ``start`` to ``end`` of a file are replaced."""

    path: str
    """Relative to the project's root."""
    line: int
    statement: int
    """Line on which its statement begins."""
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.old.split())[:60]} -> {' '.join(self.new.split())[:60]}"

    def apply(self, root: Path) -> bytes:
        """Break the file below `root`. Returns what it was."""
        file = root / self.path
        whole = file.read_bytes()
        file.write_bytes(whole[: self.start] + self.new.encode() + whole[self.end :])
        return whole


def draw(root: Path, files: Iterable[str], *, count: int, seed: int) -> list[Mutant]:
    """Draw lines evenly, and a fault for each.

    Args:
        root: the project's.
        files: their paths below the root.
        count: most mutants.
        seed: the same draws the same as long as the code is the same.
    """
    faults: dict[tuple[str, int], list[Mutant]] = defaultdict(list)
    for path in files:
        for mutant in mutants(root, path):
            faults[path, mutant.line].append(mutant)
    chance = random.Random(seed)
    drawn = chance.sample(sorted(faults), min(count, len(faults)))
    return [chance.choice(faults[place]) for place in drawn]


def mutants(root: Path, path: str) -> Iterator[Mutant]:
    """Yield all mutants of a file."""
    source = (root / path).read_bytes()
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))

    def at(line: int, column: int) -> int:
        return starts[line - 1] + column

    for node, statement in _code(ast.parse(source), 1):
        for first, last, new in _faults(node, source, at):
            line = source.count(b"\n", 0, first) + 1
            yield Mutant(path, line, statement, first, last, source[first:last].decode(), new)


def _code(node: ast.AST, statement: int) -> Iterator[tuple[ast.AST, int]]:
    """Yield all nodes that do something when they run, no annotations, imports or docstrings, and their statements."""
    statement = node.lineno if isinstance(node, ast.stmt) else statement
    yield node, statement
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                yield from _code(child, statement)


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom | ast.FormattedValue)


def _faults(node: ast.AST, source: bytes, at: Callable[[int, int], int]) -> Iterator[tuple[int, int, str]]:
    def span(one: ast.expr | ast.stmt) -> tuple[int, int]:
        return at(one.lineno, one.col_offset), at(one.end_lineno or 0, one.end_col_offset or 0)

    def text(one: ast.expr) -> str:
        first, last = span(one)
        return source[first:last].decode()

    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield *span(node), f"({text(left)}) {_OPERATORS[type(operator)]} ({text(right)})"
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            yield *span(node), f"({text(left)}) {_OPERATORS[type(operator)]} ({text(right)})"
        case ast.BoolOp(op=operator, values=values):
            yield *span(node), f" {_OPERATORS[type(operator)]} ".join(f"({text(value)})" for value in values)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield *span(node), f"({text(operand)})"
        case ast.Constant(value=bool() as value):
            yield *span(node), str(not value)
        case ast.Constant(value=int() | float() as value):
            yield *span(node), repr(value + 1)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield *span(test), f"not ({text(test)})"
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield *span(value), "None"
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield *span(node), "pass"
