"""Into the database: COPY from Arrow tables, chunk by chunk."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

CHUNK = 50_000
"""Rows made and copied at once; it bounds memory and decides no value."""

Progress = Callable[[str, int, int], None]
"""Told a table's name, how many of its source rows are done, and how many there are."""


def copy(connection: psycopg.Connection, table: str, rows: pa.Table, *, is_new: bool = False) -> int:
    """
    Copy ``rows`` into ``table``.

    Args:
        is_new: The table was created in this transaction, so its rows can be frozen at once.

    Returns:
        How many rows there were.
    """
    if not rows.num_rows:
        return 0
    statement = sql.SQL("copy {} ({}) from stdin (format csv{})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, rows.column_names)),
        sql.SQL(", freeze" if is_new else ""),
    )
    buffer = io.BytesIO()
    # Arrow quotes every string and leaves a null bare, which is how CSV tells '' from null in PostgreSQL.
    pyarrow.csv.write_csv(rows, buffer, pyarrow.csv.WriteOptions(include_header=False))
    with connection.cursor().copy(statement) as stream:
        stream.write(buffer.getbuffer())
    return rows.num_rows


def chunks(first: int, last: int) -> Iterator[np.ndarray]:
    """``first`` … ``last`` in runs of at most `CHUNK`."""
    for start in range(first, last + 1, CHUNK):
        yield np.arange(start, min(start + CHUNK, last + 1))


def count_rows(connection: psycopg.Connection, table: str) -> int:
    """How many rows ``table`` has."""
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    return connection.execute(query).fetchone()[0]


def highest(connection: psycopg.Connection, table: str, key: str) -> int:
    """The highest ``key`` of ``table``, or 0."""
    query = sql.SQL("select coalesce(max({}), 0) from {}").format(sql.Identifier(key), sql.Identifier(table))
    return connection.execute(query).fetchone()[0]
