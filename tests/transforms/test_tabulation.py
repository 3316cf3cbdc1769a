"""Tabulation against an independent slow count, margins included, and shards that add up."""

import dataclasses
import datetime
import itertools
import random
from collections import defaultdict

import polars as pl
import pytest

from anonymizers import bands
from anonymizers.bands import TOTAL
from anonymizers.cells import Cells
from anonymizers.errors import DisclosureRefused
from tests.members import numbers, record_key_and_point, slow
from transforms import tabulation
from transforms.prefectures import PREFECTURES
from transforms.spec import Period, Table
from transforms.staging import Staging
from transforms.tables import catalogue
from transforms.tabulation import merge, merge_terms, tabulate, tabulate_shard, tabulate_terms

TABLES = catalogue()
COUNTED = {name: table for name, table in TABLES.items() if table.over != "terms"}
TERMS = TABLES["trending_terms"]
DAY = datetime.date(2026, 10, 31)
MEMBERS = {
    "member_no": pl.UInt32,
    "prefecture_code": pl.String,
    "age_band": pl.String,
    "youngest_child_band": pl.String,
    "registered_month": pl.String,
    "consent_status": pl.String,
    "postings_28d": pl.UInt32,
    "activity": pl.String,
    "record_key": pl.UInt32,
    "point": pl.UInt32,
    "settled": pl.Boolean,
}
POSTINGS = {"member_no": pl.UInt32, "board": pl.Categorical, "day": pl.Date, "hour": pl.Int8, "weekday": pl.Int8}
PAIRS = {"board": pl.String, "week": pl.String, "term": pl.String, "record_key": pl.UInt32, "point": pl.UInt32}
SCHEMAS = {"members": MEMBERS, "postings": POSTINGS, "pairs": PAIRS}


def keys(member: str) -> dict[str, int]:
    return dict(zip(("record_key", "point"), record_key_and_point(member), strict=True))


def generate(seed: int, members: int, postings: int) -> dict[str, list[dict]]:
    """Staged rows with a few heavy writers, days on both sides of the window, every band, and fresh accounts."""
    draw = random.Random(seed)
    codes = [*(code for code, _ in PREFECTURES[:4]), bands.UNKNOWN]
    days = [DAY + datetime.timedelta(days=n) for n in range(-30, 2)]

    def posting() -> dict:
        day = DAY if draw.random() < 0.4 else draw.choice(days)
        return {
            "member_no": draw.randrange(3) if draw.random() < 0.5 else draw.randrange(members),
            "board": draw.choice(["育児の悩み", "雑談", bands.SENSITIVE_BOARDS]),
            "day": day,
            "hour": draw.choice([0, 9, 21, 21, 21]),
            "weekday": day.weekday(),
        }

    def member(number: int) -> dict:
        return {
            "member_no": number,
            "prefecture_code": draw.choice(codes),
            "age_band": draw.choice(bands.AGE_BANDS),
            "youngest_child_band": draw.choice(bands.CHILD_BANDS),
            "registered_month": draw.choice(["2025-12", "2026-10", bands.UNKNOWN, bands.EARLIER]),
            "consent_status": draw.choice(["consented", "stopped", "withdrawn", "outdated", "none"]),
            "postings_28d": draw.choice([0, 0, 1, 27, 28, 29, 400]),
            "activity": draw.choice([bands.POSTED, bands.SILENT]),
            **keys(f"{seed}/{number}"),
            "settled": draw.random() < 0.8,
        }

    rows = {"members": [member(n) for n in range(members)], "postings": [posting() for _ in range(postings)]}
    rows["pairs"] = [
        {
            "board": draw.choice(["育児の悩み", "雑談"]),
            "week": "2026-W43",
            "term": draw.choice(["離乳食", "寝かしつけ", "保育園", TOTAL]),
            # One of them has left the statistics meanwhile.
            **keys(f"{seed}/{draw.randrange(members + 1)}"),
        }
        for _ in range(postings)
    ]
    return rows


def polars(rows: dict[str, list[dict]], dataset: str) -> pl.DataFrame:
    return pl.DataFrame(rows[dataset], schema=SCHEMAS[dataset])


def counted(table: Table, rows: dict[str, list[dict]], day: datetime.date = DAY) -> Cells:
    members, postings, pairs = (polars(rows, dataset) for dataset in SCHEMAS)
    if table.over == "terms":
        return tabulate_terms(table, members.select("record_key", "point", "settled"), pairs)
    return tabulate(table, members, postings, day)


def code(name: str, row: dict) -> str:
    if name == "weekday":
        return ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][row[name]]
    return f"{row[name]:02d}" if name == "hour" else str(row[name])


