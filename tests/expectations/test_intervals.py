import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.bands import TOTAL
from expectations.intervals import (
    MOST,
    Contradiction,
    Knowledge,
    Shown,
    _Model,
    bounds,
    intervals,
    propagate,
    suppressed,
    weakest,
)

EXACT = Knowledge(bound=0, threshold=10, most_suppressed=9)
NOISY = Knowledge(bound=8, threshold=10, most_suppressed=14)
OURS = Knowledge()

GRID = """
    prefecture  child   members
    a           0       12
    a           1-2     .
    a           3-5     20
    a           total   37
    b           0       30
    b           1-2     25
    b           3-5     .
    b           total   58
    total       0       42
    total       1-2     30
    total       3-5     23
    total       total   95
"""
"""The suppressed cells are 37 - 12 - 20 = 5 and 58 - 30 - 25 = 3."""


def shown(text, knowledge=EXACT, name="grid", **kwargs) -> Shown:
    lines = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(lines[1:], columns=lines[0])
    members = pd.to_numeric(frame.pop("members").replace(".", np.nan)).to_numpy(float)
    low, high = bounds(members[None], np.zeros((1, len(members))), knowledge)
    return Shown(name, frame.astype(object), low, high, np.isnan(members), **kwargs)


def row(table: Shown, *codes: str) -> tuple[str, int]:
    return table.name, int(np.flatnonzero((table.codes == list(codes)).all(axis=1))[0])


class TestExactMarginsPin:
    def test_in_both_rows(self):
        table = shown(GRID)
        assert intervals([table], suppressed([table])).tolist() == [[5, 5], [3, 3]]

    def test_two_in_a_line_are_not_pinned(self):
        table = shown("""
            child   members
            0       .
            1-2     .
            3-5     20
            total   24
        """)
        assert intervals([table], suppressed([table])).tolist() == [[0, 4], [0, 4]]

    def test_over_two_dimensions(self):
        table = shown("""
            prefecture  child   members
            a           0       .
            a           1-2     .
            a           total   15
            b           0       .
            b           1-2     .
            b           total   14
            total       0       16
            total       1-2     13
            total       total   29
        """)
        # a,0 is at least 16 - 9 and at most 9, and at least 15 - 9.
        assert intervals([table], [row(table, "a", "0")]).tolist() == [[7, 9]]


class TestNoiseWidens:
    def test_to_all_that_suppression_leaves(self):
        table = shown(GRID, NOISY)
        # 37 + 8 - (12 - 8, so 10) - (20 - 8) = 23 is no better than 14.
        assert intervals([table], suppressed([table])).tolist() == [[0, 14], [0, 14]]

    def test_but_a_margin_near_the_threshold_narrows(self):
        table = shown(
            """
            child   members
            0       10
            1-2     .
            total   10
            """,
            NOISY,
        )
        # The margin is at most 10 + 8, and a published cell at least 10.
        assert intervals([table], suppressed([table])).tolist() == [[0, 8]]

    def test_and_so_does_a_suppressed_margin_over_a_published_cell(self):
        table = shown(
            """
            child   members
            0       10
            1-2     .
            total   .
            """,
            NOISY,
        )
        assert intervals([table], suppressed([table])).tolist() == [[0, 4], [10, 14]]


class TestOneMemberInSeveralCells:
    EVENTS = """
        hour    members
        00      12
        01      .
        total   14
    """

    def test_a_margin_is_at_most_the_sum(self):
        table = shown(self.EVENTS, additive=False)
        # 14 - 12 of them wrote at no other hour than 01; there may be more.
        assert intervals([table], suppressed([table])).tolist() == [[2, 9]]

    def test_a_margin_is_at_least_each(self):
        text = self.EVENTS.replace("12", " .").replace("14", " .")
        table = shown(text, Knowledge(bound=0, most_suppressed=14), additive=False)
        low, high = table.low.copy(), table.high.copy()
        low[0], high[2] = 6, 7
        table = Shown("grid", table.codes, low, high, table.suppressed, additive=False)
        assert intervals([table], suppressed([table])).tolist() == [[6, 7], [0, 7], [6, 7]]

    def test_added_up_it_would_be_pinned(self):
        assert intervals([shown(self.EVENTS)], [("grid", 1)]).tolist() == [[2, 2]]


