"""Databases for the tests, in a real PostgreSQL: empty ones, and copies."""

import itertools
from urllib.parse import urlsplit

import psycopg

from sudare import postgres

_numbers = itertools.count()


def copy_database(server: postgres.Embedded, of: str | None = None) -> str:
    """A new database, empty or a copy with its mark; its URL."""
    name = f"copy{next(_numbers)}"
    template = f"template {of}" if of else ""
    with psycopg.connect(server.urls["airflow"], autocommit=True) as connection:
        connection.execute(f"create database {name} {template}")
        if of:
            (mark,) = connection.execute(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (of,)
            ).fetchone()
            connection.execute(
                psycopg.sql.SQL("comment on database {} is {}").format(psycopg.sql.Identifier(name), mark)
            )
    return server.urls["airflow"].replace("/airflow?", f"/{name}?")


def database_of(url: str) -> str:
    """The name of the database in a URL."""
    return urlsplit(url).path.removeprefix("/")
