"""
One more night of a demo site: who joins, leaves, moves, writes, deletes, consents and opts out.

Everything is drawn from the seed, the night and the row's number, so that living two
nights one by one and living them in a row give the same site.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa

from sudare.demo import papers, places
from sudare.demo.children import MOST, born_on, child_rows
from sudare.demo.columns import constant, instants, pick, whole
from sudare.demo.emails import address
from sudare.demo.loading import copy
from sudare.demo.members import member_rows
from sudare.demo.plan import DAY, SECOND, Plan, epoch_day, midnight
from sudare.demo.postings import Window, access_log_rows, posting_rows, reaction_rows, thread_rows
from sudare.demo.traits import POLICY_VERSIONS

_ONE_IN = {"leaves": 2000, "moves": 3000, "new e-mail": 3000, "opts out": 2000, "consents": 1500, "withdraws": 3000}
"""Members to whom it happens on one night, one in so many."""


@dataclass(frozen=True)
class Life:
    """One night of a site."""

    plan: Plan
    day: datetime.date

    @property
    def number(self) -> int:
        """Nights since the base day, from 1."""
        return (self.day - self.plan.base).days

    @property
    def end(self) -> int:
        return midnight(self.day) + DAY

    @property
    def members(self) -> np.ndarray:
        """Everybody who had joined before this night."""
        return np.arange(1, self.plan.members + (self.number - 1) * self.plan.joins_per_night + 1)

    @property
    def newcomers(self) -> np.ndarray:
        first = int(self.members[-1]) + 1
        return np.arange(first, first + self.plan.joins_per_night)

    def window(self) -> Window:
        """The day's postings, numbered after all before them."""
        earlier = [self.plan.base + datetime.timedelta(days=n) for n in range(1, self.number)]
        postings = [self.plan.postings_on(day) for day in earlier]
        today = self.plan.postings_on(self.day)
        return Window(
            plan=self.plan,
            first_day=self.day,
            days=1,
            first_posting=self.plan.postings + sum(postings) + 1,
            postings=today,
            elder_threads=self.plan.threads + sum(_threads(count) for count in postings),
            threads=_threads(today),
        )

    def chosen(self, what: str) -> np.ndarray:
        """The members to whom it happens this night."""
        members = self.members
        return members[self.plan.draws.below(f"{what} {self.number}", members, _ONE_IN[what]) == 0]

    def moments(self, what: str, ids: np.ndarray) -> np.ndarray:
        """An instant of this day for each."""
        return midnight(self.day) + self.plan.draws.below(f"{what} at {self.number}", ids, 86_400) * SECOND


