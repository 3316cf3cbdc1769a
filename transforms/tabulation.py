"""
Tabulation: staged rows in, true cells out, shard by shard, every margin a cell of its own.

Everything about a member is in one shard, so the shards' cells simply add up. Terms are sharded by thread: there the
shards hand over pairs of term and member, which are made distinct before they are counted.
"""

import datetime

import polars as pl

from anonymizers.bands import TOTAL, WEEKDAYS
from anonymizers.cells import Cells, add_up, concatenate, count, subsets, with_margins
from anonymizers.errors import DisclosureRefused
from transforms.spec import WINDOW_DAYS, Table
from transforms.staging import Staging

_MEMBER = ("record_key", "point")
"""What names a member where she is counted."""


def tabulate_shard(staging: Staging, shard: int, tables: list[Table]) -> None:
    """Stage the true cells of every table of members or postings for one shard."""
    name = f"{shard:04d}.parquet"
    members, postings = (pl.from_arrow(staging.read_table(rows, name)) for rows in ("members", "postings"))
    for table in tables:
        if table.over != "terms":
            cells = tabulate(table, members, postings, staging.day)
            staging.write_table(cells.to_arrow(), "cells", table.name, name)


def tabulate(table: Table, members: pl.DataFrame, postings: pl.DataFrame, day: datetime.date) -> Cells:
    """
    Count one table over one shard.

    Args:
        table: What to count.

        members: Staged members; the row number is their ``member_no``.

        postings: Staged postings of those members.

        day: The night's day; nothing later is counted.

    Returns:
        The cells that occur, margins included.

    Raises:
        DisclosureRefused: a row carries the code of a margin.
    """
    rows = members if table.over == "members" else postings
    _require_no_margin(table, rows)
    return _of_members(table, members) if table.over == "members" else _of_postings(table, members, postings, day)


def _of_members(table: Table, members: pl.DataFrame) -> Cells:
    names = [d.name for d in table.dimensions]
    amount = pl.col(table.contribution).clip(upper_bound=table.cap) if table.contribution else pl.lit(0)
    # Every member is in one cell, so margins are sums of cells.
    return with_margins(count(members.with_columns(amount.alias("contribution")), names, table.bins), table.summed_over)


def _of_postings(table: Table, members: pl.DataFrame, postings: pl.DataFrame, day: datetime.date) -> Cells:
    first = day - datetime.timedelta(days=WINDOW_DAYS - 1)
    names = [d.name for d in table.dimensions]
    own = [name for name in names if name in postings.columns]
    keyed = members.select("member_no", *_MEMBER, "settled", *(name for name in names if name not in own))
    # Once per member, day and cell first: the margins then have fewer rows to go through.
    counted = (
        postings.filter(pl.col("day").is_between(first, day))
        .group_by("member_no", pl.col("day").alias("of_day"), *own)
        .agg(pl.len().alias("n"))
        .join(keyed, on="member_no")
        .with_columns(_code(name) for name in names)
    )
    return concatenate([_margin_of_postings(table, counted, names, summed) for summed in subsets(table.summed_over)])


def _margin_of_postings(table: Table, counted: pl.DataFrame, names: list[str], summed: tuple[str, ...]) -> Cells:
    """Distinct members of a margin are counted, not added: one may be in many of its cells."""
    kept = [name for name in names if name not in summed]
    per_day = counted.group_by("member_no", "of_day", *_MEMBER, "settled", *kept).agg(
        pl.col("n").sum().clip(upper_bound=table.cap)
    )
    per_member = per_day.group_by("member_no", *_MEMBER, "settled", *kept).agg(pl.col("n").sum().alias("contribution"))
    return count(per_member.with_columns(pl.lit(TOTAL).alias(name) for name in summed), names)


def _code(name: str) -> pl.Expr:
    """How a staged value becomes its code."""
    column = pl.col(name)
    if name == "hour":
        return column.cast(pl.String).str.zfill(2).alias(name)
    if name == "weekday":
        return column.replace_strict(dict(enumerate(WEEKDAYS)), return_dtype=pl.String).alias(name)
    return column.cast(pl.String).alias(name)


def merge(staging: Staging, table: Table, shards: int) -> Cells:
    """The sum of the shards' cells of one table."""
    parts = [
        Cells.from_arrow(staging.read_table("cells", table.name, f"{shard:04d}.parquet")) for shard in range(shards)
    ]
    return add_up(parts)


def merge_terms(staging: Staging, table: Table, shards: int, text_shards: int) -> Cells:
    """
    Count the terms of a week.

    Args:
        staging: Holds pairs of term and member, by shards of threads, and the members, by shards of members.

        table: Of terms.

        shards, text_shards: How many there are of each.

    Returns:
        The cells that occur, margins included. Members who are left out of the statistics are in none.
    """
    kept = pl.concat([pl.from_arrow(staging.read_table("members", f"{n:04d}.parquet")) for n in range(shards)])
    pairs = pl.concat([pl.from_arrow(staging.read_table("terms", f"{n:04d}.parquet")) for n in range(text_shards)])
    return tabulate_terms(table, kept.select(*_MEMBER, "settled"), pairs)


def tabulate_terms(table: Table, members: pl.DataFrame, pairs: pl.DataFrame) -> Cells:
    """As `merge_terms`, of pairs and members in memory."""
    # A term that reads like the code of a margin cannot be told from it.
    used = pairs.filter(pl.col("term") != TOTAL).unique().join(members, on=_MEMBER)
    _require_no_margin(table, used)
    names = [d.name for d in table.dimensions]
    parts = []
    for summed in subsets(table.summed_over):
        distinct = used.with_columns(pl.lit(TOTAL).alias(name) for name in summed).unique([*names, *_MEMBER])
        parts.append(count(distinct.with_columns(pl.lit(0).alias("contribution")), names))
    return concatenate(parts)


def _require_no_margin(table: Table, rows: pl.DataFrame) -> None:
    for name in table.summed_over:
        if name in rows.columns and (rows[name].cast(pl.String) == TOTAL).any():
            raise DisclosureRefused(f"{table.name}.{name}: a value in the source is the code of a margin, {TOTAL!r}")
