"""The benchmark's site: a demo in an embedded PostgreSQL of its own, copied until it is as large as asked."""

import datetime
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

DAY = datetime.date(2026, 10, 31)
NOW = datetime.datetime(2026, 11, 1, 2, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=9)))

POSTGRES = "postgres"
"""Folder of the database in the site's place, as `sudare.postgres` names it."""

MADE_AT_MOST = 1_000_000
"""Members that the demo makes itself; a larger site is this one several times over, under other numbers."""

_AGREEMENT = """
[liveramp]
recipient_address = "nowhere"
recipient_representative = "nobody"
confirmed = "for the benchmark"
"""


@dataclass(frozen=True)
class Site:
    """
    A site that is ready.

    Attributes:
        members, postings: As asked for; postings of 28 days.
        place: Its directory.
        warehouse_url: Of its nights.
        environment: Of the processes that work on it.
    """

    members: int
    postings: int
    place: Path
    warehouse_url: str = field(repr=False)
    environment: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return self.environment["SUDARE_SOURCE_URL"]


def tell(what: str) -> None:
    """Progress, on standard error."""
    print(what, file=sys.stderr, flush=True)


def prepare(home: Path, members: int, postings: int) -> Site:
    """Start the database below ``home`` and make the site where there is none; earlier nights are forgotten."""
    from anonymizers.keys import DEMO_SECRET
    from sudare import grants, postgres
    from sudare.demo.partner_list import write_partner_list
    from sudare.demo.site import make_site

    place = home / "bench" / f"{members}-{postings}"
    place.mkdir(parents=True, exist_ok=True)
    server = postgres.start(place)
    url = server.urls["site"]
    tell(f"the site: {members:,} members, {postings:,} postings")
    times = -(-members // MADE_AT_MOST)
    # This database is the benchmark's own, so a site that an earlier edition of the demo made is made anew.
    make_site(url, members=members // times, postings=postings // times, until=DAY, replace=True)
    if times > 1:
        _multiply(url, members, times)
    grants.apply(url)
    listed = write_partner_list(url, place / "intake")
    os.utime(listed, 2 * ((NOW - datetime.timedelta(hours=1)).timestamp(),))
    (place / "agreements.toml").write_text(_AGREEMENT)
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SUDARE_")}
    ours = {
        "SUDARE_HOME": str(place),
        "SUDARE_SECRET": DEMO_SECRET,
        "SUDARE_AGREEMENTS": str(place / "agreements.toml"),
    }
    return Site(members, postings, place, server.urls["warehouse"], {**settings, **server.environment, **ours})


_NUMBERS = {
    "member_id": "members",
    "child_id": "children",
    "thread_id": "threads",
    "posting_id": "postings",
    "consent_id": "consents",
    "opt_out_id": "opt_outs",
    "request_id": "rights_requests",
}
"""The numbers that a copy shifts, and the table that gives each."""


def _multiply(url: str, members: int, times: int) -> None:
    """The rows again, ``times`` - 1 times, inside the database: under other numbers, and addresses of other domains."""
    import psycopg

    with psycopg.connect(url) as connection:
        if connection.execute("select count(*) from members").fetchone()[0] >= members:
            return
        connection.execute("set local session_replication_role = replica")  # references hold by construction
        last = {
            number: connection.execute(f"select max({number}) from {table}").fetchone()[0]
            for number, table in _NUMBERS.items()
        }
        for key, table in _NUMBERS.items():
            tell(f"{table}, {times} times over")
            described = connection.execute(f"select * from {table} limit 0").description
            names = [column.name for column in described]
            for n in range(1, times):
                values = ", ".join(_shifted(name, n, last) for name in names)
                connection.execute(
                    f"insert into {table} ({', '.join(names)}) select {values} from {table} where {key} <= {last[key]}"
                )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _shifted(name: str, n: int, last: dict[str, int]) -> str:
    if name in last:
        return f"{name} + {n * last[name]}"
    return f"regexp_replace(email, '([@＠])', '\\1n{n}.')" if name == "email" else name


def forget_nights(site: Site) -> None:
    """No night has run yet: the next is a first one, whatever ran here before."""
    import psycopg

    with psycopg.connect(site.warehouse_url) as connection:
        for schema in ("stats", "sudare", "delivery"):
            connection.execute(f"drop schema if exists {schema} cascade")
    for left in ("outbox", "published", "staging"):
        shutil.rmtree(site.place / left, ignore_errors=True)
