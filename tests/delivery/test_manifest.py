"""The manifest: one night, one sequence of bytes, and counts that add up."""

import datetime
import re

import pandas as pd
import pytest

from anonymizers.errors import PublicationBroken
from delivery.manifest import PUBLISHED, code_version, parse, published_part, render, require_adds_up, sha256
from expectations.checks import Outcome


def test_the_same_manifest_is_the_same_bytes_whatever_the_order():
    one = {"night": "2026-10-31", "inputs": {"b": 1, "a": 2}}
    two = {"inputs": {"a": 2, "b": 1}, "night": "2026-10-31"}
    assert render(one) == render(two)
    assert parse(render(one)) == one
    assert render(one).endswith(b"}\n")


def test_japanese_stands_as_it_is():
    assert "統計情報".encode() in render({"legal_class": "統計情報"})


def test_an_outcome_is_written_by_its_names_and_counts():
    written = parse(render({"gate": [Outcome("table", "ExpectSomething", None, True, 5)]}))
    assert written == {
        "gate": [{"output": "table", "expectation": "ExpectSomething", "success": True, "element_count": 5}]
    }


def test_beside_the_tables_lies_what_says_no_count_of_what_was_read():
    """A list of what may, and not of what may not: a key that somebody adds stays inside."""
    inside = dict.fromkeys(
        ("inputs", "stop_signals", "unfit_values", "infinite_dates", "undeclared_in_source", "something new"), 7
    )
    beside = dict.fromkeys(PUBLISHED, 1)
    assert published_part({**inside, **beside}) == beside
    assert published_part({"night": "2026-10-31", **inside}) == {"night": "2026-10-31"}
    assert set(PUBLISHED) == {
        *("night", "purpose", "policy_version", "code_version", "key_ids", "disclosure", "threshold", "gate", "outputs")
    }


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(datetime.date(2026, 10, 31), id="a date"),
        pytest.param(pd.DataFrame({"a": [1]}), id="a frame"),
        pytest.param(b"key", id="bytes"),
        pytest.param({1, 2}, id="a set"),
    ],
)
def test_a_manifest_holds_nothing_else(value):
    with pytest.raises(TypeError, match=f"^a manifest holds no {type(value).__name__}$"):
        render({"x": value})


def test_a_digest_is_sha_256():
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_version_of_the_code_is_stable():
    assert code_version() == code_version()
    assert re.fullmatch(r"[0-9.]+\+[0-9a-f]{12}", code_version())


@pytest.mark.parametrize(
    ("read", "kept", "dropped"),
    [(0, 0, {}), (5, 5, {}), (5, 3, {"a": 2}), (5, 0, {"a": 2, "b": 3})],
)
def test_counts_that_add_up_pass(read, kept, dropped):
    require_adds_up({"members": {"read": read, "kept": kept, "dropped": dropped}})


@pytest.mark.parametrize(
    ("read", "kept", "dropped"),
    [(5, 4, {}), (5, 5, {"a": 1}), (5, 3, {"a": 1}), (0, 1, {})],
)
def test_counts_that_do_not_add_up_are_refused(read, kept, dropped):
    counts = {
        "members": {"read": 1, "kept": 1, "dropped": {}},
        "postings": {"read": read, "kept": kept, "dropped": dropped},
    }
    with pytest.raises(PublicationBroken, match=f"^postings: {read} rows read, but") as refused:
        require_adds_up(counts)
    assert refused.value.exit_status == 51
