"""
What the warehouse remembers of nights themselves: published, failed, and what was deleted. Schema ``sudare``.

Apart from `delivery.warehouse`, which handles numbers and loads what that takes: whoever only asks whether the night is
out, a monitor or a failed task, waits for no data library.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from anonymizers.errors import WarehouseUnreachable
from delivery.databases import connected

SCHEMA = "sudare"
WAREHOUSE = "the warehouse (SUDARE_WAREHOUSE_URL)"
TIME = sa.DateTime(timezone=True)

_META = sa.MetaData(schema=SCHEMA)

NIGHTS = sa.Table(
    "nights",
    _META,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("manifest_sha256", sa.String(64), nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
    # Given by the server, and kept when the night is published again: the first time is when readers could have it.
    sa.Column("published_at", TIME, server_default=sa.func.now()),
)

_FAILURES = sa.Table(
    "failures",
    _META,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("dag", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("of", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("failed_at", TIME, nullable=False),
)

UNSEEN = ("plan_removals", "remove", "retain")
"""Steps that publish nothing, so that only a record tells that one has succeeded after it failed."""

_SUCCESSES = sa.Table(
    "successes",
    _META,
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("of", sa.Text, primary_key=True),
    sa.Column("at", TIME, nullable=False),
    comment="when a removal or retention last succeeded / 削除依頼と保存期間の処理が最後に成功した時刻",
)

_DELETIONS = sa.Table(
    "deletions",
    _META,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("ran_at", TIME, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=False),
    sa.Column("kept", sa.BigInteger, nullable=False),
    sa.Column("must_stay", sa.BigInteger, nullable=False),
    sa.Column("oldest", sa.Date),
    sa.Column("next_due", sa.Date),
    comment="what retention deleted, and what it had to keep / 削除の記録と、残すべきものの記録",
)


@dataclass(frozen=True)
class Failure:
    """A step that failed for good. The message is one of our own and quotes no row."""

    day: datetime.date
    dag: str
    step: str
    of: str
    """The destination a mapped step is about, or nothing."""
    reason: str
    message: str
    failed_at: datetime.datetime


@dataclass(frozen=True)
class Deletion:
    """What one run of retention did with one kind of thing; counts of files, folders or rows."""

    kind: str
    deleted: int
    kept: int
    """Not due yet."""
    must_stay: int
    """Older than its period, and not to be deleted all the same."""
    oldest: datetime.date | None
    """Day of the oldest one that is kept, for whichever reason."""
    next_due: datetime.date | None
    """When the next one is due; None where nothing is waiting."""

    def as_dict(self) -> dict:
        """As JSON has it."""
        days = {name: day and day.isoformat() for name, day in (("oldest", self.oldest), ("next_due", self.next_due))}
        return {**vars(self), **days}


@dataclass(frozen=True)
class Records:
    """The records of one warehouse. The URL, which may hold a password, shows in no ``repr``."""

    url: str = field(repr=False)

    def published(self) -> dict[datetime.date, datetime.datetime | None]:
        """Every published night, in order, and since when it is; None where an older version published it."""
        # By name, since a version before this one made the table without the instant.
        told = sa.text(f"select day, (to_jsonb(n) ->> 'published_at')::timestamptz from {SCHEMA}.nights n order by day")
        return dict(tuple(row) for row in self._read("nights", told))

    def failures(self, day: datetime.date) -> list[Failure]:
        """Steps of one day's night that failed for good, in the order in which they did."""
        return self._failures(_FAILURES.c.day == day)

    def failures_since(self, instant: datetime.datetime) -> list[Failure]:
        """Steps of whichever night that failed for good, in the order in which they did."""
        return self._failures(_FAILURES.c.failed_at >= instant)

    def _failures(self, which: sa.ColumnElement[bool]) -> list[Failure]:
        told = sa.select(*(_FAILURES.c[f] for f in Failure.__dataclass_fields__)).where(which)
        return [Failure(*row) for row in self._read("failures", told.order_by(_FAILURES.c.id))]

    def keep_success(self, step: str, of: str, now: datetime.datetime) -> None:
        """Remember when one of the `UNSEEN` steps succeeded; only the last time is kept."""
        values = insert(_SUCCESSES).values(step=step, of=of, at=now)
        with self._connect() as connection:
            _create(connection, _SUCCESSES)
            connection.execute(values.on_conflict_do_update(index_elements=["step", "of"], set_={"at": now}))

    def successes(self) -> dict[tuple[str, str], datetime.datetime]:
        """When each of the `UNSEEN` steps last succeeded, by its name and the destination it was of."""
        told = self._read("successes", sa.select(_SUCCESSES.c.step, _SUCCESSES.c.of, _SUCCESSES.c.at))
        return {(step, of): at for step, of, at in told}

    def keep_failure(self, failure: Failure) -> None:
        """Remember a failure for `failures`."""
        with self._connect() as connection:
            _create(connection, _FAILURES)
            connection.execute(_FAILURES.insert(), vars(failure))

    def forget_failures(self, before: datetime.datetime, *, dry_run: bool) -> tuple[int, int, datetime.datetime | None]:
        """Delete failures older than an instant; how many were, how many others there are, and since when."""
        if not self._read("failures", sa.select(sa.literal(1)).select_from(_FAILURES).limit(1)):
            return 0, 0, None
        old = _FAILURES.c.failed_at < before
        with self._connect() as connection:
            counted = connection.execute(
                sa.select(
                    sa.func.count().filter(old),
                    sa.func.count().filter(~old),
                    sa.func.min(_FAILURES.c.failed_at).filter(~old),
                ).select_from(_FAILURES)
            ).one()
            if not dry_run:
                connection.execute(_FAILURES.delete().where(old))
        return tuple(counted)

    def keep_deletions(self, deletions: list[Deletion], now: datetime.datetime) -> None:
        """Record what a run of retention did, kind by kind."""
        with self._connect() as connection:
            _create(connection, _DELETIONS)
            connection.execute(_DELETIONS.insert(), [{**vars(one), "ran_at": now} for one in deletions])

    def last_deletions(self) -> tuple[datetime.datetime, list[Deletion]] | None:
        """When retention last ran and what it did; None if it never has."""
        d = _DELETIONS.c
        last = sa.select(sa.func.max(d.ran_at)).scalar_subquery()
        told = sa.select(d.ran_at, *(d[f] for f in Deletion.__dataclass_fields__)).where(d.ran_at == last)
        rows = self._read("deletions", told.order_by(d.id))
        return (rows[0][0], [Deletion(*row[1:]) for row in rows]) if rows else None

    def _read(self, table: str, statement: sa.Executable) -> list[sa.Row]:
        """Rows of a query; none where its table is not there yet."""
        with self._connect() as connection:
            if not connection.scalar(sa.select(sa.func.to_regclass(f"{SCHEMA}.{table}").is_not(None))):
                return []
            return list(connection.execute(statement))

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        with connected(self.url, WAREHOUSE, WarehouseUnreachable) as connection, connection.begin():
            yield connection


def _create(connection: sa.Connection, table: sa.Table) -> None:
    # Two tasks that fail at once would both make it, and one of them fail again.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{SCHEMA}/records"))))
    connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
    table.create(connection, checkfirst=True)


def bring_up_to_date(connection: sa.Connection) -> None:
    """Make the table of nights, or give one that an older version made what it lacks."""
    NIGHTS.create(connection, checkfirst=True)
    columns = sa.inspect(connection).get_columns("nights", schema=SCHEMA)
    has = any(column["name"] == "published_at" for column in columns)
    if not has:  # asked first: an ALTER TABLE that changes nothing still keeps every reader out
        connection.execute(sa.text(f"alter table {SCHEMA}.nights add published_at timestamptz"))
        connection.execute(sa.text(f"alter table {SCHEMA}.nights alter published_at set default now()"))
