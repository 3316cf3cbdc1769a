"""
The delivery ledger: what was provided to whom, and what is owed of it. The only module that sends it SQL.

Schema ``delivery``. A delivery is one file for one destination. A provision says that a member's digests were in every
feed of a destination from one delivery to another: that is the record the law asks for (個人情報保護法 29条, 施行規則
19条2項 for what is provided again and again), and what removals are taken from. So a removal survives a resync, a
backfill, a changed address and a lost staging area. An obligation is a removal that is owed: due, sent, acknowledged or
refused; lifted when the member is sent again by a later consent.

It holds digests and keyed tokens of members, no address and no member number; that is personal data all the same.
"""

import datetime
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from anonymizers.errors import LedgerUnreachable, NightRunning
from delivery.databases import connected
from delivery.ledger_tables import (
    DELIVERIES,
    DIGESTS,
    HOLDS,
    LISTED,
    LISTS,
    META,
    OBLIGATIONS,
    PROVISIONS,
    REMOVALS,
    SCHEMA,
)

LOCK_WAIT_S = 1_800
_LOCK = 7_236_422
"""Any number that nothing else in the database locks."""
_LOCK_NOT_AVAILABLE = "55P03"
OPEN = ("due", "sent", "refused")
"""States of an obligation that is still to be fulfilled."""
ARRIVED = ("sent", "acknowledged", "refused")
"""States of a file that has reached its destination, whatever was said of it there."""


@dataclass(frozen=True)
class Delivery:
    """One file for one destination."""

    id: int
    destination: str
    kind: str
    day: datetime.date
    file: str
    content_sha256: str
    sealed_sha256: str | None
    rows: int
    added: int
    ended: int
    state: str
    record: dict
    prepared_at: datetime.datetime
    sent_at: datetime.datetime | None
    answered_at: datetime.datetime | None
    answer: dict | None


@dataclass(frozen=True)
class PreparedFile:
    """A file that is about to leave: what identifies it, and what the record of it says."""

    destination: str
    day: datetime.date
    file: str
    content_sha256: str
    rows: int
    record: dict


