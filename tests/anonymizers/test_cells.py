"""True cells against an independent slow count; they add up over shards and margins."""

import dataclasses

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.bands import TOTAL
from anonymizers.cells import Cells, add_up, coded, concatenate, count, subsets, with_margins
from tests.members import cells_of, frame, numbers, row, slow

NAMES = ["a", "b"]
BINS = [0, 1, 2, 3, 5, 9, 17]
examples = settings(max_examples=120)

MEMBERS = st.dictionaries(
    st.integers(0, 80),
    st.tuples(st.sampled_from("pqr"), st.sampled_from(["1", "2", "未定"]), st.integers(0, 30), st.booleans()),
    max_size=50,
)
"""Each in one cell: member to codes, contribution, settled."""


def rows_of(people: dict) -> list[dict]:
    return [row(member, amount, settled, a=a, b=b) for member, (a, b, amount, settled) in people.items()]


def counted(rows: list[dict], bins: list[int] = BINS) -> Cells:
    return count(frame(rows, NAMES), NAMES, bins)


@examples
@given(MEMBERS, st.sampled_from([[], [0, 5], BINS]))
def test_cells_are_those_of_a_slow_count(people, bins):
    """Members, contributions, the two largest, cell keys, power sums of the settled and of all, histogram."""
    rows = rows_of(people)
    assert numbers(counted(rows, bins)) == slow(rows, NAMES, bins)


@examples
@given(MEMBERS)
def test_coded_values_are_counted_alike(people):
    rows = frame(rows_of(people), NAMES)
    one, other = count(rows, NAMES, BINS), count(rows.with_columns(coded(rows[name]) for name in NAMES), NAMES, BINS)
    assert one.to_arrow().equals(other.to_arrow())


@examples
@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_show(people, draw):
    rows = rows_of(people)
    shuffled = draw.sample(rows, len(rows))
    one, other = counted(rows), counted(shuffled)
    assert one.codes.equals(other.codes)
    assert numbers(one) == numbers(other)


def test_a_member_may_be_in_several_cells_and_counts_in_each():
    rows = [row(1, 3, a="p", b="1"), row(1, 5, a="q", b="1"), row(2, 5, a="p", b="1")]
    found = numbers(counted(rows))
    assert found == slow(rows, NAMES, BINS)
    assert [found[cell][:4] for cell in (("p", "1"), ("q", "1"))] == [(2, 8, 5, 3), (1, 5, 5, 0)]


@pytest.mark.parametrize(
    ("amounts", "largest", "second"),
    [
        pytest.param([7], 7, 0, id="one alone"),
        pytest.param([0], 0, 0, id="one who wrote nothing"),
        pytest.param([7, 7], 7, 7, id="two alike"),
        pytest.param([7, 7, 7], 7, 7, id="three alike"),
        pytest.param([1, 7, 3], 7, 3, id="three apart"),
        pytest.param([0, 0, 4], 4, 0, id="one who wrote, two who did not"),
    ],
)
@pytest.mark.parametrize("shards", [1, 2, 3])
def test_the_two_largest_contributions_are_of_two_members(amounts, largest, second, shards):
    """In one shard or over several, in whichever the largest ones are."""
    rows = [row(n, amount, a="p", b="1") for n, amount in enumerate(amounts)]
    whole = add_up([counted(rows[n::shards]) for n in range(shards)])
    assert (whole.largest.tolist(), whole.second.tolist()) == ([largest], [second])


def test_a_cell_key_wraps_around_at_32_bits():
    rows = [row(n, a="p", b="1") for n in range(500)]
    total = sum(one["record_key"] for one in rows)
    assert total > 2**32
    assert counted(rows).cell_key.tolist() == [total % 2**32]


@examples
@given(MEMBERS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_shards_add_up_to_the_whole(people, shards, draw):
    parts: list[dict] = [{} for _ in range(shards)]
    for member, what in people.items():
        draw.choice(parts)[member] = what
    whole = add_up([counted(rows_of(part)) for part in parts])
    assert numbers(whole) == slow(rows_of(people), NAMES, BINS)
    assert whole.codes.equals(counted(rows_of(people)).codes)


@examples
@given(MEMBERS, st.sampled_from([[], ["a"], ["b"], ["a", "b"]]))
def test_margins_are_those_of_a_slow_count(people, over):
    rows = rows_of(people)
    expected = {}
    for summed in subsets(over):
        expected |= slow([{**one, **dict.fromkeys(summed, TOTAL)} for one in rows], NAMES, BINS)
    assert numbers(with_margins(counted(rows), over)) == expected


def test_subsets_are_all_and_the_empty_one_is_first():
    assert subsets(["a", "b", "c"]) == [(), ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")]


@examples
@given(MEMBERS, st.sampled_from([[], BINS]))
def test_what_is_staged_is_what_is_read_again(people, bins):
    cells = counted(rows_of(people), bins)
    again = Cells.from_arrow(cells.to_arrow())
    assert numbers(again) == numbers(cells)
    assert again.dimensions == NAMES
    assert again.histogram.shape == (len(cells), len(bins))
    assert {array.dtype for name, array in vars(again).items() if name != "codes"} == {np.dtype(np.int64)}


def test_staged_cells_hold_numbers_of_cells_and_nothing_of_a_member():
    table = counted([row(1, 3, a="p", b="1")]).to_arrow()
    counts = ["members", "contributions", "largest", "second", "cell_key"]
    assert table.column_names == [*NAMES, *counts, "power_sums", "histogram"]
    assert table.schema.field("power_sums").type == pa.list_(pa.int64(), 58)
    assert counted([row(1, 3, a="p", b="1")], []).to_arrow().column_names == [*NAMES, *counts, "power_sums"]


def test_a_cell_of_nobody_is_taken_at_minus_one():
    cells = counted([row(1, 3, a="p", b="1"), row(2, 4, a="q", b="2")])
    taken = cells.take(np.array([1, -1, 0, -1]))
    assert taken.members.tolist() == [1, 0, 1, 0]
    assert taken.contributions.tolist() == [4, 0, 3, 0]
    assert taken.codes["a"].tolist()[::2] == ["q", "p"]
    assert taken.codes.isna().all(axis=1).tolist() == [False, True, False, True]
    for part in (taken.power_sums, taken.histogram, taken.cell_key, taken.largest, taken.second):
        assert not part[[1, 3]].any()
    assert numbers(cells) == numbers(cells.take(np.array([0, 1])))  # and the cells themselves are as they were


def test_of_no_cells_only_cells_of_nobody_can_be_taken():
    taken = counted([]).take(np.array([-1, -1]))
    assert taken.members.tolist() == [0, 0]
    assert taken.power_sums.shape == (2, 58)
    assert taken.histogram.shape == (2, len(BINS))


def test_cells_of_other_codes_stand_one_after_the_other():
    one, other = cells_of({"x": [1, 2]}), cells_of({"y": [2], "z": []})
    both = concatenate([one, other])
    assert both.codes["a"].tolist() == ["x", "y", "z"]
    assert numbers(both) == numbers(one) | numbers(other)


def test_a_row_without_a_contribution_or_key_is_no_row():
    """The columns are needed by name: a count that silently lacks one would be wrong."""
    rows = frame([row(1, a="p", b="1")], NAMES)
    for name in ("record_key", "point", "settled", "contribution"):
        with pytest.raises(pl.exceptions.ColumnNotFoundError):
            count(rows.drop(name), NAMES)


def test_cells_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        counted([]).members = np.zeros(0)
