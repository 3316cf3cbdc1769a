"""The fence: every way in which a finished file can be wrong is counted, and no digest is told."""

import dataclasses
import datetime
import hashlib
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from delivery.buckets import Buckets
from delivery.fence import FORBIDDEN_DIGESTS, Evidence, feed_suite, measure, only_stopped
from tests.delivery.feed_files import ALGORITHMS, PLAIN, digests, parts, text_file

HEADERS = [header for header, _ in PLAIN.columns]
MAY = [f"hanako{n}@example.jp" for n in range(30)]
MUST_NOT = ["stopped@example.jp", "young@example.jp"]
EVERYBODY = [*MAY, *MUST_NOT, "nobody@example.jp"]
"""Permitted when the feed was built, unless a test says otherwise."""
READ_AT = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


def evidence(stopped: dict[str, list[str]], consented: list[str], listed: list[str] = (), only=ALGORITHMS) -> Evidence:
    said = [digests(keys).select("sha256", pl.lit(reason).alias("reason")) for reason, keys in stopped.items() if keys]
    on_list = digests(listed).select(
        *(pl.col(name) if name in only else pl.lit(None).alias(name) for name in ALGORITHMS)
    )
    return Evidence(
        parts(pl.concat(said)) if said else parts(pl.DataFrame()), parts(digests(consented)), on_list, READ_AT
    )


EVIDENCE = evidence({"opt_out": MUST_NOT[:1], "under_age": MUST_NOT[1:]}, [*MAY, *MUST_NOT])


def values(keys: list[str]) -> list[list[str]]:
    return [list(row) for row in digests(keys).rows()]


def measured(rows: list[list[str]], place: Path, permitted=EVERYBODY, held: Evidence = EVIDENCE, headers=HEADERS):
    lines = [",".join(f'"{value}"' for value in line) for line in [headers, *rows]]
    path = text_file(lines, place / "feed.csv")
    return measure(PLAIN, path, held, [digests(permitted)], path.stat().st_size, place)


def wrong(rows: list[list[str]], place: Path, *args, **kwargs) -> dict[str, int]:
    """The counts that are not 0, but the rows."""
    (row,) = measured(rows, place, *args, **kwargs).to_dict("records")
    assert row.pop("rows") == len(rows)
    return {name: count for name, count in row.items() if count}


def other(header: str, value: str) -> list[list[str]]:
    """A good feed with one value replaced in its first row."""
    rows = values(MAY)
    rows[0][HEADERS.index(header)] = value
    return rows


def test_a_good_feed_has_nothing_wrong(tmp_path):
    assert wrong(values(MAY), tmp_path) == {}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda digest: "hanako@example.jp", id="a raw address"),
        pytest.param(lambda digest: digest.upper(), id="capitals"),
        pytest.param(lambda digest: digest[1:], id="a digit too few"),
        pytest.param(lambda digest: digest + "0", id="a digit too many"),
        pytest.param(lambda digest: "", id="empty"),
        pytest.param(lambda digest: "g" + digest[1:], id="no digit"),
        pytest.param(lambda digest: f" {digest[1:]}", id="a space"),
        pytest.param(lambda digest: f"0x{digest}", id="0x"),
    ],
)
def test_a_malformed_digest_is_counted_and_is_nobody_who_consented(header, change, tmp_path):
    found = wrong(other(header, change(values(MAY)[0][HEADERS.index(header)])), tmp_path)
    assert found == {f"{header} malformed": 1, "without consent": 1, "rows not permitted": 1}


@pytest.mark.parametrize(("header", "forbidden"), list(zip(HEADERS, FORBIDDEN_DIGESTS, strict=True)), ids=HEADERS)
def test_a_digest_of_nothing_is_counted(header, forbidden, tmp_path):
    assert forbidden == hashlib.new(dict(PLAIN.columns)[header].value, b"").hexdigest()
    assert wrong(other(header, forbidden), tmp_path)[f"{header} of nothing"] == 1


def test_a_repeated_row_is_counted_under_every_header(tmp_path):
    found = wrong(values([*MAY, MAY[0]]), tmp_path)
    assert found == {f"{header} repeated": 1 for header in HEADERS}


def test_rows_of_whoever_was_not_permitted_are_counted(tmp_path):
    assert wrong(values(MAY), tmp_path, MAY[2:]) == {"rows not permitted": 2}


def test_a_file_that_the_destination_would_not_take_is_counted(tmp_path, monkeypatch):
    small = dataclasses.replace(PLAIN, form=dataclasses.replace(PLAIN.form, rows_ceiling=28, bytes_ceiling=10))
    monkeypatch.setattr("tests.delivery.test_fence.PLAIN", small)
    found = wrong(values(MAY), tmp_path)
    assert found["rows over the ceiling"] == 2
    assert found["bytes over the ceiling"] > 4_000


