"""The kept table is verified in everything it promises; the noise it gives keeps the promises."""

import ast
import hashlib
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizers import perturbation
from anonymizers.errors import DisclosureRefused, PerturbationRefused
from anonymizers.perturbation import KEYS, KNOWN, ONE, PARAMETERS, load
from anonymizers.perturbation_design import text

NAME = "d10_v6"
FILE = f"perturbation_{NAME}.csv"
KEPT = (perturbation.FOLDER / FILE).read_text(encoding="ascii")
TABLE = load(NAME)

BLOCKING_NAME = "d8_v6_b9"
BLOCKING_FILE = f"perturbation_{BLOCKING_NAME}.csv"
BLOCKING = text(8, 6, blocked=9)
"""A table with blocked values and impossible rows, of which the kept one has none."""


def rows_of(content: str) -> dict[int, dict[int, Fraction]]:
    rows: dict[int, dict[int, Fraction]] = {}
    for line in content.splitlines()[len(PARAMETERS) + 1 :]:
        count, target, probability = line.split(",")
        rows.setdefault(int(count), {})[int(target)] = Fraction(probability)
    return rows


ROWS = rows_of(KEPT)
BLOCKING_ROWS = rows_of(BLOCKING)


@pytest.fixture
def load_instead(tmp_path, monkeypatch):
    """Loads another content under a name, with its digest recorded, so that only the verifications are left."""

    def load_content(content: str, name: str = NAME):
        (tmp_path / f"perturbation_{name}.csv").write_text(content, encoding="utf-8")
        digest = hashlib.sha256(content.encode()).hexdigest()
        monkeypatch.setattr(perturbation, "FOLDER", tmp_path)
        monkeypatch.setattr(perturbation, "KNOWN", {name: digest})
        return load(name)

    return load_content


@pytest.fixture
def blocking_table(load_instead):
    return load_instead(BLOCKING, BLOCKING_NAME)


def swap(old: str, new: str, content: str = KEPT) -> str:
    assert content.count(old) == 1, old
    return content.replace(old, new)


def shift(count: int, units: dict[int, int]) -> str:
    """The kept file with so many 1e-12 added to the entries of a row."""
    content = KEPT
    for target, added in units.items():
        old = ROWS[count][target] * ONE
        new = int(old) + added
        written = "{},{},{}.{:012}\n"
        content = swap(
            "\n" + written.format(count, target, *divmod(int(old), ONE)),
            "\n" + written.format(count, target, *divmod(new, ONE)),
            content,
        )
    return content


def without_row(count: int, content: str = KEPT) -> str:
    return "".join(line for line in content.splitlines(keepends=True) if not line.startswith(f"{count},"))


def test_the_kept_table():
    assert (TABLE.name, TABLE.bound, TABLE.variance, TABLE.blocked) == (NAME, 10, 6.0, 0)
    assert TABLE.sha256 == KNOWN[NAME] == hashlib.sha256(KEPT.encode()).hexdigest()


def test_the_rows_show_in_no_repr():
    assert "array" not in repr(TABLE)


def test_the_kept_table_is_accepted_from_elsewhere_too(load_instead):
    assert load_instead(KEPT) == TABLE


