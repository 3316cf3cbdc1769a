"""Every declaration has a worked example, and it holds."""

import datetime

import polars as pl
import pytest

from anonymizers.bands import TOTAL
from anonymizers.cells import Cells
from delivery.destinations import destinations
from delivery.match_keys import normalise
from tests.members import numbers, record_key_and_point
from transforms.spec import Table
from transforms.tables import catalogue
from transforms.tabulation import tabulate, tabulate_terms

DAY = datetime.date(2026, 10, 31)
WHOLE = ("member_no", "postings_28d", "members", "contributions")
TABLES = list(catalogue().values())
DESTINATIONS = list(destinations().values())


def drawn(text: str, whole: tuple[str, ...] = WHOLE, days: tuple[str, ...] = ()) -> list[dict]:
    """The rows of a drawn table, its columns apart by white space."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    read = dict.fromkeys(whole, int) | dict.fromkeys(days, datetime.date.fromisoformat)
    return [{n: read.get(n, str)(v) for n, v in zip(header, line, strict=True)} for line in lines]


def staged(table: Table, rows: list[dict]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is drawn, as members and as postings or pairs; every member has her keys."""
    keys = ("record_key", "point")
    drawn_rows = pl.DataFrame(rows).with_columns(pl.col("member_no").cast(pl.UInt32))
    who = drawn_rows.select("member_no").unique().sort("member_no")
    found = [record_key_and_point(number) for number in who["member_no"]]
    who = who.with_columns(
        *(pl.Series(name, [pair[n] for pair in found], pl.UInt32) for n, name in enumerate(keys)),
        pl.lit(True).alias("settled"),
    )
    if table.over == "members":
        return drawn_rows.join(who, on="member_no"), pl.DataFrame()
    if table.over == "terms":
        return who.drop("member_no"), drawn_rows.join(who.drop("settled"), on="member_no").drop("member_no")
    place = drawn_rows.select("member_no", pl.lit("13").alias("prefecture_code"))
    if "prefecture_code" in drawn_rows.columns:
        place = drawn_rows.select("member_no", "prefecture_code")
    # As staged: a member's number is that of her row.
    members = who.join(place.unique(), on="member_no", maintain_order="left").with_row_index("row")
    postings = drawn_rows.drop("prefecture_code", strict=False).join(members.select("member_no", "row"), on="member_no")
    return (frame.drop("member_no").rename({"row": "member_no"}) for frame in (members, postings))


def inner(table: Table, cells: Cells) -> dict[tuple, tuple[int, int]]:
    """The cells that are no margin; of those true members and contributions."""
    found = {cell: both[:2] for cell, both in numbers(cells).items()}
    margins = {cell: both for cell, both in found.items() if TOTAL in cell}
    assert margins or not table.summed_over
    return {cell: both for cell, both in found.items() if cell not in margins}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_the_example_of_a_table_holds(table):
    rows = drawn(table.example.rows, (*WHOLE, "hour", "weekday"), ("day",) if table.over == "postings" else ())
    cells = drawn(table.example.cells)
    assert len(rows) >= 3
    names = [d.name for d in table.dimensions]
    assert list(cells[0]) == [*names, "members", "contributions"]
    members, others = staged(table, rows)
    found = tabulate_terms(table, members, others) if table.over == "terms" else tabulate(table, members, others, DAY)
    expected = {tuple(c[name] for name in names): (c["members"], c["contributions"]) for c in cells}
    assert len(expected) == len(cells)
    assert inner(table, found) == expected


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
    forms = typed.select(normalise(pl.col("typed"), destination.email))["typed"].to_list()
    assert forms == [form for _, form in destination.example]