def _threads(postings: int) -> int:
    return max(1, postings // 12)


def live(connection: psycopg.Connection, life: Life) -> None:
    """Let one night happen, in the caller's transaction."""
    _join(connection, life)
    _leave_and_move(connection, life)
    _give_birth(connection, life)
    _say(connection, life)
    _write(connection, life)


def _join(connection: psycopg.Connection, life: Life) -> None:
    new, plan = life.newcomers, life.plan
    (last_child,) = connection.execute("select coalesce(max(child_id), 0) from children").fetchone()
    copy(connection, "members", member_rows(plan, new, life.end))
    copy(connection, "children", child_rows(plan, new, last_child + 1, life.end))
    copy(connection, "consents", papers.consent_rows(plan, new, life.end))
    copy(connection, "opt_outs", papers.opt_out_rows(plan, new, life.end))


def _update(connection: psycopg.Connection, rows: pa.Table, statement: str) -> None:
    """Run an update over rows that are first loaded as the temporary table ``change``."""
    types = {"int64": "bigint", "string": "text", "timestamp[us, tz=UTC]": "timestamptz", "date32[day]": "date"}
    columns = ", ".join(f"{field.name} {types[str(field.type)]}" for field in rows.schema)
    connection.execute(f"create temporary table change ({columns}) on commit drop")
    copy(connection, "change", rows)
    connection.execute(statement)
    connection.execute("drop table change")


def _leave_and_move(connection: psycopg.Connection, life: Life) -> None:
    gone = life.chosen("leaves")
    _update(
        connection,
        pa.table({"member_id": whole(gone), "at": instants(life.moments("leaves", gone))}),
        "update members m set status = 'withdrawn', withdrawn_at = at, updated_at = at from change c "
        "where c.member_id = m.member_id and m.status <> 'withdrawn'",
    )
    movers = life.chosen("moves")
    home = places.homes(life.plan.draws, movers, f" {life.number}")
    _update(
        connection,
        pa.table(
            {
                "member_id": whole(movers),
                "prefecture": home.prefecture_code,
                "municipality": home.municipality_code,
                "postal": home.postal_code,
                "line": home.address_line,
                "at": instants(life.moments("moves", movers)),
            }
        ),
        "update members m set prefecture_code = prefecture, municipality_code = municipality, postal_code = postal, "
        "address_line = line, updated_at = at from change c where c.member_id = m.member_id",
    )
    changed = life.chosen("new e-mail")
    _update(
        connection,
        pa.table(
            {
                "member_id": whole(changed),
                "new": address(life.plan, changed, f"{life.number}"),
                "at": instants(life.moments("new e-mail", changed)),
            }
        ),
        "update members m set email = new, email_verified_at = at, updated_at = at from change c "
        "where c.member_id = m.member_id and m.status = 'active'",
    )


def _give_birth(connection: psycopg.Connection, life: Life) -> None:
    rows = connection.execute(
        "select child_id, due_date - date '1970-01-01' from children where birth_date is null and due_date is not null "
        "and due_date < %s order by 1",
        (life.day + datetime.timedelta(days=20),),
    ).fetchall()
    ids, due = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
    born = born_on(life.plan, ids, due)
    today = born <= epoch_day(life.day)
    _update(
        connection,
        pa.table(
            {
                "child_id": whole(ids[today]),
                "born": pa.array(born[today].astype(np.int32), pa.date32()),
                "at": instants(life.moments("born", ids[today])),
            }
        ),
        "update children k set birth_date = born, updated_at = at from change c where c.child_id = k.child_id",
    )


def _say(connection: psycopg.Connection, life: Life) -> None:
    stopping, draws = life.chosen("opts out"), life.plan.draws
    copy(
        connection,
        "opt_outs",
        pa.table(
            {
                "opt_out_id": whole(_number(life, stopping)),
                "member_id": whole(stopping),
                "kind": pick(("site_ad", "article_35_stop", "statistics"), draws.below("said", stopping, 3)),
                "opted_out_at": instants(life.moments("opts out", stopping)),
            }
        ),
    )
    agreeing = life.chosen("consents")
    copy(
        connection,
        "consents",
        pa.table(
            {
                "consent_id": whole(_number(life, agreeing)),
                "member_id": whole(agreeing),
                "purpose": constant("ad_match", len(agreeing)),
                "text_version": constant(POLICY_VERSIONS[-1], len(agreeing)),
                "method": pick(("checkbox", "button"), draws.below("agreed by", agreeing, 2)),
                "given_at": instants(life.moments("consents", agreeing)),
            }
        ),
    )
    leaving = life.chosen("withdraws")
    _update(
        connection,
        pa.table({"member_id": whole(leaving), "at": instants(life.moments("withdraws", leaving))}),
        "update consents s set withdrawn_at = at from change c "
        "where c.member_id = s.member_id and s.withdrawn_at is null and s.given_at < at",
    )


def _number(life: Life, ids: np.ndarray) -> np.ndarray:
    """Numbers beyond those of the base day, a range for every night."""
    return (life.number << 40) + ids * MOST


def _write(connection: psycopg.Connection, life: Life) -> None:
    window, plan = life.window(), life.plan
    offsets = np.arange(window.postings)
    gone = connection.execute("select member_id from members where status <> 'active' order by 1").fetchall()
    new_threads = window.elder_threads + 1 + np.arange(window.threads)
    copy(connection, "threads", thread_rows(window, new_threads))
    postings = posting_rows(window, offsets, np.array([member for (member,) in gone], dtype=np.int64))
    copy(connection, "postings", postings)
    copy(connection, "posting_access_logs", access_log_rows(window, offsets, postings))
    copy(connection, "reactions", reaction_rows(window, offsets))
    recent = np.arange(max(1, window.first_posting - 3 * window.postings), window.first_posting)
    deleted = recent[plan.draws.below(f"deletes {life.number}", recent, 300) == 0]
    _update(
        connection,
        pa.table({"posting_id": whole(deleted), "at": instants(life.moments("deletes", deleted))}),
        "update postings p set deleted_at = at from change c "
        "where c.posting_id = p.posting_id and p.deleted_at is null and p.body not ilike '%canary%'",
    )
