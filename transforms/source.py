"""
Reading the site's database: the only module that sends it SQL.

Every query is made from the declared datasets, column by column, and runs as one of the
three reader roles inside one REPEATABLE READ, READ ONLY transaction. What a role may not
read, the database refuses; a role that could read more than its columns is refused here.

A snapshot does not hold against everything: a table that is truncated, rewritten or replaced after it was taken reads
as empty, and one whose type was changed reads as that. So what was read is checked before the session ends.
"""

import datetime
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from anonymizers.errors import (
    ReaderOverGranted,
    ReaderUnderGranted,
    SourceChanged,
    SourceMissing,
    SourceUnreachable,
    SourceUnsettled,
    StopSignalsUnreadable,
    SudareError,
    Transient,
)
from transforms.datasets import DATASETS
from transforms.spec import Column, Gate, Reader

SCHEMA = "public"
BATCH_BYTES = 8 << 20
"""Arrow batches of 8 MiB: measured fastest, and it bounds the memory of a stream."""

STOP_SIGNALS = ("opt_outs", "rights_requests", "consents")
"""Datasets without which nobody may be counted or fed: unreadable means stop."""

LOSS, FEW = 0.01, 5
"""Share and number of rows that may go while a night runs, by erasures; a table that is loaded anew loses more."""

FEW_STOPS = 1
"""The same of tables that say no: one may go with an erased member, and none of the others may be overheard."""

SAMPLED_PER_SHARD = 2_000
"""Rows of a shard that tell where it begins; its size is then about a fortieth off."""

_ARROW = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "integer": pa.int32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}
"""As what the driver gives each declared type; what is not here is text."""

_PRIVILEGE = "42501"
_NO_SUCH_ROLE = "22023"
_UNDEFINED = ("42P01", "42703", "3F000")
_CUT = ("08", "57", "53", "28", "3D", "40", "55", "25P")
"""SQLSTATE classes of what passes by itself: a connection that failed or was cut, a server that is short of something,
a query that was cancelled or had to give way, as on a standby that follows its primary."""


@dataclass(frozen=True)
class Shard:
    """A range of member numbers, ``first`` included, ``end`` not; None is open."""

    number: int
    first: int | None
    end: int | None

    def where(self, column: str = "member_id") -> str:
        """The range as a condition on ``column``."""
        bounds = [f"{column} >= {self.first:d}"] if self.first is not None else []
        bounds += [f"{column} < {self.end:d}"] if self.end is not None else []
        return " and ".join(bounds) or f"{column} is not null"


@dataclass(frozen=True)
class Source:
    """The site's database as the pipeline reaches it. The URL, which may hold a password, shows in no ``repr``."""

    url: str = field(repr=False)
    had: tuple[tuple[str, int], ...] = ()
    """Datasets and how many rows each had when the night began: every session sees about as many, or ends."""

    @contextmanager
    def session(self, reader: Reader | None) -> "Iterator[Session]":
        """
        One transaction as one reader; without a reader, for the database's own catalogue only.

        Raises:
            SourceUnreachable: no connection, or it was cut.
            SourceUnsettled: a table has lost rows since the night began, or was rewritten or replaced under it.
            ReaderUnderGranted: the role is missing, or lacks a declared column.
            ReaderOverGranted: the role could read more than its columns.
        """
        with foreign_errors("the source"), adbc.connect(self._uri(reader)) as connection:
            session = Session(connection)
            if reader is not None:
                session.require_least_privilege(reader)
                for dataset, rows in self.had:
                    if DATASETS[dataset].read_by(reader):
                        require_not_fewer(dataset, session.count(dataset), rows)
            yield session
            session.require_settled()

    def _uri(self, reader: Reader | None) -> str:
        parts = urlsplit(self.url)
        query = dict(parse_qsl(parts.query))
        settings = {
            "default_transaction_isolation": "repeatable\\ read",
            "default_transaction_read_only": "on",
            "timezone": "UTC",
            "jit": "off",
            **({"role": reader.database_role} if reader else {}),
        }
        query["options"] = " ".join([query.get("options", ""), *(f"-c {k}={v}" for k, v in settings.items())]).strip()
        query.setdefault("connect_timeout", "10")
        scheme = parts.scheme.split("+")[0]
        return urlunsplit((scheme, parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))


