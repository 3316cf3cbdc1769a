"""Great Expectations on whole tables: a good one passes, every mutation turns red, and nothing of a row is told."""

import datetime
import json
import logging
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from anonymizers.cells import count, with_margins
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import Published
from anonymizers.errors import GateRefused
from expectations.checks import Check, between, present, rows
from expectations.gate import require_green
from tests.members import KEY, frame, row
from transforms.release import disclosed, published_frame, release
from transforms.suites import table_suite
from transforms.tables import catalogue

TABLES = catalogue()
DAY = datetime.date(2026, 10, 31)
BOARDS = ["育児の悩み", "雑談", "保活"]
MARKERS = ("CANARY花子", "canary+001@example.jp", "09000009001", "9f86d081884c7d65", "987654321")


@pytest.fixture(scope="module")
def validate():
    """Importing Great Expectations takes many seconds, so it is done once."""
    from expectations import validation

    return validation.validate


def made(name: str, sizes: dict[tuple, int]) -> pd.DataFrame:
    """A table as it would be published, from true cells of so many members."""
    table = TABLES[name]
    names = [d.name for d in table.dimensions]
    rows = [
        row(f"{n}/{member}", member % 4, **dict(zip(names, codes, strict=True)))
        for n, (codes, size) in enumerate(sizes.items())
        for member in range(size)
    ]
    cells = with_margins(count(frame(rows, names), names, table.bins), table.summed_over)
    before = Published.nothing([m.name for m in disclosed(table)])
    return published_frame(table, release(table, cells, before, DAY, BOARDS, DisclosureControl(), KEY).release)


GOOD = {
    "activity_by_board": {("育児の悩み", "2026-10-31"): 40, ("健康・家庭", "2026-10-31"): 3},
    "activity_by_hour": {("Sat", "21", "13"): 40, ("Sun", "00", "unknown"): 1},
    "consents_by_age_band": {
        **{("30-34", status): 60 for status in ("consented", "stopped", "withdrawn", "outdated", "none")},
        ("35-39", "none"): 9,
    },
    "engagement_by_age_band": {("30-34", "0"): 60, ("35-39", "none"): 20},
    "members_by_prefecture": {("13", "30-34", "0"): 40, ("47", "-19", "expecting"): 1},
    "registrations_by_month": {("2026-08",): 30, ("2026-10",): 3, ("unknown",): 41},
    "retention_by_cohort": {("2026-08", "posted"): 30, ("earlier", "silent"): 40},
    "trending_terms": {("育児の悩み", "2026-W43", "離乳食"): 40, ("雑談", "2026-W43", "保活"): 2},
}


@pytest.fixture(scope="module")
def good() -> dict[str, pd.DataFrame]:
    return {name: made(name, sizes) for name, sizes in GOOD.items()}


def test_every_table_is_tried():
    assert GOOD.keys() == TABLES.keys()


@pytest.mark.parametrize("name", TABLES)
def test_a_good_table_passes(validate, good, name):
    suite = table_suite(TABLES[name], 10)
    outcomes = validate(name, good[name], suite)
    require_green(outcomes)
    assert [(o.expectation, o.column) for o in outcomes] == [(c.expectation, c.column) for c in suite]


def first(frame: pd.DataFrame, **values) -> pd.DataFrame:
    """The frame with other values in its first row."""
    changed = frame.astype(dict.fromkeys(values, object))
    for name, value in values.items():
        changed.loc[0, name] = value
    return changed


def board(title: object):
    return lambda frame: first(frame, board=title)