def slowly(table: Table, rows: dict[str, list[dict]], day: datetime.date = DAY) -> dict[tuple, tuple]:
    """
    The true cells of a table, row by row, for every way to sum its dimensions away.

    Who is in a cell is found first, then what of each counts: for postings at most the cap per day. A member who
    wrote in several cells of a margin is in it once.
    """
    cells: dict = {}
    names = [d.name for d in table.dimensions]
    summed_over = [d.name for d in table.dimensions if not d.is_period]
    members = {
        one["member_no"] if table.over != "terms" else (one["record_key"], one["point"]): one for one in rows["members"]
    }
    for summed in itertools.chain.from_iterable(
        itertools.combinations(summed_over, n) for n in range(len(summed_over) + 1)
    ):
        pieces: dict = defaultdict(int)
        for who, what, day_of in events(table, rows, members, day):
            cell = tuple(TOTAL if name in summed else code(name, what) for name in names)
            pieces[cell, who, day_of] += 1
        amounts: dict = defaultdict(int)
        for (cell, who, _), count in pieces.items():
            own = {"members": members[who].get(table.contribution, 0), "postings": count, "terms": 0}[table.over]
            amounts[cell, who] += min(own, table.cap)
        chosen = [
            {**members[who], **dict(zip(names, cell, strict=True)), "contribution": amount}
            for (cell, who), amount in amounts.items()
        ]
        cells |= slow(chosen, names, table.bins)
    return cells


def events(table: Table, rows: dict[str, list[dict]], members: dict, day: datetime.date):
    """Everything that puts a member into a cell: being one, a posting in the window, a term used."""
    if table.over == "members":
        yield from ((who, one, None) for who, one in members.items())
    for one in rows["postings"] if table.over == "postings" else []:
        if 0 <= (day - one["day"]).days < 28:
            yield one["member_no"], {**members[one["member_no"]], **one}, one["day"]
    for one in rows["pairs"] if table.over == "terms" else []:
        who = (one["record_key"], one["point"])
        if who in members and one["term"] != TOTAL:
            yield who, one, None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_cells_and_margins_are_those_of_a_slow_count(table, seed):
    rows = generate(seed, 60, 900)
    expected = slowly(table, rows)
    assert expected
    assert numbers(counted(table, rows)) == expected


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_there_is_a_margin_for_every_subset_of_the_dimensions_but_periods(table):
    codes = counted(table, generate(1, 60, 900)).codes
    names = [d.name for d in table.dimensions]
    assert list(codes.columns) == names
    shapes = set(map(tuple, (codes == TOTAL).to_numpy().tolist()))
    possible = itertools.product(*([False] if d.is_period else [False, True] for d in table.dimensions))
    assert shapes == set(possible)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_rows_have_no_cells(table):
    found = counted(table, {"members": [], "postings": [], "pairs": []})
    assert len(found) == 0
    assert found.dimensions == [d.name for d in table.dimensions]


def posting(member: int, **changes) -> dict:
    return {"member_no": member, "board": "雑談", "day": DAY, "hour": 21, "weekday": DAY.weekday(), **changes}


def written(*postings: dict) -> dict[str, list[dict]]:
    return {**generate(1, 4, 0), "postings": list(postings)}


def test_one_member_with_500_postings_is_one_member_and_ten_postings():
    found = numbers(counted(TABLES["activity_by_board"], written(*[posting(1)] * 500)))
    assert {cell: both[:2] for cell, both in found.items()} == {
        ("雑談", "2026-10-31"): (1, 10),
        (TOTAL, "2026-10-31"): (1, 10),
    }


def test_a_member_on_two_boards_is_one_in_their_margin_and_the_cap_is_the_margin_s_own():
    """Distinct members are not sums of cells; neither are the capped postings of a day."""
    rows = written(*[posting(1)] * 8, *[posting(1, board="育児の悩み")] * 7, posting(2))
    found = {cell: both[:2] for cell, both in numbers(counted(TABLES["activity_by_board"], rows)).items()}
    assert found == {
        ("雑談", "2026-10-31"): (2, 9),
        ("育児の悩み", "2026-10-31"): (1, 7),
        (TOTAL, "2026-10-31"): (2, 11),
    }


def test_days_have_no_margin_and_a_member_of_two_days_is_in_both():
    rows = written(posting(1), posting(1, day=DAY - datetime.timedelta(days=1), weekday=4))
    found = {cell: both[:2] for cell, both in numbers(counted(TABLES["activity_by_board"], rows)).items()}
    assert found == {(board, day): (1, 1) for board in ("雑談", TOTAL) for day in ("2026-10-31", "2026-10-30")}


