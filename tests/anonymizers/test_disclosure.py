"""Disclosure control: what is under the threshold leaves no trace, and what one member does moves nothing."""

import copy
import dataclasses
import functools
import itertools
import pickle
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers import cells as true
from anonymizers import controls, disclosure, perturbation
from anonymizers.bands import TOTAL
from anonymizers.cells import Cells
from anonymizers.controls import QUORUM, DisclosureControl
from anonymizers.disclosure import (
    AS_OF,
    SEPARATOR,
    Disclosure,
    Measure,
    Published,
    Release,
    Statistic,
    cell_names,
    disclose,
    perturbation_digest,
)
from anonymizers.errors import DisclosureRefused
from anonymizers.keys import Key
from anonymizers.perturbation import KNOWN
from tests.members import KEY, SECRET, cells_of, frame, slow
from tests.members import row as row_of

MEMBERS = Measure("members", Statistic.MEMBERS)
POSTINGS = Measure("postings", Statistic.CONTRIBUTIONS)
MEAN = Measure("mean", Statistic.MEAN)
MEDIAN, P90 = Measure("median", Statistic.QUANTILE, 0.5), Measure("p90", Statistic.QUANTILE, 0.9)
BINS = (0, 1, 2, 3, 5, 9, 17)
FIRST = "2026-10-01"
BOUND = perturbation.load(controls.PERTURBATION).bound
OTHER_KEY = SECRET.derive("statistics/2")


class Nights:
    """A table that is published night after night; between two nights it keeps what a warehouse would."""

    def __init__(
        self,
        measures: Collection[Measure] = (MEMBERS,),
        threshold: int = 10,
        key: Key = KEY,
        table: str = "table",
        bins: Collection[int] = (),
        population: str = "",
    ) -> None:
        self.measures, self.key, self.table, self.bins = list(measures), key, table, list(bins)
        self.population = population
        self.control = DisclosureControl(threshold=threshold)
        self.kept = Published.nothing([m.name for m in measures])
        self.day = 0

    def run(
        self,
        who: Mapping[str, Iterable[object]],
        amounts: Mapping[object, int] | None = None,
        unsettled: Collection[object] = (),
    ) -> pd.DataFrame:
        """Publish one more night of these cells; the frame, by cell."""
        return self.publish(cells_of(who, amounts, unsettled, self.bins, self.key))

    def publish(self, cells: Cells, listed: Collection[str] | None = None) -> pd.DataFrame:
        self.day += 1
        night = f"2026-10-{self.day:02d}"
        told = disclose(
            self.table,
            cells,
            self.kept,
            self.measures,
            self.control,
            self.key,
            night,
            self.bins,
            population=self.population,
            listed=None if listed is None else cells.codes["a"].isin(listed).to_numpy(),
        )
        frame = told.release.frame
        names = cell_names(frame[list(cells.dimensions)])
        sums = dict(zip(self.kept.names, self.kept.power_sums, strict=True))
        sums |= dict(zip(told.names, told.references, strict=True))
        kept = np.array([sums.get(name, np.zeros(58, np.int64)) for name in names]).reshape(-1, 58)
        self.kept = Published(names, frame[[*(m.name for m in self.measures), AS_OF]].astype(object), kept)
        self.told: Disclosure = told
        return frame.set_index(list(cells.dimensions))

    def quorums(self, cells: Iterable[str | tuple[str, str]], as_of: str = FIRST) -> list[int]:
        """Of cells of one dimension ``a``, or of two."""
        said = pd.Series([says(cell) for cell in cells], dtype=object)
        population = self.population or self.table
        return disclosure._quorums(population, said, said.map(lambda _: as_of), self.key).tolist()

    def quorum(self, cell: str, as_of: str = FIRST) -> int:
        return self.quorums([cell], as_of)[0]


def says(cell: str | tuple[str, str]) -> str:
    """What a cell says of its members: a dimension that is summed away says nothing."""
    codes = dict(zip("ab", (cell,) if isinstance(cell, str) else cell, strict=False))
    return "".join(f"{name}={code}{SEPARATOR}" for name, code in codes.items() if code != TOTAL)


def missing(value: object) -> bool:
    return value is pd.NA or value is None or value != value


def as_shown(frame: pd.DataFrame) -> list[tuple]:
    return [tuple(None if missing(value) else value for value in row) for row in frame.itertuples()]


def once(who: Mapping[str, Iterable[object]], **changes) -> pd.DataFrame:
    """One first night."""
    amounts = changes.pop("amounts", None)
    return Nights(**changes).run(who, amounts)


# What one night shows


@functools.cache
def shrunk(threshold: int) -> tuple[pd.Series, pd.DataFrame]:
    """True counts from nobody to 60, many cells of each, and what is shown of them; 40 more have just left each."""
    counts = [(count, n) for count in range(61) for n in range(25)]
    nights = Nights([MEMBERS, POSTINGS], threshold)
    nights.run({f"{count}.{n}": range(1000 * n, 1000 * n + count + 40) for count, n in counts})
    frame = nights.run({f"{count}.{n}": range(1000 * n, 1000 * n + count) for count, n in counts})
    assert (frame[AS_OF] == "2026-10-02").all()
    return pd.Series([count for count, _ in counts], index=frame.index), frame


