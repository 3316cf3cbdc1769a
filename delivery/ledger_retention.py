"""
What of the delivery ledger may go, and what may not.

A record of provision is kept for three years after the last one (施行規則 21条1号: 一括して作成する記録). Whatever a
partner may still hold of a person stays, however old: without it nobody could ask for it back.
"""

import datetime

import sqlalchemy as sa

from delivery.ledger import Ledger
from delivery.ledger_tables import SCHEMA

RECORD_YEARS = 3
"""
個人情報保護法 29条2項; 施行規則 21条: three years from the last provision, where records are made of many at once.

Source:
    https://laws.e-gov.go.jp/law/415AC0000000057 and 個人情報保護委員会規則 (平成28年第3号), read 2026-11-23.
"""

_ENDED = "coalesce(l.sent_at, l.prepared_at, a.closed_at)"
"""The last feed she was in; where no later feed says which that was, since none was sent any more, the instant at which
the partner said that it has forgotten her."""

_FORGOTTEN = f"""
    {SCHEMA}.obligations a on p.last_delivery is null and a.state = 'acknowledged'
        and a.destination = p.destination and a.sha256 = p.sha256
"""

_OPEN = f"""
    exists (select from {SCHEMA}.obligations o where o.destination = p.destination and o.sha256 = p.sha256
        and o.state in ('due', 'sent', 'refused'))
"""
_CLOSED = f"""
    exists (select from {SCHEMA}.obligations o where o.destination = p.destination and o.sha256 = p.sha256
        and o.state = 'acknowledged')
    or exists (select from {SCHEMA}.provisions q where q.destination = p.destination and q.sha256 = p.sha256
        and q.first_delivery > p.last_delivery)
"""
"""The partner has said that it has forgotten her, or a later record of the same digest goes on from this one."""

_SETTLED = f"(not ({_OPEN}) and ({_CLOSED}))"

_COUNT_PROVISIONS = f"""
    select count(*) filter (where {_ENDED} < :cutoff and {_SETTLED}) as deleted,
        count(*) filter (where {_ENDED} >= :cutoff or {_ENDED} is null) as kept,
        count(*) filter (where {_ENDED} < :cutoff and not {_SETTLED}) as must_stay,
        min({_ENDED}) filter (where {_ENDED} >= :cutoff or not {_SETTLED}) as oldest,
        min({_ENDED}) filter (where {_ENDED} >= :cutoff) as next
    from {SCHEMA}.provisions p left join {SCHEMA}.deliveries l on l.id = p.last_delivery left join {_FORGOTTEN}
"""
_DELETE_PROVISIONS = (
    f"""
    delete from {SCHEMA}.provisions p using {SCHEMA}.deliveries l
    where l.id = p.last_delivery and coalesce(l.sent_at, l.prepared_at) < :cutoff and {_SETTLED}
    """,
    f"""
    delete from {SCHEMA}.provisions p using {SCHEMA}.obligations a
    where p.last_delivery is null and a.state = 'acknowledged' and a.destination = p.destination
    and a.sha256 = p.sha256 and a.closed_at < :cutoff and {_SETTLED}
    """,
)

_OLD_OBLIGATION = f"""
    o.state in ('acknowledged', 'lifted') and o.closed_at < :cutoff and not exists (
        select from {SCHEMA}.provisions p where p.destination = o.destination and p.sha256 = o.sha256
    )
"""
_COUNT_OBLIGATIONS = f"""
    select count(*) filter (where {_OLD_OBLIGATION}) as deleted,
        count(*) filter (where o.state in ('acknowledged', 'lifted') and not ({_OLD_OBLIGATION})) as kept,
        count(*) filter (where o.state not in ('acknowledged', 'lifted')) as must_stay,
        min(o.due_at) filter (where not ({_OLD_OBLIGATION})) as oldest,
        min(o.closed_at) filter (where o.closed_at >= :cutoff) as next
    from {SCHEMA}.obligations o
"""
_DELETE_OBLIGATIONS = (
    f"delete from {SCHEMA}.removals r using {SCHEMA}.obligations o where o.id = r.obligation and {_OLD_OBLIGATION}",
    f"delete from {SCHEMA}.obligations o where {_OLD_OBLIGATION}",
)

_OLD_DELIVERY = f"""
    d.prepared_at < :cutoff and not exists (select from {SCHEMA}.removals r where r.delivery = d.id)
    and d.id < (select max(e.id) from {SCHEMA}.deliveries e where e.destination = d.destination and e.kind = d.kind)
    and (d.kind = 'removal' or not exists (
        select from {SCHEMA}.provisions p where p.destination = d.destination
        and p.first_delivery <= d.id and (p.last_delivery is null or p.last_delivery >= d.id)
    ))
"""
_COUNT_DELIVERIES = f"""
    select count(*) filter (where {_OLD_DELIVERY}) as deleted,
        count(*) filter (where d.prepared_at >= :cutoff) as kept,
        count(*) filter (where d.prepared_at < :cutoff and not ({_OLD_DELIVERY})) as must_stay,
        min(d.prepared_at) filter (where not ({_OLD_DELIVERY})) as oldest,
        min(d.prepared_at) filter (where d.prepared_at >= :cutoff) as next
    from {SCHEMA}.deliveries d
"""

_KINDS = {
    "provisions": (_COUNT_PROVISIONS, _DELETE_PROVISIONS),
    "obligations": (_COUNT_OBLIGATIONS, _DELETE_OBLIGATIONS),
    "deliveries": (_COUNT_DELIVERIES, (f"delete from {SCHEMA}.deliveries d where {_OLD_DELIVERY}",)),
}
"""In the order in which they let each other go."""


def forget(ledger: Ledger, cutoff: datetime.datetime, *, dry_run: bool) -> dict[str, sa.Row]:
    """
    Delete what was over before an instant. One transaction.

    Args:
        ledger: Whose.

        cutoff: Records of provisions that ended before it are old enough.

        dry_run: Only count. What goes because something else has gone is then not counted.

    Returns:
        By kind: ``deleted``, ``kept``, ``must_stay``, and the instants ``oldest`` and ``next``, or None.
    """
    with ledger.transaction() as connection:
        told = {}
        for kind, (count, deletes) in _KINDS.items():
            told[kind] = connection.execute(sa.text(count), {"cutoff": cutoff}).one()
            for delete in () if dry_run else deletes:
                connection.execute(sa.text(delete), {"cutoff": cutoff})
        return told


def unsettled_removals(ledger: Ledger) -> dict[str, bool]:
    """By the name of every removal file that was ever recorded: whether something in it is not acknowledged yet."""
    told = f"""
        select d.file, coalesce(bool_or(o.state in ('due', 'sent', 'refused')), false)
        from {SCHEMA}.deliveries d left join {SCHEMA}.removals r on r.delivery = d.id
        left join {SCHEMA}.obligations o on o.id = r.obligation where d.kind = 'removal' group by d.file
    """
    with ledger.transaction() as connection:
        return dict(tuple(row) for row in connection.execute(sa.text(told)))