def test_a_table_with_blocked_values_is_accepted(blocking_table):
    assert (blocking_table.name, blocking_table.bound, blocking_table.variance) == (BLOCKING_NAME, 8, 6.0)
    assert blocking_table.blocked == 9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *(
            pytest.param(
                "".join(line for line in KEPT.splitlines(keepends=True) if not line.startswith(f"# {name}=")),
                f"{FILE}: parameter {name} is missing or malformed",
                id=f"no {name}",
            )
            for name in PARAMETERS
        ),
        pytest.param("", f"{FILE}: parameter bound is missing or malformed", id="empty"),
        pytest.param(swap("# bound=10", "# bound=0"), f"{FILE}: parameter bound is missing or malformed", id="bound 0"),
        pytest.param(
            swap("# variance=6", "# variance=inf"),
            f"{FILE}: parameter variance is missing or malformed",
            id="variance without end",
        ),
        pytest.param(swap("i,j,p", "i,p,j"), f"{FILE}: the columns are not i,j,p", id="columns"),
        pytest.param(
            KEPT.splitlines(keepends=True)[0] + "".join(KEPT.splitlines(keepends=True)[1:8]),
            f"{FILE}: the columns are not i,j,p",
            id="a head alone",
        ),
        pytest.param(
            swap("\n0,0,1.000000000000", "\n0,0,1.0"), f"{FILE}: a line is not i,j,p with 12 decimals", id="rounded"
        ),
        pytest.param(
            swap("\n0,0,1.000000000000", "\n0,0,1.00000000000é"),
            f"{FILE}: a line is not i,j,p with 12 decimals",
            id="not ascii",
        ),
        pytest.param(
            swap("\n0,0,1.000000000000", "\n0,0,0.500000000000\n0,0,0.500000000000"),
            f"{FILE}: entries are not in ascending order of i and j, or one appears twice",
            id="an entry twice",
        ),
        pytest.param(
            swap("\n0,0,1.000000000000\n1,0,0.392091857498", "\n1,0,0.392091857498\n0,0,1.000000000000"),
            f"{FILE}: entries are not in ascending order of i and j, or one appears twice",
            id="rows out of order",
        ),
        *(
            pytest.param(without_row(count), f"{FILE}: row {count} is missing", id=f"no row {count}")
            for count in (0, 1, 5, 10)
        ),
        pytest.param(
            KEPT + "11,11,1.000000000000\n", f"{FILE}: row 11 is not one of such a table", id="a row after the last"
        ),
        pytest.param(
            swap("# impossible=", "# impossible=1"),
            f"{FILE}: the rows said to be impossible are not those that are",
            id="a gap declared that is none",
        ),
        pytest.param(swap("\n1,11,", "\n1,12,"), f"{FILE} row 1: a target is farther away than the bound", id="bound"),
        pytest.param(swap("\n0,0,", "\n0,11,"), f"{FILE} row 0: a target is farther away than the bound", id="0 to 11"),
        pytest.param(swap("\n0,0,", "\n0,1,"), f"{FILE} row 0: does not stay 0", id="0 to 1"),
        pytest.param(
            swap("\n0,0,1.000000000000", "\n0,0,1.000000000001"),
            f"{FILE} row 0: a probability is outside 0..1",
            id="above 1",
        ),
        pytest.param(
            swap("\n0,0,1.000000000000", "\n0,0,-1.000000000000"),
            f"{FILE} row 0: a probability is outside 0..1",
            id="below 0",
        ),
        pytest.param(shift(4, {4: -1}), f"{FILE} row 4: the probabilities do not sum to 1", id="sum"),
        pytest.param(shift(4, {4: -1, 5: 1}), f"{FILE} row 4: the noise is biased", id="bias"),
        pytest.param(
            shift(10, {9: 5_000, 10: -10_000, 11: 5_000}),
            f"{FILE} row 10: the variance is above the table's",
            id="variance",
        ),
        pytest.param(
            swap("# variance=6", "# variance=5.9"),
            f"{FILE} row 3: the variance is above the table's",
            id="a variance promised smaller",
        ),
        pytest.param(
            swap("=TTTT", "=TTT"),
            f"{FILE}: parameter monotone must have one letter for each of rows 1..10",
            id="a switch too few",
        ),
        pytest.param(  # third differences: sum, bias and variance stay as they are
            shift(5, {0: 10**10, 1: -3 * 10**10, 2: 3 * 10**10, 3: -(10**10)}),
            f"{FILE} row 5: is not monotone although it says so",
            id="monotony",
        ),
        pytest.param(
            shift(10, {12: 1, 13: -3, 14: 3, 15: -1}),
            f"{FILE} row 10: stands for all larger counts and is not symmetric",
            id="symmetry",
        ),
    ],
)
def test_a_table_that_breaks_a_promise_is_refused_even_with_its_digest_recorded(load_instead, content, message):
    with pytest.raises(PerturbationRefused) as refused:
        load_instead(content)
    assert str(refused.value) == message
    assert refused.value.exit_status == 44


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *(
            pytest.param(without_row(count, BLOCKING), f"{BLOCKING_FILE}: row {count} is missing", id=f"no row {count}")
            for count in (0, 10, 14, 18)
        ),
        pytest.param(
            swap("\n10,10,", "\n5,0,0.500000000000\n5,10,0.500000000000\n10,10,", BLOCKING),
            f"{BLOCKING_FILE}: row 5 is not one of such a table",
            id="a row that cannot be",
        ),
        pytest.param(
            BLOCKING + "19,19,1.000000000000\n",
            f"{BLOCKING_FILE}: row 19 is not one of such a table",
            id="a row after the last",
        ),
        pytest.param(
            swap("=1 2 3 4 5 6 7 8 9", "=1 2 3 4 6 7 8 9", BLOCKING),
            f"{BLOCKING_FILE}: the rows said to be impossible are not those that are",
            id="a gap not declared",
        ),
        pytest.param(
            swap("\n11,19,", "\n11,20,", BLOCKING),
            f"{BLOCKING_FILE} row 11: a target is farther away than the bound",
            id="bound",
        ),
        pytest.param(
            swap("\n11,10,", "\n11,9,", BLOCKING), f"{BLOCKING_FILE} row 11: a target is blocked", id="blocked"
        ),
        pytest.param(swap("\n0,0,", "\n0,1,", BLOCKING), f"{BLOCKING_FILE} row 0: does not stay 0", id="0 to 1"),
        pytest.param(
            swap("\n10,10,1.000000000000", "\n10,10,1.000000000001", BLOCKING),
            f"{BLOCKING_FILE} row 10: a probability is outside 0..1",
            id="above 1 where nothing below is allowed",
        ),
    ],
)
def test_a_table_with_blocked_values_that_breaks_a_promise_is_refused(load_instead, content, message):
    with pytest.raises(PerturbationRefused) as refused:
        load_instead(content, BLOCKING_NAME)
    assert str(refused.value) == message
    assert refused.value.exit_status == 44