@pytest.mark.parametrize("threshold", [5, 10, 20])
def test_no_number_under_the_threshold_and_none_farther_off_than_the_bound(threshold):
    """What is shown is never 1 … threshold-1, whatever the count and whoever they are."""
    true, frame = shrunk(threshold)
    shown = frame["members"].dropna().astype(int)
    assert shown.min() == threshold
    assert (true[shown.index] >= threshold).all()
    assert (shown - true[shown.index]).abs().max() <= BOUND
    assert (shown - true[shown.index]).abs().max() > 5  # and far enough for the bound to matter
    # Every cell draws how many more than the threshold it needs; with five more each has a number.
    has = frame["members"].notna()
    assert has[true >= threshold + 5].all()
    for more in range(5):
        assert 0 < has[true == threshold + more].mean() < 1
    assert not has[true < threshold].any()


@pytest.mark.parametrize("threshold", [5, 10, 20])
def test_a_sum_of_single_postings_is_no_smaller_than_the_threshold(threshold):
    _, frame = shrunk(threshold)
    assert frame["postings"].dropna().min() == threshold


def test_the_noise_is_no_bias_and_no_constant():
    """Over 2 000 cells of 40: the mean error within four of its standard deviations, whose variance is 6."""
    frame = once({str(n): range(1000 * n, 1000 * n + 40) for n in range(2_000)})
    errors = frame["members"].astype(int) - 40
    assert abs(errors.mean()) < 4 * (6 / 2_000) ** 0.5
    assert errors.nunique() > 10


def test_an_empty_cell_and_a_small_one_look_alike():
    frame = once({"none": [], "one": [1], "nine": range(9)}, measures=[MEMBERS, POSTINGS, MEAN])
    assert as_shown(frame) == [(code, None, None, None, FIRST) for code in ("none", "one", "nine")]


def test_every_cell_stays_in_its_order_and_the_release_says_how_many_have_no_number():
    nights = Nights([MEMBERS, POSTINGS])
    frame = nights.run({"q": range(40), "p": range(3), "o": [], "n": range(50, 90)})
    assert frame.index.tolist() == ["q", "p", "o", "n"]
    assert list(nights.told.release.frame.columns) == ["a", "members", "postings", AS_OF]
    release = nights.told.release
    assert (release.table, release.threshold) == ("table", 10)
    assert (release.suppressed_cells, release.changed_cells) == (2, 4)
    assert frame["members"].isna().tolist() == frame["postings"].isna().tolist() == [False, True, True, False]


@settings(max_examples=15)
@given(st.sets(st.integers(0, 200), min_size=15), st.integers(15, 400))
def test_the_same_cell_of_the_same_members_has_the_same_value_whatever_the_table_or_night(who, more):
    """So nobody averages the noise away by asking for the same people in another table, or again and again."""
    nights = Nights([MEMBERS, MEAN], table="one")
    first = nights.run({"x": who, TOTAL: who}).drop(columns=AS_OF)
    other = Nights([MEMBERS, MEAN], table="another").run({"x": who, TOTAL: who}).drop(columns=AS_OF)
    pd.testing.assert_frame_equal(other, first)
    changed = nights.run({"x": who | set(range(1_000, 1_000 + more)), TOTAL: who})
    assert changed[AS_OF].tolist() == ["2026-10-02", FIRST]
    back = nights.run({"x": who, TOTAL: who})
    assert back[AS_OF].tolist() == ["2026-10-03", FIRST]
    pd.testing.assert_frame_equal(back.drop(columns=AS_OF), first)


def test_a_margin_and_its_only_cell_that_is_not_empty_have_noise_of_their_own():
    """Equal numbers would say of all the others that nobody is in them, however they are suppressed."""
    equal = 0
    for n in range(60):
        who = range(1_000 * n, 1_000 * n + 40)
        frame = Nights([MEMBERS, MEAN]).run({"x": who, "y": [], TOTAL: who})
        assert frame[["members", "mean"]].notna().all(axis=1).tolist() == [True, False, True]
        equal += frame["members"]["x"] == frame["members"][TOTAL]
    assert 0 < equal < 20  # now and then by chance


def test_a_dimension_that_is_summed_away_says_nothing_so_two_tables_tell_the_same_of_the_same_cell():
    """One table over members has a dimension more; its margin over it is the other one's cell, to the last number."""
    differ = 0
    for n in range(40):
        who = range(1_000 * n, 1_000 * n + 14)  # enough for most quorums and not for all
        few = Nights([MEMBERS], table="of one", population=f"people {n}").run({"p": who, TOTAL: who})
        more = Nights([MEMBERS], table="of two", population=f"people {n}").publish(crossed({("p", "1"): who}))
        told = more.reset_index().query("b == @TOTAL").set_index("a")["members"]
        for code in ("p", TOTAL):
            assert (few["members"][code], missing(few["members"][code])) == (told[code], False) or (
                missing(few["members"][code]) and missing(told[code])
            )
        inside = more["members"]["p", "1"]
        differ += not missing(inside) and inside != told["p"]
    assert differ > 5


