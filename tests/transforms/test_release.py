"""From true cells to what an analyst reads: a whole grid with its margins, and no look behind what is suppressed."""

import dataclasses
import datetime
import itertools
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pytest

from anonymizers import bands, controls, perturbation
from anonymizers.bands import TOTAL
from anonymizers.cells import Cells, concatenate, count, with_margins
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import AS_OF, Disclosure, Published, cell_names
from anonymizers.errors import DisclosureRefused
from tests.members import KEY, frame, row
from transforms.release import (
    disclosed,
    periods,
    published_frame,
    release,
    repeat,
    week_before,
    week_code,
)
from transforms.spec import WINDOW_DAYS, Table
from transforms.tables import catalogue

TABLES = catalogue()
DAY = datetime.date(2026, 10, 31)
WEEK = "2026-W43"
BOARDS = ["育児の悩み", "雑談"]
STATES = ("consented", "stopped", "withdrawn", "outdated", "none")
BOUND = perturbation.load(controls.PERTURBATION).bound
CONTROL = DisclosureControl()

Who = Mapping[tuple, Iterable[int]]


def cells(table: Table, who: Who, amounts: Mapping[int, int] | None = None) -> Cells:
    """True cells with their margins. Every member is in one cell, so here margins are sums for all tables."""
    names = [d.name for d in table.dimensions]
    rows = [
        row(member, (amounts or {}).get(member, 1), **dict(zip(names, codes, strict=True)))
        for codes, members in who.items()
        for member in members
    ]
    return with_margins(count(frame(rows, names), names, table.bins), table.summed_over)


def nothing(table: Table) -> Published:
    return Published.nothing([m.name for m in disclosed(table)])


def disclose(
    name: str,
    who: Who,
    threshold: int = 10,
    published: Published | None = None,
    day: datetime.date = DAY,
    boards: list[str] = BOARDS,
    amounts: Mapping[int, int] | None = None,
) -> Disclosure:
    table = TABLES[name]
    before = nothing(table) if published is None else published
    control = DisclosureControl(threshold=threshold)
    return release(table, cells(table, who, amounts), before, day, boards, control, KEY)


def shown(name: str, who: Who, **changes) -> pd.DataFrame:
    return published_frame(TABLES[name], disclose(name, who, **changes).release)


def keep(name: str, told: Disclosure) -> Published:
    """What a warehouse would hand to the next night, in another order."""
    table, released = TABLES[name], told.release.frame
    names = cell_names(released[[d.name for d in table.dimensions]])
    sums = dict(zip(told.names, told.references, strict=True))
    turned = released.index[::-1]
    return Published(
        names[turned].reset_index(drop=True),
        released.loc[turned, [*(m.name for m in disclosed(table)), AS_OF]].reset_index(drop=True),
        np.array([sums.get(n, np.zeros(58, np.int64)) for n in names[turned]]),
    )


def crowd(number: int, size: int) -> range:
    """Members of their own: no two crowds of different numbers meet."""
    return range(10_000 * number, 10_000 * number + size)


def inner(found: pd.DataFrame, table: Table) -> pd.DataFrame:
    names = [d.name for d in table.dimensions]
    return found[(found[names] != TOTAL).all(axis=1)]


CLOSED = [name for name, table in TABLES.items() if all(d.codes for d in table.dimensions)]


@pytest.mark.parametrize("name", CLOSED)
def test_there_is_a_row_for_every_combination_of_codes_and_margins(name):
    table = TABLES[name]
    combinations = list(itertools.product(*((*d.codes, TOTAL) for d in table.dimensions)))
    for who in ({}, {combinations[0]: crowd(1, 40)}):
        found = shown(name, who)
        assert list(map(tuple, found[[d.name for d in table.dimensions]].to_numpy())) == combinations
        assert list(found.columns) == list(table.columns)
        measures = found[[m.name for m in table.measures]]
        # The cell itself and all its margins, which hold the same members.
        assert measures.notna().any(axis=1).sum() == (2 ** len(table.dimensions) if who else 0)
        assert set(found[AS_OF]) == {DAY.isoformat()}


def test_a_cell_of_a_few_and_an_empty_one_look_alike():
    combination = ("13", "30-34", "0")
    others = {("01", "-19", "0"): crowd(1, 40)}
    few, none = (
        shown("members_by_prefecture", {combination: crowd(2, n), **others}).set_index(
            ["prefecture_code", "age_band", "youngest_child_band"]
        )
        for n in (9, 0)
    )
    assert few.index.equals(none.index)
    assert few.loc[combination].isna().equals(none.loc[combination].isna())
    assert few.loc[combination].drop("members").equals(none.loc[combination].drop("members"))
    assert few["members"].notna().equals(none["members"].notna())


