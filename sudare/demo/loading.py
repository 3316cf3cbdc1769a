"""Loading Arrow tables into PostgreSQL by COPY."""

import io

import psycopg
import pyarrow as pa
import pyarrow.csv as csv

_FORMAT = csv.WriteOptions(include_header=False, quoting_style="needed")
"""Strings are quoted and nulls are not, so that PostgreSQL tells '' from null."""


def copy(connection: psycopg.Connection, table: str, rows: pa.Table) -> int:
    """Append rows to a table, column by column name; how many."""
    if not rows.num_rows:
        return 0
    buffer = io.BytesIO()
    csv.write_csv(rows, buffer, _FORMAT)
    names = ", ".join(rows.column_names)
    with connection.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin (format csv)") as stream:
        stream.write(buffer.getbuffer())
    return rows.num_rows