@pytest.mark.parametrize("population", ["", "members"])
def test_tables_of_one_population_draw_one_quorum_for_a_cell_and_others_their_own(population):
    """What one of them suppresses, another one does not show."""
    names = [str(n) for n in range(50)]
    one, other = (Nights(table=table, population=population) for table in ("one", "other"))
    assert (one.quorums(names) == other.quorums(names)) == bool(population)
    who = {name: range(1_000 * n, 1_000 * n + 12) for n, name in enumerate(names)}
    shown = [nights.run(who)["members"].notna().tolist() for nights in (one, other)]
    assert 0 < sum(shown[0]) < 50
    assert (shown[0] == shown[1]) == bool(population)


def test_another_key_or_epoch_gives_other_noise():
    who = {str(n): range(1000 * n, 1000 * n + 40) for n in range(60)}
    ours, theirs = once(who)["members"], once(who, key=OTHER_KEY)["members"]
    assert (ours != theirs).sum() > 30


def test_the_two_sets_that_differ_by_one_member_have_noise_of_their_own():
    """A difference of two published numbers is then no membership: it takes 17 values and is 1 only now and then."""
    who = range(200)
    frame = once({"all": who, **{str(n): set(who) - {n} for n in range(150)}})
    differences = (frame["members"]["all"] - frame["members"].drop("all")).astype(int)
    assert differences.nunique() > 10
    assert (differences == 1).mean() < 0.3


def test_the_perturbation_in_use_is_the_kept_one():
    assert perturbation_digest() == KNOWN[controls.PERTURBATION]


# What changes from night to night


CELL = "x"
QUORUM_OF_X = Nights().quorum(CELL)


@pytest.mark.parametrize(
    ("joining", "leaving", "changes"),
    [
        pytest.param(0, 0, False, id="nobody"),
        pytest.param(1, 0, False, id="one joins"),
        pytest.param(0, 1, False, id="one leaves"),
        pytest.param(QUORUM_OF_X - 1, 0, False, id="one too few join"),
        pytest.param(QUORUM_OF_X, 0, True, id="a quorum joins"),
        pytest.param(0, QUORUM_OF_X - 1, False, id="one too few leave"),
        pytest.param(0, QUORUM_OF_X, True, id="a quorum leaves"),
        pytest.param(QUORUM_OF_X - 5, 4, False, id="one too few come and go"),
        pytest.param(QUORUM_OF_X - 4, 4, True, id="a quorum comes and goes"),
        pytest.param(10, 10, True, id="ten for ten"),
        pytest.param(60, 60, True, id="most of them"),
    ],
)
def test_a_cell_changes_once_a_quorum_of_distinct_members_has(joining, leaving, changes):
    nights = Nights([MEMBERS, POSTINGS])
    first = nights.run({"x": range(100)})
    second = nights.run({"x": range(leaving, 100 + joining)})
    assert second[AS_OF]["x"] == ("2026-10-02" if changes else FIRST)
    if not changes:
        assert as_shown(second) == as_shown(first)
    else:
        fresh = Nights([MEMBERS, POSTINGS]).run({"x": range(leaving, 100 + joining)})
        assert as_shown(second.drop(columns=AS_OF)) == as_shown(fresh.drop(columns=AS_OF))
    assert len(nights.told.names) == len(nights.told.references) == changes


def test_every_cell_draws_a_quorum_of_10_to_15_of_its_own():
    names = [str(n) for n in range(600)]
    drawn = Nights().quorums(names)
    assert QUORUM == (10, 15)
    assert set(drawn) == set(range(10, 16))
    assert all(60 < drawn.count(m) < 140 for m in set(drawn))  # about 100 of each
    assert Nights().quorums(names) == drawn
    for other in (Nights(table="other"), Nights(key=OTHER_KEY)):
        assert other.quorums(names) != drawn
    assert Nights().quorums(names, "2026-10-02") != drawn


def test_a_cell_has_no_number_before_a_quorum_is_in_it_and_then_as_many_as_it_drew():
    """The first number of a cell is a change like any other: it takes m settled members, over nights or at once."""
    nights, names = Nights(), [str(n) for n in range(60)]
    m = dict(zip(names, nights.quorums(names), strict=True))
    assert once({code: range(m[code] - 1) for code in names})["members"].isna().all()
    assert once({code: range(m[code]) for code in names})["members"].notna().all()
    for short in (3, 2, 1, 0):
        frame = nights.run({code: range(m[code] - short) for code in names})
        assert frame["members"].notna().tolist() == [short == 0] * 60
        assert (frame[AS_OF] == ("2026-10-04" if short == 0 else FIRST)).all()


def test_the_quorum_is_drawn_anew_after_a_change():
    """Or whoever found it out once could wait one short of it for ever."""
    nights, next_member = Nights(), 100
    who = set(range(100))
    nights.run({"x": who})
    drawn = [nights.quorum("x", FIRST)]
    while nights.day < 31 and len(drawn) < 6:
        m, as_of = drawn[-1], nights.kept.numbers[AS_OF][0]
        who |= set(range(next_member, next_member + m - 1))
        assert nights.run({"x": who})[AS_OF]["x"] == as_of
        who, next_member = who | {next_member + m - 1}, next_member + m
        assert nights.run({"x": who})[AS_OF]["x"] != as_of
        drawn.append(nights.quorum("x", nights.kept.numbers[AS_OF][0]))
    assert len(drawn) == 6
    assert len(set(drawn)) > 1


