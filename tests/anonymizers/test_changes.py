"""Distinct changes between two states of a cell, against sets of members that a test knows."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers import changes
from anonymizers.changes import (
    KEPT_SUMS,
    MOST_COUNTED,
    POWER_SUMS,
    distinct_changes,
    distinct_changes_of_cells,
    power_sums,
)
from anonymizers.controls import QUORUM
from tests import members
from tests.members import PRIME, points

people = st.sets(st.integers(0, 60), max_size=40)
nobody: set[int] = set()


def sums_of(*cells: set | list) -> np.ndarray:
    """The power sums of some cells, each given as its members."""
    drawn = [point for cell in cells for point in points(cell)]
    groups = [number for number, cell in enumerate(cells) for _ in cell]
    return power_sums(np.array(drawn, np.uint32), np.array(groups, np.int64), len(cells))


def test_29_sums_tell_15_members_apart_and_a_quorum_needs_no_more():
    assert (POWER_SUMS, MOST_COUNTED, KEPT_SUMS) == (29, 15, 58)
    assert max(QUORUM) <= MOST_COUNTED
    assert changes.FIELD == PRIME


@settings(max_examples=100)
@given(st.lists(people, min_size=1, max_size=5))
def test_power_sums_are_those_of_their_definition(cells):
    assert sums_of(*cells).tolist() == [members.power_sums(points(cell)) for cell in cells]


@pytest.mark.parametrize("point", [1, 2, PRIME - 2, PRIME - 1])
@pytest.mark.parametrize("count", [1, 2, 100_000])
def test_power_sums_stay_in_the_field_at_its_ends(point, count):
    """So many of the largest residues overflow nothing, and no sum is the prime itself."""
    found = power_sums(np.full(count, point, np.uint32), np.zeros(count, np.int64), 1)
    assert found.tolist() == [[count * pow(point, k, PRIME) % PRIME for k in range(1, 30)]]
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert found.max() < PRIME


def test_groups_of_nobody_have_no_sums():
    assert power_sums(np.array([], np.uint32), np.array([], np.int64), 3).tolist() == [[0] * 29] * 3
    assert sums_of(nobody, {1}, nobody)[[0, 2]].tolist() == [[0] * 29] * 2


@settings(max_examples=100)
@given(st.lists(people, min_size=1, max_size=4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_power_sums_add_up_over_shards_in_any_order(cells, shards, draw):
    """Every member is in one shard; who is in which, and in which order they come, changes no number."""
    shard_of = {member: draw.randrange(shards) for member in range(61)}
    parts = [sums_of(*({m for m in cell if shard_of[m] == n} for cell in cells)) for n in range(shards)]
    draw.shuffle(parts)
    shuffled = [draw.sample(sorted(cell), len(cell)) for cell in cells]
    assert (sum(parts) % PRIME).tolist() == sums_of(*shuffled).tolist()


@settings(max_examples=400)
@given(people, people)
def test_changes_are_the_members_of_one_of_the_two_states_up_to_15(before, now):
    assert distinct_changes(sums_of(before), sums_of(now)).tolist() == [min(15, len(before ^ now))]


@settings(max_examples=100)
@given(people, st.integers(0, 15), st.integers(0, 15))
def test_who_joins_and_who_leaves_are_both_counted_and_do_not_cancel_out(stay, joining, leaving):
    """Net growth is not asked for: ten in and ten out are twenty, though nobody's number moves."""
    join, leave = set(range(100, 100 + joining)), set(range(200, 200 + leaving))
    counted = distinct_changes(sums_of(stay | leave), sums_of(stay | join))
    assert counted.tolist() == [min(15, joining + leaving)]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 14, 15, 16, 300, 5_000])
def test_more_than_15_count_as_15(count):
    assert distinct_changes(sums_of(nobody), sums_of(list(range(count)))).tolist() == [min(15, count)]
    assert distinct_changes(sums_of(list(range(count))), sums_of(nobody)).tolist() == [min(15, count)]


def test_as_many_cells_as_do_not_fit_the_cache_are_each_counted_for_themselves():
    """More than two chunks, and cells that did not change among them."""
    draw = random.Random(7)
    wanted = [draw.randrange(16) for _ in range(changes._CELLS_AT_ONCE * 2 + 100)]
    first = np.cumsum([0, *wanted])
    drawn = np.array([draw.randrange(1, PRIME) for _ in range(first[-1])], np.uint32)
    now = power_sums(drawn, np.repeat(np.arange(len(wanted)), wanted), len(wanted))
    before = sums_of(list(range(30))).repeat(len(wanted), axis=0)
    assert distinct_changes(before, (before + now) % PRIME).tolist() == wanted


def test_members_whose_points_coincide_are_told_too_late_and_never_too_early():
    """Of two who share a point one counts; and if one of them leaves as the other joins, nobody is seen to change."""
    (shared,) = points([1])
    one, both = (power_sums(np.full(n, shared), np.zeros(n, np.int64), 1) for n in (1, 2))
    assert distinct_changes(one * 0, both).tolist() == [1]
    assert distinct_changes(both, one).tolist() == [1]
    assert distinct_changes(one, power_sums(np.array([shared]), np.zeros(1, np.int64), 1)).tolist() == [0]


def test_no_cells_have_no_changes():
    assert distinct_changes(np.zeros((0, 29), np.int64), np.zeros((0, 29), np.int64)).tolist() == []


# Cells: of the settled members, and of all


def cell_of(settled: set, fresh: set) -> np.ndarray:
    """The kept sums of one cell."""
    return np.hstack([sums_of(settled), sums_of(settled | fresh)])


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        pytest.param((range(30), ()), (range(30), ()), 0, id="nobody"),
        pytest.param((range(30), range(50, 62)), (range(42), range(50, 62)), 12, id="settled ones join"),
        pytest.param((range(30), range(50, 62)), (range(30), ()), 0, id="fresh ones leave"),
        pytest.param((range(30), ()), (range(30), range(50, 62)), 0, id="fresh ones join"),
        pytest.param((range(30), range(50, 62)), ([*range(30), *range(50, 62)], ()), 0, id="fresh ones settle"),
        pytest.param((range(30), ()), ([*range(30), *range(50, 62)], ()), 12, id="some came and settled since"),
        pytest.param((range(30), range(50, 62)), (range(7, 30), range(50, 62)), 7, id="settled ones leave"),
        pytest.param(
            (range(30), range(50, 62)), ([*range(5, 30), *range(50, 62)], ()), 5, id="some settle and others leave"
        ),
        pytest.param((range(30), range(50, 60)), (range(37), range(54, 60)), 7, id="fresh leave, settled join"),
    ],
)
def test_of_a_cell_settling_is_no_change_and_a_fresh_account_is_none_yet(before, now, changes):
    one, other = (cell_of(set(settled), set(fresh)) for settled, fresh in (before, now))
    assert distinct_changes_of_cells(one, other).tolist() == [changes]
    assert distinct_changes_of_cells(other, one).tolist() == [changes]


@settings(max_examples=200)
@given(people, people, people, people)
def test_a_cell_has_changed_by_the_lesser_of_its_settled_members_and_of_all(settled, fresh, settled_now, fresh_now):
    counted = distinct_changes_of_cells(cell_of(settled, fresh), cell_of(settled_now, fresh_now))
    lesser = min(len(settled ^ settled_now), len((settled | fresh) ^ (settled_now | fresh_now)))
    assert counted.tolist() == [min(15, lesser)]


def test_no_cells_at_all_have_no_changes():
    assert distinct_changes_of_cells(np.zeros((0, 58), np.int64), np.zeros((0, 58), np.int64)).tolist() == []
