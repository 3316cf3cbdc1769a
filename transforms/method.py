"""
The fingerprint of how statistics are made: which tables, counted and protected by which code.

The attacks are run against one method. With another one, a new table among it, their scores say nothing any more, and
the gate asks for new ones.
"""

import ast
import dataclasses
import hashlib
from functools import cache
from pathlib import Path

from transforms.spec import Table
from transforms.tables import catalogue

_ROOT = Path(__file__).resolve().parent.parent
_CODE = (
    *(f"anonymizers/{name}.py" for name in ("bands", "cells", "changes", "controls", "disclosure", "record_keys")),
    "anonymizers/perturbation.py",
    "anonymizers/text/terms.py",
    "transforms/deidentification.py",
    "transforms/release.py",
    "transforms/tabulation.py",
    "transforms/texts.py",
)
_TABLES = ("anonymizers/perturbation_d10_v6.csv", "anonymizers/text/terms.csv")
_SAID = ("title", "title_ja", "note", "note_ja", "example", "labels", "unit")
"""What is said of a table changes no number."""


@cache
def fingerprint() -> str:
    """The same for the same tables and the same code, whatever its comments and docstrings say."""
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(name.encode() + b"\0" + what_it_does((_ROOT / name).read_text(encoding="utf-8")).encode())
    for name in _TABLES:
        digest.update(name.encode() + b"\0" + (_ROOT / name).read_bytes())
    for name, table in catalogue().items():
        digest.update(name.encode() + b"\0" + repr(_declared(table)).encode())
    return digest.hexdigest()


def what_it_does(source: str) -> str:
    """A module's code without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return ast.dump(tree)


def _declared(table: Table) -> object:
    def of(value: object) -> object:
        if dataclasses.is_dataclass(value):
            return [(f.name, of(getattr(value, f.name))) for f in dataclasses.fields(value) if f.name not in _SAID]
        return [of(item) for item in value] if isinstance(value, tuple) else str(value)

    return of(table)
