"""The sentences that the worker's side has for users, read from its code: no second list of them is kept."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import doppel_models
import doppel_worker

_ROOTS = (Path(doppel_models.__file__).parent, Path(doppel_worker.__file__).parent)


@dataclasses.dataclass(frozen=True)
class Written:
    """One call of ``sentence``."""

    key: str
    template: str
    names: frozenset[str]
    where: str


def written() -> Iterator[Written]:
    """Every sentence in the code, in its order."""
    for root in _ROOTS:
        for path in sorted(root.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sentence":
                    yield _read(node, f"{path.relative_to(root.parent)}:{node.lineno}")


def _read(call: ast.Call, where: str) -> Written:
    texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    names = [word.arg for word in call.keywords if word.arg is not None]
    assert len(texts) == len(call.args) == 2, f"{where}: key and template must be literals"
    assert len(names) == len(call.keywords), f"{where}: the placeholders must be named one by one"
    return Written(texts[0], texts[1], frozenset(names), where)
