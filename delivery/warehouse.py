"""
Writing the warehouse: the only module that sends it SQL.

Schema ``stats`` is the analysts': per table a history of all nights, and a view of what is
current. Schema ``sudare`` is the pipeline's own: the manifests of the nights.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from anonymizers.errors import NightRunning, SudareError, WarehouseUnreachable
from transforms.spec import Dimension, MeasureKind, Period, Table

STATS, OWN = "stats", "sudare"
_LOCK = 7_236_421
"""Any number that nothing else in the warehouse locks."""

_AS_OF = "the day these numbers describe, Asia/Tokyo / この数値が示す日(日本時間)"
_MEASURES = {
    MeasureKind.MEMBERS: sa.BigInteger,
    MeasureKind.CONTRIBUTIONS: sa.BigInteger,
    MeasureKind.MEAN: sa.Numeric,
    MeasureKind.SHARE: sa.Numeric,
}

_NIGHTS = sa.Table(
    "nights",
    sa.MetaData(schema=OWN),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("manifest_sha256", sa.String(64), nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Warehouse:
    """Where statistics are published. The URL, which may hold a password, shows in no ``repr``."""

    url: str = field(repr=False)

    @contextmanager
    def transaction(self) -> Iterator["Publication"]:
        """
        One transaction, alone: a second night that publishes at the same time is turned away.

        Raises:
            WarehouseUnreachable: no connection, or it was cut.
            NightRunning: another night is publishing.
        """
        with self._connect() as connection:
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
                raise NightRunning("another night is publishing to this warehouse; wait for it and run again")
            yield Publication(connection)

    def read(self, statement: sa.Executable, parameters: dict | None = None) -> list[sa.Row]:
        """Rows of a query; none where nothing was ever published."""
        with self._connect() as connection:
            if not connection.scalar(sa.text("select to_regclass('sudare.nights') is not null")):
                return []
            return list(connection.execute(statement, parameters or {}))

    def manifests(self) -> dict[datetime.date, tuple[str, str]]:
        """Per published day, the manifest's SHA-256 and its text."""
        rows = self.read(sa.select(_NIGHTS).order_by(_NIGHTS.c.day))
        return {row.day: (row.manifest_sha256, row.manifest) for row in rows}

    def count(self, table: Table, day: datetime.date) -> int:
        """Rows of one table that one night published."""
        history = _history(table)
        rows = self.read(sa.select(sa.func.count()).select_from(history).where(history.c.as_of == day))
        return rows[0][0] if rows else 0

    def current(self, table: Table) -> pd.DataFrame:
        """What an analyst sees of one table now."""
        rows = self.read(sa.text(f'select * from {STATS}."{table.name}"'))
        return pd.DataFrame([tuple(row) for row in rows], columns=[*table.columns, "as_of"])

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine(
            sa.engine.make_url(self.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
        )
        ours: SudareError
        try:
            with engine.begin() as connection:
                yield connection
            return
        except sa.exc.OperationalError:
            ours = WarehouseUnreachable("the warehouse: no connection; check SUDARE_WAREHOUSE_URL and that it is up")
        except sa.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            ours = WarehouseUnreachable(f"the warehouse answered SQLSTATE {state}; see that this user owns {STATS}")
        raise ours from None


class Publication:
    """An open transaction on the warehouse: everything in it is seen together, or not at all."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        for schema in (STATS, OWN):
            self._connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        _NIGHTS.create(self._connection, checkfirst=True)

    def write(self, table: Table, day: datetime.date, frame: pd.DataFrame) -> None:
        """Replace one night's rows of one table; other nights stay as they are."""
        history = _history(table)
        history.create(self._connection, checkfirst=True)
        self._connection.execute(sa.text(_view(table)))
        for statement in _comments(table):
            self._connection.execute(statement)
        self._connection.execute(history.delete().where(history.c.as_of == day))
        rows = frame.astype(object).where(frame.notna(), None).assign(as_of=day).to_dict("records")
        self._connection.execute(history.insert(), rows)

    def record(self, day: datetime.date, sha256: str, manifest: str) -> None:
        """Record the night's manifest."""
        self._connection.execute(_NIGHTS.delete().where(_NIGHTS.c.day == day))
        self._connection.execute(_NIGHTS.insert(), {"day": day, "manifest_sha256": sha256, "manifest": manifest})


def _history(table: Table) -> sa.Table:
    columns = [sa.Column(name, _type(table, name)) for name in table.columns]
    # Before the view and the comments, which need it; nullable, because suppressed cells are missing.
    return sa.Table(
        f"{table.name}_history", sa.MetaData(schema=STATS), *columns, sa.Column("as_of", sa.Date, nullable=False)
    )


def _type(table: Table, name: str) -> type[sa.types.TypeEngine]:
    measures = {m.name: _MEASURES[m.kind] for m in table.measures}
    return measures.get(name, sa.Date if name == "day" else sa.Text)


def _view(table: Table) -> str:
    history = f'{STATS}."{table.name}_history"'
    # A table of a day speaks of that day for ever; any other is superseded by the latest night.
    latest = "" if table.period is Period.DAY else f" where as_of = (select max(as_of) from {history})"
    return f'create or replace view {STATS}."{table.name}" as select * from {history}{latest}'


def _comments(table: Table) -> Iterator[sa.TextClause]:
    threshold = f"Suppressed cells (few or no members) are missing. {table.note}"
    whole = f"{table.title}. {threshold} / {table.title_ja}。少数または該当者なしのセルは欠測。{table.note_ja}"
    columns = {m.name: f"{m.title} ({m.unit}) / {m.title_ja}" for m in table.measures} | {"as_of": _AS_OF}
    for dimension in table.dimensions:
        columns |= _dimension_comments(dimension)
    for kind, relation in (("view", table.name), ("table", f"{table.name}_history")):
        yield _comment(f'{kind} {STATS}."{relation}"', whole)
        for name, text in columns.items():
            yield _comment(f'column {STATS}."{relation}"."{name}"', text)


def _dimension_comments(dimension: Dimension) -> dict[str, str]:
    own = {dimension.name: f"{dimension.title} / {dimension.title_ja}"}
    labels = {f"{dimension.name}_ja": f"{dimension.title}: Japanese label / {dimension.title_ja}の名称"}
    return own | (labels if dimension.labels else {})


def _comment(what: str, text: str) -> sa.TextClause:
    quoted = text.replace("'", "''").replace(":", r"\:")
    return sa.text(f"comment on {what} is '{quoted}'")