@dataclass(frozen=True)
class Ledger:
    """Where deliveries are remembered. The URL, which may hold a password, shows in no ``repr``."""

    url: str = field(repr=False)

    @contextmanager
    def only_one(self, destination: str) -> Iterator[Callable[[], None]]:
        """
        Nobody else delivers to this destination meanwhile; whoever does is waited for.

        Yields:
            A check that it is still so: a connection that was cut has lost the lock, and says nothing by itself.

        Raises:
            NightRunning: somebody does, for longer than is reasonable.
            LedgerUnreachable: no connection, or it was cut.
        """
        with self._connect() as connection:
            # It waits for hours of work, and no server should take that for idleness.
            connection.execute(sa.text("set local idle_in_transaction_session_timeout to 0"))
            connection.execute(sa.text(f"set local lock_timeout to '{LOCK_WAIT_S}s'"))
            key = sa.func.hashtext(f"{SCHEMA}/{destination}")
            try:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, key)))
            except sa.exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                raise NightRunning(
                    f"{destination}: another run has been delivering to it for {LOCK_WAIT_S} s; wait and run again"
                ) from None
            yield lambda: connection.execute(sa.select(1)) and None

    def prepare_feed(
        self, file: PreparedFile, rows: Iterable[pl.DataFrame], now: datetime.datetime
    ) -> tuple[Delivery, bool]:
        """
        Record a feed, and whom it provides, before a byte of it leaves. One transaction.

        Args:
            file: Which; the same content on the same day is the same delivery.

            rows: Everybody whose digests are in it, as `delivery.feeds.rows_for` gives them.

            now: When.

        Returns:
            The delivery, and whether it is a new one.

        Raises:
            LedgerUnreachable: nothing was recorded, so nothing may be sent.
        """
        with self._connect() as connection:
            if known := self._find(connection, "feed", file):
                # What was not sent is about to be, to people who may be sent again.
                connection.execute(sa.text(_LIFT_PROVIDED), {**_named(known), "now": now})
                return known, False
            last = connection.scalar(
                sa.select(sa.func.max(DELIVERIES.c.id)).where(
                    DELIVERIES.c.destination == file.destination, DELIVERIES.c.kind == "feed"
                )
            )
            delivery = self._insert(connection, "feed", file, now)
            _copy(connection, "tonight", rows, {**_TOKENS, "consented_at": "timestamptz", "text_version": "text"})
            named = {"destination": file.destination, "id": delivery, "last": last, "now": now}
            connection.execute(sa.text(_LIFT), named)
            ended = connection.execute(sa.text(_END), named).rowcount
            added = connection.execute(sa.text(_BEGIN), named).rowcount
            connection.execute(DELIVERIES.update().where(DELIVERIES.c.id == delivery).values(added=added, ended=ended))
            connection.execute(sa.text(_ABANDON), named)
            return _delivery(connection.execute(DELIVERIES.select().where(DELIVERIES.c.id == delivery)).one()), True

    def prepare_removal(
        self, file: PreparedFile, obligations: list[int], now: datetime.datetime
    ) -> tuple[Delivery, bool]:
        """Record a removal file and the obligations in it, before a byte of it leaves."""
        with self._connect() as connection:
            if known := self._find(connection, "removal", file):
                return known, False
            delivery = self._insert(connection, "removal", file, now)
            connection.execute(REMOVALS.insert(), [{"delivery": delivery, "obligation": one} for one in obligations])
            return _delivery(connection.execute(DELIVERIES.select().where(DELIVERIES.c.id == delivery)).one()), True

    def sent(self, delivery: Delivery, sealed_sha256: str, now: datetime.datetime) -> None:
        """Say that a file has arrived; its removals are sent."""
        with self._connect() as connection:
            connection.execute(
                DELIVERIES.update()
                .where(DELIVERIES.c.id == delivery.id)
                .values(state="sent", sealed_sha256=sealed_sha256, sent_at=now)
            )
            connection.execute(
                OBLIGATIONS.update()
                .where(OBLIGATIONS.c.id.in_(_carried(delivery.id)), OBLIGATIONS.c.state.in_(("due", "sent", "refused")))
                .values(state="sent", sent_at=now, attempts=OBLIGATIONS.c.attempts + 1)
            )

    def sent_again(self, delivery: Delivery, now: datetime.datetime) -> None:
        """Say, before it happens, that a feed is sent once more: nothing is owed any longer of whoever is in it."""
        with self._connect() as connection:
            connection.execute(sa.text(_LIFT_PROVIDED), {**_named(delivery), "now": now})

    def answered(
        self,
        delivery: Delivery,
        accepted: bool,
        answer: dict,
        rejected: pl.DataFrame,
        rows: int,
        now: datetime.datetime,
    ) -> None:
        """
        Take in what the partner says of a file.

        Args:
            delivery: Which file.

            accepted: Whether it was, as a whole.

            answer: Counts by reason, for the record.

            rejected: ``digest`` of rows that were not; their removals are owed on.

            rows: How many rows those digests are of, at least. Where fewer are known, somebody else's were rejected and
                nobody can say whose: then all are owed on.

            now: When.
        """
        with self._connect() as connection:
            connection.execute(
                DELIVERIES.update()
                .where(DELIVERIES.c.id == delivery.id)
                .values(state="acknowledged" if accepted else "refused", answered_at=now, answer=json.dumps(answer))
            )
            of_it = (OBLIGATIONS.c.id.in_(_carried(delivery.id)), OBLIGATIONS.c.state.in_(OPEN))
            _copy(connection, "rejected", [rejected], {"digest": "bytea"})
            digest = sa.select(sa.column("digest")).select_from(sa.text("pg_temp.rejected"))
            among = sa.or_(*(OBLIGATIONS.c[name].in_(digest) for name in DIGESTS))
            found = connection.scalar(sa.select(sa.func.count()).select_from(OBLIGATIONS).where(*of_it, among))
            if not accepted or (delivery.kind == "removal" and found < rows):
                connection.execute(OBLIGATIONS.update().where(*of_it).values(state="refused"))
                return
            connection.execute(OBLIGATIONS.update().where(*of_it, among).values(state="refused"))
            # `is not true`: where a digest is missing, the comparison is neither true nor false.
            others = among.is_not(sa.true())
            connection.execute(OBLIGATIONS.update().where(*of_it, others).values(state="acknowledged", closed_at=now))

    def owe(
        self,
        destination: str,
        permitted: Iterable[pl.DataFrame],
        left_out: Iterable[pl.DataFrame],
        holders_ceiling: int,
        now: datetime.datetime,
    ) -> dict[str, int]:
        """
        Work out what is owed: delivered, less whoever is permitted now.

        Args:
            destination: Whose.

            permitted: ``member`` and digests of everybody who may be sent now.

            left_out: ``member`` and ``reason`` of the others.

            holders_ceiling: Permitted members of one address above which it is in no feed.

            now: When an obligation that is new fell due.

        Returns:
            New obligations by reason.
        """
        with self._connect() as connection:
            _copy(connection, "permitted", permitted, _TOKENS)
            _copy(connection, "left_out", left_out, {"member": "bytea", "reason": "text"})
            named = {"destination": destination, "now": now, "ceiling": holders_ceiling}
            for statement in (_NAME_OF_MANY, _DROP_OF_MANY, _LIFT_PERMITTED):
                connection.execute(sa.text(statement), named)
            reasons = connection.execute(sa.text(_OWE), named)
            counts: dict[str, int] = {}
            for (reason,) in reasons:
                counts[reason] = counts.get(reason, 0) + 1
            return dict(sorted(counts.items()))

    def owed(self, destination: str, sent_before: datetime.datetime) -> pl.DataFrame:
        """
        What a removal file has to hold now: everything due, and whatever was sent before an instant and not answered.

        Returns:
            ``id`` and the binary digests, in the order of ``sha256``.
        """
        o = OBLIGATIONS.c
        again = sa.and_(o.state.in_(("sent", "refused")), sa.or_(o.sent_at.is_(None), o.sent_at < sent_before))
        statement = (
            sa.select(o.id, *(o[name] for name in DIGESTS))
            .where(o.destination == destination, sa.or_(o.state == "due", again))
            .order_by(o.sha256)
        )
        schema = {"id": pl.Int64, **dict.fromkeys(DIGESTS, pl.Binary)}
        with self._connect() as connection:
            return pl.DataFrame([tuple(row) for row in connection.execute(statement)], schema=schema, orient="row")

    def key_ids(self) -> set[str]:
        """Under which keys members are named. Another secret makes other tokens of them."""
        with self._connect() as connection:
            records = connection.scalars(sa.select(DELIVERIES.c.record).where(DELIVERIES.c.kind == "feed"))
            return {json.loads(record).get("key_id", "") for record in records}

    def destinations(self) -> list[str]:
        """To which anything was ever provided."""
        with self._connect() as connection:
            return list(connection.scalars(sa.select(DELIVERIES.c.destination).distinct().order_by("destination")))

    def obligations(self, destination: str) -> list[tuple[str, datetime.datetime, int]]:
        """State, instant it fell due, and how many, of all obligations that are not lifted."""
        o = OBLIGATIONS.c
        statement = (
            sa.select(o.state, sa.func.date_trunc("hour", o.due_at).label("due"), sa.func.count())
            .where(o.destination == destination, o.state != "lifted")
            .group_by(o.state, sa.text("due"))
            .order_by(sa.text("due"))
        )
        with self._connect() as connection:
            return [(state, due, count) for state, due, count in connection.execute(statement)]

    def deliveries(self, destination: str, kind: str | None = None) -> list[Delivery]:
        """Everything that was recorded for a destination, the latest first."""
        d = DELIVERIES.c
        statement = DELIVERIES.select().where(d.destination == destination).order_by(d.id.desc())
        if kind:
            statement = statement.where(d.kind == kind)
        with self._connect() as connection:
            return [_delivery(row) for row in connection.execute(statement)]

    def find(self, destination: str, file: str) -> Delivery | None:
        """The delivery of a file name, if it was ever recorded."""
        d = DELIVERIES.c
        with self._connect() as connection:
            row = connection.execute(
                DELIVERIES.select().where(d.destination == destination, d.file == file).order_by(d.id.desc()).limit(1)
            ).first()
            return _delivery(row) if row else None

    def provisions(self, member: bytes) -> list[dict]:
        """Every provision of a member, in order: to whom, from when to when, what, and by which consent."""
        first, last = DELIVERIES.alias("first"), DELIVERIES.alias("last")
        p = PROVISIONS.c
        statement = (
            sa.select(
                p.destination,
                p.consented_at,
                p.text_version,
                first.c.day.label("first_day"),
                first.c.record,
                first.c.file.label("first_file"),
                last.c.day.label("last_day"),
                last.c.file.label("last_file"),
            )
            .join(first, p.first_delivery == first.c.id)
            .outerjoin(last, p.last_delivery == last.c.id)
            .where(p.member == member)
            .order_by(p.first_delivery)
        )
        with self._connect() as connection:
            rows = [row._asdict() for row in connection.execute(statement)]
        return [{**row, "record": json.loads(row["record"])} for row in rows]

    def provided(self, delivery: Delivery) -> pl.DataFrame:
        """The distinct digests that a feed is recorded to have held."""
        p = PROVISIONS.c
        within = sa.and_(
            p.first_delivery <= delivery.id, sa.or_(p.last_delivery.is_(None), p.last_delivery >= delivery.id)
        )
        statement = sa.select(*(p[name] for name in DIGESTS)).where(p.destination == delivery.destination, within)
        with self._connect() as connection:
            rows = [tuple(row) for row in connection.execute(statement.distinct().order_by(p.sha256))]
        return pl.DataFrame(rows, schema=dict.fromkeys(DIGESTS, pl.Binary), orient="row")

    def keep_list(self, meta: dict, digests: pl.DataFrame | None) -> None:
        """
        Keep a partner's list.

        Args:
            meta: A row of ``partner_lists``.

            digests: What it says, in the place of the last one; None where it was refused.
        """
        with self._connect() as connection:
            # Two destinations may depend on one list, and each takes it in.
            key = sa.func.hashtext(f"{SCHEMA}/list/{meta['source']}")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, key)))
            usable = (LISTS.c.source == meta["source"], LISTS.c.refused.is_(None))
            newest = connection.scalar(sa.select(sa.func.max(LISTS.c.produced_at)).where(*usable))
            if newest and newest > meta["produced_at"]:
                return
            connection.execute(LISTS.insert(), {**meta, "rejected": json.dumps(meta["rejected"])})
            if digests is not None:
                connection.execute(LISTED.delete().where(LISTED.c.source == meta["source"]))
                named = digests.with_columns(pl.lit(meta["source"]).alias("source"))
                _copy(connection, "listed", [named], {"source": "text", **dict.fromkeys(digests.columns, "bytea")})
                names = ", ".join(named.columns)
                connection.execute(
                    sa.text(f"insert into {SCHEMA}.partner_opt_outs ({names}) select {names} from pg_temp.listed")
                )

    def lists(self, source: str) -> list[dict]:
        """What is known of a partner's lists, the latest first."""
        statement = LISTS.select().where(LISTS.c.source == source).order_by(LISTS.c.id.desc())
        with self._connect() as connection:
            rows = [row._asdict() for row in connection.execute(statement)]
        return [{**row, "rejected": json.loads(row["rejected"])} for row in rows]

    def opted_out(self, source: str) -> pl.DataFrame:
        """The binary digests on a partner's last usable list; nobody where there is none."""
        statement = sa.select(*(LISTED.c[name] for name in DIGESTS)).where(LISTED.c.source == source)
        with self._connect() as connection:
            rows = [tuple(row) for row in connection.execute(statement)] if source else []
        return pl.DataFrame(rows, schema=dict.fromkeys(DIGESTS, pl.Binary), orient="row")

    def hold(self, destination: str, actor: str, reason: str, now: datetime.datetime) -> None:
        """Stop a destination; one that is stopped stays so."""
        with self._connect() as connection:
            connection.execute(
                HOLDS.insert(), {"destination": destination, "held_at": now, "held_by": actor, "reason": reason}
            )

    def release(self, destination: str, actor: str, reason: str, now: datetime.datetime) -> int:
        """Resume a destination; how many holds were in force."""
        with self._connect() as connection:
            return connection.execute(
                HOLDS.update()
                .where(HOLDS.c.destination == destination, HOLDS.c.released_at.is_(None))
                .values(released_at=now, released_by=actor, release_reason=reason)
            ).rowcount

    def held(self, destination: str) -> dict | None:
        """The hold that is in force, if any."""
        h = HOLDS.c
        statement = HOLDS.select().where(h.destination == destination, h.released_at.is_(None)).order_by(h.id)
        with self._connect() as connection:
            row = connection.execute(statement).first()
            return row._asdict() if row else None

    def _find(self, connection: sa.Connection, kind: str, file: PreparedFile) -> Delivery | None:
        d = DELIVERIES.c
        row = connection.execute(
            DELIVERIES.select().where(
                d.destination == file.destination,
                d.kind == kind,
                d.day == file.day,
                d.content_sha256 == file.content_sha256,
            )
        ).first()
        return _delivery(row) if row else None

    def _insert(self, connection: sa.Connection, kind: str, file: PreparedFile, now: datetime.datetime) -> int:
        values = {
            "destination": file.destination,
            "kind": kind,
            "day": file.day,
            "file": file.file,
            "content_sha256": file.content_sha256,
            "rows": file.rows,
            "record": json.dumps(file.record, ensure_ascii=False, sort_keys=True),
            "state": "prepared",
            "prepared_at": now,
        }
        return connection.scalar(insert(DELIVERIES).values(values).returning(DELIVERIES.c.id))

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """
        One transaction on the ledger, for `delivery.ledger_retention`.

        Raises:
            LedgerUnreachable: no connection, or it was cut; nothing was changed.
        """
        with self._connect() as connection:
            yield connection

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        what = "the delivery ledger (SUDARE_LEDGER_URL), without which nothing is sent"
        with connected(self.url, what, LedgerUnreachable) as connection:
            # In a transaction of its own: a caller may keep his open for long.
            with connection.begin():
                _create(connection)
            with connection.begin():
                yield connection


