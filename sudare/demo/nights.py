"""
One night in the life of the site.

A night is decided by the plan, its day and the rows it finds, so living from A to C is
the same as living from A to B and then to C.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa

from sudare.demo import postings, signals
from sudare.demo.canaries import canary_ids
from sudare.demo.children import born_on, child_nickname, child_rows
from sudare.demo.columns import instants, pick, whole
from sudare.demo.emails import address, typed
from sudare.demo.loading import chunks, copy, highest
from sudare.demo.members import member_rows
from sudare.demo.places import homes
from sudare.demo.plan import DAY, SECOND, Plan, epoch_day, midnight
from sudare.demo.traits import OWN_FORMS, POLICY_VERSIONS

_TRIES = 40
"""Candidates drawn for each change, because some will not fit."""

_BIRTH_HORIZON_DAYS = 14

_EDIT_DAYS = 7

_REVOCATION_DAYS = 3
"""Opt-outs are taken back on every third day only: it is rare."""


@dataclass(frozen=True)
class Night:
    """A day after the base day, being lived."""

    connection: psycopg.Connection
    plan: Plan
    day: datetime.date

    @property
    def start(self) -> int:
        """Its first instant, in microseconds."""
        return midnight(self.day)

    @property
    def end(self) -> int:
        """The instant after its last."""
        return midnight(self.day) + DAY

    @property
    def begun(self) -> datetime.datetime:
        """Its first instant; a change concerns only what stood before."""
        return instants(np.array([self.start]))[0].as_py()

    @property
    def canaries(self) -> list[int]:
        """Members who never change, so that every night has them."""
        return canary_ids(self.plan.members).tolist()

    @property
    def changes(self) -> int:
        """How many members make each kind of change."""
        return self.plan.members // 4000 + 1

    def stream(self, name: str) -> str:
        """A stream of draws of this night's own."""
        return f"{name} {self.day.isoformat()}"

    def choose(self, name: str, bound: int, query: str, *parameters: object) -> list[int]:
        """
        Draw rows for a change.

        Args:
            query: Selects ``id`` and ``place`` from ``candidate`` and what it is joined to.
        """
        ids = 1 + self.plan.draws.below(self.stream(name), np.arange(self.changes * _TRIES), bound)
        _, first = np.unique(ids, return_index=True)
        candidates = ids[np.sort(first)].tolist()
        source = "with candidate as (select * from unnest(%s::bigint[]) with ordinality as c(id, place))"
        statement = f"{source} {query} order by place limit %s"
        rows = self.connection.execute(statement, (candidates, *parameters, self.changes)).fetchall()
        return [row[0] for row in rows]

    def moments(self, name: str, ids: list[int]) -> list[datetime.datetime]:
        """An instant of this day for each id."""
        seconds = self.plan.draws.below(self.stream(f"{name} at"), np.array(ids, np.int64), 86_400)
        return instants(self.start + seconds * SECOND).to_pylist()

    def update(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        """Run ``statement`` once for each row."""
        if rows:
            self.connection.cursor().executemany(statement, rows)


def live_night(connection: psycopg.Connection, plan: Plan, day: datetime.date) -> None:
    """Live ``day``, in the caller's transaction."""
    night = Night(connection, plan, day)
    for change in (_join, _leave, _move, _change_email, _give_birth, _post, _revise, _consent, _opt_out, _write_in):
        change(night)


_MEMBERS = (
    "select id, place from candidate join members on member_id = id "
    "where status = 'active' and registered_at < %s and member_id <> all(%s)"
)


def _active(night: Night, name: str, condition: str = "") -> list[int]:
    last = highest(night.connection, "members", "member_id")
    return night.choose(name, last, _MEMBERS + condition, night.begun, night.canaries)


def _join(night: Night) -> None:
    connection, plan = night.connection, night.plan
    first = highest(connection, "members", "member_id") + 1
    ids = np.arange(first, first + plan.joins_per_night)
    copy(connection, "members", member_rows(plan, ids, night.end))
    children = child_rows(plan, ids, highest(connection, "children", "child_id") + 1, night.end)
    copy(connection, "children", children)
    consents = signals.consent_rows(plan, ids, highest(connection, "consents", "consent_id") + 1, night.end)
    copy(connection, "consents", consents)


def _leave(night: Night) -> None:
    ids = _active(night, "leave")
    rows = [(at, at, member) for at, member in zip(night.moments("leave", ids), ids, strict=True)]
    night.update(
        "update members set status = 'withdrawn', withdrawn_at = %s, updated_at = %s where member_id = %s", rows
    )


def _move(night: Night) -> None:
    ids = _active(night, "move")
    home = homes(night.plan.draws, np.array(ids, np.int64), night.stream(""))
    columns = (home.prefecture_code, home.municipality_code, home.postal_code, home.address_line)
    rows = list(zip(*(column.to_pylist() for column in columns), night.moments("move", ids), ids, strict=True))
    night.update(
        "update members set prefecture_code = %s, municipality_code = %s, postal_code = %s, address_line = %s, "
        "updated_at = %s where member_id = %s",
        rows,
    )


def _change_email(night: Night) -> None:
    ids = _active(night, "e-mail")
    members = np.array(ids, np.int64)
    form = night.plan.draws.below(night.stream("e-mail form"), members, len(OWN_FORMS))
    new = typed(address(night.plan, members, f"v{epoch_day(night.day)}"), form).to_pylist()
    moments = night.moments("e-mail", ids)
    unverified = night.plan.draws.chance(night.stream("e-mail unverified"), members, 200).tolist()
    rows = [(text, None if raw else at, at, i) for text, raw, at, i in zip(new, unverified, moments, ids, strict=True)]
    night.update("update members set email = %s, email_verified_at = %s, updated_at = %s where member_id = %s", rows)


def _give_birth(night: Night) -> None:
    horizon = night.day + datetime.timedelta(days=_BIRTH_HORIZON_DAYS)
    expected = night.connection.execute(
        "select child_id, due_date, member_id from children "
        "where birth_date is null and due_date is not null and due_date <= %s order by child_id",
        (horizon,),
    ).fetchall()
    ids = np.array([row[0] for row in expected], np.int64)
    due = np.array([epoch_day(row[1]) for row in expected], np.int64)
    born = born_on(night.plan, ids, due) <= epoch_day(night.day)
    names = child_nickname(night.plan, ids + (1 << 40)).to_pylist()
    genders = pick(("female", "male"), night.plan.draws.below("newborn", ids, 2)).to_pylist()
    moments = night.moments("birth", ids.tolist())
    rows = [(night.day, names[i], genders[i], moments[i], int(ids[i])) for i in np.flatnonzero(born)]
    night.update(
        "update children set birth_date = %s, nickname = coalesce(nickname, %s), gender = %s, updated_at = %s "
        "where child_id = %s",
        rows,
    )


def _post(night: Night) -> None:
    connection, plan = night.connection, night.plan
    count = plan.postings_on(night.day)
    window = postings.Window(
        plan=plan,
        first_day=night.day,
        days=1,
        first_posting=highest(connection, "postings", "posting_id") + 1,
        postings=count,
        elder_threads=highest(connection, "threads", "thread_id"),
        threads=count // 12 + 1,
    )
    threads = window.elder_threads + np.arange(1, window.threads + 1)
    copy(connection, "threads", postings.thread_rows(window, threads))
    left = connection.execute("select member_id from members where status = 'withdrawn' order by member_id").fetchall()
    gone = np.array([row[0] for row in left], np.int64)
    for offsets in chunks(0, count - 1):
        rows = postings.posting_rows(window, offsets, gone)
        copy(connection, "postings", rows)
        copy(connection, "reactions", postings.reaction_rows(window, offsets))
        copy(connection, "posting_access_logs", postings.access_log_rows(window, offsets, rows))


def _revise(night: Night) -> None:
    last = highest(night.connection, "postings", "posting_id")
    since = instants(np.array([night.start - _EDIT_DAYS * DAY]))[0].as_py()
    recent = night.connection.execute(
        "select coalesce(min(posting_id), 1) from postings where posted_at >= %s", (since,)
    ).fetchone()[0]
    query = (
        "select id + %s, place from candidate join postings on posting_id = id + %s "
        "where deleted_at is null and posted_at < %s and member_id is not null and member_id <> all(%s)"
    )
    parameters = (recent - 1, recent - 1, night.begun, night.canaries)
    for name, statement in _REVISIONS.items():
        ids = night.choose(name, max(1, last - recent + 1), query, *parameters)
        night.update(statement, list(zip(night.moments(name, ids), ids, strict=True)))


_REVISIONS: dict[str, str] = {
    "edit": "update postings set body = body || E'\\n（追記）解決しました', edited_at = %s where posting_id = %s",
    "delete": "update postings set deleted_at = %s where posting_id = %s",
}


def _consent(night: Night) -> None:
    ids = _active(night, "consent", _NO_CONSENT)
    first = highest(night.connection, "consents", "consent_id") + 1
    rows = [
        (first + place, member, "ad_match", POLICY_VERSIONS[-1], "button", at)
        for place, (member, at) in enumerate(zip(ids, night.moments("consent", ids), strict=True))
    ]
    night.update(
        "insert into consents (consent_id, member_id, purpose, text_version, method, given_at) "
        "values (%s, %s, %s, %s, %s, %s)",
        rows,
    )
    query = (
        "select id, place from candidate join consents on consent_id = id "
        "where withdrawn_at is null and given_at < %s and member_id <> all(%s)"
    )
    ids = night.choose("withdraw", first, query, night.begun, night.canaries)
    rows = list(zip(night.moments("withdraw", ids), ids, strict=True))
    night.update("update consents set withdrawn_at = %s where consent_id = %s", rows)


_NO_CONSENT = (
    " and not exists (select from consents c where c.member_id = members.member_id "
    "and purpose = 'ad_match' and c.withdrawn_at is null)"
)

_OPT_OUT_KINDS = ("site_ad", "article_35_stop", "statistics")


def _opt_out(night: Night) -> None:
    ids = _active(night, "opt-out")
    first = highest(night.connection, "opt_outs", "opt_out_id") + 1
    members = np.array(ids, np.int64)
    rows = pa.table(
        {
            "opt_out_id": whole(first + np.arange(len(ids))),
            "member_id": whole(members),
            "kind": pick(_OPT_OUT_KINDS, night.plan.draws.below(night.stream("opt-out kind"), members, 3)),
            "opted_out_at": pa.array(night.moments("opt-out", ids), pa.timestamp("us", "UTC")),
        }
    )
    copy(night.connection, "opt_outs", rows)
    query = (
        "select id, place from candidate join opt_outs on opt_out_id = id where revoked_at is null "
        "and opted_out_at < %s and member_id is not null and member_id <> all(%s)"
    )
    if night.day.toordinal() % _REVOCATION_DAYS == 0:
        ids = night.choose("revoke", first, query, night.begun, night.canaries)
        rows = list(zip(night.moments("revoke", ids), ids, strict=True))
        night.update("update opt_outs set revoked_at = %s where opt_out_id = %s", rows)


def _write_in(night: Night) -> None:
    for table, key, make in (
        ("rights_requests", "request_id", signals.request_rows),
        ("enquiries", "enquiry_id", signals.enquiry_rows),
    ):
        first = highest(night.connection, table, key) + 1
        copy(night.connection, table, make(night.plan, np.arange(first, first + night.changes), night.start, night.end))
