"""
Making the demo site, and letting it live on.

Creation is one transaction and every further night is one, the mark included: a killed
run leaves no site, or a whole one that can live on.
"""

import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from anonymizers.errors import DemoRefused, SourceUnreachable
from sudare.demo import papers, schema
from sudare.demo.children import child_rows
from sudare.demo.life import Life, live
from sudare.demo.loading import copy
from sudare.demo.members import member_rows
from sudare.demo.plan import Plan
from sudare.demo.postings import (
    Window,
    access_log_rows,
    board_rows,
    posting_rows,
    reaction_rows,
    thread_rows,
)
from sudare.demo.traits import STATUSES, status

DEMO_DAY = datetime.date(2026, 10, 31)
"""The last whole day of a site that is made without saying until when."""

CHUNK = 50_000
"""Rows made at a time; the rows do not depend on it."""

LEAST_MEMBERS = 100
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SiteSummary:
    """What a site holds now."""

    members: int
    postings: int
    until: datetime.date
    nights: int
    """Nights it has lived since it was made."""

    def __str__(self) -> str:
        return f"{self.members:,} members, {self.postings:,} postings, {self.nights} nights lived since it was made"


def make_site(
    url: str,
    *,
    members: int = 20_000,
    postings: int = 100_000,
    seed: int = 1,
    until: datetime.date = DEMO_DAY,
    days: int = 28,
    replace: bool = False,
    progress: Progress | None = None,
) -> SiteSummary:
    """
    Make the demo site in a database, or let the one that is there live on.

    Args:
        url: PostgreSQL; empty, or holding a demo site.

        members: On the base day, at least 100.

        postings: Over the last ``days`` days up to the base day.

        seed: The same seed and arguments make the same site, byte for byte.

        until: The last whole Asia/Tokyo day. A new site is made as of this day, its base day; a site with the same
            parameters and an earlier one lives on, night by night.

        days: Over which the base day's postings are spread.

        replace: Throw away a demo site that does not fit.

        progress: Called with what is loaded, rows done, rows in all.

    Returns:
        What the site holds now.

    Raises:
        DemoRefused: the database holds tables that are not the demo's; or its demo site has other parameters or has
            lived longer, and ``replace`` is not given; or too few members are asked for.
        SourceUnreachable: no connection.
    """
    if members < LEAST_MEMBERS or days < 1 or postings < days:
        raise DemoRefused(f"a demo site has at least {LEAST_MEMBERS} members and a posting a day")
    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
            plan, lived = _begin(connection, members, postings, seed, until, days, replace, progress)
            while lived < until:
                lived += datetime.timedelta(days=1)
                live(connection, Life(plan, lived))
                _write_mark(connection, plan, lived)
                connection.commit()
            return _summary(connection, plan, lived)
    except psycopg.OperationalError:
        ours = SourceUnreachable("the demo's database: no connection, or it was cut; check SUDARE_SOURCE_URL")
    raise ours from None


def _begin(
    connection: psycopg.Connection,
    members: int,
    postings: int,
    seed: int,
    until: datetime.date,
    days: int,
    replace: bool,
    progress: Progress | None,
) -> tuple[Plan, datetime.date]:
    """The site's plan and the day it has lived to, after making it where there is none that fits."""
    mark = read_mark(connection)
    if mark is None:
        _require_empty(connection)
    else:
        plan, lived = _plan_of(mark), datetime.date.fromisoformat(mark["until"])
        asked = Plan(members=members, postings=postings, seed=seed, days=days, base=plan.base)
        if plan == asked and lived <= until:
            return plan, lived
        if not replace:
            raise DemoRefused("the demo site here has other parameters or has lived longer; --replace throws it away")
        schema.drop(connection)
    plan = Plan(members=members, postings=postings, seed=seed, days=days, base=until)
    _make(connection, plan, progress or (lambda *_: None))
    _write_mark(connection, plan, until)
    connection.commit()
    connection.execute("analyze")
    connection.commit()
    return plan, until