@pytest.mark.parametrize(
    ("headers", "rows"),
    [
        pytest.param([*HEADERS, "SEGMENT"], [[*row, "1"] for row in values(MAY)], id="an extra column"),
        pytest.param(HEADERS[:2], [row[:2] for row in values(MAY)], id="a missing column"),
        pytest.param([*HEADERS[:2], "MD5"], values(MAY), id="another header"),
        pytest.param(HEADERS[::-1], [row[::-1] for row in values(MAY)], id="another order"),
    ],
)
def test_wrong_columns_are_counted_and_nothing_else_is_looked_at(headers, rows, tmp_path):
    assert wrong(rows, tmp_path, headers=headers) == {"columns_wrong": 1}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(MUST_NOT[0], {"stopped: opt_out": 1}, id="somebody who said stop"),
        pytest.param(MUST_NOT[1], {"stopped: under_age": 1}, id="somebody under age"),
        pytest.param("nobody@example.jp", {"without consent": 1}, id="somebody nobody knows"),
    ],
)
def test_who_must_not_be_in_a_feed_is_counted(key, expected, tmp_path):
    assert wrong(values([*MAY, key]), tmp_path) == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_whoever_is_on_the_partners_list_is_counted_by_whatever_digest_it_has(algorithm, tmp_path):
    held = evidence({}, MAY, [MAY[3], "elsewhere@example.jp"], only=(algorithm,))
    assert wrong(values(MAY), tmp_path, held=held) == {"stopped: partner_opt_out": 1}


@pytest.mark.parametrize("header", HEADERS[1:])
def test_a_row_of_two_peoples_digests_is_counted(header, tmp_path):
    """Whichever column a stopped digest stands in, the row is nobody's who consented."""
    stranger = values([MUST_NOT[0]])[0][HEADERS.index(header)]
    assert wrong(other(header, stranger), tmp_path) == {"without consent": 1, "rows not permitted": 1}


def test_one_row_can_have_several_reasons(tmp_path):
    held = evidence({"opt_out": MUST_NOT, "under_age": MUST_NOT}, MAY)
    assert wrong(values([*MAY, MUST_NOT[0]]), tmp_path, held=held) == {
        "stopped: opt_out": 1,
        "stopped: under_age": 1,
        "without consent": 1,
    }


def test_without_evidence_nobody_consents(tmp_path):
    assert wrong(values(MAY), tmp_path, held=evidence({}, [])) == {"without consent": 30}


def spread(frame: pl.DataFrame, place: Path) -> Buckets:
    made = Buckets(place, 4)
    made.add(frame)
    return made


def test_in_several_parts_it_is_the_same(tmp_path):
    keys = [f"member{n}@example.jp" for n in range(200)]
    said = digests(keys[:3]).select("sha256", pl.lit("opt_out").alias("reason"))
    held = Evidence(
        spread(said, tmp_path / "stopped"), spread(digests(keys[:150]), tmp_path / "may"), digests([]), READ_AT
    )
    found = wrong(values(keys), tmp_path, keys, held=held)
    assert found == {"stopped: opt_out": 3, "without consent": 50}


def test_no_digest_is_among_the_measures(tmp_path):
    found = measured(values([*MAY, *MUST_NOT]), tmp_path)
    assert found.shape[0] == 1
    assert all(isinstance(value, int) for value in found.iloc[0].tolist())


def test_a_summary_tells_counts_and_one_digest_over_all():
    told = EVIDENCE.summary()
    assert told["stopped_addresses"] == {"opt_out": 1, "under_age": 1}
    assert told["read_at"] == READ_AT.isoformat()
    fewer = evidence({"opt_out": MUST_NOT[:1]}, MAY).summary()
    assert told["list_sha256"] != fewer["list_sha256"]
    assert not any(value in str(told) for value in digests(MUST_NOT)["sha256"])


def test_the_suite_wants_rows_and_zeros(tmp_path):
    measures = measured(values(MAY), tmp_path)
    one, floor, *zeros = feed_suite(PLAIN, measures)
    assert one.params == {"min_value": 1, "max_value": 1}
    assert (floor.column, floor.params["min_value"]) == ("rows", PLAIN.rows_floor)
    assert {check.column for check in zeros} == set(measures.columns) - {"rows"}
    assert all(check.params == {"min_value": 0, "max_value": 0} for check in zeros)


@pytest.mark.parametrize(
    ("row", "only"),
    [
        ({"rows": 30, "stopped: opt_out": 1, "without consent": 2, "rows not permitted": 0}, True),
        ({"rows": 30, "without consent": 1, "rows not permitted": 1}, False),
        ({"rows": 30, "stopped: opt_out": 1, "EMAIL1_MD5 malformed": 1}, False),
        ({"rows": 30, "stopped: opt_out": 0}, False),
    ],
)
def test_a_feed_is_built_again_only_for_whoever_has_stopped_since(row, only):
    assert only_stopped(pd.DataFrame([row])) is only
