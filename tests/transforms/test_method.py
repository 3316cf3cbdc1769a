"""The fingerprint changes with what makes numbers, and with nothing else."""

import dataclasses

import pytest

from anonymizers.controls import DisclosureControl
from transforms import method
from transforms.tables import catalogue

TABLES = catalogue()
MEMBERS = TABLES["members_by_prefecture"]


@pytest.fixture
def fingerprint_with(monkeypatch):
    def of(**tables) -> str:
        monkeypatch.setattr(method, "catalogue", lambda: TABLES | tables)
        return method.fingerprint.__wrapped__()

    return of


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param({"another": dataclasses.replace(MEMBERS, name="another")}, id="a new table"),
        pytest.param(
            {"members_by_prefecture": dataclasses.replace(MEMBERS, dimensions=MEMBERS.dimensions[:2])},
            id="a dimension less",
        ),
        pytest.param(
            {"members_by_prefecture": dataclasses.replace(MEMBERS, control=DisclosureControl(threshold=12))},
            id="another control",
        ),
        pytest.param({"activity_by_board": dataclasses.replace(TABLES["activity_by_board"], cap=11)}, id="another cap"),
    ],
)
def test_another_method_has_another_fingerprint(fingerprint_with, tables):
    assert fingerprint_with(**tables) != fingerprint_with()


def test_what_is_only_said_of_a_table_changes_nothing(fingerprint_with):
    renamed = dataclasses.replace(MEMBERS, title="Other words", note="Others", note_ja="別の注記")
    assert fingerprint_with(members_by_prefecture=renamed) == fingerprint_with()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("def f():\n    'Doc.'\n    return 1  # why", "def f():\n    return 1", True),
        ("X = 1\n'''What it is.'''", "X = 1", True),
        ("def f():\n    return 1", "def f():\n    return 2", False),
        ("QUORUM = (10, 15)", "QUORUM = (1, 15)", False),
    ],
)
def test_comments_and_docstrings_are_not_what_code_does(one, other, same):
    assert (method.what_it_does(one) == method.what_it_does(other)) == same


def test_every_module_that_makes_numbers_is_in_it():
    """Whatever `disclose` and `tabulate` import of ours below the specs."""
    assert {"anonymizers/disclosure.py", "anonymizers/cells.py", "anonymizers/changes.py"} < set(method._CODE)
    assert all((method._ROOT / name).is_file() for name in (*method._CODE, *method._TABLES))