def test_a_member_who_goes_back_and_forth_refreshes_nothing():
    """Thirty nights of joining and leaving are one distinct change at most, however often."""
    nights = Nights()
    first = as_shown(nights.run({"x": range(50), "total": range(90)}))
    for n in range(30):
        guest = {1_000} if n % 2 else set()
        assert as_shown(nights.run({"x": {*range(50), *guest}, "total": {*range(90), *guest}})) == first


def test_nine_members_who_go_back_and_forth_refresh_nothing():
    nights = Nights()
    first = as_shown(nights.run({"x": range(50)}))
    for n in range(10):
        assert as_shown(nights.run({"x": range(9 * (n % 2), 50)})) == first


def test_a_member_who_moves_counts_in_the_cell_she_leaves_and_in_the_one_she_joins():
    nights = Nights()
    nights.run({"x": range(50), "y": range(100, 150)})
    m = {code: nights.quorum(code) for code in "xy"}
    for moved in range(1, 16):
        frame = Nights.run(copy.copy(nights), {"x": range(moved, 50), "y": [*range(100, 150), *range(moved)]})
        assert {code: frame[AS_OF][code] != FIRST for code in "xy"} == {code: moved >= m[code] for code in "xy"}


def test_accounts_that_have_not_settled_fill_no_quorum_and_settling_refreshes_nothing():
    fresh = set(range(1_000, 1_200))
    nights = Nights()
    first = nights.run({"x": range(100)})
    assert as_shown(nights.run({"x": {*range(100), *fresh}}, unsettled=fresh)) == as_shown(first)
    joined = range(100, 100 + nights.quorum("x"))
    changed = nights.run({"x": {*range(100), *fresh, *joined}}, unsettled=fresh)
    assert changed[AS_OF]["x"] == "2026-10-03"
    assert abs(changed["members"]["x"] - (100 + 200 + len(joined))) <= BOUND
    # They are in the number. When they settle, it is no news: 200 at once do not make it a new one.
    assert as_shown(nights.run({"x": {*range(100), *fresh, *joined}})) == as_shown(changed)
    assert len(nights.told.names) == 0


def test_accounts_settle_a_few_a_night_and_no_number_moves_until_others_come():
    nights = Nights()
    fresh = list(range(1_000, 1_040))
    first = nights.run({"x": {*range(60), *fresh}}, unsettled=fresh)
    for n in range(0, 41, 5):
        assert as_shown(nights.run({"x": {*range(60), *fresh}}, unsettled=fresh[n:])) == as_shown(first)
    m = nights.quorum("x")
    assert as_shown(nights.run({"x": {*range(m - 1, 60), *fresh}})) == as_shown(first)
    assert nights.run({"x": {*range(m, 60), *fresh}})[AS_OF]["x"] == f"2026-10-{nights.day:02d}"


def test_accounts_who_came_after_the_last_number_are_a_change_once_they_have_settled():
    """They are not in it yet; so many of them as a quorum needs, settled, are."""
    nights = Nights()
    first = nights.run({"x": range(100)})
    m = nights.quorum("x")
    fresh = set(range(1_000, 1_000 + m))
    for still_fresh in (fresh, set(range(1_000, 1_001))):
        now = nights.run({"x": {*range(100), *fresh}}, unsettled=still_fresh)
        assert as_shown(now) == as_shown(first)
    assert nights.run({"x": {*range(100), *fresh}})[AS_OF]["x"] == "2026-10-04"


def test_a_cell_of_fresh_accounts_only_has_no_number():
    assert missing(Nights().run({"x": range(500)}, unsettled=range(500))["members"]["x"])


def test_a_cell_that_empties_keeps_its_number_until_a_quorum_has_left():
    """That it has a number at all changes only under the quorum, so suppression tells of nobody either."""
    nights = Nights()
    m = nights.quorum("x")
    first = as_shown(nights.run({"x": range(m)}))
    assert not missing(first[0][1])
    assert as_shown(nights.run({"x": range(m - 1)})) == first
    assert as_shown(nights.run({"x": range(1)})) == first
    gone = nights.run({"x": []})
    assert as_shown(gone) == [("x", None, "2026-10-04")]
    # And whoever comes back has to be a quorum again.
    m = nights.quorum("x", "2026-10-04")
    assert as_shown(nights.run({"x": range(m - 1)})) == as_shown(gone)
    assert not missing(nights.run({"x": range(m)})["members"]["x"])


def test_a_cell_between_threshold_and_quorum_is_suppressed_when_it_changes():
    nights = Nights()
    nights.run({"x": range(60)})
    for left in range(9, 16):
        probe = copy.copy(nights)
        frame = probe.run({"x": range(left)})
        assert frame[AS_OF]["x"] == "2026-10-02"
        assert missing(frame["members"]["x"]) == (left < nights.quorum("x"))