class Session:
    """An open read-only transaction."""

    def __init__(self, connection: adbc.Connection) -> None:
        self._connection = connection
        self._read: set[str] = set()

    def rows(self, sql: str) -> list[tuple]:
        """All rows of a small query."""
        with foreign_errors("the source"), self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def read(self, dataset: str, reader: Reader, where: str = "true", only: tuple[str, ...] | None = None) -> pa.Table:
        """
        The columns of a dataset that its reader is granted.

        Args:
            dataset: A declared name.

            reader: Whose columns.

            where: A condition made by this package, never from input.

            only: Some of the columns by name, or None for all that are granted.

        Returns:
            One row per row of the table, or with `only` the distinct rows of those columns. A date or time that is
            'infinity' is null; a column read for its presence is boolean and never null.
        """
        table = self.ask(query(dataset, reader, where, only), dataset)
        columns = _read(dataset, reader, only)
        if other := [c.name for c in columns if table.schema.field(c.name).type != _arrow_type(c, reader)]:
            raise SourceChanged(
                f"{dataset}: another type than declared of {', '.join(other)}; see transforms/datasets.py"
            )
        return table

    def ask(self, sql: str, *datasets: str) -> pa.Table:
        """What a query made by this package finds in these datasets; they are looked after as if they were read."""
        with _stop_signal(*datasets), foreign_errors(", ".join(datasets)), self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
            cursor.execute(sql)
            table = cursor.fetch_arrow_table()
        self._read.update(datasets)
        return table

    def count(self, dataset: str, where: str = "true") -> int:
        """Rows of a dataset under a condition made by this package."""
        return self.counts(dataset, "count(*)", where=where)[0]

    def counts(self, dataset: str, *what: str, where: str = "true") -> tuple[int, ...]:
        """Aggregates over a dataset, made by this package as the condition is, in one pass."""
        with _stop_signal(dataset):
            (row,) = self.rows(f"select {', '.join(what)} from {SCHEMA}.{dataset} where {where}")
        self._read.add(dataset)
        return row

    def require_settled(self) -> None:
        """
        Check that every table that was read is still the one of this transaction's snapshot.

        Raises:
            SourceUnsettled: one was truncated, rewritten or replaced meanwhile, so that it read as empty.
        """
        names = ", ".join(f"'{name}'" for name in sorted(self._read))
        if moved := self.rows(_MOVED.format(names=names)) if names else []:
            raise SourceUnsettled(
                f"{', '.join(name for (name,) in moved)}: truncated, rewritten or replaced while it was read, so what "
                "was read is not what is there; wait until the site's engineers are done"
            )

    def require_least_privilege(self, reader: Reader) -> None:
        """Compare what the role can select with what its datasets declare."""
        readable = set(self.rows(_READABLE))
        declared = {(d.name, c.name) for d in DATASETS.values() for c in d.read_by(reader)}
        if over := sorted(readable - declared):
            raise ReaderOverGranted(
                f"role {reader.database_role} can read {_columns(over)} beyond its {len(declared)} columns; "
                "revoke it, or log in as a role that is no superuser. `sudare grants` prints what it needs"
            )
        if under := sorted(declared - readable):
            raise ReaderUnderGranted(
                f"role {reader.database_role} cannot read {_columns(under)}; `sudare grants --apply` grants it"
            )


def _read(dataset: str, reader: Reader, only: tuple[str, ...] | None) -> list[Column]:
    return [c for c in DATASETS[dataset].read_by(reader) if only is None or c.name in only]


def query(dataset: str, reader: Reader, where: str = "true", only: tuple[str, ...] | None = None) -> str:
    """What `Session.read` asks the database."""
    expressions = ", ".join(f"{_expression(c, reader)} as {c.name}" for c in _read(dataset, reader, only))
    return f"select {'' if only is None else 'distinct '}{expressions} from {SCHEMA}.{dataset} where {where}"


_FIRST_OF_USERS = 16384
"""The least object identifier that is no part of PostgreSQL itself, whose tables have no file of that kind."""