class TestLinkedTables:
    AGES = """
        age     members
        -19     .
        20-     30
        total   36
    """
    CONSENTS = """
        age     consent  members
        -19     yes      .
        -19     no       .
        -19     total    .
        20-     yes      15
        20-     no       15
        20-     total    30
        total   yes      19
        total   no       17
        total   total    36
    """

    def test_share_their_margins(self):
        ages = shown(self.AGES, name="ages", population="members")
        consents = shown(self.CONSENTS, NOISY, name="consents", population="members")
        # Of the second table alone 14; the first says that there are 36 - 30 = 6.
        assert propagate([consents], [row(consents, "-19", "total")]).tolist() == [[0, 14]]
        both = intervals([ages, consents], [row(consents, "-19", "total"), row(consents, "-19", "yes")])
        assert both.tolist() == [[6, 6], [0, 6]]

    def test_of_other_people_do_not(self):
        ages = shown(self.AGES, name="ages", population="members")
        consents = shown(self.CONSENTS, NOISY, name="consents", population="posters")
        assert intervals([ages, consents], [row(consents, "-19", "total")]).tolist() == [[0, 14]]

    def test_without_a_population_stand_alone(self):
        ages, consents = shown(self.AGES, name="ages"), shown(self.CONSENTS, NOISY, name="consents")
        assert intervals([ages, consents], [row(consents, "-19", "total")]).tolist() == [[0, 14]]

    def test_a_dimension_without_a_margin_has_no_equation(self):
        table = shown("""
            board   day         members
            x       2026-10-30  12
            x       2026-10-31  .
            y       2026-10-30  .
            y       2026-10-31  .
            total   2026-10-30  19
            total   2026-10-31  15
        """)
        # 19 - 12 on the first day; on the second 15 - 9 at least.
        assert intervals([table], suppressed([table])).tolist() == [[6, 9], [7, 7], [6, 9]]


class TestContradictions:
    TEXT = """
        child   members
        0       12
        1-2     .
        total   11
    """

    def test_are_told_by_propagation(self):
        table = shown(self.TEXT)
        with pytest.raises(Contradiction, match="no count left"):
            propagate([table], [])

    def test_are_told_by_the_programme(self, monkeypatch):
        monkeypatch.setattr(_Model, "propagated", lambda self: (self.low, self.high))
        table = shown(self.TEXT)
        with pytest.raises(Contradiction, match="no counts agree"):
            intervals([table], suppressed([table]))

    def test_are_told_over_two_dimensions(self):
        lines = [("a", "0"), ("a", "1"), ("a", TOTAL), ("b", "0"), ("b", "1"), ("b", TOTAL)]
        lines += [(TOTAL, "0"), (TOTAL, "1"), (TOTAL, TOTAL)]
        codes = pd.DataFrame(lines, columns=["prefecture", "child"], dtype=object)
        low, high = np.zeros(9), np.full(9, 10.0)
        low[8], high[8] = 9, 9
        low[2], high[2] = 5, 6
        low[5], high[5] = 3, 3
        table = Shown("grid", codes, low, high, np.ones(9, bool))
        # 9 - 3 = 6 is in 5..6, so this one agrees ...
        assert intervals([table], [("grid", 2)]).tolist() == [[6, 6]]
        high[2] = 5
        # ... and 3 + 5 is not 9.
        with pytest.raises(Contradiction):
            intervals([Shown("grid", codes, low, high, np.ones(9, bool))], [("grid", 2)])

    def test_a_table_without_rows_for_its_bounds_is_refused(self):
        table = shown(GRID)
        with pytest.raises(ValueError, match="not one bound"):
            Shown("grid", table.codes, table.low[1:], table.high, table.suppressed)

    def test_a_cell_twice_is_refused(self):
        table = shown(GRID)
        with pytest.raises(ValueError, match="appears twice"):
            Shown("grid", table.codes.assign(child="0"), table.low, table.high, table.suppressed)


class TestBounds:
    def one(self, members, age, knowledge=NOISY, unsettled=0):
        low, high = bounds(np.array(members, float)[:, None], np.array(age)[:, None], knowledge, unsettled)
        return [float(low[0]), float(high[0])]

    def test_of_tonight(self):
        assert self.one([25], [0]) == [17, 33]
        assert self.one([12], [0]) == [10, 20]
        assert self.one([np.nan], [0]) == [0, 14]

    def test_of_an_earlier_night_are_wider_by_what_may_have_changed(self):
        assert self.one([25], [3]) == [17 - 14, 33 + 14]
        assert self.one([np.nan], [3]) == [0, 28]

    def test_newcomers_do_not_count_yet(self):
        assert self.one([np.nan], [0], unsettled=2) == [0, 16]
        assert self.one([25], [1], unsettled=2) == [1, 49]
        assert self.one([np.nan], [0], unsettled=MOST) == [0, MOST]

    def test_remember_what_was_said_before(self):
        # Two nights ago 10 to 18, and 2 more or fewer each night.
        assert self.one([10, np.nan, np.nan], [0, 0, 0]) == [6, 14]

    def test_forget_what_cannot_be_right(self):
        assert self.one([60, np.nan], [0, 0]) == [0, 14]

    def test_the_project_s_own(self):
        assert (OURS.threshold, OURS.most_suppressed, OURS.staleness) == (10, 14, 14)