CODES = "pqrs"
changing = st.lists(st.fixed_dictionaries({c: st.sets(st.integers(0, 60)) for c in CODES}), min_size=2, max_size=6)


@settings(max_examples=25)
@given(changing, st.sampled_from([5, 10, 20]))
def test_every_change_is_of_a_quorum_and_every_number_is_of_its_night(courses, threshold):
    """The law behind the examples, on any course: against sets, and a ledger of its own."""
    nights = Nights(threshold=threshold)
    ledger = {code: (set(), FIRST, None) for code in CODES}
    for who in courses:
        quorum = {code: nights.quorum(code, ledger[code][1]) for code in CODES}
        frame = nights.run(who)
        for code, members in who.items():
            reference, _, _ = ledger[code]
            if len(reference ^ members) >= quorum[code]:
                shown = frame["members"][code]
                assert missing(shown) == (len(members) < threshold + quorum[code] - 10)
                assert missing(shown) or (shown >= threshold and abs(shown - len(members)) <= BOUND)
                ledger[code] = (members, f"2026-10-{nights.day:02d}", None if missing(shown) else shown)
        assert as_shown(frame) == [(code, ledger[code][2], ledger[code][1]) for code in who]


def test_the_quorum_is_what_holds_a_number_still(monkeypatch):
    """With the guard removed the same tests fail: then one member moves what is shown."""
    monkeypatch.setattr(disclosure, "QUORUM", (1, 1))
    nights = Nights()
    first = nights.run({"x": range(100)})
    second = nights.run({"x": range(101)})
    assert second[AS_OF]["x"] != first[AS_OF]["x"]


def test_a_cell_that_nobody_has_published_is_as_of_tonight_and_one_that_is_no_longer_there_goes():
    nights = Nights()
    nights.run({"x": range(40)})
    frame = nights.run({"y": [], "z": range(40)})
    assert frame.index.tolist() == ["y", "z"]
    assert frame[AS_OF].tolist() == ["2026-10-02"] * 2
    assert missing(frame["members"]["y"])


def test_references_are_of_the_changed_cells_their_settled_members_and_all_of_them():
    nights = Nights()
    nights.run({"x": range(40), "y": range(3)}, unsettled=range(20, 40))
    assert nights.told.names.tolist() == ["x"]
    rows = [row_of(n, 1, n < 20, a="x") for n in range(40)]
    assert nights.told.references.tolist() == [slow(rows, ["a"])[("x",)][5]]


# Tables whose cells nobody can list


def test_of_an_open_table_only_what_has_a_number_or_is_listed_leaves_a_trace():
    """A term of a few has no row, no count and no power sums; a listed cell without a number has its row only."""
    nights = Nights()
    cells = cells_of({"few": range(50, 53), "many": range(40), "none": [], "listed": range(70, 73)})
    frame = nights.publish(cells, listed=["listed"])
    assert frame.index.tolist() == ["many", "listed"]
    assert missing(frame["members"]["listed"])
    release = nights.told.release
    assert (release.suppressed_cells, release.changed_cells) == (1, 2)
    assert nights.told.names.tolist() == ["many"]
    assert len(nights.told.references) == 1
    assert release.frame.index.tolist() == [0, 1]


def test_a_cell_of_an_open_table_that_changes_and_is_hidden_leaves_neither_row_nor_reference():
    """Enough for a change and not for the threshold: the draws of 40 cells decide."""
    nights = Nights()
    names = [str(n) for n in range(40)]
    cells = cells_of({name: range(1_000 * n, 1_000 * n + 12) for n, name in enumerate(names)})
    frame = nights.publish(cells, listed=[])
    assert frame["members"].notna().all()
    assert frame.index.tolist() == nights.told.names.tolist() == [n for n in names if nights.quorum(n, FIRST) <= 12]
    assert 0 < len(frame) < 40


def test_of_a_table_of_known_cells_every_one_has_its_row():
    nights = Nights()
    assert len(nights.publish(cells_of({"many": range(40), "few": range(50, 53)}))) == 2


def test_cells_of_several_dimensions_are_named_by_all_of_them():
    codes = pd.DataFrame({"a": ["p", "p"], "b": ["1", "2"]}, dtype=object)
    assert cell_names(codes).tolist() == [f"p{SEPARATOR}1", f"p{SEPARATOR}2"]
    assert cell_names(codes[["a"]]).tolist() == ["p", "p"]


# Cells and their margins


def crossed(who: Mapping[tuple[str, str], Collection[int]], unsettled: Collection[int] = ()) -> Cells:
    """Cells of two dimensions with all their margins, as they are counted."""
    rows = [row_of(m, 1, m not in unsettled, a=a, b=b) for (a, b), members in who.items() for m in members]
    whole = true.with_margins(true.count(frame(rows, ["a", "b"]), ["a", "b"]), ["a", "b"])
    domain = pd.MultiIndex.from_product([["p", "q", TOTAL], ["1", "2", TOTAL]], names=["a", "b"])
    taken = whole.take(pd.MultiIndex.from_frame(whole.codes).get_indexer(domain))
    return dataclasses.replace(taken, codes=domain.to_frame(index=False).astype(object))