_RELATIONS = f"""
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = '{SCHEMA}' and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
"""
_READABLE = f"""
    select c.relname::text, a.attname::text {_RELATIONS}
    and has_column_privilege(c.oid, a.attnum, 'SELECT')
"""
_MOVED = f"""
    with recursive read (name, oid) as (
        select name, to_regclass('{SCHEMA}.' || name)::oid from unnest(array[{{names}}]) name
        union select name, refobjid
        from read join pg_class on pg_class.oid = read.oid and relkind = 'v'
        join pg_rewrite on ev_class = read.oid and ev_type = '1'
        join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
        where refclassid = 'pg_class'::regclass and refobjid >= {_FIRST_OF_USERS}
    ), file (name, oid) as (
        select name, oid from read union select name, relid from read, pg_partition_tree(oid)
        union select name, inhrelid from file join pg_inherits on inhparent = oid
    )
    select distinct name from file left join pg_class on pg_class.oid = file.oid
    where pg_class.oid is null or pg_relation_filenode(file.oid) is distinct from nullif(relfilenode, 0)
"""
"""
Datasets that are not in the snapshot, or whose files are others there: their own, those of their partitions and heirs,
or of what a view shows. A function of the catalogue tells the present, a query of it the snapshot. What is read is
locked, so it stays.
"""

_COLUMNS = f"select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) {_RELATIONS}"


def _expression(column: Column, reader: Reader) -> str:
    treatment = column.for_reader(reader)
    if isinstance(treatment, Gate) and treatment.read == "presence":
        return f"{column.name} is not null"
    if column.type == "date" or column.type.startswith("timestamp"):
        # The Arrow driver turns 'infinity' into an ordinary date thousands of years ago.
        return f"case when isfinite({column.name}) then {column.name} end"
    return column.name


def _arrow_type(column: Column, reader: Reader) -> pa.DataType:
    treatment = column.for_reader(reader)
    presence = isinstance(treatment, Gate) and treatment.read == "presence"
    return pa.bool_() if presence else _ARROW.get(column.type, pa.string())


def require_not_fewer(dataset: str, rows: int, had: int) -> None:
    """
    Check that a dataset has not lost rows since the night began.

    Raises:
        SourceUnsettled: it has, more than erasures explain.
    """
    few = FEW_STOPS if dataset in ("opt_outs", "rights_requests") else FEW
    if (had and not rows) or had - rows > max(few, LOSS * had):
        # Without the counts: they are exact, of this night, and the message goes far.
        raise SourceUnsettled(
            f"{dataset}: fewer rows than when the night began, by more than erasures explain; it is being loaded anew, "
            "or rows are lost. Wait for the site's engineers, and run the night again"
        )


def _columns(pairs: list[tuple[str, str]], most: int = 5) -> str:
    named = ", ".join(f"{table}.{column}" for table, column in pairs[:most])
    return named + (f" and {len(pairs) - most} more columns" if len(pairs) > most else "")


@contextmanager
def foreign_errors(what: str) -> Iterator[None]:
    """Turn the driver's errors, whose messages may quote rows and passwords, into ours by SQLSTATE."""
    try:
        yield
        return
    except adbc.Error as error:
        ours = _by_sqlstate(what, error.sqlstate or "")
    raise ours from None


def _by_sqlstate(what: str, state: str) -> SudareError:
    hint = f"{what}: the database answered SQLSTATE {state}" if state else f"{what}: no connection"
    if state == _NO_SUCH_ROLE:
        return ReaderUnderGranted(f"{hint}; a reader role is missing, `sudare grants --apply` makes it")
    if state == _PRIVILEGE:
        return ReaderUnderGranted(f"{hint}, permission denied; `sudare grants --apply` grants the declared columns")
    if state in _UNDEFINED:
        return SourceMissing(f"{hint}; a declared table or column is not there")
    if not state or state.startswith(_CUT):
        return SourceUnreachable(f"{hint}; check SUDARE_SOURCE_URL and that the server is up")
    return SourceChanged(f"{hint}; the source does not answer a generated query as declared")


@contextmanager
def _stop_signal(*datasets: str) -> Iterator[None]:
    try:
        yield
        return
    except SudareError as error:
        if not {*datasets} & {*STOP_SIGNALS} or isinstance(error, Transient):
            raise
        named = ", ".join(datasets)
        ours = StopSignalsUnreadable(f"{named}: unreadable, so nobody can be shown not to have said stop; {error}")
    raise ours from None


