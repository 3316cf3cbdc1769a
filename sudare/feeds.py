"""Ad-ops' day: what each destination got, what it is owed, and why somebody is held back. Counts only."""

import datetime
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from rich.console import Console

from anonymizers.errors import StateRefused
from anonymizers.pseudonyms import pseudonymise
from delivery import feeds
from delivery.consent import Moment
from delivery.ledger import Delivery
from delivery.night import Night
from delivery.obligations import obligation_ages
from delivery.settings import Settings
from delivery.spec import Destination
from sudare.console import columns, counted
from transforms.source import plan_shards
from transforms.spec import Reader

NOT_HERS = ("address_malformed", "no_address", "address_of_many")
"""Reasons that are no choice of the member's: the address is rejected."""


def read_all(settings: Settings, day: datetime.date, now: datetime.datetime) -> list[dict]:
    """Every destination this deployment has an agreement with, as the ledger knows it."""
    night = Night(settings, day, now)
    return [_read(night, destination) for destination in night.destinations.values()]


def _read(night: Night, destination: Destination) -> dict:
    ledger, name = night.ledger, destination.name
    sent = [one for one in ledger.deliveries(name) if one.state != "abandoned"]
    last = next((one for one in sent if one.kind == "feed"), None)
    answered = [one.answered_at for one in sent if one.state == "acknowledged" and one.answered_at]
    held = ledger.held(name)
    lists = ledger.lists(destination.opt_out_list) if destination.opt_out_list else []
    return {
        "destination": name,
        "title": destination.title,
        "rule": destination.rule_id,
        "to": night.settings.agreements[name].send_to or "local outbox",
        "held": held and {"since": held["held_at"].isoformat(), "by": held["held_by"], "reason": held["reason"]},
        "last_feed": last and _told(last),
        "obligations": obligation_ages(ledger, name, night.now),
        "opt_out_list": _list(lists[0], night.now) if lists else None,
        "last_acknowledgement": max(answered).isoformat() if answered else None,
    }


def _told(delivery: Delivery) -> dict:
    members = delivery.record["inputs"]["members"]
    held_back = {reason: count for reason, count in members["dropped"].items() if reason not in NOT_HERS}
    rejected = {reason: count for reason, count in members["dropped"].items() if reason in NOT_HERS}
    return {
        "night": delivery.day.isoformat(),
        "file": delivery.file,
        "state": delivery.state,
        "members": members["read"],
        "eligible": members["kept"] + members["dropped"].get("address_shared", 0),
        "sent": delivery.rows,
        "added": delivery.added,
        "removed": delivery.ended,
        "held_back": held_back,
        "rejected": rejected,
        "reasons": delivery.record["reasons"],
        "partner_rejected": (delivery.answer or {}).get("rejections", {}),
    }


def _list(one: dict, now: datetime.datetime) -> dict:
    return {
        "age_hours": round((now - one["produced_at"]).total_seconds() / 3600, 1),
        "listed": one["listed"],
        "rejected": one["rejected"],
        "refused": one["refused"],
    }


def print_all(out: Console, told: list[dict]) -> None:
    """A table of what was sent, and per destination who was left out, what is owed, and how old its list is."""
    table = columns("destination", "night", "eligible", "sent", "added", "removed", numbers=(2, 3, 4, 5))
    for one in told:
        last = one["last_feed"]
        counts = (f"{last[name]:,}" if last else "–" for name in ("eligible", "sent", "added", "removed"))
        table.add_row(one["destination"], last["night"] if last else "none yet", *counts)
    out.print(table)
    for one in told:
        out.print(f"\n[bold]{one['destination']}[/] → {one['to']}  ({one['rule']})")
        for line in _lines(one):
            out.print(f"  {line}")


def _lines(one: dict) -> Iterator[str]:
    if held := one["held"]:
        yield f"[red]held[/] since {held['since'][:16]} by {held['by']}: {held['reason']}"
    if last := one["last_feed"]:
        yield f"held back     {counted(last['held_back'])}"
        yield f"rejected      {counted(last['rejected'])}"
        if last["partner_rejected"]:
            yield f"by partner    {counted(last['partner_rejected'])}"
    owed = one["obligations"]
    states = ", ".join(f"{state} {owed[state]:,}" for state in ("due", "sent", "refused", "acknowledged"))
    late = f"; [yellow]{owed['late']:,} older than a week[/]" if owed["late"] else ""
    late += f"; [red]{owed['overdue']:,} overdue[/]" if owed["overdue"] else ""
    yield f"removals      {states}{late}; last acknowledged {(one['last_acknowledgement'] or 'never')[:16]}"
    yield f"opt-out list  {_list_line(one['opt_out_list'])}"


