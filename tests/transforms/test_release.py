"""From true cells to what an analyst reads: a whole grid, and no look behind what is suppressed."""

import datetime
import itertools

import pandas as pd
import pyarrow as pa
import pytest

from anonymizers import bands
from anonymizers.controls import DisclosureControl
from anonymizers.errors import DisclosureRefused
from transforms.release import published_frame, release
from transforms.spec import Table
from transforms.tables import catalogue

TABLES = catalogue()
DAY = datetime.date(2026, 10, 31)
BOARDS = ["育児の悩み", "雑談"]
STATES = ("consented", "stopped", "withdrawn", "outdated", "none")


def cells(table: Table, rows: list[tuple]) -> pa.Table:
    names = [*(d.name for d in table.dimensions), "members", "contributions"]
    kinds = {name: pa.string() for name in names} | {"members": pa.int64(), "contributions": pa.int64()}
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], pa.schema(kinds.items()))


def frame(name: str, rows: list[tuple], threshold: int = 10) -> pd.DataFrame:
    table = TABLES[name]
    released = release(table, cells(table, rows), DAY, BOARDS, DisclosureControl(threshold=threshold))
    return published_frame(table, released)


def told(found: pd.DataFrame) -> list[tuple]:
    """The rows that say something."""
    return [tuple(row) for row in found.dropna().itertuples(index=False)]


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if all(d.codes for d in table.dimensions)])
def test_there_is_a_row_for_every_combination_of_codes(name):
    table = TABLES[name]
    combinations = list(itertools.product(*(d.codes for d in table.dimensions)))
    found = frame(name, [(*combinations[0], 12, 24)])
    published = found[[d.name for d in table.dimensions]]
    assert sorted(map(tuple, published.to_numpy())) == sorted(combinations)
    assert list(found.columns) == list(table.columns)
    assert len(told(found)) <= 1


def test_a_cell_of_a_few_and_an_empty_one_look_alike():
    combination = ("13", "30-34", "0")
    few, none = (frame("members_by_prefecture", [(*combination, n, 0), ("01", "-19", "0", 10, 0)]) for n in (9, 0))
    pd.testing.assert_frame_equal(few, none)


def test_every_board_and_the_sensitive_one_have_a_row():
    found = frame("activity_by_board", [("雑談", "2026-10-31", 10, 33)])
    assert set(found["board"]) == {*BOARDS, bands.SENSITIVE_BOARDS}
    assert told(found) == [("雑談", "2026-10-31", 10, 33)]


def test_a_board_called_like_the_sensitive_one_is_one_row():
    table = TABLES["activity_by_board"]
    released = release(table, cells(table, []), DAY, [*BOARDS, bands.SENSITIVE_BOARDS], DisclosureControl())
    assert len(released.frame) == 3


def test_months_run_without_a_gap_to_the_month_of_the_day():
    found = frame("registrations_by_month", [("2026-07", 12, 0), ("unknown", 11, 0)])
    assert found["registered_month"].tolist() == ["2026-07", "2026-08", "2026-09", "2026-10", "unknown"]
    assert told(found) == [("2026-07", 12), ("unknown", 11)]


@pytest.mark.parametrize("rows", [[], [("unknown", 3, 0)]], ids=["no cells", "only unknown"])
def test_no_month_is_known(rows):
    assert frame("registrations_by_month", rows)["registered_month"].tolist() == ["unknown"]


def test_the_grid_does_not_tell_when_the_first_member_came():
    one = frame("registrations_by_month", [("2001-03", 1, 0), ("2026-09", 50, 0)])
    none = frame("registrations_by_month", [("2026-09", 50, 0)])
    pd.testing.assert_frame_equal(one, none)


@pytest.mark.parametrize(
    ("name", "row", "dimension"),
    [
        pytest.param("members_by_prefecture", ("48", "30-34", "0", 50, 0), "prefecture_code", id="a prefecture"),
        pytest.param("members_by_prefecture", ("13", "31", "0", 50, 0), "age_band", id="an age"),
        pytest.param("members_by_prefecture", (None, "30-34", "0", 50, 0), "prefecture_code", id="a missing code"),
        pytest.param("activity_by_board", ("不妊治療", "2026-10-31", 50, 0), "board", id="a board not to be named"),
        pytest.param("activity_by_board", ("雑談", "2026-10-30", 50, 0), "day", id="another day"),
        pytest.param("registrations_by_month", ("2026-11", 50, 0), "registered_month", id="a later month"),
        pytest.param("activity_by_hour", ("Sat", "24", 50, 60), "hour", id="a 25th hour"),
    ],
)
def test_a_value_outside_the_domain_is_refused_and_not_quoted(name, row, dimension):
    with pytest.raises(DisclosureRefused, match=rf"^{name}\.{dimension}: 1 cells have a value outside") as refused:
        frame(name, [row])
    assert "不妊" not in str(refused.value)


def states(counts: dict[str, int], band: str = "30-34") -> list[tuple]:
    return [(band, state, count, 0) for state, count in counts.items()]


def test_shares_are_of_the_members_of_the_band():
    found = frame("consents_by_age_band", states(dict.fromkeys(STATES, 20) | {"none": 120}))
    shares = dict(zip(found["consent_status"], found["share_pct"], strict=False))
    assert {row[1]: row[-1] for row in told(found)} == {**dict.fromkeys(STATES, 10.0), "none": 60.0}
    assert len(shares) == 5


@pytest.mark.parametrize("few", [0, 1, 9])
def test_one_suppressed_state_hides_the_shares_of_its_band_and_of_no_other(few):
    rows = states(dict.fromkeys(STATES, 20) | {"stopped": few}) + states(dict.fromkeys(STATES, 10), "35-39")
    found = frame("consents_by_age_band", rows).set_index(["age_band", "consent_status"])
    assert found.loc["30-34", "share_pct"].isna().all()
    assert found.loc["30-34", "members"].notna().sum() == 4
    assert found.loc["35-39", "share_pct"].tolist() == [20.0] * 5


def test_a_mean_is_of_the_members_of_the_cell_and_stands_alone():
    found = frame("engagement_by_age_band", [("30-34", "0", 12, 31), ("30-34", "1-2", 9, 31)])
    assert told(found) == [("30-34", "0", 2.58)]  # 31 / 12 = 2.583
    assert "members" not in found


def test_labels_stand_beside_their_codes():
    found = frame("members_by_prefecture", [("13", "30-34", "0", 12, 0)])
    assert told(found) == [("13", "東京都", "30-34", "0", 12)]
    assert found["prefecture_code_ja"].notna().all()


@pytest.mark.parametrize(("night", "shown"), [(5, False), (10, True), (12, True), (13, False)])
def test_the_stricter_of_night_and_table_counts(night, shown):
    """The table says ten; a night may ask for more and not for less."""
    members = 9 if night == 5 else 12
    assert bool(told(frame("members_by_prefecture", [("13", "30-34", "0", members, 0)], night))) == shown


@pytest.mark.parametrize("count", [None, 12.5], ids=["missing", "fractional"])
def test_a_count_that_is_none_is_refused(count):
    table = TABLES["registrations_by_month"]
    true = pa.table({"registered_month": ["2026-10", "2026-09"], "members": [count, 12.0], "contributions": [0, 0]})
    with pytest.raises(DisclosureRefused):
        release(table, true, DAY, BOARDS, DisclosureControl())


def test_a_cell_that_appears_twice_is_refused_as_one():
    with pytest.raises(DisclosureRefused):
        frame("registrations_by_month", [("2026-10", 12, 0), ("2026-10", 3, 0)])
