"""
Writing the warehouse: the only module that sends it SQL.

Schema ``stats`` is the analysts': per table a history, which holds a row for every time a row changed, and a view of
what is current. Schema ``sudare`` is the pipeline's own: the manifests of the nights, and for the change quorum the
power sums of the members that each published number is of.
"""

import datetime
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from anonymizers.changes import KEPT_SUMS
from anonymizers.disclosure import AS_OF, SEPARATOR, Published
from anonymizers.errors import NightRunning, StateRefused, WarehouseUnreachable
from delivery.databases import connected
from delivery.records import NIGHTS, WAREHOUSE, bring_up_to_date
from transforms.release import disclosed
from transforms.spec import Dimension, MeasureKind, Table

STATS, OWN = "stats", "sudare"
_OTHER_COLUMNS = ("42703", "42P16")
"""SQLSTATE: a column that is not there, a view that would change its columns."""

_POLL_S = 0.2
_LOCK = 7_236_421
"""Any number that nothing else in the warehouse locks."""

_AS_OF = (
    "the night these numbers are of, Asia/Tokyo; they stay until enough members have changed / "
    "この数値の基準日(日本時間)。一定人数の変動があるまで更新しない"
)
_NIGHT = "the night that published this row / この行を公表した夜"
_EPOCH = "numbers of different epochs cannot be compared / エポックの異なる数値は比較できない"
_MEASURES = {
    MeasureKind.MEMBERS: sa.BigInteger,
    MeasureKind.CONTRIBUTIONS: sa.BigInteger,
    MeasureKind.MEAN: sa.Numeric,
    MeasureKind.QUANTILE: sa.Numeric,
    MeasureKind.SHARE: sa.Numeric,
}