def check_drift(session: Session) -> list[str]:
    """
    Compare the database with the declared datasets.

    Returns:
        The tables and columns that nobody declared, by name. They stay out.

    Raises:
        SourceMissing: a declared table or column is not there.
        SourceChanged: a declared column has another type.
    """
    found = {(table, column): kind for table, column, kind in session.rows(_COLUMNS)}
    declared = {(d.name, c.name): c.type for d in DATASETS.values() for c in d.columns}
    tables = {table for table, _ in found}
    if missing := [d for d in DATASETS if d not in tables]:
        raise SourceMissing(f"the source has no table {', '.join(missing)}; see transforms/datasets.py")
    if lost := sorted(declared.keys() - found.keys()):
        raise SourceMissing(f"the source has no column {_columns(lost)}; see transforms/datasets.py")
    if changed := sorted(key for key, kind in declared.items() if found[key] != kind):
        kinds = ", ".join(f"{t}.{c} is {found[t, c]}, declared {declared[t, c]}" for t, c in changed[:5])
        raise SourceChanged(f"{len(changed)} columns have another type: {kinds}")
    return [f"{table}.{column}" for table, column in sorted(found.keys() - declared.keys())]


def read_demo_mark(session: Session) -> dict | None:
    """What the demo wrote on its database, or None for a source that is not the demo's."""
    (comment,) = session.rows(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
    )[0]
    try:
        mark = json.loads(comment or "null")
    except ValueError:
        return None
    return mark.get("sudare_demo") if isinstance(mark, Mapping) else None


def plan_shards(session: Session, members_per_shard: int) -> list[Shard]:
    """Cut the members into ranges of about equal size; the first and the last are open, so nobody falls out."""
    return cut(session, "members", "member_id", "true", members_per_shard)


def cut(session: Session, dataset: str, column: str, where: str, rows_per_shard: int) -> list[Shard]:
    """
    Cut a dataset's rows under a condition into ranges of ``column`` of about equal numbers of rows.

    Where there are many, a sample tells the bounds; no row depends on it, they only lie in one shard or the next. The
    bounds are round numbers: a plan is written down, and an identifier from a row may not be.
    """
    grain = 1 << max(0, (rows_per_shard // 8).bit_length() - 1)
    rows = session.count(dataset, where)
    shards = max(1, -(-rows // rows_per_shard))
    if shards == 1:
        return [Shard(0, None, None)]
    if (share := shards * SAMPLED_PER_SHARD / rows) < 1:
        session.rows("select setseed(0)::text")  # the same plan of rows that are read in the same order
        where = f"({where}) and random() < {share:.6f}"
    fractions = ", ".join(f"{i / shards:.6f}" for i in range(1, shards))
    quantiles = f"unnest(percentile_disc(array[{fractions}]) within group (order by {column}))"
    cuts = session.rows(f"select {quantiles} from {SCHEMA}.{dataset} where {where}")
    bounds = [None, *sorted({value // grain * grain for (value,) in cuts if value is not None}), None]
    return [Shard(number, first, end) for number, (first, end) in enumerate(itertools.pairwise(bounds))]


@dataclass(frozen=True)
class Counted:
    """
    What one pass over a dataset counts.

    Attributes:
        rows: All.
        of_members: Those that name a member.
        non_finite: By column, dates and times that are 'infinity'; they are read as missing. None is left out.
    """

    rows: int
    of_members: int
    non_finite: dict[str, int]


def count_rows(session: Session, reader: Reader, dataset: str) -> Counted:
    """Count a dataset that has a ``member_id``, but for postings: what is infinite is in no window of days."""
    dates = [c.name for c in DATASETS[dataset].read_by(reader) if "isfinite" in _expression(c, reader)]
    infinite = [f"count(*) filter (where not isfinite({name}))" for name in dates]
    rows, of_members, *non_finite = session.counts(dataset, "count(*)", "count(member_id)", *infinite)
    return Counted(rows, of_members, {name: n for name, n in zip(dates, non_finite, strict=True) if n})


def tokyo_days(column: str, first: datetime.date, last: datetime.date) -> str:
    """A condition: ``column`` lies in the Asia/Tokyo days from ``first`` to ``last``, both included."""
    end = last + datetime.timedelta(days=1)
    zone = "timestamp '{}' at time zone 'Asia/Tokyo'"
    return f"{column} >= {zone.format(first)} and {column} < {zone.format(end)}"
