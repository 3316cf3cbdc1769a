"""The fence: every way in which a finished file can be wrong is counted, and no digest is told."""

import hashlib

import polars as pl
import pytest

from delivery.destinations.liveramp import DESTINATION
from delivery.fence import FORBIDDEN_DIGESTS, Evidence, feed_suite, measure

HEADERS = [header for header, _ in DESTINATION.columns]
MAY = [f"hanako{n}@example.jp" for n in range(30)]
MUST_NOT = ["stopped@example.jp", "young@example.jp"]


def digests(keys: list[str]) -> pl.DataFrame:
    rows = [[hashlib.new(d.value, key.encode()).hexdigest() for _, d in DESTINATION.columns] for key in keys]
    return pl.DataFrame(rows, schema=dict.fromkeys(HEADERS, pl.String), orient="row")


def first(keys: list[str]) -> pl.Series:
    return digests(keys)[HEADERS[0]]


EVIDENCE = Evidence({"opt_out": first(MUST_NOT[:1]), "under_age": first(MUST_NOT[1:])}, first([*MAY, *MUST_NOT]))


def wrong(feed: pl.DataFrame, permitted: int = 30, evidence: Evidence = EVIDENCE) -> dict[str, int]:
    """The counts that are not 0, but the rows."""
    (row,) = measure(DESTINATION, feed, evidence, permitted).to_dict("records")
    assert row.pop("rows") == feed.height
    return {name: count for name, count in row.items() if count}


def other(column: str, value: str | None) -> pl.DataFrame:
    """A good feed with one value replaced in its first row."""
    kept = digests(MAY)
    return kept.with_columns(pl.Series(column, [value, *kept[column].to_list()[1:]], dtype=pl.String))


def test_a_good_feed_has_nothing_wrong():
    assert wrong(digests(MAY)) == {}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda digest: "hanako@example.jp", id="a raw address"),
        pytest.param(lambda digest: digest.upper(), id="capitals"),
        pytest.param(lambda digest: digest[1:], id="a digit too few"),
        pytest.param(lambda digest: digest + "0", id="a digit too many"),
        pytest.param(lambda digest: "", id="empty"),
        pytest.param(lambda digest: None, id="missing"),
        pytest.param(lambda digest: "g" + digest[1:], id="no digit"),
        pytest.param(lambda digest: f" {digest[1:]}", id="a space"),
        pytest.param(lambda digest: digest + "\n", id="a line feed"),
    ],
)
def test_a_malformed_digest_is_counted(header, change):
    found = wrong(other(header, change(digests(MAY)[header][0])))
    assert found.pop(f"{header} malformed") == 1
    assert found == ({"without consent": 1} if header == HEADERS[0] else {})


@pytest.mark.parametrize(("header", "forbidden"), list(zip(HEADERS, FORBIDDEN_DIGESTS, strict=True)), ids=HEADERS)
def test_a_digest_of_nothing_is_counted(header, forbidden):
    algorithm = dict(DESTINATION.columns)[header].value
    assert forbidden == hashlib.new(algorithm, b"").hexdigest()
    assert wrong(other(header, forbidden))[f"{header} of nothing"] == 1


def test_a_repeated_row_is_counted_under_every_header():
    found = wrong(digests([*MAY, MAY[0]]), permitted=31)
    assert found == {f"{header} repeated": 1 for header in HEADERS}


def test_more_rows_than_permitted_are_counted():
    assert wrong(digests(MAY), permitted=28) == {"rows not permitted": 2}
    assert wrong(digests(MAY), permitted=40) == {}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda feed: feed.with_columns(SEGMENT=pl.lit("1")), id="an extra column"),
        pytest.param(lambda feed: feed.drop(HEADERS[2]), id="a missing column"),
        pytest.param(lambda feed: feed.rename({HEADERS[2]: "MD5"}), id="another header"),
        pytest.param(lambda feed: feed.select(reversed(HEADERS)), id="another order"),
    ],
)
def test_wrong_columns_are_counted_and_nothing_else_is_looked_at(change):
    assert wrong(change(digests(MAY))) == {"columns_wrong": 1}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(MUST_NOT[0], {"stopped: opt_out": 1}, id="somebody who said stop"),
        pytest.param(MUST_NOT[1], {"stopped: under_age": 1}, id="somebody under age"),
        pytest.param("nobody@example.jp", {"without consent": 1}, id="somebody nobody knows"),
    ],
)
def test_who_must_not_be_in_a_feed_is_counted(key, expected):
    assert wrong(digests([*MAY, key]), permitted=31) == expected


def test_one_row_can_have_several_reasons():
    evidence = Evidence({"opt_out": first(MUST_NOT), "under_age": first(MUST_NOT)}, first(MAY))
    assert evidence.count_in(first([*MAY, MUST_NOT[0]])) == {
        "stopped: opt_out": 1,
        "stopped: under_age": 1,
        "without consent": 1,
    }


def test_without_evidence_nobody_consents():
    nobody = Evidence({"opt_out": first([])}, first([]))
    assert wrong(digests(MAY), evidence=nobody) == {"without consent": 30}


def test_no_digest_is_among_the_measures():
    found = measure(DESTINATION, digests([*MAY, *MUST_NOT]), EVIDENCE, 30)
    assert found.shape[0] == 1
    assert all(isinstance(value, int) for value in found.iloc[0].tolist())


def test_the_suite_wants_rows_and_zeros():
    measures = measure(DESTINATION, digests(MAY), EVIDENCE, 30)
    one, floor, *zeros = feed_suite(DESTINATION, measures)
    assert one.params == {"min_value": 1, "max_value": 1}
    assert (floor.column, floor.params["min_value"]) == ("rows", DESTINATION.rows_floor)
    assert {check.column for check in zeros} == set(measures.columns) - {"rows"}
    assert all(check.params == {"min_value": 0, "max_value": 0} for check in zeros)


@pytest.mark.xfail(strict=True, reason="the evidence is held against the first column only")
@pytest.mark.parametrize("header", HEADERS[1:])
def test_a_stopped_digest_under_another_header_is_counted(header):
    assert wrong(other(header, digests(MUST_NOT[:1])[header][0]))