def has_number(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(frame.index[frame["members"].notna()])


def require_margins(frame: pd.DataFrame) -> None:
    """Whatever has a number has it under margins that have one."""
    shown = has_number(frame)
    assert {margin for a, b in shown for margin in ((TOTAL, b), (a, TOTAL), (TOTAL, TOTAL))} <= shown


def test_a_cell_has_a_number_only_under_margins_that_have_one():
    """Margins draw quorums of their own, so of a few members a cell may have enough and its margin not."""
    alone = 0
    for n in range(30):
        nights = Nights(table=f"table {n}")
        frame = nights.publish(crossed({("p", "1"): range(12)}))
        require_margins(frame)
        cells = list(itertools.product(["p", TOTAL], ["1", TOTAL]))
        m = dict(zip(cells, nights.quorums(cells), strict=True))
        assert has_number(frame) == {
            (a, b) for a, b in cells if all(m[one] <= 12 for one in itertools.product({a, TOTAL}, {b, TOTAL}))
        }
        alone += m["p", "1"] <= 12 and ("p", "1") not in has_number(frame)
    assert alone > 2


def test_a_margin_that_dominance_hides_has_no_number_and_its_cells_have_none_from_the_start():
    """The same members night after night: nothing may move, so what is hidden on the second night is on the first."""
    who = {("p", "1"): range(30), ("q", "1"): range(100, 101)}
    rows = [row_of(m, 500 if m == 100 else 1, a=a, b=b) for (a, b), members in who.items() for m in members]
    cells = true.with_margins(true.count(frame(rows, ["a", "b"]), ["a", "b"]), ["a", "b"])
    nights = Nights([MEAN])
    first = nights.publish(cells)
    assert first["mean"].isna().all()  # 500 of 530 are hers, in the margins that she is in
    for _ in range(2):
        assert as_shown(nights.publish(cells)) == as_shown(first)


@settings(max_examples=15)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 60), st.sampled_from([("p", "1"), ("p", "2"), ("q", "1"), ("q", "2")])),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from([5, 10]),
)
def test_margins_have_numbers_wherever_their_cells_do_on_every_night(courses, threshold):
    """And a number still changes only with a quorum; it vanishes sooner only if a margin of it has lost its own."""
    nights = Nights(threshold=threshold)
    before = None
    for course in courses:
        who: dict[tuple[str, str], set[int]] = {}
        for member, cell in course.items():
            who.setdefault(cell, set()).add(member)
        frame = nights.publish(crossed(who))
        require_margins(frame)
        assert frame["members"].dropna().ge(threshold).all()
        if before is not None:
            still = frame[AS_OF] == before[AS_OF]
            assert as_shown(frame[still]) == as_shown(before[still])
        before = frame


# Sums, means and quantiles


def magnitudes(amounts: list[int], measures: Collection[Measure] = (MEAN,)) -> pd.Series:
    who = range(len(amounts))
    return once({"x": who}, amounts=dict(zip(who, amounts, strict=True)), measures=measures).loc["x"]


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        pytest.param([1] * 20, True, id="all alike"),
        pytest.param([0] * 20, True, id="nobody wrote"),
        pytest.param([100, *[0] * 20], False, id="one made everything"),
        pytest.param([50, 50, *[0] * 20], False, id="two made everything"),
        pytest.param([45, 40, *[1] * 15], True, id="two made 85 of 100, and no more"),
        pytest.param([46, 40, *[1] * 14], False, id="two made 86 of 100"),
        pytest.param([100, 90, *[1] * 34], True, id="two large, the others a third of one"),
    ],
)
def test_a_mean_that_one_or_two_members_make_is_hidden_and_so_is_the_sum(amounts, shown):
    """The (n, k) rule with n = 2 and k = 85 %; members stay."""
    found = magnitudes(amounts, [MEMBERS, POSTINGS, MEAN])
    assert [missing(found[name]) for name in ("members", "postings", "mean")] == [False, not shown, not shown]


def test_a_mean_whose_second_contributor_could_tell_the_first_is_hidden(monkeypatch):
    """p %: the rest is under a tenth of the largest. Alone, because under 85 % it follows from the other rule."""
    monkeypatch.setattr(disclosure, "DOMINANCE_SHARE", 1.0)
    assert missing(magnitudes([200, 90, *[1] * 19, 0])["mean"])
    assert not missing(magnitudes([200, 90, *[1] * 20])["mean"])


@settings(max_examples=60)
@given(st.lists(st.integers(0, 300), min_size=15, max_size=60))
def test_a_shown_mean_is_off_by_20_to_40_percent_of_the_largest_and_a_hidden_one_is_dominated(amounts):
    found = magnitudes(amounts)["mean"]
    largest, second, *_ = sorted(amounts, reverse=True)
    total = sum(amounts)
    dominated = total > 0 and (largest + second > 0.85 * total or total - largest - second < 0.1 * largest)
    assert missing(found) == dominated
    if not dominated:
        off = abs(found * len(amounts) - total)
        rounding = 0.005 * len(amounts) + 1e-6
        assert 0.2 * largest - rounding <= off <= 0.4 * largest + rounding