MUTATIONS = {
    "a cell of four": ("members_by_prefecture", lambda f: f.assign(members=f["members"].mask(f.index == 0, 4))),
    "a cell of nine": ("members_by_prefecture", lambda f: f.assign(members=f["members"].mask(f.index == 0, 9))),
    "few postings": ("activity_by_hour", lambda f: f.assign(postings=f["postings"].mask(f.index == 0, 9))),
    "an extra column": ("registrations_by_month", lambda f: f.assign(member_id=range(len(f)))),
    "a missing column": ("members_by_prefecture", lambda f: f.drop(columns="age_band")),
    "a missing measure": ("registrations_by_month", lambda f: f.drop(columns="members")),
    "columns in another order": ("members_by_prefecture", lambda f: f[list(reversed(f.columns))]),
    "a repeated row": ("registrations_by_month", lambda f: pd.concat([f, f.tail(1)], ignore_index=True)),
    "a row too few": ("consents_by_age_band", lambda f: f.iloc[1:]),
    "a repeated cell in the place of another": (
        "consents_by_age_band",
        lambda f: pd.concat([f.iloc[1:], f.tail(1)], ignore_index=True),
    ),
    "an unknown code": ("consents_by_age_band", lambda f: first(f, age_band="31")),
    "a margin": ("consents_by_age_band", lambda f: first(f, age_band="total")),
    "a margin of months": ("registrations_by_month", lambda f: first(f, registered_month="total")),
    "a foreign label": ("consents_by_age_band", lambda f: first(f, consent_status_ja="CANARY花子")),
    "no rows": ("registrations_by_month", lambda f: f.iloc[:0]),
    "a dimension that is not a number": ("consents_by_age_band", lambda f: first(f, age_band=float("nan"))),
    "a missing dimension": ("activity_by_board", board(None)),
    "a share over 100": ("consents_by_age_band", lambda f: f.assign(share_pct=f["share_pct"].mask(f.index == 15, 101))),
    "a negative share": ("consents_by_age_band", lambda f: f.assign(share_pct=f["share_pct"].mask(f.index == 15, -1))),
    "a negative mean": (
        "engagement_by_age_band",
        lambda f: f.assign(postings_per_member=f["postings_per_member"].mask(f.index == 0, -0.1)),
    ),
    "a measure as text": ("registrations_by_month", lambda f: first(f, members="CANARY花子")),
    "a board that is a number": ("activity_by_board", board(987654321)),
    "a board with an empty title": ("activity_by_board", board("")),
    "a board with a long title": ("activity_by_board", board("あ" * 61)),
    "a full-width e-mail address": ("activity_by_board", board("ｍａｍａ＠ｅｘａｍｐｌｅ．ｊｐ")),
    "a full-width e-mail address with spaces": ("activity_by_board", board("ｍａｍａ　＠　ｅｘａｍｐｌｅ．ｊｐ")),
    "an e-mail address": ("activity_by_board", board("連絡は canary+001@example.jp")),
    "a telephone number": ("activity_by_board", board("電話０９０ー００００ー９００１")),
    "a postal mark": ("activity_by_board", board("〒の会")),
    "a digest": ("activity_by_board", board("9f86d081884c7d65" * 4)),
    "a member number": ("activity_by_board", board("会員987654321")),
    "a day that is none": ("activity_by_board", lambda f: first(f, day="2026-10-31T00:00")),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_mutation_turns_the_gate_red_and_tells_no_value(validate, good, caplog, capfd, what):
    name, mutate = MUTATIONS[what]
    with caplog.at_level(logging.DEBUG):
        outcomes = validate(name, mutate(good[name]), table_suite(TABLES[name], 10))
    with pytest.raises(GateRefused) as refused:
        require_green(outcomes)
    told = [repr(outcomes), json.dumps([o.as_dict() for o in outcomes], ensure_ascii=False), str(refused.value)]
    told += [caplog.text, *capfd.readouterr()]
    assert name in told[2]
    assert not [marker for marker in (*MARKERS, "ｍａｍａ", "９００１") for text in told if marker in text]


def test_every_marker_fails_and_none_is_told(validate, caplog, capfd):
    """Whatever an expectation has to say about a value, its outcome does not."""
    frame = pd.DataFrame({"text": MARKERS, "number": [1, 2, 3, 4, 987654321]})
    suite = [
        rows(100),
        Check("ExpectColumnValuesToBeInSet", "text", {"value_set": ["x"]}),
        Check("ExpectColumnValuesToBeUnique", "text"),
        Check("ExpectColumnValuesToNotMatchRegex", "text", {"regex": "(?s).*"}),
        Check("ExpectColumnMaxToBeBetween", "number", {"max_value": 5}),
        Check("ExpectColumnDistinctValuesToBeInSet", "text", {"value_set": ["x"]}),
        Check("ExpectTableColumnsToMatchOrderedList", None, {"column_list": ["x"]}),
        between("text", 0, 1),
        between("number", 0, 5),
        present("absent"),
        Check("ExpectNothingOfTheKind", "text"),
        Check("ExpectColumnValuesToMatchRegex", "text", {"regex": "(unclosed"}),
    ]
    with caplog.at_level(logging.DEBUG):
        outcomes = validate("output", frame, suite)
    with pytest.raises(GateRefused) as refused:
        require_green(outcomes)
    told = [repr(outcomes), json.dumps([vars(o) for o in outcomes], ensure_ascii=False), str(refused.value)]
    told += [caplog.text, *capfd.readouterr()]
    assert not [marker for marker in MARKERS for text in told if marker in text]
    assert [o.expectation for o in outcomes if o.success] == ["ExpectColumnValuesToBeUnique"]
    assert {type(v) for o in outcomes for v in (o.element_count, o.unexpected_count)} <= {int, type(None)}


def test_an_expectation_that_raises_has_not_passed_and_takes_no_other_with_it(validate):
    """Also where the same is asked twice."""
    checks = [rows(1), Check("ExpectNothingOfTheKind", "a"), present("b"), present("a"), present("a")]
    outcomes = validate("output", pd.DataFrame({"a": [1]}), checks)
    assert [o.success for o in outcomes] == [True, False, False, True, True]
    assert [o.column for o in outcomes] == [None, "a", "b", "a", "a"]


@pytest.mark.parametrize("suite", [[], [present("a")], [present("a"), rows(1)]], ids=["none", "no rows", "rows last"])
def test_a_suite_without_the_row_count_first_is_refused(validate, suite):
    with pytest.raises(ValueError, match=r"^output: the first check of a suite is the row count$"):
        validate("output", pd.DataFrame({"a": [1]}), suite)


def test_full_width_text_does_not_hide_in_a_category(validate, good):
    frame = first(good["activity_by_board"], board="ｍａｍａ＠ｅｘａｍｐｌｅ．ｊｐ").astype({"board": "category"})
    outcomes = validate("activity_by_board", frame, table_suite(TABLES["activity_by_board"], 10))
    assert not all(o.success for o in outcomes)


def test_the_frame_is_left_as_it_was(validate, good):
    frame = first(good["activity_by_board"], board="ＡＢＣ")
    before = frame.copy()
    validate("activity_by_board", frame, table_suite(TABLES["activity_by_board"], 10))
    pd.testing.assert_frame_equal(frame, before)


def test_one_frame_says_nothing_of_the_next(validate):
    """They share what makes batches of them."""
    for values, success in (([1, 2], True), ([1, 20], False), ([3], True), ([30], False)):
        frame = pd.DataFrame({"a": pd.Series(values, dtype="int64")})
        found = validate("output", frame, [rows(len(values), len(values)), between("a", 0, 9)])
        assert [outcome.success for outcome in found] == [True, success]


def test_no_file_is_left_behind(validate, good):
    from expectations import validation

    validation._whole_frame.cache_clear()
    before = {path.name for path in Path(tempfile.gettempdir()).glob("tmp*")}
    validate("registrations_by_month", good["registrations_by_month"], [rows(1)])
    assert {path.name for path in Path(tempfile.gettempdir()).glob("tmp*")} <= before
    assert tempfile.tempdir is None or "tmp" not in Path(tempfile.tempdir).name or Path(tempfile.tempdir).exists()