def test_every_board_and_the_sensitive_one_have_a_row_for_each_of_28_days():
    found = shown("activity_by_board", {("雑談", "2026-10-31"): crowd(1, 40)})
    days = [(DAY - datetime.timedelta(days=n)).isoformat() for n in range(28)]
    rows = list(map(tuple, found[["board", "day"]].to_numpy()))
    assert rows == list(itertools.product([*BOARDS, bands.SENSITIVE_BOARDS, TOTAL], days))
    told = found[found["members"].notna()]
    assert told[["board", "day"]].to_numpy().tolist() == [["雑談", "2026-10-31"], [TOTAL, "2026-10-31"]]
    assert (told["members"] - 40).abs().max() <= BOUND  # of the same members, and with noise of their own


def test_a_board_called_like_the_sensitive_one_or_a_margin_is_no_second_row():
    found = shown("activity_by_board", {}, boards=[*BOARDS, bands.SENSITIVE_BOARDS, TOTAL])
    assert len(found) == 4 * 28


def test_months_run_without_a_gap_from_the_first_to_the_month_of_the_day():
    found = shown("registrations_by_month", {("2026-07",): crowd(1, 40), ("unknown",): crowd(2, 40)})
    months = found["registered_month"].tolist()
    assert months[:2] == ["earlier", "2010-01"]
    assert months[-3:] == ["2026-10", "unknown", TOTAL]
    assert len(months) == 1 + 16 * 12 + 10 + 2
    assert found[found["members"].notna()]["registered_month"].tolist() == ["2026-07", "unknown", TOTAL]


def test_the_grid_does_not_tell_when_the_first_member_came():
    one = shown("registrations_by_month", {("earlier",): crowd(1, 1), ("2026-09",): crowd(2, 50)})
    none = shown("registrations_by_month", {("2026-09",): crowd(2, 50)})
    inside = one["registered_month"] != TOTAL
    pd.testing.assert_frame_equal(one[inside], none[inside])


@pytest.mark.parametrize(
    ("name", "codes", "dimension"),
    [
        pytest.param("members_by_prefecture", ("48", "30-34", "0"), "prefecture_code", id="a prefecture"),
        pytest.param("members_by_prefecture", ("13", "31", "0"), "age_band", id="an age"),
        pytest.param("activity_by_board", ("不妊治療", "2026-10-31"), "board", id="a board not to be named"),
        pytest.param("activity_by_board", ("雑談", "2026-10-03"), "day", id="a day before the window"),
        pytest.param("activity_by_board", ("雑談", "2026-11-01"), "day", id="tomorrow"),
        pytest.param("registrations_by_month", ("2026-11",), "registered_month", id="a later month"),
        pytest.param("registrations_by_month", ("2009-12",), "registered_month", id="a month before the first"),
        pytest.param("activity_by_hour", ("Sat", "24", "13"), "hour", id="a 25th hour"),
        pytest.param("retention_by_cohort", ("2026-10", "asleep"), "activity", id="an activity"),
        pytest.param("trending_terms", ("雑談", "2026-W42", "離乳食"), "week", id="another week"),
        pytest.param("trending_terms", ("不妊治療", WEEK, "離乳食"), "board", id="a board not to be named, of terms"),
    ],
)
def test_a_value_outside_the_domain_is_refused_and_not_quoted(name, codes, dimension):
    message = rf"^{name}\.{dimension}: \d cells have a value outside its domain$"
    with pytest.raises(DisclosureRefused, match=message) as refused:
        shown(name, {codes: crowd(1, 40)})
    assert "不妊" not in str(refused.value)


def test_a_cell_that_appears_twice_is_refused_before_anything_else():
    table = TABLES["registrations_by_month"]
    once = cells(table, {("2026-10",): crowd(1, 12)})
    with pytest.raises(DisclosureRefused, match=r"^registrations_by_month: a cell appears twice; the shards were not"):
        release(table, concatenate([once, once]), nothing(table), DAY, BOARDS, CONTROL, KEY)


# Shares, means, labels, thresholds


def states(sizes: Mapping[str, int], band: str = "30-34", first: int = 0) -> dict[tuple, range]:
    return {(band, state): crowd(first + n, size) for n, (state, size) in enumerate(sizes.items())}