def _create(connection: sa.Connection) -> None:
    if connection.scalar(sa.select(sa.func.to_regclass(f"{SCHEMA}.holds").is_not(None))):
        return
    connection.execute(sa.text(f"select pg_advisory_xact_lock({_LOCK})"))
    connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
    META.create_all(connection)


def _delivery(row: sa.Row) -> Delivery:
    values = row._asdict()
    return Delivery(
        **{**values, "record": json.loads(values["record"]), "answer": json.loads(values["answer"] or "null")}
    )


def _named(delivery: Delivery) -> dict:
    return {"destination": delivery.destination, "id": delivery.id}


def _carried(delivery: int) -> sa.Select:
    return sa.select(REMOVALS.c.obligation).where(REMOVALS.c.delivery == delivery)


_TOKENS = {"member": "bytea", **dict.fromkeys(DIGESTS, "bytea")}


def _copy(connection: sa.Connection, name: str, frames: Iterable[pl.DataFrame], columns: dict[str, str]) -> None:
    """Fill a temporary table, whole columns at once: digests as text that PostgreSQL reads as bytes."""
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    connection.execute(sa.text(f"create temporary table {name} ({declared}) on commit drop"))
    cursor = connection.connection.cursor()
    with cursor, cursor.copy(f"copy pg_temp.{name} ({', '.join(columns)}) from stdin (format csv)") as copy:
        for frame in frames:
            if frame.is_empty():
                continue
            values = [_as_text(frame, column, kind) for column, kind in columns.items()]
            copy.write(frame.select(values).write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f%:z"))
    connection.execute(sa.text(f"analyze pg_temp.{name}"))


def _as_text(frame: pl.DataFrame, column: str, kind: str) -> pl.Expr:
    if column not in frame.columns:
        return pl.lit(None).alias(column)
    if kind != "bytea":
        return pl.col(column)
    text = pl.col(column) if frame.schema[column] == pl.String else pl.col(column).bin.encode("hex")
    return pl.concat_str(pl.lit("\\x"), text).alias(column)


_SAME = (
    "t.member = p.member and t.sha256 = p.sha256 and t.consented_at = p.consented_at "
    "and t.text_version = p.text_version"
)

_END = f"""
    update {SCHEMA}.provisions p set last_delivery = :last
    where p.destination = :destination and p.last_delivery is null
    and not exists (select from pg_temp.tonight t where {_SAME})
"""

_BEGIN = f"""
    insert into {SCHEMA}.provisions (destination, member, sha256, sha1, md5, consented_at, text_version, first_delivery)
    select :destination, t.member, t.sha256, t.sha1, t.md5, t.consented_at, t.text_version, :id
    from pg_temp.tonight t where not exists (
        select from {SCHEMA}.provisions p where p.destination = :destination and p.last_delivery is null and {_SAME}
    )
"""

_LIFT = f"""
    update {SCHEMA}.obligations o set state = 'lifted', closed_at = :now
    where o.destination = :destination and o.state <> 'lifted'
    and exists (select from pg_temp.tonight t where t.sha256 = o.sha256)
"""
"""Whoever is sent again has consented again; what was owed of her is owed no longer."""

_LIFT_PROVIDED = f"""
    update {SCHEMA}.obligations o set state = 'lifted', closed_at = :now
    where o.destination = :destination and o.state <> 'lifted' and exists (
        select from {SCHEMA}.provisions p where p.destination = o.destination and p.sha256 = o.sha256
        and p.first_delivery <= :id and (p.last_delivery is null or p.last_delivery >= :id)
    )
"""

_NAME_OF_MANY = """
    insert into pg_temp.left_out (member, reason)
    select member, 'address_of_many' from pg_temp.permitted where sha256 in (
        select sha256 from pg_temp.permitted group by sha256 having count(*) > :ceiling
    )
"""

_DROP_OF_MANY = """
    delete from pg_temp.permitted where sha256 in (
        select sha256 from pg_temp.permitted group by sha256 having count(*) > :ceiling
    )
"""

_LIFT_PERMITTED = f"""
    update {SCHEMA}.obligations o set state = 'lifted', closed_at = :now
    where o.destination = :destination and o.state <> 'lifted'
    and exists (select from pg_temp.permitted t where t.sha256 = o.sha256)
"""

_OWE = f"""
    insert into {SCHEMA}.obligations (destination, sha256, sha1, md5, reason, state, due_at)
    select distinct on (p.sha256) p.destination, p.sha256, p.sha1, p.md5,
        coalesce(l.reason, case when m.member is null then 'member_gone' else 'address_changed' end), 'due', :now
    from {SCHEMA}.provisions p
    left join pg_temp.left_out l on l.member = p.member
    left join pg_temp.permitted m on m.member = p.member
    where p.destination = :destination
    and not exists (select from pg_temp.permitted t where t.sha256 = p.sha256)
    and not exists (
        select from {SCHEMA}.obligations o
        where o.destination = p.destination and o.sha256 = p.sha256 and o.state <> 'lifted'
    )
    order by p.sha256, p.first_delivery desc
    returning reason
"""

_ABANDON = f"""
    update {SCHEMA}.deliveries set state = 'abandoned'
    where destination = :destination and kind = 'feed' and state = 'prepared' and id < :id
"""