def test_the_noise_of_a_mean_goes_up_and_down_evenly():
    who = {str(n): range(100 * n, 100 * n + 20) for n in range(400)}
    frame = once(who, measures=[MEAN])
    up = (frame["mean"] > 1).sum()
    assert 150 < up < 250
    assert frame["mean"].between(0.98, 1.02).all() and not (frame["mean"] == 1).any()


def test_a_sum_is_the_published_members_times_the_noisy_mean():
    """So it tells no more than they do, and is none under the threshold."""
    who = {str(n): range(100 * n, 100 * n + 10 + n) for n in range(50)}
    amounts = {member: 1 + member % 7 for members in who.values() for member in members}
    frame = once(who, amounts=amounts, measures=[MEMBERS, POSTINGS, MEAN]).dropna()
    assert len(frame) > 30
    assert ((frame["members"] * frame["mean"] - frame["postings"]).abs() <= 0.005 * frame["members"] + 0.5).all()
    assert (frame["postings"] >= 10).all()


def quantiles(amounts: Mapping[int, int], count: int) -> pd.Series:
    return once({"x": range(count)}, amounts=amounts, measures=[MEDIAN, P90], bins=BINS).loc["x"]


@pytest.mark.parametrize(("count", "shown"), [(15, False), (49, False), (50, True), (200, True)])
def test_quantiles_are_of_50_members_or_more(count, shown):
    found = quantiles({n: n % 20 for n in range(count)}, count)
    assert [missing(found[name]) for name in ("median", "p90")] == [not shown] * 2


@settings(max_examples=30)
@given(st.lists(st.integers(0, 33), min_size=50, max_size=400))
def test_quantiles_lie_in_the_bins_and_near_the_members_ranks(amounts):
    """The noise of each bin is bounded, in those that are empty as well; so a quantile is of a bin not far off."""
    found = quantiles(dict(enumerate(amounts)), len(amounts))
    assert 0 <= found["median"] <= found["p90"] <= 2 * BINS[-1] - BINS[-2] - 0.5
    edges = [b - 0.5 for b in (*BINS, 2 * BINS[-1] - BINS[-2])]
    of_bin = [sum(edges[k] < amount < edges[k + 1] for amount in amounts) for k in range(len(BINS) - 1)]
    of_bin.append(len(amounts) - sum(of_bin))
    least, most = [max(n - BOUND, 0) for n in of_bin], [n + BOUND for n in of_bin]
    for name, share in (("median", 0.5), ("p90", 0.9)):
        # With all noise against it, is so large a share below the bin, or so little up to its end?
        possible = [
            k
            for k in range(len(BINS))
            if (1 - share) * sum(least[:k]) <= share * sum(most[k:])
            and (1 - share) * sum(most[: k + 1]) >= share * sum(least[k + 1 :])
        ]
        assert max(edges[possible[0]], 0) - 0.05 <= found[name] <= edges[possible[-1] + 1] + 0.05


def test_a_quantile_is_no_member_s_own_number():
    """All have written seven times; nobody learns so from the median, which lies somewhere in the bin of 5 to 8."""
    found = {
        code: row["median"]
        for code, row in once(
            {str(n): range(100 * n, 100 * n + 80) for n in range(60)},
            amounts=dict.fromkeys(range(6_000), 7),
            measures=[MEDIAN],
            bins=BINS,
        ).iterrows()
    }
    assert len(set(found.values())) > 3
    assert all(4.5 <= value <= 8.5 for value in found.values())
    assert 7.0 not in found.values()


# What is refused, and what a release is


def broken(**parts) -> Cells:
    """Two good cells with some parts replaced."""
    return dataclasses.replace(cells_of({"x": range(20), "y": range(30, 60)}), **parts)


def codes(*values: object) -> pd.DataFrame:
    return pd.DataFrame({"a": values}, dtype=object)