@pytest.mark.parametrize("name", ["activity_by_hour", "activity_by_board"])
@pytest.mark.parametrize(
    ("ago", "counts"),
    [
        pytest.param(0, True, id="the day"),
        pytest.param(27, True, id="the first of 28 days"),
        pytest.param(28, False, id="a day too old"),
        pytest.param(-1, False, id="tomorrow"),
    ],
)
def test_the_window_is_28_days(name, ago, counts):
    day = DAY - datetime.timedelta(days=ago)
    found = counted(TABLES[name], written(posting(1, day=day, weekday=day.weekday())))
    assert bool(len(found)) == counts


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("activity_by_board", {"postings": [posting(1, board=TOTAL)]}),
        ("registrations_by_month", {"members": [{**generate(1, 1, 0)["members"][0], "registered_month": TOTAL}]}),
        (
            "trending_terms",
            {"pairs": [{"board": TOTAL, "week": "2026-W43", "term": "離乳食", "record_key": 1, "point": 1}]},
        ),
    ],
)
def test_a_value_that_is_the_code_of_a_margin_is_refused(name, rows):
    """It would be counted into the margin, or the margin into it."""
    rows = {**generate(1, 4, 0), **rows}
    if name == "trending_terms":
        rows["members"][0] |= {"record_key": 1, "point": 1}
    with pytest.raises(DisclosureRefused, match=rf"^{name}\.\w+: a value in the source is the code of a margin, "):
        counted(TABLES[name], rows)


def test_a_term_that_reads_like_a_margin_is_left_out():
    rows = generate(1, 4, 0)
    who = {name: rows["members"][0][name] for name in ("record_key", "point")}
    rows["pairs"] = [{"board": "雑談", "week": "2026-W43", "term": term, **who} for term in (TOTAL, "離乳食")]
    found = numbers(counted(TERMS, rows))
    assert set(found) == {(board, "2026-W43", term) for board in ("雑談", TOTAL) for term in ("離乳食", TOTAL)}
    assert {both[0] for both in found.values()} == {1}


def staged(tmp_path, shards: int) -> tuple[Staging, dict[str, list[dict]]]:
    """Shards of members with postings of theirs; terms in two shards of threads, with members of all."""
    staging = Staging(str(tmp_path), DAY)
    parts = [generate(seed, 40 + seed, 500) for seed in range(shards)]
    for number, rows in enumerate(parts):
        for dataset in ("members", "postings"):
            staging.write_table(polars(rows, dataset).to_arrow(), dataset, f"{number:04d}.parquet")
        tabulate_shard(staging, number, list(TABLES.values()))
    # Members are numbered within their shard; in one list they need numbers of their own.
    everybody: dict[str, list[dict]] = {
        dataset: [{**row, "member_no": row["member_no"] + 1_000 * n} for n, s in enumerate(parts) for row in s[dataset]]
        for dataset in ("members", "postings")
    }
    everybody["pairs"] = [pair for s in parts for pair in s["pairs"]]
    half = len(everybody["pairs"]) // 2
    for number, pairs in enumerate((everybody["pairs"][:half], everybody["pairs"][half - 50 :])):
        staging.write_table(pl.DataFrame(pairs, schema=PAIRS).to_arrow(), "terms", f"{number:04d}.parquet")
    return staging, everybody


def test_three_shards_merge_to_the_cells_of_all(tmp_path):
    staging, everybody = staged(tmp_path, 3)
    for table in COUNTED.values():
        assert numbers(merge(staging, table, 3)) == slowly(table, everybody), table.name


def test_a_pair_that_two_shards_of_threads_hand_over_is_one(tmp_path):
    staging, everybody = staged(tmp_path, 2)
    assert numbers(merge_terms(staging, TERMS, 2, 2)) == slowly(TERMS, everybody)


def test_merging_a_little_at_a_time_gives_the_same_cells(tmp_path, monkeypatch):
    staging, everybody = staged(tmp_path, 4)
    monkeypatch.setattr(tabulation, "SHARDS_AT_ONCE", 2)
    monkeypatch.setattr(tabulation, "PAIRS_AT_ONCE", len(everybody["pairs"]) // 5)
    for table in COUNTED.values():
        assert numbers(merge(staging, table, 4)) == slowly(table, everybody), table.name
    assert numbers(merge_terms(staging, TERMS, 4, 2)) == slowly(TERMS, everybody)


def test_every_period_of_the_catalogue_is_counted_here():
    assert {table.period for table in TABLES.values()} == set(Period)
    assert len(COUNTED) == 7


def test_a_cap_is_what_bounds_a_member():
    """With the cap removed the slow count and the tables differ, so the comparison above can fail."""
    table = TABLES["activity_by_board"]
    rows = written(*[posting(1)] * 12)
    assert numbers(counted(dataclasses.replace(table, cap=100), rows)) != slowly(table, rows)