def read_mark(connection: psycopg.Connection) -> dict | None:
    """What the demo wrote on its database, or None where it is not the demo's."""
    (comment,) = connection.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
    ).fetchone()
    try:
        found = json.loads(comment or "null")
    except ValueError:
        return None
    return found.get("sudare_demo") if isinstance(found, dict) else None


def _plan_of(mark: dict) -> Plan:
    base = datetime.date.fromisoformat(mark["base"])
    return Plan(members=mark["members"], postings=mark["postings"], seed=mark["seed"], days=mark["days"], base=base)


def _write_mark(connection: psycopg.Connection, plan: Plan, until: datetime.date) -> None:
    numbers = {name: getattr(plan, name) for name in ("members", "postings", "seed", "days")}
    mark = {"sudare_demo": {**numbers, "base": plan.base.isoformat(), "until": until.isoformat()}}
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("comment on database {} is {}").format(name, json.dumps(mark)))


def _require_empty(connection: psycopg.Connection) -> None:
    (tables,) = connection.execute(
        "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm', 'f')"
    ).fetchone()
    if tables:
        raise DemoRefused(f"this database holds {tables} tables and is not the demo's; the demo touches no other site")


def _make(connection: psycopg.Connection, plan: Plan, progress: Progress) -> None:
    connection.execute(schema.TABLES)
    for what, total, parts in (
        ("members", plan.members, _members(connection, plan)),
        ("postings", plan.postings, _postings(connection, plan)),
    ):
        done = 0
        for rows in parts:
            done += rows
            progress(what, done, total)
    progress("indexes and references", 0, 1)
    connection.execute(schema.INDEXES)
    connection.execute(schema.REFERENCES)


def _chunks(first: int, end: int) -> Iterator[np.ndarray]:
    return (np.arange(start, min(start + CHUNK, end)) for start in range(first, end, CHUNK))


def _members(connection: psycopg.Connection, plan: Plan) -> Iterator[int]:
    copy(connection, "boards", board_rows())
    copy(connection, "policy_versions", papers.policy_version_rows(plan))
    copy(connection, "legal_holds", papers.legal_hold_rows(plan, plan.members, plan.postings, plan.now))
    children = 0
    for ids in _chunks(1, plan.members + 1):
        copy(connection, "members", member_rows(plan, ids, plan.now))
        children += copy(connection, "children", child_rows(plan, ids, children + 1, plan.now))
        for table, rows in _PAPERS.items():
            copy(connection, table, rows(plan, ids, plan.now))
        yield len(ids)
    copy(connection, "rights_requests", papers.stranger_request_rows(plan, plan.now))


_PAPERS: dict[str, Callable[[Plan, np.ndarray, int], pa.Table]] = {
    "consents": papers.consent_rows,
    "opt_outs": papers.opt_out_rows,
    "rights_requests": papers.rights_request_rows,
    "campaign_entries": papers.campaign_entry_rows,
    "enquiries": papers.enquiry_rows,
}


def _postings(connection: psycopg.Connection, plan: Plan) -> Iterator[int]:
    first_day = plan.base - datetime.timedelta(days=plan.days - 1)
    elder = plan.threads // 2
    window = Window(
        plan=plan,
        first_day=first_day,
        days=plan.days,
        first_posting=1,
        postings=plan.postings,
        elder_threads=elder,
        threads=plan.threads - elder,
    )
    for ids in _chunks(1, plan.threads + 1):
        copy(connection, "threads", thread_rows(window, ids))
    everybody = np.arange(1, plan.members + 1)
    gone = everybody[status(plan, everybody) != [name for _, name in STATUSES].index("active")]
    for offsets in _chunks(0, plan.postings):
        postings = posting_rows(window, offsets, gone)
        copy(connection, "postings", postings)
        copy(connection, "posting_access_logs", access_log_rows(window, offsets, postings))
        copy(connection, "reactions", reaction_rows(window, offsets))
        yield len(offsets)


def _summary(connection: psycopg.Connection, plan: Plan, until: datetime.date) -> SiteSummary:
    (members,) = connection.execute("select count(*) from members").fetchone()
    (postings,) = connection.execute("select count(*) from postings").fetchone()
    return SiteSummary(members, postings, until, (until - plan.base).days)
