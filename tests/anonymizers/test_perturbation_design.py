"""The designed tables are those that were published, keep what they promise, and are the ones that are kept."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.errors import PerturbationRefused
from anonymizers.perturbation import FOLDER, KNOWN, ONE, last_row, possible, targets
from anonymizers.perturbation_design import KEPT, Row, design, in_units, text

BLOCKING = {"bound": 8, "variance": 6, "blocked": 9}
"""Arguments of a table with blocked values, which no kept one has."""

NOT_IN_ROW_3 = (True, True, False, True)
"""The monotony switches of ptable's own examples with one blocked value."""


def by_count(rows: list[Row]) -> dict[int, Row]:
    return {row.count: row for row in rows}


@pytest.mark.parametrize(
    ("arguments", "count", "reached", "probabilities", "decimals"),
    [
        pytest.param((2, 1.08, 1, None, NOT_IN_ROW_3), 1, (0, 2, 3), (0.5133, 0.4600, 0.0267), 4, id="vignette"),
        pytest.param((2, 1.05, 1, None, NOT_IN_ROW_3), 1, (0, 2, 3), (0.50833333, 0.475, 0.01666667), 7, id="ex 1"),
        pytest.param(
            (2, 1.05, 1, None, NOT_IN_ROW_3),
            2,
            (0, 2, 3, 4),
            (0.16155827, 0.55565037, 0.24246618, 0.04032518),
            7,
            id="ex 2",
        ),
        pytest.param(
            (2, 1.05, 1, None, NOT_IN_ROW_3),
            3,
            (2, 3, 4, 5),
            (0.41231301, 0.28806097, 0.18693903, 0.11268699),
            7,
            id="ex 3, not monotone",
        ),
        pytest.param(
            (2, 1.05, 1, None, NOT_IN_ROW_3),
            4,
            (2, 3, 4, 5, 6),
            (0.07012498, 0.24450007, 0.37074990, 0.24450007, 0.07012498),
            7,
            id="ex 4",
        ),
    ],
)
def test_rows_are_those_that_ptable_publishes(arguments, count, reached, probabilities, decimals):
    """Of its vignette, and of `pt_ex_cnts()` as its own test holds it."""
    row = by_count(design(*arguments))[count]
    assert row.targets == reached
    assert row.probabilities == pytest.approx(probabilities, abs=0.6 * 10**-decimals)


@pytest.mark.parametrize(("count", "sums"), [(1, (0.37, 0.73, 0.90, 1)), (2, (0.2, 0.4, 0.6, 0.8, 1))])
@pytest.mark.parametrize("variance", [2, 9])
def test_rows_are_those_of_statistics_norway_where_no_variance_binds(count, sums, variance):
    assert np.cumsum(by_count(design(2, variance))[count].probabilities).round(2).tolist() == list(sums)


def test_a_table_is_that_of_the_tests_of_cell_key():
    """Bound 5, variance 3, blocked 2, stay .5: the summary its test compares."""
    rows = design(5, 3, blocked=2, stay=0.5)
    upper = np.concatenate([np.cumsum(row.probabilities) for row in rows])
    each = np.concatenate([row.probabilities for row in rows])
    noise = np.concatenate([row.noise for row in rows])
    assert (each.size, rows[-1].count) == (66, 8)
    assert (upper - each).mean() == pytest.approx(0.562, abs=5e-4)
    assert upper.mean() == pytest.approx(0.698, abs=5e-4)
    assert noise.mean() == pytest.approx(1.045, abs=5e-4)


@pytest.mark.parametrize(("variance", "reached"), [(1, 0.932), (0.9, 0.9)])
def test_a_variance_is_missed_from_below_where_greatest_entropy_has_less(variance, reached):
    assert by_count(design(2, variance))[1].variance == pytest.approx(reached, abs=5e-4)


@pytest.mark.parametrize(("bound", "variance"), [(2, 1), (5, 3), (8, 6), (10, 1.5), (10, 6)])
def test_the_last_row_is_the_normal_distribution_on_whole_numbers(bound, variance):
    """Greatest entropy under one variance is exp(-c v^2); c by bisection, from no optimiser."""
    noise, low, high = np.arange(-bound, bound + 1), 0.0, 50.0
    for _ in range(200):
        c = (low + high) / 2
        weights = np.exp(-c * noise**2)
        low, high = (c, high) if (noise**2 @ weights) / weights.sum() > variance else (low, c)
    assert design(bound, variance)[-1].probabilities == pytest.approx(weights / weights.sum(), abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        *(pytest.param(KEPT["d10_v6"], count, id=f"kept, {count}") for count in range(1, 11)),
        *(pytest.param(BLOCKING, count, id=f"blocking, {count}") for count in range(11, 19)),
    ],
)
def test_no_other_distribution_has_more_entropy(arguments, count):
    """From the designed rows, small steps that keep to every promise never gain."""
    row = by_count(design(**arguments))[count]
    p, noise, random = np.array(row.probabilities), row.noise, np.random.default_rng(count)
    kept = np.stack([np.ones(p.size), noise, noise**2])
    free = np.linalg.svd(kept)[2][3:]  # directions that change neither sum, bias nor variance
    entropy, zero = -(p @ np.log(p)), int(np.flatnonzero(noise == 0)[0])
    others = p + random.normal(size=(3000, len(free))) @ free * 1e-5
    others = others[(others.min(axis=1) > 0) & (np.diff(others[:, : zero + 1]) >= 0).all(axis=1)]
    assert len(others) > 30
    assert (-(others * np.log(others)).sum(axis=1) < entropy + 1e-9).all()