def test_a_share_is_the_ratio_of_two_published_numbers():
    """No true count is in it: whoever has the table can work it out."""
    found = shown("consents_by_age_band", states(dict.fromkeys(STATES, 60) | {"none": 360}))
    whole = found.set_index(["age_band", "consent_status"])["members"]
    told = found[found["share_pct"].notna()]
    assert len(told) == 2 * 6  # the band and all bands: five states, and the margin
    for band, state, share in told[["age_band", "consent_status", "share_pct"]].itertuples(index=False):
        assert share == round(min(100, 100 * whole[band, state] / whole[band, TOTAL]), 1)
    margin = told[told["consent_status"] == TOTAL]
    assert margin["share_pct"].tolist() == [100.0, 100.0]


@pytest.mark.parametrize("few", [0, 1, 9])
def test_a_suppressed_state_has_no_share_and_the_others_keep_theirs(few):
    found = shown("consents_by_age_band", states(dict.fromkeys(STATES, 60) | {"stopped": few}))
    found = found.set_index(["age_band", "consent_status"])
    assert found.loc["30-34"]["share_pct"].isna().tolist() == [state == "stopped" for state in (*STATES, TOTAL)]
    assert found.loc["35-39"]["share_pct"].isna().all()


def test_a_share_is_no_more_than_the_whole():
    """Two numbers with noise of their own: a state that everybody is in could be more than all."""
    shares = [
        shown("retention_by_cohort", {("2026-09", "posted"): crowd(n, 30), ("2026-09", "silent"): crowd(99, 1)})
        .set_index(["registered_month", "activity"])
        .loc[("2026-09", "posted"), "share_pct"]
        for n in range(12)
    ]
    assert max(shares) == 100.0
    assert min(shares) < 100.0


def test_shares_of_a_cohort_are_of_those_who_joined_in_it():
    found = shown(
        "retention_by_cohort",
        {
            ("2026-08", "posted"): crowd(1, 500),
            ("2026-08", "silent"): crowd(2, 500),
            ("2026-09", "posted"): crowd(3, 100),
            ("2026-09", "silent"): crowd(4, 900),
        },
    ).set_index(["registered_month", "activity"])["share_pct"]
    assert [round(found[month, "posted"] / 10) for month in ("2026-08", "2026-09", TOTAL)] == [5, 1, 3]


def test_means_and_quantiles_stand_without_members():
    amounts = {member: 1 + member % 4 for member in crowd(1, 60)}
    found = shown("engagement_by_age_band", {("30-34", "0"): crowd(1, 60)}, amounts=amounts)
    assert "members" not in found
    (told,) = inner(found, TABLES["engagement_by_age_band"]).dropna().itertuples(index=False)
    assert abs(told.postings_per_member - 2.5) <= 0.4 * 4 / 60 + 0.005
    assert 0 <= told.postings_median <= told.postings_p90 <= 24.5


def test_labels_stand_beside_their_codes_and_margins_have_one():
    found = shown("members_by_prefecture", {("13", "30-34", "0"): crowd(1, 40)})
    assert found["prefecture_code_ja"].notna().all()
    labels = dict(zip(found["prefecture_code"], found["prefecture_code_ja"], strict=True))
    assert (labels["13"], labels["unknown"], labels[TOTAL]) == ("東京都", "不明", "全体")


@pytest.mark.parametrize("night", [5, 10, 20])
def test_the_stricter_of_night_and_table_counts(night):
    """The table says ten; a night may ask for more and not for less."""
    told = disclose("registrations_by_month", {("2026-09",): crowd(1, 300)}, threshold=night)
    assert told.release.threshold == max(night, 10)
    loose = dataclasses.replace(TABLES["registrations_by_month"], control=DisclosureControl(threshold=5))
    true = cells(loose, {("2026-09",): crowd(1, 300)})
    control = DisclosureControl(threshold=night)
    assert release(loose, true, nothing(loose), DAY, BOARDS, control, KEY).release.threshold == night


# From night to night