_REFERENCES = sa.Table(
    "cell_references",
    sa.MetaData(schema=OWN),
    sa.Column("epoch", sa.SmallInteger, primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("cell", sa.Text, primary_key=True),
    sa.Column("power_sums", sa.LargeBinary, nullable=False),
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
        with self.alone() as connection:
            yield Publication(connection)

    @contextmanager
    def alone(self, wait_s: int = 0) -> Iterator[sa.Connection]:
        """
        Nobody else publishes meanwhile.

        Args:
            wait_s: How long to wait for somebody who does.

        Raises:
            WarehouseUnreachable: no connection, or it was cut.
            NightRunning: another night is publishing.
        """
        with self._connect() as connection:
            until = time.monotonic() + wait_s
            while not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
                if time.monotonic() >= until:
                    raise NightRunning("another night is publishing to this warehouse; wait for it and run again")
                time.sleep(_POLL_S)
            yield connection

    def read(self, statement: sa.Executable, relation: str = f"{OWN}.nights") -> list[sa.Row]:
        """Rows of a query; none where its relation is not there yet, because nothing was ever published."""
        with self._connect() as connection:
            if not connection.scalar(sa.select(sa.func.to_regclass(relation).is_not(None))):
                return []
            return list(connection.execute(statement))

    def manifests(self) -> dict[datetime.date, tuple[str, str]]:
        """Per published day, the manifest's SHA-256 and its text."""
        rows = self.read(sa.select(NIGHTS.c.day, NIGHTS.c.manifest_sha256, NIGHTS.c.manifest).order_by(NIGHTS.c.day))
        return {row.day: (row.manifest_sha256, row.manifest) for row in rows}

    def cells(self, table: Table, day: datetime.date, epoch: int) -> pd.DataFrame:
        """Every cell of one table as it stood after one night, in no order."""
        return self._latest(table, epoch, sa.column("night") <= day)

    def current(self, table: Table) -> pd.DataFrame:
        """What an analyst sees of one table now."""
        rows = self.read(sa.text(f'select * from {STATS}."{table.name}"'))
        return pd.DataFrame([tuple(row) for row in rows], columns=list(table.columns))

    def published(self, table: Table, epoch: int, periods: dict[str, list]) -> Published:
        """
        What was last published of a table, and of whom.

        What a night published itself counts too: when it runs again, whoever has said stop since is one change among
        others, and not the only one.

        Args:
            table: Which.

            epoch: Numbers of another epoch are none.

            periods: For a table of closed days or weeks, those that are wanted.

        Raises:
            StateRefused: the kept state is not of this form, or of whom a number is has been lost.
        """
        measures = [m.name for m in disclosed(table)]
        frame = self._latest(table, epoch, *(sa.column(name).in_(codes) for name, codes in periods.items()))
        if frame.empty:
            return Published.nothing(measures)
        codes = [frame[d.name].astype(str) for d in table.dimensions]
        names = codes[0].str.cat(codes[1:], sep=SEPARATOR) if len(codes) > 1 else codes[0].rename(None)
        numbers = frame[[*measures, AS_OF]].astype({AS_OF: str})
        kept = self._power_sums(table, epoch)
        if lost := int((~names[frame[measures].notna().any(axis=1)].isin(kept.keys())).sum()):
            raise StateRefused(
                f"{table.name}: of whom {lost} published numbers are is no longer in {OWN}.cell_references, so nobody "
                "can tell when they may change. Restore it, or start a new epoch with SUDARE_EPOCH"
            )
        nobody = bytes(4 * KEPT_SUMS)
        sums = np.frombuffer(b"".join(kept.get(name, nobody) for name in names), "<u4")
        return Published(names, numbers, sums.reshape(-1, KEPT_SUMS).astype(np.int64))

    def _latest(self, table: Table, epoch: int, *conditions: sa.ColumnElement) -> pd.DataFrame:
        """The last row of each cell under the conditions."""
        history = _history(table)
        names = [sa.column(d.name) for d in table.dimensions]
        statement = (
            sa.select(*(sa.column(name) for name in table.columns))
            .select_from(history)
            .where(sa.column("epoch") == epoch, *conditions)
            .ext(distinct_on(*names))
            .order_by(*names, sa.column("night").desc())
        )
        rows = self.read(statement, relation=f'{STATS}."{table.name}_history"')
        return pd.DataFrame([tuple(row) for row in rows], columns=list(table.columns))

    def _power_sums(self, table: Table, epoch: int) -> dict[str, bytes]:
        kept = _REFERENCES.c
        ours = sa.select(kept.cell, kept.power_sums).where(kept.epoch == epoch, kept.table_name == table.name)
        sums = dict(tuple(row) for row in self.read(ours))
        if any(len(packed) != 4 * KEPT_SUMS for packed in sums.values()):
            raise StateRefused(f"{table.name}: {OWN}.cell_references holds something other than power sums")
        return sums

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        other = StateRefused(
            f"{STATS}: a table has other columns than this version publishes, so its numbers cannot be carried on. "
            "Publish under another table name or to another warehouse; nothing here was changed"
        )
        refusals = dict.fromkeys(_OTHER_COLUMNS, other)
        with connected(self.url, WAREHOUSE, WarehouseUnreachable, refusals) as connection, connection.begin():
            yield connection


class Publication:
    """An open transaction on the warehouse: everything in it is seen together, or not at all."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        for schema in (STATS, OWN):
            self._connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        bring_up_to_date(self._connection)
        _REFERENCES.create(self._connection, checkfirst=True)
        # Names of cells hold dates as text.
        self._connection.execute(sa.text("set local datestyle to 'ISO, YMD'"))

    def last(self, before: datetime.date = datetime.date.max) -> tuple[datetime.date, str] | None:
        """Day and manifest digest of the last night that was published, before a day."""
        nights = sa.select(NIGHTS.c.day, NIGHTS.c.manifest_sha256).where(NIGHTS.c.day < before)
        row = self._connection.execute(nights.order_by(NIGHTS.c.day.desc()).limit(1)).first()
        return (row.day, row.manifest_sha256) if row else None

    def write(self, table: Table, day: datetime.date, epoch: int, frame: pd.DataFrame) -> None:
        """
        Add a night's rows of one table to its history, those that differ from the last ones.

        The night's earlier rows, if it ran before, are replaced; other nights stay as they are.
        """
        history = _history(table)
        history.create(self._connection, checkfirst=True)
        self._connection.execute(sa.text(_view(table)))
        for statement in _comments(table):
            self._connection.execute(statement)
        self._connection.execute(history.delete().where(history.c.night == day, history.c.epoch == epoch))
        tonight = _history(table, "tonight", "pg_temp")
        self._connection.execute(sa.text("drop table if exists pg_temp.tonight"))
        tonight.create(self._connection)
        rows = frame.astype(object).where(frame.notna(), None).assign(night=day, epoch=epoch)
        self._copy("pg_temp.tonight", list(rows.columns), rows.itertuples(index=False, name=None))
        self._connection.execute(sa.text("analyze pg_temp.tonight"))
        self._connection.execute(sa.text(_insert_changes(table)), {"epoch": epoch, "night": day})
        self._connection.execute(sa.text(f'analyze {STATS}."{table.name}_history"'))

    def keep_references(self, table: Table, epoch: int, names: pd.Series, power_sums: np.ndarray) -> None:
        """Keep of whom tonight's changed cells are, after `write`; what nobody needs any more is deleted."""
        parameters = {"epoch": epoch, "table": table.name}
        self._connection.execute(sa.text("drop table if exists pg_temp.fresh"))
        self._connection.execute(sa.text("create temporary table fresh (cell text primary key, power_sums bytea)"))
        packed = power_sums.astype("<u4")
        self._copy(
            "pg_temp.fresh", ["cell", "power_sums"], ((name, packed[n].tobytes()) for n, name in enumerate(names))
        )
        self._connection.execute(sa.text(_KEEP_FRESH), parameters)
        # Without statistics of a table just filled the planner compares every row with every other.
        self._connection.execute(sa.text(f"analyze {OWN}.cell_references"))
        self._connection.execute(sa.text(_DELETE_CLOSED.format(cell=_cell_of("t", table))), parameters)

    def _copy(self, relation: str, columns: list[str], rows: Iterable[tuple]) -> None:
        listed = ", ".join(f'"{name}"' for name in columns)
        cursor = self._connection.connection.cursor()
        with cursor, cursor.copy(f"copy {relation} ({listed}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)

    def record(self, day: datetime.date, sha256: str, manifest: str) -> None:
        """Record the night's manifest. When a night was first published stays as it is."""
        told = {"manifest_sha256": sha256, "manifest": manifest}
        again = insert(NIGHTS).values(day=day, **told).on_conflict_do_update(index_elements=["day"], set_=told)
        self._connection.execute(again)


def _history(table: Table, name: str = "", schema: str = STATS) -> sa.Table:
    # Nullable, because suppressed cells are missing.
    columns = [sa.Column(column, _type(table, column)) for column in table.columns]
    kept = [sa.Column("night", sa.Date, nullable=False), sa.Column("epoch", sa.SmallInteger, nullable=False)]
    return sa.Table(name or f"{table.name}_history", sa.MetaData(schema=schema), *columns, *kept)


def _type(table: Table, name: str) -> type[sa.types.TypeEngine]:
    measures = {m.name: _MEASURES[m.kind] for m in table.measures}
    return measures.get(name, sa.Date if name in ("day", AS_OF) else sa.Text)


def _view(table: Table) -> str:
    latest = _latest_rows(table, "epoch = (select max(epoch) from {history})")
    return f'create or replace view {STATS}."{table.name}" as {latest}'


def _latest_rows(table: Table, condition: str) -> str:
    """The last row of each cell in the history."""
    history = f'{STATS}."{table.name}_history"'
    columns, names = (
        ", ".join(f'"{n}"' for n in names) for names in (table.columns, [d.name for d in table.dimensions])
    )
    where = condition.format(history=history)
    return f"select distinct on ({names}) {columns} from {history} where {where} order by {names}, night desc"


_KEEP_FRESH = f"""
    insert into {OWN}.cell_references (epoch, table_name, cell, power_sums)
    select :epoch, :table, cell, power_sums from pg_temp.fresh
    on conflict (epoch, table_name, cell) do update set power_sums = excluded.power_sums
"""

_DELETE_CLOSED = f"""
    delete from {OWN}.cell_references r where r.table_name = :table and (
        r.epoch < :epoch or not exists (select from pg_temp.tonight t where {{cell}} = r.cell)
    )
"""
"""A day or week that no night looks at again has its numbers for ever, and of whom they are nobody needs."""


def _cell_of(alias: str, table: Table) -> str:
    """The name of a cell as `anonymizers.disclosure.cell_names` gives it, in SQL."""
    codes = ", ".join(f'{alias}."{d.name}"::text' for d in table.dimensions)
    return f"concat_ws(chr({ord(SEPARATOR)}), {codes})"


def _insert_changes(table: Table) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns)
    latest = _latest_rows(table, "epoch = :epoch and night < :night")
    # EXCEPT takes two missing values for the same.
    return (
        f'insert into {STATS}."{table.name}_history" ({columns}, night, epoch) select {columns}, :night, :epoch '
        f"from (select {columns} from pg_temp.tonight except ({latest})) changed"
    )


def _comments(table: Table) -> Iterator[sa.TextClause]:
    altered = "Numbers are perturbed; suppressed cells (few or no members) are missing."
    altered_ja = "数値には誤差を加え、少数または該当者なしのセルは欠測。"
    whole = f"{table.title}. {altered} {table.note} / {table.title_ja}。{altered_ja}{table.note_ja}"
    columns = {m.name: f"{m.title} ({m.unit}) / {m.title_ja}" for m in table.measures} | {AS_OF: _AS_OF}
    for dimension in table.dimensions:
        columns |= _dimension_comments(dimension)
    kept = {"night": _NIGHT, "epoch": _EPOCH}
    for kind, relation, more in (("view", table.name, {}), ("table", f"{table.name}_history", kept)):
        yield _comment(f'{kind} {STATS}."{relation}"', whole)
        for name, text in (columns | more).items():
            yield _comment(f'column {STATS}."{relation}"."{name}"', text)


def _dimension_comments(dimension: Dimension) -> dict[str, str]:
    own = {dimension.name: f"{dimension.title} / {dimension.title_ja}"}
    labels = {f"{dimension.name}_ja": f"{dimension.title}: Japanese label / {dimension.title_ja}の名称"}
    return own | (labels if dimension.labels else {})


def _comment(what: str, text: str) -> sa.TextClause:
    quoted = text.replace("'", "''").replace(":", r"\:")
    return sa.text(f"comment on {what} is '{quoted}'")
