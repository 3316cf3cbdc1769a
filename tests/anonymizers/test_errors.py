"""One small tree; each cause has its own exit status; what leaves holds no value from a row."""

import ast
import re
import traceback
from pathlib import Path

import pytest

from anonymizers import errors
from anonymizers.errors import Fault, GateRefused, SudareError, Terminal, Transient, without_values

SECRET_VALUE = "canary hanako 09000009001"
ROOT = Path(errors.__file__).resolve().parent.parent


def leaves(root: type = SudareError) -> list[type]:
    below = [c for c in root.__subclasses__() if c.__module__ == errors.__name__]
    return [leaf for child in below for leaf in leaves(child)] if below else [root]


LEAVES = {leaf.__name__: leaf for leaf in leaves()}


def test_the_tree_at_the_head_lists_every_leaf_with_its_exit_status():
    drawn = {name: int(number) for name, number in re.findall(r"([A-Z]\w+) +(\d+)\b", errors.__doc__)}
    assert drawn == {name: leaf.exit_status for name, leaf in LEAVES.items()}


def test_every_leaf_has_an_exit_status_of_its_own():
    statuses = [leaf.exit_status for leaf in LEAVES.values()]
    assert len(set(statuses)) == len(statuses) > 20
    assert not set(statuses) & {0, 1, 2, *range(126, 256)}  # the shell's, Python's and Typer's own


@pytest.mark.parametrize("leaf", LEAVES.values(), ids=LEAVES)
def test_every_leaf_is_worth_another_try_or_not(leaf):
    assert issubclass(leaf, Transient) != issubclass(leaf, Terminal)


def test_transient_are_only_those_that_pass_by_themselves():
    assert {name for name, leaf in LEAVES.items() if issubclass(leaf, Transient)} == {
        "SourceUnreachable",
        "SourceUnsettled",
        "WarehouseUnreachable",
        "DestinationUnreachable",
        "LedgerUnreachable",
        "StagingUnreachable",
        "StorageUnreachable",
    }


def test_no_other_module_grows_the_tree():
    for path in sorted(ROOT.glob("*/**/*.py")):
        if path.parts[len(ROOT.parts)] in ("tests", ".venv", "bench") or path == Path(errors.__file__):
            continue
        bases = [
            base.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ClassDef)
            for base in node.bases
            if isinstance(base, ast.Name)
        ]
        assert not set(bases) & {"SudareError", "Transient", "Terminal", *LEAVES}, path.name


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [(errors.KeyMissing, "KEY_MISSING"), (errors.SourceUnreachable, "SOURCE_UNREACHABLE"), (errors.Fault, "FAULT")],
)
def test_a_reason_is_the_name_of_the_cause(leaf, reason):
    assert leaf("x").reason == reason


def caught(raiser) -> Exception:
    try:
        raiser()
    except Exception as error:
        return error
    raise RuntimeError("nothing was raised")


def foreign():
    raise ValueError(f"invalid input: {SECRET_VALUE}")


def ours_from_foreign():
    try:
        foreign()
    except ValueError as error:
        raise GateRefused("3 rows failed") from error


def ours_beside_foreign():
    try:
        foreign()
    except ValueError:
        raise GateRefused("3 rows failed")  # noqa: B904  the implicit context is the point


def foreign_with_a_telling_name():
    raise type("OperationalError", (Exception,), {})(SECRET_VALUE, {"params": SECRET_VALUE})


@pytest.mark.parametrize(
    "raiser", [foreign, ours_from_foreign, ours_beside_foreign, foreign_with_a_telling_name], ids=lambda f: f.__name__
)
def test_nothing_of_a_foreign_exception_survives(raiser):
    told = without_values(caught(raiser))
    assert isinstance(told, SudareError)
    assert told.__cause__ is told.__context__ is told.__traceback__ is None
    shown = "".join(traceback.format_exception(told)) + repr(told) + repr(told.args) + repr(vars(told))
    assert SECRET_VALUE not in shown
    assert "canary" not in shown


def test_a_foreign_exception_becomes_a_fault_with_its_type_and_place():
    told = without_values(caught(foreign))
    assert type(told) is Fault
    assert told.exit_status == 70
    assert re.fullmatch(r"ValueError at test_errors\.py:\d+ in foreign; its message is withheld .*", str(told))


def test_a_foreign_exception_that_was_never_raised_has_no_place():
    assert str(without_values(KeyError(SECRET_VALUE))).startswith("KeyError; its message is withheld")


def test_our_own_error_keeps_its_message():
    told = caught(ours_from_foreign)
    assert without_values(told) is told
    assert str(told) == "3 rows failed"
