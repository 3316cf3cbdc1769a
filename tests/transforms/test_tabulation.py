"""Tabulation against an independent slow count, and shards that add up."""

import datetime
import random
from collections import defaultdict

import pyarrow as pa
import pytest

from anonymizers import bands
from transforms.prefectures import PREFECTURES
from transforms.spec import Period, Table
from transforms.staging import Staging
from transforms.tables import catalogue
from transforms.tabulation import merge, tabulate, tabulate_shard

TABLES = catalogue()
DAY = datetime.date(2026, 10, 31)
MEMBERS = {
    "member_no": pa.uint32(),
    "prefecture_code": pa.string(),
    "age_band": pa.string(),
    "youngest_child_band": pa.string(),
    "registered_month": pa.string(),
    "consent_status": pa.string(),
    "postings_28d": pa.uint32(),
}
POSTINGS = {
    "member_no": pa.uint32(),
    "board": pa.dictionary(pa.uint32(), pa.string()),
    "day": pa.date32(),
    "hour": pa.int8(),
    "weekday": pa.int8(),
}


def generate(seed: int, members: int, postings: int) -> dict[str, list[dict]]:
    """Staged rows with a few heavy writers, days on both sides of the window, and every band."""
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

    return {
        "members": [
            {
                "member_no": n,
                "prefecture_code": draw.choice(codes),
                "age_band": draw.choice(bands.AGE_BANDS),
                "youngest_child_band": draw.choice(bands.CHILD_BANDS),
                "registered_month": draw.choice(["2025-12", "2026-10", bands.UNKNOWN]),
                "consent_status": draw.choice(["consented", "stopped", "withdrawn", "outdated", "none"]),
                "postings_28d": draw.choice([0, 0, 1, 27, 28, 29, 400]),
            }
            for n in range(members)
        ],
        "postings": [posting() for _ in range(postings)],
    }


def arrow(rows: dict[str, list[dict]], dataset: str) -> pa.Table:
    schema = MEMBERS if dataset == "members" else POSTINGS
    return pa.Table.from_pylist(rows[dataset], pa.schema(schema.items()))


def code(name: str, row: dict) -> str:
    if name == "weekday":
        return ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][row[name]]
    return f"{row[name]:02d}" if name == "hour" else str(row[name])


def slow(table: Table, rows: list[dict], day: datetime.date) -> dict[tuple, tuple[int, int]]:
    """The true cells, row by row: who is in a cell, and what of each counts."""
    days = {Period.DAY: 1, Period.WINDOW: 28, Period.SNAPSHOT: 0}[table.period]
    pieces: dict = defaultdict(int)
    for row in rows:
        if days and not 0 <= (day - row["day"]).days < days:
            continue
        cell = tuple(code(d.name, row) for d in table.dimensions)
        piece = (cell, row["member_no"], row.get("day"))
        pieces[piece] += 1 if days else row[table.contribution] if table.contribution else 0
    cells: dict = defaultdict(lambda: (set(), []))
    for (cell, member, _), amount in pieces.items():
        cells[cell][0].add(member)
        cells[cell][1].append(min(amount, table.cap))
    return {cell: (len(who), sum(amounts)) for cell, (who, amounts) in cells.items()}


def cells_of(table: Table, found: pa.Table) -> dict[tuple, tuple[int, int]]:
    names = [d.name for d in table.dimensions]
    rows = found.to_pylist()
    cells = {tuple(row[n] for n in names): (row["members"], row["contributions"]) for row in rows}
    assert len(cells) == len(rows)
    return cells


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_cells_are_those_of_a_slow_count(table, seed):
    rows = generate(seed, 60, 900)
    expected = slow(table, rows[table.over], DAY)
    assert expected
    assert cells_of(table, tabulate(table, arrow(rows, table.over), DAY)) == expected


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_cells_have_the_dimensions_and_two_whole_numbers(table):
    found = tabulate(table, arrow(generate(1, 5, 20), table.over), DAY)
    assert found.column_names == [*(d.name for d in table.dimensions), "members", "contributions"]
    assert {found.schema.field(name).type for name in ("members", "contributions")} == {pa.int64()}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_rows_have_no_cells(table):
    assert tabulate(table, arrow({"members": [], "postings": []}, table.over), DAY).num_rows == 0


def test_one_member_with_500_postings_is_one_member_and_ten_postings():
    table = TABLES["activity_by_board"]
    row = {"member_no": 1, "board": "雑談", "day": DAY, "hour": 21, "weekday": 5}
    found = tabulate(table, arrow({"postings": [row] * 500}, "postings"), DAY)
    assert cells_of(table, found) == {("雑談", "2026-10-31"): (1, 10)}


@pytest.mark.parametrize(
    ("ago", "counted"),
    [
        pytest.param(0, True, id="the day"),
        pytest.param(27, True, id="the first of 28 days"),
        pytest.param(28, False, id="a day too old"),
        pytest.param(-1, False, id="tomorrow"),
    ],
)
def test_the_window_is_28_days(ago, counted):
    day = DAY - datetime.timedelta(days=ago)
    row = {"member_no": 1, "board": "雑談", "day": day, "hour": 0, "weekday": day.weekday()}
    found = tabulate(TABLES["activity_by_hour"], arrow({"postings": [row]}, "postings"), DAY)
    assert found.num_rows == counted


def test_three_shards_merge_to_the_cells_of_all(tmp_path):
    staging = Staging(str(tmp_path), DAY)
    shards = [generate(seed, 40 + seed, 500) for seed in range(3)]
    for number, rows in enumerate(shards):
        for dataset in ("members", "postings"):
            staging.write_table(arrow(rows, dataset), dataset, f"{number:04d}.parquet")
        tabulate_shard(staging, number, list(TABLES.values()))
    # Members are numbered within their shard; in one list they need numbers of their own.
    everybody = {
        dataset: [
            {**row, "member_no": row["member_no"] + 1_000 * n} for n, s in enumerate(shards) for row in s[dataset]
        ]
        for dataset in ("members", "postings")
    }
    for table in TABLES.values():
        whole = tabulate(table, arrow(everybody, table.over), DAY)
        assert cells_of(table, merge(staging, table, 3)) == cells_of(table, whole)
