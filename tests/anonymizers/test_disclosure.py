"""Disclosure control: what is under the threshold leaves no trace."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import Release, disclose
from anonymizers.errors import DisclosureRefused

MEASURES = {
    "members": lambda cells: cells["members"],
    "postings": lambda cells: cells["contributions"],
    "mean": lambda cells: cells["contributions"].astype("Float64") / cells["members"],
}


def cells(rows: list[tuple], columns: tuple[str, ...] = ("a", "b", "members", "contributions")) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"members": "int64", "contributions": "int64"}) if rows == [] else frame


def released(frame: pd.DataFrame, threshold: int = 10, measures=MEASURES, dimensions=("a", "b")) -> Release:
    return disclose("table", frame, dimensions, measures, DisclosureControl(threshold=threshold))


@pytest.mark.parametrize(
    ("members", "threshold", "shown"),
    [
        (0, 10, False),
        (1, 10, False),
        (9, 10, False),
        (10, 10, True),
        (11, 10, True),
        (4, 5, False),
        (5, 5, True),
        (14, 15, False),
        (15, 15, True),
    ],
)
def test_a_cell_has_numbers_from_the_threshold_on(members, threshold, shown):
    release = released(cells([("x", "y", members, 77)]), threshold)
    assert release.frame.notna().loc[0, ["members", "postings", "mean"]].tolist() == [shown] * 3
    assert release.suppressed_cells == (0 if shown else 1)
    assert release.threshold == threshold
    assert release.table == "table"


def test_every_cell_stays_in_the_order_of_its_dimensions():
    release = released(cells([("q", "2", 12, 20), ("p", "2", 3, 4), ("p", "1", 0, 0), ("q", "1", 10, 10)]))
    assert release.frame[["a", "b"]].to_numpy().tolist() == [["p", "1"], ["p", "2"], ["q", "1"], ["q", "2"]]
    assert release.frame["members"].tolist() == [pd.NA, pd.NA, 10, 12]
    assert release.suppressed_cells == 2
    assert list(release.frame.columns) == ["a", "b", "members", "postings", "mean"]


def test_an_empty_cell_and_a_small_one_look_alike():
    release = released(cells([("x", "1", 0, 0), ("x", "2", 9, 99)]))
    measured = release.frame.drop(columns=["a", "b"])
    assert measured.isna().all(axis=None)


def test_a_measure_cannot_see_what_is_suppressed():
    seen = []

    def spy(frame: pd.DataFrame) -> pd.Series:
        seen.append(frame.copy())
        return frame["members"]

    released(cells([("x", "1", 9, 4_711), ("x", "2", 30, 40)]), measures={"members": spy})
    (frame,) = seen
    assert frame["members"].tolist() == [pd.NA, 30]
    assert frame["contributions"].tolist() == [pd.NA, 40]
    assert list(frame.columns) == ["a", "b", "members", "contributions"]


def test_the_true_cells_are_left_as_they_were():
    true = cells([("x", "1", 9, 4_711), ("x", "2", 30, 40)])
    before = true.copy()
    released(true)
    pd.testing.assert_frame_equal(true, before)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param(cells([("x", "1", None, 5)]), r"table\.members: a true count", id="a missing count"),
        pytest.param(cells([("x", "1", -1, 5)]), r"table\.members: a true count", id="a negative count"),
        pytest.param(cells([("x", "1", 12.5, 5)]), r"table\.members: a true count", id="a fractional count"),
        pytest.param(cells([("x", "1", 12.0, 5)]), r"table\.members: a true count", id="a whole count held as a float"),
        pytest.param(cells([("x", "1", "12", 5)]), r"table\.members: a true count", id="a count as text"),
        pytest.param(cells([("x", "1", True, 5)]), r"table\.members: a true count", id="a truth value"),
        pytest.param(cells([("x", "1", 12, -5)]), r"table\.contributions: a true", id="negative contributions"),
        pytest.param(cells([("x", "1", 12, None)]), r"table\.contributions: a true", id="missing contributions"),
        pytest.param(cells([("x", None, 12, 5)]), r"table: a dimension is missing", id="a missing dimension"),
        pytest.param(cells([("x", "1", 12, 5)] * 2), r"table: a cell appears twice", id="a cell twice"),
        pytest.param(
            cells([("x", "1", 12, 5), ("x", "1", 3, 4)]), r"table: a cell appears twice", id="a cell in two shards"
        ),
        pytest.param(cells([("x", "1", 12, 5)])[["a", "b", "members"]], "other columns", id="a column too few"),
        pytest.param(cells([("x", "1", 12, 5)]).assign(member_id=7), "other columns", id="a column too many"),
        pytest.param(cells([("x", "1", 12, 5)])[["b", "a", "members", "contributions"]], "other columns", id="order"),
    ],
)
def test_cells_that_are_no_cells_are_refused(frame, message):
    with pytest.raises(DisclosureRefused, match=message) as refused:
        released(frame)
    assert refused.value.exit_status == 41
    assert not any(str(value) in str(refused.value) for value in ("12.5", "-1", "-5"))


def test_a_nullable_whole_number_is_a_count():
    frame = cells([("x", "1", 12, 5)]).astype({"members": "Int64", "contributions": "UInt32"})
    assert released(frame).frame["members"].tolist() == [12]


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda release: Release(), id="called"),
        pytest.param(lambda release: Release("t", release.frame, 0, 10), id="called with its parts"),
        pytest.param(lambda release: Release(table="t", frame=release.frame), id="called with names"),
        pytest.param(lambda release: dataclasses.replace(release, threshold=1), id="replaced"),
        pytest.param(
            lambda release: copy.replace(release, threshold=1) if hasattr(copy, "replace") else Release(), id="copied"
        ),
    ],
)
def test_nobody_else_makes_a_release(forge):
    with pytest.raises(TypeError):
        forge(released(cells([("x", "1", 12, 5)])))


def test_a_release_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        released(cells([("x", "1", 12, 5)])).threshold = 1


grids = st.dictionaries(
    st.tuples(st.sampled_from("pqrs"), st.sampled_from("1234")),
    st.tuples(st.integers(0, 30), st.integers(0, 1_000)),
    min_size=1,
)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(grids, st.integers(5, 25), st.randoms(use_true_random=False))
def test_no_number_under_the_threshold_leaves_whatever_the_cells(grid, threshold, random):
    """And every number at or over it leaves unchanged; the order of the rows does not matter."""
    rows = [(*key, *counts) for key, counts in grid.items()]
    frame = released(cells(rows), threshold).frame
    kept = frame[frame["members"].notna()]
    assert (kept["members"] >= threshold).all()
    expected = {key: counts for key, counts in grid.items() if counts[0] >= threshold}
    assert {(r.a, r.b): (r.members, r.postings) for r in kept.itertuples()} == expected
    lost = frame[frame["members"].isna()]
    assert lost[["postings", "mean"]].isna().all(axis=None)
    random.shuffle(rows)
    pd.testing.assert_frame_equal(released(cells(rows), threshold).frame, frame)


def test_what_is_suppressed_is_nowhere_in_the_release():
    """Neither in the values nor in the memory behind the missing ones."""
    secret = 8_675_309
    release = released(cells([("x", "1", 9, secret), ("x", "2", 30, 40)]))
    for name in ("members", "postings", "mean"):
        assert secret not in np.asarray(release.frame[name].array._data, dtype="float64")
        assert 9 not in np.asarray(release.frame[name].array._data, dtype="float64")
    assert str(secret) not in repr(vars(release))