def test_a_row_that_need_not_be_monotone_is_accepted(load_instead):
    bent = shift(5, {0: 10**10, 1: -3 * 10**10, 2: 3 * 10**10, 3: -(10**10)})
    load_instead(swap("=" + "T" * 10, "=" + "T" * 4 + "F" + "T" * 5, bent))


@pytest.mark.parametrize("content", [KEPT + "\n", KEPT.replace("\n", "\r\n"), KEPT.replace("2026", "2027")])
def test_other_bytes_than_recorded_are_refused(tmp_path, monkeypatch, content):
    (tmp_path / FILE).write_bytes(content.encode())
    monkeypatch.setattr(perturbation, "FOLDER", tmp_path)
    with pytest.raises(PerturbationRefused, match="has SHA-256 [0-9a-f]{64}, not the recorded one"):
        load(NAME)


@pytest.mark.parametrize("name", ["", "d8_v6_b9", "../perturbation_d10_v6"])
def test_an_unknown_table_is_refused(name):
    with pytest.raises(PerturbationRefused, match="is none of d10_v6"):
        load(name)


def test_a_missing_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(perturbation, "FOLDER", tmp_path)
    with pytest.raises(PerturbationRefused, match=f"{FILE} is missing"):
        load(NAME)


def expected(count: int, key: int, rows: dict[int, dict[int, Fraction]] = ROWS) -> int:
    """The inverse distribution function, in exact fractions, one cell at a time."""
    position, reached, row = Fraction(2 * key + 1, 2 * KEYS), Fraction(0), min(count, max(rows))
    for target, p in rows[row].items():
        reached += p
        if position < reached:
            return count + target - row
    raise RuntimeError("a row does not sum to 1")


def edges(count: int, rows: dict[int, dict[int, Fraction]] = ROWS) -> list[int]:
    """The keys around every step of a row, and the ends."""
    sums = np.cumsum([*rows[min(count, max(rows))].values()])
    near = {int(s * KEYS) + d for s in sums for d in (-2, -1, 0, 1)} | {0, KEYS - 1}
    return sorted(key for key in near if 0 <= key < KEYS)


COUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**12))


@given(st.lists(st.tuples(COUNTS, st.integers(0, KEYS - 1)), max_size=30))
def test_it_is_the_inverse_distribution_function(cells):
    counts = np.array([count for count, _ in cells], dtype=np.int64)
    keys = np.array([key for _, key in cells], dtype=np.uint32)
    given_out = TABLE.perturb(counts, keys)
    assert given_out.dtype == np.int64
    assert given_out.tolist() == [expected(count, key) for count, key in cells]


@pytest.mark.parametrize("count", [*range(12), 5_000_000])
def test_it_is_exact_at_every_step(count):
    keys = edges(count)
    given_out = TABLE.perturb(np.full(len(keys), count, dtype=np.int64), np.array(keys, dtype=np.uint32))
    assert given_out.tolist() == [expected(count, key) for key in keys]


