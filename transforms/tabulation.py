"""
Tabulation: staged rows in, true cells out, one aggregation per table, shard by shard.

Everything about a member is in one shard, so the shards' cells simply add up. True cells
are staged and disclosed; they never leave.
"""

import datetime

import duckdb
import pyarrow as pa

from anonymizers.bands import WEEKDAYS
from anonymizers.disclosure import TRUE_COUNTS
from transforms.spec import WINDOW_DAYS, Period, Table
from transforms.staging import Staging

MEMORY = "512MB"
"""DuckDB's share of a worker's memory; it has no place to spill to, because rows may not reach its disk."""

_CODES = {
    "day": "day::varchar",
    "hour": "lpad(hour::varchar, 2, '0')",
    "weekday": f"list_extract({list(WEEKDAYS)}, weekday::int + 1)",
    "board": "board::varchar",
}
"""How a staged value becomes its code, after the aggregation, where rows are few."""


def tabulate_shard(staging: Staging, shard: int, tables: list[Table]) -> None:
    """Stage the true cells of every table for one shard."""
    name = f"{shard:04d}.parquet"
    rows = {dataset: staging.read_table(dataset, name) for dataset in ("members", "postings")}
    with _engine() as connection:
        for table in tables:
            cells = _run(connection, _sql(table, staging.day), rows[table.over])
            staging.write_table(cells, "cells", table.name, name)


def tabulate(table: Table, rows: pa.Table, day: datetime.date) -> pa.Table:
    """
    Aggregate staged rows to the true cells of one table.

    Args:
        table: What to count.

        rows: Staged members or postings of one shard.

        day: The night's day; a table of a period looks no further.

    Returns:
        Shape (cells that occur, dimensions + 2): the dimensions, then ``members``
        (distinct persons) and ``contributions`` (capped), both 64-bit whole numbers.
    """
    with _engine() as connection:
        return _run(connection, _sql(table, day), rows)


def merge(staging: Staging, table: Table, shards: int) -> pa.Table:
    """The sum of the shards' cells of one table."""
    cells = [staging.read_table("cells", table.name, f"{shard:04d}.parquet") for shard in range(shards)]
    sums = ", ".join(f"sum({name})::bigint as {name}" for name in TRUE_COUNTS)
    names = ", ".join(d.name for d in table.dimensions)
    with _engine() as connection:
        return _run(connection, f"select {names}, {sums} from rows group by {names}", pa.concat_tables(cells))


def _members_sql(table: Table) -> str:
    names = [d.name for d in table.dimensions]
    summed = f"least({table.contribution}, {table.cap})" if table.contribution else "0"
    listed = ", ".join(names)
    counts = f"count(*) as members, sum({summed}) as contributions"
    return _coded(names, f"select {listed}, {counts} from rows group by {listed}")


def _postings_sql(table: Table, day: datetime.date) -> str:
    names = [d.name for d in table.dimensions]
    listed = ", ".join(names)
    days = WINDOW_DAYS if table.period is Period.WINDOW else 1
    first = day - datetime.timedelta(days=days - 1)
    cell_days = ", ".join(dict.fromkeys([*names, "member_no", "day"]))
    inner = (
        f"select {cell_days}, least(count(*), {table.cap}) as n from rows "
        f"where day between date '{first}' and date '{day}' group by {cell_days}"
    )
    per_member = f"select {listed}, member_no, sum(n) as n from ({inner}) group by {listed}, member_no"
    counts = "count(*) as members, sum(n) as contributions"
    return _coded(names, f"select {listed}, {counts} from ({per_member}) group by {listed}")


def _coded(names: list[str], sql: str) -> str:
    codes = ", ".join(f"{_CODES.get(name, name)} as {name}" for name in names)
    counts = ", ".join(f"{name}::bigint as {name}" for name in TRUE_COUNTS)
    return f"select {codes}, {counts} from ({sql})"


def _sql(table: Table, day: datetime.date) -> str:
    return _members_sql(table) if table.over == "members" else _postings_sql(table, day)


def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": ""})


def _run(connection: duckdb.DuckDBPyConnection, sql: str, rows: pa.Table) -> pa.Table:
    connection.register("rows", rows)
    return connection.sql(sql).to_arrow_table()
