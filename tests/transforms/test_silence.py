"""A slice that had a number and has nearly nobody is found, and nothing else is."""

import datetime

import numpy as np
import pandas as pd
import pytest

from anonymizers.bands import TOTAL
from anonymizers.cells import Cells
from anonymizers.disclosure import AS_OF, SEPARATOR, Published
from anonymizers.errors import SliceSilent
from transforms.silence import FLOOR, require_heard, silent_slices
from transforms.spec import Table
from transforms.tables import catalogue

TABLES = catalogue()
DAY = datetime.date(2026, 10, 31)
YESTERDAY = (DAY - datetime.timedelta(days=1)).isoformat()

Counts = dict[tuple[str, ...], int | None]


def published(counts: Counts) -> Published:
    names = pd.Series([SEPARATOR.join(codes) for codes in counts], dtype=object)
    numbers = pd.DataFrame({"members": list(counts.values()), AS_OF: YESTERDAY}, dtype=object)
    return Published(names, numbers, np.zeros((len(counts), 58), np.int64))


def cells(table: Table, counts: Counts) -> Cells:
    codes = pd.DataFrame(list(counts), columns=[d.name for d in table.dimensions], dtype=object)
    members = np.array(list(counts.values()), np.int64)
    nothing = np.zeros(len(members), np.int64)
    return Cells(codes, members, *[nothing] * 4, np.zeros((len(members), 58), np.int64), np.zeros((len(members), 0)))


def found(name: str, before: Counts, tonight: Counts) -> list[str]:
    table = TABLES[name]
    return silent_slices(table, cells(table, tonight), published(before), DAY)


def of_consent(state: str) -> tuple[str, str]:
    return (TOTAL, state)


@pytest.mark.parametrize(
    ("told", "tonight", "silent"),
    [
        (50, 0, True),
        (50, 4, True),
        (50, 5, False),
        (49, 0, False),
        (1000, 99, True),
        (1000, 100, False),
        (None, 0, False),
    ],
)
def test_a_slice_is_silent_under_a_tenth_of_a_number_of_fifty_or_more(told, tonight, silent):
    names = found("consents_by_age_band", {of_consent("none"): told}, {of_consent("none"): tonight})
    assert names == (["consents_by_age_band.consent_status=none"] if silent else [])


def test_a_slice_that_is_not_even_counted_tonight_is_silent():
    assert found("consents_by_age_band", {of_consent("none"): 60}, {of_consent("stopped"): 60}) == [
        "consents_by_age_band.consent_status=none"
    ]


def test_cells_inside_a_table_are_no_slices():
    """Two codes at once are few people, and they move."""
    assert found("consents_by_age_band", {("25-29", "none"): 60}, {("25-29", "none"): 0}) == []


def test_a_table_in_which_nobody_is_any_more_is_silent_as_a_whole():
    (name,) = found("consents_by_age_band", {(TOTAL, TOTAL): 60}, {(TOTAL, TOTAL): 1})
    assert name == "consents_by_age_band.age_band=total"


def test_the_newest_day_is_held_against_the_day_before_it():
    board = ("雑談", YESTERDAY)
    assert found("activity_by_board", {board: 60}, {board: 60, ("雑談", DAY.isoformat()): 3}) == [
        "activity_by_board.board=雑談"
    ]
    assert found("activity_by_board", {board: 60}, {board: 60, ("雑談", DAY.isoformat()): 30}) == []
    both = {board: 60, ("雑談", DAY.isoformat()): 60}
    assert found("activity_by_board", both, both) == []


def test_a_day_without_postings_is_silent():
    before, gone = (TOTAL, YESTERDAY), (TOTAL, DAY.isoformat())
    assert found("activity_by_board", {before: 60}, {before: 60}) == [f"activity_by_board.day={gone[1]}"]


@pytest.mark.parametrize("name", ["engagement_by_age_band", "trending_terms"])
def test_means_and_terms_have_no_slices(name):
    table = TABLES[name]
    codes = tuple("x" for _ in table.dimensions)
    assert silent_slices(table, cells(table, {codes: 0}), published({codes: 60}), DAY) == []


def test_before_the_first_night_nothing_is_silent():
    table = TABLES["consents_by_age_band"]
    assert silent_slices(table, cells(table, {}), Published.nothing(["members"]), DAY) == []


def test_the_night_stops_and_says_where_and_how_to_go_on():
    silent = ["a.b=1", "a.b=2", "c.d=x"]
    with pytest.raises(SliceSilent, match="^a.b=1;a.b=2;c.d=x: each had 50 .*SUDARE_ACCEPT_SILENT='a.b=1;a.b=2;c.d=x'"):
        require_heard(silent, ())
    with pytest.raises(SliceSilent, match="^c.d=x: "):
        require_heard(silent, ("a.b",))
    require_heard(silent, ("a.b=1", "a.b=2", "c.d=x"))
    require_heard([], ())


def test_of_many_only_some_are_named():
    with pytest.raises(SliceSilent, match="^(a.b=.;){7}a.b=8 and 1 more: "):
        require_heard([f"a.b={n}" for n in range(1, 10)], ())


def test_no_true_count_is_told():
    table = TABLES["consents_by_age_band"]
    counts = {of_consent("none"): 4_321}
    silent = silent_slices(table, cells(table, {of_consent("none"): 7}), published(counts), DAY)
    with pytest.raises(SliceSilent) as caught:
        require_heard(silent, ())
    assert not {"7", "4321", "4,321"} & set(str(caught.value).replace("=", " ").split())
    assert FLOOR == 50