@pytest.mark.parametrize("name", list(TABLES))
def test_the_next_night_of_the_same_members_is_the_same_but_for_what_is_new(name):
    """Whatever the order in which the warehouse hands over what was published."""
    codes = {
        "activity_by_board": ("雑談", "2026-10-31"),
        "activity_by_hour": ("Sat", "21", "13"),
        "registrations_by_month": ("2026-09",),
        "retention_by_cohort": ("2026-09", "posted"),
        "trending_terms": ("雑談", WEEK, "離乳食"),
        "consents_by_age_band": ("30-34", "none"),
        "engagement_by_age_band": ("30-34", "0"),
        "members_by_prefecture": ("13", "30-34", "0"),
    }[name]
    first = disclose(name, {codes: crowd(1, 60)})
    tomorrow = DAY + datetime.timedelta(days=1) if name != "trending_terms" else DAY
    second = disclose(name, {codes: crowd(1, 61)}, published=keep(name, first), day=tomorrow)
    table = TABLES[name]
    names = [d.name for d in table.dimensions]
    before, now = (published_frame(table, d.release).set_index(names) for d in (first, second))
    both = now.index.intersection(before.index)
    assert len(both) >= len(before) - 4  # boards that leave the window by a day
    pd.testing.assert_frame_equal(now.loc[both], before.loc[both])
    assert set(now.drop(both)[AS_OF]) <= {tomorrow.isoformat()}
    assert len(second.names) == 0


def test_a_board_that_is_no_longer_there_keeps_its_rows_and_gets_no_new_ones():
    """Nobody is in its cells any more: of those that had a number a quorum has left, the others stand still."""
    there, gone = ("育児の悩み", "2026-10-30"), ("雑談", "2026-10-30")
    told = [disclose("activity_by_board", {there: crowd(2, 40), gone: crowd(1, 40), ("雑談", "2026-10-29"): [7]})]
    for n in (1, 2):
        day, published = DAY + datetime.timedelta(days=n), keep("activity_by_board", told[-1])
        told.append(
            disclose("activity_by_board", {there: crowd(2, 40)}, published=published, day=day, boards=["育児の悩み"])
        )
    before, *later = (published_frame(TABLES["activity_by_board"], d.release).set_index(["board", "day"]) for d in told)
    assert before.loc[gone, "members"] > 15
    for n, now in enumerate(later, 1):
        days = [(DAY - datetime.timedelta(days=ago)).isoformat() for ago in range(28 - n)]
        assert sorted(now.xs("雑談").index) == sorted(days)
        assert len(now.xs("育児の悩み")) == 28
        assert now.loc[gone].isna().tolist() == [True, True, False]
        assert now.loc[gone, AS_OF] == "2026-11-01"
        still = now.xs("雑談").drop(gone[1])
        pd.testing.assert_frame_equal(still, before.xs("雑談").loc[still.index])


def test_a_board_that_has_a_quorum_less_keeps_its_number_though_it_is_no_longer_there():
    """What a night finds in the state is what counts: its power sums here are of hardly anybody."""
    told = disclose("activity_by_board", {("雑談", "2026-10-30"): crowd(1, 40)})
    kept = keep("activity_by_board", told)
    kept.power_sums[:] = 0
    later = disclose("activity_by_board", {}, published=kept, boards=[])
    cell = ("雑談", "2026-10-30")
    before, now = (
        published_frame(TABLES["activity_by_board"], d.release).set_index(["board", "day"]).loc[cell]
        for d in (told, later)
    )
    pd.testing.assert_series_equal(now, before)


def test_a_board_that_was_never_published_and_may_not_be_named_has_no_row():
    found = shown("activity_by_board", {}, boards=["育児の悩み"])
    assert set(found["board"]) == {"育児の悩み", bands.SENSITIVE_BOARDS, TOTAL}


TERMS = {
    ("雑談", WEEK, "離乳食"): crowd(1, 40),
    ("雑談", WEEK, "保育園"): crowd(2, 9),
    ("育児の悩み", WEEK, "保育園"): crowd(3, 30),
    ("育児の悩み", WEEK, "花子"): crowd(4, 1),
}


def test_a_term_has_a_row_only_with_a_number_and_every_board_has_its_margin():
    found = shown("trending_terms", TERMS)
    rows = list(map(tuple, found[["board", "term"]].to_numpy()))
    assert rows == sorted(rows)
    assert set(rows) == {
        *((board, TOTAL) for board in (*BOARDS, bands.SENSITIVE_BOARDS, TOTAL)),
        ("雑談", "離乳食"),
        ("育児の悩み", "保育園"),
        (TOTAL, "離乳食"),
        (TOTAL, "保育園"),
    }
    assert found.set_index(["board", "term"])["members"].isna().sum() == 1  # the sensitive boards' margin
    assert "花子" not in found.to_csv()