class TestWeakest:
    def test_come_narrowest_first(self):
        table = shown("""
            prefecture  child   members
            a           0       .
            a           1-2     .
            a           total   12
            b           0       25
            b           1-2     .
            b           total   29
        """)
        assert weakest([table], 2) == [row(table, "b", "1-2"), row(table, "a", "0")]


COUNTS = st.lists(st.integers(0, 40), min_size=6, max_size=6)
NOISE = st.lists(st.integers(-8, 8), min_size=12, max_size=12)
DRAWS = st.lists(st.integers(10, 15), min_size=12, max_size=12)


def with_margins(counts) -> tuple[pd.DataFrame, np.ndarray]:
    grid = np.array(counts).reshape(2, 3)
    whole = np.block([[grid, grid.sum(axis=1, keepdims=True)], [grid.sum(axis=0), grid.sum()]])
    codes = list(itertools.product(["a", "b", TOTAL], ["0", "1", "2", TOTAL]))
    return pd.DataFrame(codes, columns=["prefecture", "child"], dtype=object), whole.ravel()


def noisy(codes, true, noise, draws, **kwargs) -> Shown:
    members = np.where(true >= np.array(draws), np.maximum(true + np.array(noise), 10), np.nan)
    low, high = bounds(members[None], np.zeros((1, len(true))), NOISY)
    return Shown("grid", codes, low, high, np.isnan(members), **kwargs)


@settings(max_examples=50, deadline=None)
@given(COUNTS, NOISE, DRAWS)
def test_the_truth_is_in_the_programme_s_interval_and_that_in_propagation_s(counts, noise, draws):
    codes, true = with_margins(counts)
    table = noisy(codes, true, noise, draws)
    every = [("grid", n) for n in range(len(true))]
    exact, wide = intervals([table], every), propagate([table], every)
    assert (exact[:, 0] <= true).all() and (true <= exact[:, 1]).all()
    assert (wide[:, 0] <= exact[:, 0]).all() and (exact[:, 1] <= wide[:, 1]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.integers(0, 5)), max_size=60), NOISE, DRAWS)
def test_the_same_where_a_member_is_in_several_cells(members, noise, draws):
    codes, _ = with_margins([0] * 6)
    lines = [
        {3 * a + c for a in range(2) for c in range(3) if x in ("ab"[a], TOTAL) and y in (str(c), TOTAL)}
        for x, y in codes.itertuples(index=False)
    ]
    true = np.array([sum(bool(cells & line) for cells in members) for line in lines])
    table = noisy(codes, true, noise, draws, additive=False)
    every = [("grid", n) for n in range(len(true))]
    exact, wide = intervals([table], every), propagate([table], every)
    assert (exact[:, 0] <= true).all() and (true <= exact[:, 1]).all()
    assert (wide[:, 0] <= exact[:, 0]).all() and (exact[:, 1] <= wide[:, 1]).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.lists(st.integers(0, 2), min_size=24, max_size=24))
def test_the_programme_agrees_with_trying_every_table(counts, slack):
    codes, true = with_margins(counts)
    low, high = np.maximum(true - slack[:12], 0), true + np.array(slack[12:])
    inner = [0, 1, 2, 4, 5, 6]
    high[inner] = np.minimum(high[inner], 3)
    agree = ALL[((low <= ALL) & (high >= ALL)).all(axis=1)]
    table = Shown("grid", codes, low.astype(float), high.astype(float), np.ones(12, bool))
    found = intervals([table], [("grid", n) for n in range(12)])
    assert found.tolist() == np.stack([agree.min(axis=0), agree.max(axis=0)], axis=1).tolist()


def _all_tables() -> np.ndarray:
    grids = np.array(list(itertools.product(range(4), repeat=6))).reshape(-1, 2, 3)
    rows = np.concatenate([grids, grids.sum(axis=2, keepdims=True)], axis=2)
    return np.concatenate([rows, rows.sum(axis=1, keepdims=True)], axis=1).reshape(-1, 12)


ALL = _all_tables()
"""Every 2 x 3 table of 0 to 3, with its margins."""