REFUSED = {
    "a missing count": ({"members": np.array([np.nan, 30])}, "table.members: a true count is missing"),
    "a negative count": ({"members": np.array([-1, 30])}, "table.members: a true count is missing"),
    "a fractional count": ({"members": np.array([12.5, 30])}, "table.members: a true count is missing"),
    "a whole count held as a float": ({"members": np.array([12.0, 30])}, "table.members: a true count is missing"),
    "a count as text": ({"members": np.array(["12", "30"])}, "table.members: a true count is missing"),
    "a truth value": ({"members": np.array([True, True])}, "table.members: a true count is missing"),
    "an object": ({"members": np.array([12, None], object)}, "table.members: a true count is missing"),
    "negative contributions": ({"contributions": np.array([-5, 1])}, "table.contributions: a true count"),
    "a negative largest": ({"largest": np.array([-5, 1])}, "table.largest: a true count"),
    "a fractional second": ({"second": np.array([0.5, 1])}, "table.second: a true count"),
    "a negative cell key": ({"cell_key": np.array([-5, 1])}, "table.cell_key: a true count"),
    "negative power sums": ({"power_sums": np.full((2, 58), -1)}, "table.power_sums: a true count"),
    "a fractional histogram": ({"histogram": np.full((2, 7), 0.5)}, "table.histogram: a true count"),
    "a count too few": ({"members": np.array([12])}, "table.members: not one number for each cell"),
    "a count too many": ({"largest": np.array([1, 2, 3])}, "table.largest: not one number for each cell"),
    "a missing code": ({"codes": codes("x", None)}, "table: a dimension is missing; a missing value is the code"),
    "a code that is no number": ({"codes": codes("x", np.nan)}, "table: a dimension is missing"),
    "a control character": ({"codes": codes("x", f"y{SEPARATOR}z")}, "table: a code holds a control character"),
    "a cell twice": ({"codes": codes("x", "x")}, "table: a cell appears twice; the shards were not merged"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_cells_that_are_no_cells_are_refused(what):
    parts, message = REFUSED[what]
    with pytest.raises(DisclosureRefused) as refused:
        Nights().publish(broken(**parts))
    assert str(refused.value).startswith(message)
    assert refused.value.exit_status == 41
    assert not any(value in str(refused.value) for value in ("12", "30", "-1", "-5", "'x'"))


def test_the_two_good_cells_are_not_refused():
    assert len(Nights().publish(broken())) == 2


def test_another_n_of_dominance_is_refused_because_cells_keep_two(monkeypatch):
    monkeypatch.setattr(disclosure, "DOMINANCE_CONTRIBUTORS", 3)
    with pytest.raises(DisclosureRefused, match=r"^cells keep their two largest contributions"):
        Nights([MEAN]).run({"x": range(20)})


def test_the_true_cells_are_left_as_they_were():
    cells = cells_of({"x": range(9), "y": range(30)}, bins=BINS)
    before = copy.deepcopy(cells)
    Nights([MEAN, MEDIAN], bins=BINS).publish(cells)
    for part in dataclasses.fields(Cells):
        assert pickle.dumps(getattr(cells, part.name)) == pickle.dumps(getattr(before, part.name))


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda release: Release(), id="called"),
        pytest.param(lambda release: Release("t", release.frame, 0, 0, 10), id="called with its parts"),
        pytest.param(lambda release: Release(table="t", frame=release.frame), id="called with names"),
        pytest.param(lambda release: dataclasses.replace(release, threshold=1), id="replaced"),
    ],
)
def test_nobody_else_makes_a_release(forge):
    nights = Nights()
    nights.run({"x": range(20)})
    with pytest.raises(TypeError):
        forge(nights.told.release)


def test_a_release_does_not_change():
    nights = Nights()
    nights.run({"x": range(20)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        nights.told.release.threshold = 1


SECRET_AMOUNT = 8_675_309


def pieces(thing: object) -> Iterable[object]:
    """Everything that pickling would carry along, which is more than what shows: values under masks, too."""
    seen: list[object] = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> None:
            seen.append(value)

    with open("/dev/null", "wb") as nowhere:
        Pickler(nowhere, protocol=2).dump(thing)
    return seen


def held(release: Release) -> set[float]:
    """All numbers in the memory of a release."""
    numbers: set[float] = set()
    for piece in pieces(vars(release)):
        if isinstance(piece, int | float) and not isinstance(piece, bool):
            numbers.add(float(piece))
        elif isinstance(piece, np.ndarray) and piece.dtype.kind in "iuf":
            numbers |= set(piece.ravel().astype(float).tolist())
    return numbers


def test_what_is_suppressed_is_nowhere_in_the_release():
    """Neither in the values nor in the memory behind the missing ones, on a first night and on a later one."""
    nights = Nights([MEMBERS, POSTINGS, MEAN])
    few = {"few": range(9), "many": range(100, 140)}
    amounts = dict.fromkeys(range(9), SECRET_AMOUNT)
    nights.run(few, amounts)
    for _ in range(2):
        numbers = held(nights.told.release)
        assert 9.0 not in numbers
        assert not {n for n in numbers if n > 1_000_000 / 2}
        assert 40.0 in numbers or nights.kept.numbers["members"][1] != 40
        nights.run(few, amounts)


def test_true_counts_are_nowhere_in_the_release():
    """Of a cell that is shown the release holds the perturbed count only, and neither key nor power sums."""
    true = 1_234_567
    for shift in range(4):  # noise may be 0, but not for four sets of members
        cells = cells_of({"x": range(shift, shift + 30)})
        cells = dataclasses.replace(cells, members=np.array([true]), contributions=np.array([true]))
        nights = Nights([MEMBERS, POSTINGS])
        frame = nights.publish(cells)
        if frame["members"]["x"] != true and frame["postings"]["x"] != true:
            numbers = held(nights.told.release)
            assert frame["members"]["x"] in numbers  # so the search finds what is there
            assert true not in numbers
            assert not numbers & set(map(float, [*cells.cell_key, *cells.power_sums[0]]))
            return
    pytest.fail("no noise in four sets")


@settings(max_examples=15)
@given(
    st.dictionaries(st.sampled_from("pqrs"), st.integers(0, 40), min_size=2),
    st.integers(5, 25),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_cells_changes_no_number(sizes, threshold, draw):
    who = {code: range(n) for code, n in sizes.items()}
    turned = dict(draw.sample(sorted(who.items()), len(who)))
    one, other = (once(cells, threshold=threshold, measures=[MEMBERS, POSTINGS]) for cells in (who, turned))
    assert as_shown(one.sort_index()) == as_shown(other.sort_index())