@pytest.mark.parametrize(("stay", "least"), [(0.5, 0.5), (0.95, 0.7), (0.99, 0.69)])
def test_a_demand_to_stay_is_lowered_until_the_variance_is_met(stay, least):
    """What does not stay is spread evenly at most, with variance 11 times its probability: 3 needs 3/11."""
    row = design(5, 3, stay=stay)[-1]
    assert row.variance == pytest.approx(3, abs=5e-4)
    assert row.probabilities[5] == pytest.approx(least, abs=1e-6)


def test_without_monotony_a_row_may_have_more_probability_farther_below():
    assert np.diff(by_count(design(2, 9, monotone=True))[1].probabilities)[0] >= -1e-9
    assert np.diff(by_count(design(2, 9, monotone=False))[1].probabilities)[0] < -1e-3


@pytest.mark.parametrize(
    ("bound", "blocked", "counts"),
    [(2, 0, [0, 1, 2]), (10, 0, [*range(11)]), (2, 1, [0, 1, 2, 3, 4]), (8, 9, [0, *range(10, 19)])],
)
def test_the_rows_of_a_table(bound, blocked, counts):
    assert [row.count for row in design(bound, 6, blocked)] == counts


@pytest.mark.parametrize("count", range(1, 10))
def test_where_nine_values_are_blocked_no_unbiased_noise_exists_for_them(count):
    """The least variance on 0 and 10 alone is count * (10 - count), 9 or more; and not even 0 or 10 is always near."""
    assert count * (10 - count) > BLOCKING["variance"]
    assert not possible(count, **BLOCKING)


@pytest.mark.parametrize("count", range(40))
def test_the_kept_table_has_noise_for_every_count(count):
    assert possible(count, **KEPT["d10_v6"], blocked=0)


@pytest.mark.parametrize(("count", "variance"), [(1, 3), (2, 4)])
def test_the_least_possible_variance_is_possible_and_less_is_not(count, variance):
    assert possible(count, 5, variance, 3)
    assert not possible(count, 5, variance - 1e-6, 3)


def test_only_no_change_is_unbiased_where_nothing_below_is_allowed():
    assert by_count(design(8, 6, 9))[10] == Row(10, (10,), (1.0,))


def test_no_variance_is_no_noise():
    assert all(row.targets == (row.count,) for row in design(3, 0))


@settings(max_examples=40, deadline=None)
@given(
    bound=st.integers(1, 9),
    blocked=st.integers(0, 10),
    variance=st.floats(0.3, 12).map(lambda v: round(v, 3)),
    stay=st.sampled_from([None, 0.3, 0.6]),
    data=st.data(),
)
def test_every_row_keeps_what_it_promises(bound, blocked, variance, stay, data):
    last = last_row(bound, blocked)
    monotone = data.draw(st.lists(st.booleans(), min_size=last, max_size=last))
    for row in design(bound, variance, blocked, stay, monotone):
        p = np.array(row.probabilities)
        assert set(row.targets) <= set(targets(row.count, bound, blocked))
        assert p.min() >= 0
        assert p.sum() == pytest.approx(1, abs=1e-9)
        assert row.noise @ p == pytest.approx(0, abs=1e-8)
        assert row.variance <= variance + 1e-8
        if row.count and monotone[row.count - 1] and row.count in row.targets:
            assert (np.diff(p[: row.targets.index(row.count) + 1]) >= -1e-8).all()
    assert p.tolist() == p[::-1].tolist()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"bound": 0, "variance": 1}, id="no bound"),
        pytest.param({"bound": 2, "variance": -1}, id="negative variance"),
        pytest.param({"bound": 2, "variance": 1, "blocked": -1}, id="negative blocked"),
        pytest.param({"bound": 2, "variance": 1, "stay": 1.0}, id="stay is certain"),
        pytest.param({"bound": 2, "variance": 1, "monotone": [True]}, id="a switch too few"),
    ],
)
def test_arguments_without_a_table_are_refused(arguments):
    with pytest.raises(PerturbationRefused, match="no table with"):
        design(**arguments)


@pytest.mark.parametrize("arguments", [(10, 6), (8, 6, 9), (5, 3, 2, 0.5), (2, 1.08, 1, None, NOT_IN_ROW_3), (8, 6)])
def test_written_rows_sum_to_one_without_bias_exactly(arguments):
    for row in design(*arguments):
        units = in_units(row)
        assert sum(units) == ONE
        assert sum(v * n for v, n in zip(row.noise.tolist(), units, strict=True)) == 0
        assert np.abs(np.array(units) / ONE - row.probabilities).max() < 1e-10


def test_a_row_that_cannot_be_written_without_bias_is_refused():
    with pytest.raises(PerturbationRefused, match="row 1 cannot be written with 12 decimals"):
        in_units(Row(1, (0, 3), (2 / 3, 1 / 3)))


@pytest.mark.parametrize("name", KEPT)
def test_the_kept_file_is_what_the_design_gives(name):
    kept = (FOLDER / f"perturbation_{name}.csv").read_text(encoding="ascii").splitlines()
    made = text(**KEPT[name]).splitlines()
    assert len(kept) == len(made)
    for line, anew in zip(kept, made, strict=True):
        if line.startswith("#") or line == "i,j,p":
            assert line == anew
        else:
            assert line.rsplit(",", 1)[0] == anew.rsplit(",", 1)[0]
            assert math.isclose(float(line.rsplit(",", 1)[1]), float(anew.rsplit(",", 1)[1]), abs_tol=1e-6, rel_tol=0)


def test_every_kept_table_is_known_to_the_loader():
    assert set(KEPT) == set(KNOWN)
