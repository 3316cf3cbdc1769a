"""
The demo site: made at once, then lived night by night.

The database carries its mark as its comment, written in the transaction of the data it
describes: a killed `make_site` leaves the site of the last whole night, or none.
"""

import dataclasses
import datetime
import json
from collections.abc import Callable

import psycopg
from psycopg import sql

from anonymizers.errors import DemoRefused, SourceUnreachable
from sudare.demo import schema
from sudare.demo.creation import create_site
from sudare.demo.loading import Progress, count_rows
from sudare.demo.nights import live_night
from sudare.demo.plan import FOUNDED, Plan

DEMO_DAY = datetime.date(2026, 10, 31)
"""The day up to which a demo site has lived if nothing else is asked."""

EDITION = 1
"""Raised whenever the same parameters would make other content."""

_MARK = "sudare_demo"

_LOCK = 7_835_263_110
"""Held while a site is made, so that two makers take turns."""

_LEAST_MEMBERS = 100
_LEAST_POSTINGS_PER_DAY = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class SiteSummary:
    """What a call of `make_site` left in the database."""

    members: int
    postings: int
    seed: int
    days: int
    base: datetime.date
    """The day the site was made at."""
    until: datetime.date
    """The last whole day it has lived."""
    created: bool
    """Whether this call made it."""
    nights: int
    """How many nights this call lived."""
    rows: dict[str, int]
    """Rows by table."""


def make_site(
    url: str,
    *,
    members: int = 20_000,
    postings: int = 100_000,
    seed: int = 1,
    until: datetime.date = DEMO_DAY,
    days: int = 28,
    replace: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> SiteSummary:
    """
    Make the demo site in a database, or let the one that is there live on.

    The same arguments give the same rows. A site that has lived to an earlier day lives
    on night by night, each in its own transaction.

    Args:
        url: A database of PostgreSQL 13 or later, owned by the caller: empty, or a demo's.

        members: Members on the day the site is made; at least 100.

        postings: Postings in the ``days`` up to that day; at least 10 a day.

        until: The last whole day, in Asia/Tokyo, that the site has lived.

        replace: Whether a demo of other parameters, or one that has lived longer, is dropped and made anew.

        progress: Told a table's name (or a night's day), the rows done and the rows in all.

    Raises:
        DemoRefused: The database is somebody else's, or a demo of other parameters, or an argument is too small.
        SourceUnreachable: There is no connection, or it was cut.
    """
    plan = Plan(members=members, postings=postings, seed=seed, days=days, base=until)
    _check(plan)
    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True) as connection:
            return _make(connection, plan, replace, progress or (lambda table, done, total: None))
    except psycopg.OperationalError:
        ours = SourceUnreachable("the demo's database: no connection, or it was cut; check SUDARE_SOURCE_URL")
    raise ours from None


def _make(connection: psycopg.Connection, plan: Plan, replace: bool, progress: Progress) -> SiteSummary:
    until = plan.base
    base, lived, created = _ensure(connection, plan, replace, progress)
    plan = dataclasses.replace(plan, base=base)
    nights = _live_until(connection, plan, lived, until, progress)
    if created or nights:
        connection.execute("analyze")
    return SiteSummary(
        members=plan.members,
        postings=plan.postings,
        seed=plan.seed,
        days=plan.days,
        base=base,
        until=until,
        created=created,
        nights=nights,
        rows={table: count_rows(connection, table) for table in schema.KEYS},
    )


def read_mark(connection: psycopg.Connection) -> dict[str, object] | None:
    """The parameters of the demo in the connection's database, or None if it is not marked as a demo's."""
    row = connection.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
    ).fetchone()
    try:
        comment = json.loads(row[0]) if row and row[0] else None
    except ValueError:
        return None
    mark = comment.get(_MARK) if isinstance(comment, dict) else None
    return mark if isinstance(mark, dict) else None


def _check(plan: Plan) -> None:
    if plan.members < _LEAST_MEMBERS:
        raise DemoRefused(f"a demo site has at least {_LEAST_MEMBERS} members; ask for more")
    if plan.days < 1 or plan.postings < plan.days * _LEAST_POSTINGS_PER_DAY:
        raise DemoRefused(f"a demo site has at least {_LEAST_POSTINGS_PER_DAY} postings a day; ask for more")
    if plan.base - datetime.timedelta(days=plan.days) < FOUNDED:
        raise DemoRefused(f"the demo site opened on {FOUNDED}; ask for a later day")


def _parameters(plan: Plan) -> dict[str, int]:
    return {
        "edition": EDITION,
        "members": plan.members,
        "postings": plan.postings,
        "seed": plan.seed,
        "days": plan.days,
    }


def _ensure(
    connection: psycopg.Connection, plan: Plan, replace: bool, progress: Progress
) -> tuple[datetime.date, datetime.date, bool]:
    """Make the site unless a fitting one is there; its base day, the day it has lived to, whether it was made."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        mark, is_empty = read_mark(connection), _is_empty(connection)
        if not is_empty:
            if mark is None:
                raise DemoRefused("the database holds tables and is not marked as a demo's; give an empty one")
            lived = datetime.date.fromisoformat(str(mark["until"]))
            if _fits(mark, plan) and lived <= plan.base:
                return datetime.date.fromisoformat(str(mark["base"])), lived, False
            if not replace:
                raise DemoRefused("the database holds a demo of other parameters or of a later day; ask to replace it")
            schema.drop(connection)
        create_site(connection, plan, progress)
        _write_mark(connection, plan, plan.base)
    return plan.base, plan.base, True


def _fits(mark: dict[str, object], plan: Plan) -> bool:
    return all(mark.get(name) == value for name, value in _parameters(plan).items())


def _is_empty(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "select 1 from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')"
    ).fetchone()
    return row is None


def _live_until(
    connection: psycopg.Connection, plan: Plan, lived: datetime.date, until: datetime.date, progress: Progress
) -> int:
    nights = (until - lived).days
    for night in range(1, nights + 1):
        day = lived + datetime.timedelta(days=night)
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            _check_lived(connection, day - datetime.timedelta(days=1))
            live_night(connection, plan, day)
            _write_mark(connection, plan, day)
        progress(day.isoformat(), night, nights)
    return nights


def _check_lived(connection: psycopg.Connection, day: datetime.date) -> None:
    mark = read_mark(connection)
    if mark is None or mark["until"] != day.isoformat():
        raise DemoRefused("the demo changed while it was being lived; start again")


def _write_mark(connection: psycopg.Connection, plan: Plan, until: datetime.date) -> None:
    mark = _parameters(plan) | {"base": plan.base.isoformat(), "until": until.isoformat()}
    name = connection.execute("select current_database()").fetchone()[0]
    comment = json.dumps({_MARK: mark})
    connection.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(name), sql.Literal(comment)))
