"""
Tabulation: staged rows in, true cells out, shard by shard, every margin a cell of its own.

Everything about a member is in one shard, so the shards' cells simply add up. Terms are sharded by thread: there the
shards hand over pairs of term and member, which are made distinct before they are counted.
"""

import datetime

import numpy as np
import polars as pl

from anonymizers.bands import TOTAL, WEEKDAYS
from anonymizers.cells import Cells, add_up, coded, concatenate, count, margins, subsets, with_margins
from anonymizers.errors import DisclosureRefused
from transforms.spec import WINDOW_DAYS, Table
from transforms.staging import Staging

_MEMBER = ("record_key", "point")
"""What names a member where she is counted."""

SHARDS_AT_ONCE = 8
PAIRS_AT_ONCE = 4_000_000
"""What `merge_cells` holds in memory at a time, however many there are."""


def tabulate_shard(staging: Staging, shard: int, tables: list[Table]) -> None:
    """Stage the true cells of every table of members or postings for one shard."""
    name = f"{shard:04d}.parquet"
    members, postings = (pl.from_arrow(staging.read_table(rows, name)) for rows in ("members", "postings"))
    # Once for all tables.
    members = members.with_columns(coded(column) for column in members if column.dtype == pl.String)
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
    """
    Distinct members are counted anew in a margin over a posting's dimensions: one may be in many of its cells.

    A dimension of the member herself, such as her prefecture, is the same in all her postings, so those cells add up.
    """
    names = [d.name for d in table.dimensions]
    postings = postings.filter(pl.col("day").is_between(day - datetime.timedelta(days=WINDOW_DAYS - 1), day))
    own = {name: _code(name, postings[name]) for name in names if name in postings.columns}
    hers = [name for name in names if name not in own]
    keyed = members.select(*_MEMBER, "settled", *hers)
    parts = {}
    for summed in subsets([name for name in table.summed_over if name in own]):
        kept = {name: codes for name, codes in own.items() if name not in summed}
        rows = _per_member(kept, postings["member_no"], postings["day"], table.cap)
        rows = pl.concat([rows, keyed[rows["member_no"]]], how="horizontal")
        rows = rows.with_columns(pl.lit(TOTAL).alias(name) for name in summed)
        of_them = margins(count(rows, names), [name for name in table.summed_over if name in hers])
        parts |= {frozenset({*summed, *more}): cells for more, cells in of_them.items()}
    return concatenate([parts[frozenset(summed)] for summed in subsets(table.summed_over)])


def _per_member(kept: dict[str, pl.Series], member: pl.Series, day: pl.Series, cap: int) -> pl.DataFrame:
    """
    The capped contributions of each member in each combination of codes.

    Returns:
        ``member_no``, the codes by name, and ``contribution``, at most ``cap`` a day.
    """
    # Sorting one number a row is several times as fast as grouping by as many columns.
    sizes = [len(codes.dtype.categories) for codes in kept.values()]
    number = member.cast(pl.Int64).to_numpy()
    for size, codes in zip(sizes, kept.values(), strict=True):
        number = number * size + codes.to_physical().to_numpy()
    days = (day - day.min()).dt.total_days().to_numpy() if len(day) else number
    combined = np.sort(number * WINDOW_DAYS + days)
    starts = _starts(combined)
    found, capped = combined[starts] // WINDOW_DAYS, np.minimum(np.diff(starts, append=len(combined)), cap)
    starts = _starts(found)
    found, contribution = found[starts], np.add.reduceat(capped, starts) if len(starts) else capped
    columns = {"contribution": pl.Series(contribution, dtype=pl.Int64)}
    for (name, codes), size in reversed(list(zip(kept.items(), sizes, strict=True))):
        found, code = np.divmod(found, size)
        columns[name] = pl.Series(code, dtype=codes.to_physical().dtype).cat.to(codes.dtype)
    return pl.DataFrame({"member_no": pl.Series(found, dtype=pl.UInt32), **columns})


def _starts(ordered: np.ndarray) -> np.ndarray:
    """Where each distinct value begins."""
    return np.flatnonzero(np.diff(ordered, prepend=-1))


def _code(name: str, staged: pl.Series) -> pl.Series:
    """The codes of a column's staged values, in the order of the codes."""
    distinct = staged.unique()
    match name:
        case "hour":
            codes = distinct.cast(pl.String).str.zfill(2)
        case "weekday":
            codes = distinct.replace_strict(dict(enumerate(WEEKDAYS)), return_dtype=pl.String)
        case _:
            codes = distinct.cast(pl.String)
    kind = pl.Enum(codes.sort())
    return staged.replace_strict(distinct, codes, return_dtype=kind) if len(staged) else codes.cast(kind)


def merge(staging: Staging, table: Table, shards: int) -> Cells:
    """The sum of the shards' cells of one table, a few shards at a time."""
    parts: list[Cells] = []
    for shard in range(shards):
        parts.append(Cells.from_arrow(staging.read_table("cells", table.name, f"{shard:04d}.parquet")))
        if len(parts) == SHARDS_AT_ONCE:
            parts = [add_up(parts)]
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
    places = [("terms", f"{n:04d}.parquet") for n in range(text_shards)]
    passes = max(1, -(-sum(staging.count_rows(*place) for place in places) // PAIRS_AT_ONCE))
    of_members = [("members", f"{n:04d}.parquet") for n in range(shards)]
    cells: list[Cells] = []
    for number in range(passes):
        # All pairs of one member are in one pass, so the passes' cells add up.
        its = pl.col("record_key") % passes == number
        kept = pl.concat(_read(staging, place, [*_MEMBER, "settled"]).filter(its) for place in of_members)
        pairs = pl.concat(_read(staging, place).filter(its) for place in places)
        cells = [add_up([*cells, tabulate_terms(table, kept, pairs)])]
    return cells[0]


def _read(staging: Staging, place: tuple[str, ...], columns: list[str] | None = None) -> pl.DataFrame:
    return pl.from_arrow(staging.read_table(*place, columns=columns))


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
        if name in rows.columns and (rows[name].unique().cast(pl.String) == TOTAL).any():
            raise DisclosureRefused(f"{table.name}.{name}: a value in the source is the code of a margin, {TOTAL!r}")