def test_a_term_without_a_number_is_neither_counted_nor_kept():
    """Not in the release, not among the suppressed, not in the references: that somebody used it stays nowhere."""
    told = disclose("trending_terms", TERMS)
    frame = told.release.frame
    assert "花子" not in frame.to_csv()
    assert (told.release.suppressed_cells, told.release.changed_cells) == (1, 8)
    assert set(told.names) == set(cell_names(frame.loc[frame["members"].notna(), ["board", "week", "term"]]))
    assert len(told.references) == len(told.names) == 7


def test_terms_nobody_used_leave_the_margins():
    found = shown("trending_terms", {})
    assert found["term"].tolist() == [TOTAL] * 4
    assert found["members"].isna().all()


def test_a_closed_week_is_repeated_as_it_was_published():
    """Nothing is counted: what the warehouse has comes back, in the same order, whatever order that has it in."""
    first = disclose("trending_terms", TERMS)
    table = TABLES["trending_terms"]
    next_day = DAY + datetime.timedelta(days=1)
    again = repeat(table, keep("trending_terms", first), next_day, CONTROL, KEY)
    before, now = (published_frame(table, d.release) for d in (first, again))
    pd.testing.assert_frame_equal(now, before)
    assert len(again.names) == 0
    assert again.release.changed_cells == 0
    assert (now[AS_OF] == DAY.isoformat()).all()


@pytest.mark.parametrize(
    ("day", "monday", "week"),
    [
        pytest.param("2026-10-31", "2026-10-19", "2026-W43", id="a Saturday"),
        pytest.param("2026-11-01", "2026-10-26", "2026-W44", id="a Sunday: its own week is over"),
        pytest.param("2026-11-02", "2026-10-26", "2026-W44", id="a Monday"),
        pytest.param("2027-01-03", "2026-12-28", "2026-W53", id="the 53rd week, in January"),
        pytest.param("2027-01-09", "2026-12-28", "2026-W53", id="the week after it"),
        pytest.param("2024-01-07", "2024-01-01", "2024-W01", id="a week of one year"),
    ],
)
def test_the_last_week_that_is_over(day, monday, week):
    found = week_before(datetime.date.fromisoformat(day))
    assert (found.isoformat(), week_code(found)) == (monday, week)
    assert found.weekday() == 0


def test_periods_are_the_closed_days_and_weeks_of_a_night():
    days = [DAY - datetime.timedelta(days=n) for n in range(WINDOW_DAYS)]
    assert periods(TABLES["activity_by_board"], DAY) == {"day": days}
    assert periods(TABLES["trending_terms"], DAY) == {"week": [WEEK]}
    assert {name for name, table in TABLES.items() if periods(table, DAY)} == {"activity_by_board", "trending_terms"}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("members_by_prefecture", "consents_by_age_band", "age_band"),
        ("registrations_by_month", "retention_by_cohort", "registered_month"),
    ],
)
def test_the_same_cell_of_two_tables_over_members_has_the_same_number_or_none(one, other, shared):
    """Nobody averages two of its numbers, and what one of the tables suppresses the other one does not tell."""
    codes = {"age_band": bands.AGE_BANDS[:-1], "registered_month": [f"2025-{n:02d}" for n in range(1, 13)]}[shared]
    rest = {"prefecture_code": "13", "youngest_child_band": "0", "consent_status": "none", "activity": "posted"}
    found = []
    for name in (one, other):
        names = [d.name for d in TABLES[name].dimensions]
        who = {tuple({**rest, shared: code}[d] for d in names): crowd(n, 10 + n % 7) for n, code in enumerate(codes)}
        frame = shown(name, who)
        frame = frame[(frame[[d for d in names if d != shared]] == TOTAL).all(axis=1)]
        found.append(frame.set_index(shared).loc[[*codes, TOTAL], "members"])
    pd.testing.assert_series_equal(*found)
    assert found[0].notna().sum() > 3 and found[0].isna().sum() > 1


def test_margins_differ_from_the_sum_of_their_cells():
    """Each has noise of its own key, so nobody finds a suppressed cell by subtraction from the margin."""
    sizes = {("13", "30-34", band): crowd(n, 40) for n, band in enumerate(bands.CHILD_BANDS[:-1])}
    found = shown("members_by_prefecture", sizes)
    found = found[(found["prefecture_code"] == "13") & (found["age_band"] == "30-34")]
    numbers = found.set_index("youngest_child_band")["members"]
    assert numbers.notna().sum() == len(sizes) + 1
    assert numbers.drop(TOTAL).sum() != numbers[TOTAL]
    assert abs(numbers[TOTAL] - 320) <= BOUND
