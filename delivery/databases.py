"""
Connections to warehouse and ledger; what a driver says, which may quote rows, becomes an error of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from anonymizers.errors import StorageFull, SudareError, Transient

CONNECT_S = 10
_DISK_FULL = "53100"


@contextmanager
def connected(
    url: str, what: str, unreachable: type[Transient], refusals: Mapping[str, SudareError] | None = None
) -> Iterator[sa.Connection]:
    """
    One connection, no transaction begun.

    Args:
        url: PostgreSQL; it may hold a password, and is in no message.

        what: The database is, for a message, with the setting that says where.

        unreachable: What a lost connection is, and a refusal that nobody foresaw.

        refusals: What others are, by SQLSTATE.

    Raises:
        StorageFull: the server's disk is; that does not pass by itself.
    """
    engine = sa.create_engine(
        sa.engine.make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=sa.NullPool,
        connect_args={"connect_timeout": CONNECT_S},
    )
    # Rows are copied by the driver itself, whose errors SQLAlchemy does not see.
    driver = engine.dialect.loaded_dbapi
    try:
        with engine.connect() as connection:
            yield connection
        return
    except (sa.exc.DBAPIError, driver.Error) as error:
        lost = isinstance(error, sa.exc.OperationalError | driver.OperationalError)
        state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    if state == _DISK_FULL:
        raise StorageFull(f"{what}: no space left there; free some and run the night again")
    if state in (refusals or {}):
        raise refusals[state]
    raise unreachable(
        f"{what}: no connection, or it was cut; check the URL and that the server is up"
        if lost
        else f"{what}: SQLSTATE {state}; see that this user owns the schemas there"
    )
