"""Every declaration has a worked example, and it holds."""

import datetime

import polars as pl
import pyarrow as pa
import pytest

from delivery.destinations import destinations
from delivery.match_keys import normalise
from transforms.tables import catalogue
from transforms.tabulation import tabulate

DAY = datetime.date(2026, 10, 31)
WHOLE = ("member_no", "postings_28d", "members", "contributions")
TABLES = list(catalogue().values())
DESTINATIONS = list(destinations().values())


def drawn(text: str, whole: tuple[str, ...] = WHOLE, days: tuple[str, ...] = ()) -> list[dict]:
    """The rows of a drawn table, its columns apart by white space."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    read = dict.fromkeys(whole, int) | dict.fromkeys(days, datetime.date.fromisoformat)
    return [{n: read.get(n, str)(v) for n, v in zip(header, line, strict=True)} for line in lines]


def as_set(rows: list[dict]) -> set[tuple]:
    return {tuple(sorted(row.items())) for row in rows}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_example_of_a_table_holds(table):
    rows = drawn(table.example.rows, (*WHOLE, "hour", "weekday"), ("day",))
    cells = drawn(table.example.cells)
    assert len(rows) >= 3
    assert list(cells[0]) == [*(d.name for d in table.dimensions), "members", "contributions"]
    found = tabulate(table, pa.Table.from_pylist(rows), DAY).to_pylist()
    assert len(found) == len(cells)
    assert as_set(found) == as_set(cells)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_example_of_a_table_uses_its_own_codes(table):
    for cell in drawn(table.example.cells):
        for dimension in table.dimensions:
            assert not dimension.codes or cell[dimension.name] in dimension.codes


@pytest.mark.parametrize("destination", DESTINATIONS, ids=lambda d: d.name)
def test_the_examples_of_a_destination_hold(destination):
    assert len(destination.example) >= 3
    assert any(form is None for _, form in destination.example)
    typed = pl.DataFrame({"typed": [typed for typed, _ in destination.example]})
    forms = typed.select(normalise(pl.col("typed")))["typed"].to_list()
    assert forms == [form for _, form in destination.example]