def _list_line(one: dict | None) -> str:
    if one is None:
        return "none"
    line = f"{one['listed']:,} listed, {one['age_hours']:.1f} h old"
    return f"[red]refused: {one['refused']}[/]" if one["refused"] else line


def preview(night: Night, name: str) -> dict:
    """
    What a feed would be now, against the last delivery: headers and counts, no identifier.

    It is built in a private place that is deleted again; nothing is recorded and nothing leaves.
    """
    destination, ledger = night.destinations[name], night.ledger
    with tempfile.TemporaryDirectory() as place:
        with night.source.session(Reader.ADS) as session:
            shards = plan_shards(session, night.settings.members_per_shard)
        feed = feeds.build_feed(
            destination,
            night.source,
            shards,
            Moment(night.day, night.now),
            ledger.opted_out(destination.opt_out_list),
            night.ledger_key(),
            Path(place) / "preview",
        )
        last = next((one for one in ledger.deliveries(name, "feed") if one.state != "abandoned"), None)
        before = set(ledger.provided(last)["sha256"].bin.encode("hex")) if last else set()
        tonight: set[str] = set()
        for part in feeds.read_rows(Path(place) / "preview"):
            tonight.update(part["sha256"])
    return {
        "destination": name,
        "night": night.day.isoformat(),
        "headers": [header for header, _ in destination.columns],
        "rows": feed.rows,
        "bytes_before_compression": feed.plain_bytes,
        "floor": destination.rows_floor,
        "members": feed.account,
        "reasons": feed.reasons,
        "against": last and last.day.isoformat(),
        "added": len(tonight - before),
        "removed": len(before - tonight),
        "unchanged": len(tonight & before),
    }


def print_preview(out: Console, told: dict) -> None:
    """A preview as a person reads it."""
    out.print(f"[bold]{told['destination']}[/] {told['night']}: {told['rows']:,} rows (floor {told['floor']})")
    out.print(f"  headers    {', '.join(told['headers'])}")
    out.print(f"  against    {told['against'] or 'nothing, it would be the first'}")
    out.print(f"  added {told['added']:,}, removed {told['removed']:,}, unchanged {told['unchanged']:,}")
    out.print(f"  left out   {counted(told['members']['dropped'])}")


def read_provisions(night: Night, member: int) -> list[dict]:
    """第三者提供記録 of one member: each row from when to when, to whom, what and on which consent."""
    if others := night.ledger.key_ids() - {night.ledger_key().id, ""}:
        raise StateRefused(
            f"the ledger names members under {len(others)} other keys as well; set SUDARE_SECRET to that of the time "
            "to find what was provided then"
        )
    token = pl.DataFrame({"member_id": [member]}).select(pseudonymise("member_id", "member", night.ledger_key()))
    return [_provision(one) for one in night.ledger.provisions(token.item())]


def _provision(one: dict) -> dict:
    return {
        "destination": one["destination"],
        "recipient": one["record"]["recipient"],
        "items": one["record"]["items"],
        "basis": one["record"]["basis"],
        "consented_at": one["consented_at"].isoformat(),
        "consent_text": one["text_version"],
        "first_provided_on": one["first_day"].isoformat(),
        "last_provided_on": one["last_day"].isoformat() if one["last_day"] else None,
        "first_file": one["first_file"],
    }


def print_provisions(out: Console, told: list[dict]) -> None:
    """A line per provision; that there is none is an answer as well."""
    if not told:
        out.print("第三者提供記録なし: nothing of this member was provided to anybody")
        return
    table = columns("recipient", "from", "to", "items", "consent", numbers=())
    for one in told:
        consent = f"{one['consented_at'][:10]} ({one['consent_text']})"
        span = (one["first_provided_on"], one["last_provided_on"] or "until now")
        table.add_row(one["recipient"]["name"], *span, ", ".join(one["items"]), consent)
    out.print(table)