@pytest.mark.parametrize("count", [0, *range(10, 19), 19, 5_000_000])
def test_with_blocked_values_it_is_exact_at_every_step_too(blocking_table, count):
    keys = edges(count, BLOCKING_ROWS)
    given_out = blocking_table.perturb(np.full(len(keys), count, dtype=np.int64), np.array(keys, dtype=np.uint32))
    assert given_out.tolist() == [expected(count, key, BLOCKING_ROWS) for key in keys]


GRID = (np.arange(2**16, dtype=np.uint32) << 16) + 2**15
"""Keys evenly over their whole range."""


@pytest.mark.parametrize("count", [*range(12), 10_000])
def test_over_all_keys_the_noise_is_unbiased_and_bounded_and_gives_no_negative_count(count):
    given_out = TABLE.perturb(np.full(GRID.size, count, dtype=np.int64), GRID)
    noise = given_out - count
    # Each of the 21 entries at most is off by less than one key of the grid, and by at most 10 members.
    assert abs(noise.mean()) < 21 * 10 / GRID.size
    assert (noise**2).mean() < 6 + 21 * 100 / GRID.size
    assert np.abs(noise).max() <= 10
    assert given_out.min() >= 0


@pytest.mark.parametrize("count", [0, *range(10, 20), 10_000])
def test_over_all_keys_with_blocked_values_the_noise_gives_none_of_them(blocking_table, count):
    given_out = blocking_table.perturb(np.full(GRID.size, count, dtype=np.int64), GRID)
    noise = given_out - count
    # Each of the 17 entries at most is off by less than one key of the grid, and by at most 8 members.
    assert abs(noise.mean()) < 17 * 8 / GRID.size
    assert (noise**2).mean() < 6 + 17 * 64 / GRID.size
    assert np.abs(noise).max() <= 8
    assert not ((given_out >= 1) & (given_out <= 9)).any()


def test_an_empty_cell_stays_empty():
    assert not TABLE.perturb(np.zeros(GRID.size, dtype=np.int64), GRID).any()


def test_no_cells_are_no_cells():
    assert TABLE.perturb(np.array([], dtype=np.int64), np.array([], dtype=np.uint32)).tolist() == []


def test_the_inputs_stay_as_they_are():
    counts, keys = np.array([25, 11], dtype=np.int64), np.array([7, 7], dtype=np.uint32)
    TABLE.perturb(counts, keys)
    assert (counts.tolist(), keys.tolist()) == ([25, 11], [7, 7])


def int64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def uint32(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint32)


@pytest.mark.parametrize(
    ("counts", "uniforms", "message"),
    [
        pytest.param(np.array([4711.0]), uint32(0), "counts must be int64 and cell keys uint32", id="float counts"),
        pytest.param(
            np.array([4711], dtype=np.int32), uint32(0), "counts must be int64 and cell keys uint32", id="narrow counts"
        ),
        pytest.param(int64(4711), int64(0), "counts must be int64 and cell keys uint32", id="wide keys"),
        pytest.param(int64(4711), np.array([0.5]), "counts must be int64 and cell keys uint32", id="float keys"),
        pytest.param(int64(4711, 4711), uint32(0), "counts and cell keys must be flat and equally many", id="shapes"),
        pytest.param(
            int64(4711).reshape(1, 1),
            uint32(0).reshape(1, 1),
            "counts and cell keys must be flat and equally many",
            id="two dimensions",
        ),
        pytest.param(int64(4711, -4711), uint32(0, 0), "a count is negative", id="negative"),
    ],
)
def test_what_cannot_be_perturbed_is_refused_without_a_value(counts, uniforms, message):
    with pytest.raises(DisclosureRefused) as refused:
        TABLE.perturb(counts, uniforms)
    assert str(refused.value) == f"{NAME}: {message}"


@pytest.mark.parametrize("count", range(1, 10))
def test_a_count_without_a_row_is_refused_without_its_value(blocking_table, count):
    with pytest.raises(DisclosureRefused) as refused:
        blocking_table.perturb(int64(4711, count), uint32(0, 0))
    message = "a count is too small for unbiased noise; suppress its cell first"
    assert str(refused.value) == f"{BLOCKING_NAME}: {message}"


def test_it_imports_numpy_and_the_standard_library_only():
    tree = ast.parse(Path(perturbation.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"numpy", "anonymizers"}
