"""
How the nights stand, for a monitor outside Airflow: it sees a run that never started as well as one that failed.

Asks the warehouse and the delivery ledger only. Counts, days and reasons; no member.
"""

import datetime
from collections.abc import Iterator, Mapping

from rich.console import Console

from anonymizers.errors import (
    DestinationRefused,
    FeedLate,
    NightLate,
    ObligationsOverdue,
    OptOutListMissing,
    OptOutListRefused,
    OptOutListStale,
    RetentionLate,
    SliceSilent,
    SudareError,
)
from delivery import settings
from delivery.agreements import Agreement, read_agreements
from delivery.days import TOKYO, days, due, last_day_over
from delivery.destinations import destinations
from delivery.intake import require_list
from delivery.ledger import ARRIVED, Delivery, Ledger
from delivery.notices import runbook
from delivery.obligations import OVERDUE_AFTER, obligation_ages
from delivery.records import UNSEEN, Failure, Records
from delivery.spec import Destination
from sudare.console import columns
from sudare.standing import finding
from sudare.standing import standing as unended

WORST_FIRST = (
    *(NightLate, SliceSilent, FeedLate),
    *(OptOutListRefused, OptOutListMissing, OptOutListStale, DestinationRefused, ObligationsOverdue, RetentionLate),
)
"""Of several findings the first one's status is the command's. A failed removal's or retention's own comes before the
last two."""

RETENTION_EVERY = datetime.timedelta(days=3)
"""It runs daily; two missed runs are no alarm yet."""

LOOK_BACK_DAYS = 28

_UNSENT = "is the DAG `opt_outs` paused, or does its step `remove` fail?"

_JAPANESE = {
    "NIGHT_LATE": "期限までに統計表が公開されていません",
    "SLICE_SILENT": "ある区分のデータが途絶えたため停止しました",
    "FEED_LATE": "統計表は公開済みですが、この提供先へのファイルが未提供です",
    "OPT_OUT_LIST_REFUSED": "拒否リストを受け入れられません",
    "OPT_OUT_LIST_MISSING": "拒否リストがありません",
    "OPT_OUT_LIST_STALE": "拒否リストが24時間より古くなっています",
    "DESTINATION_REFUSED": "提供先との取り決めに不足があります",
    "OBLIGATIONS_OVERDUE": "14日以上受領のない、または24時間以上送られていない削除依頼があります",
    "RETENTION_LATE": "保存期間を過ぎたものの削除が行われていません",
}


def read_state(environment: Mapping[str, str], now: datetime.datetime, day: datetime.date | None = None) -> dict:
    """
    How the nights stand.

    Args:
        environment: ``SUDARE_WAREHOUSE_URL`` is needed; neither the source nor the secret is.

        now: With a time zone.

        day: The night that is asked about; by default that of the last day over in Asia/Tokyo.

    Returns:
        Of the night, of each destination and of retention what is known, the findings with the worst first, and its
        exit status: 0 where there is none.

    Raises:
        SettingRefused: a variable is missing or none of its form.
        WarehouseUnreachable, LedgerUnreachable: it cannot be told.
    """
    day = day or last_day_over(now)
    records, ledger = Records(settings.warehouse_url(environment)), Ledger(settings.ledger_url(environment))
    late = now >= (deadline := due(day, settings.deadline(environment)))
    published = records.published()
    failures = [one for one in records.failures(day) if one.step not in UNSEEN]
    standing = unended(records, now)
    known = [_destination(ledger, one, day, now) for one in _agreed(environment, ledger)]
    retention = records.last_deletions()
    found = [
        *_of_the_night(day, published, failures, late=late),
        *(finding for one in known for finding in _of_a_destination(one, day, published, failures, late=late)),
        *filter(None, map(finding, standing)),
        *_of_retention(published, retention and retention[0], now),
    ]
    findings = [_told(one) for one in sorted(found, key=_rank)]
    return {
        "now": now.isoformat(),
        "night": day.isoformat(),
        "deadline": deadline.isoformat(),
        "published": day in published,
        "published_at": _at(published.get(day)),
        "last_published": max(published).isoformat() if published else None,
        "missed": [d.isoformat() for d in missed(published, day)],
        "skipped": [d.isoformat() for d in _skipped(published, day)],
        "failures": [
            *(_failure(one) for one in failures if not _is_over(one, day, published, known)),
            *map(_failure, standing),
        ],
        "destinations": [{k: v for k, v in one.items() if not k.startswith("_")} for one in known],
        "retention": retention and {"ran_at": _at(retention[0]), "kinds": [one.as_dict() for one in retention[1]]},
        "findings": findings,
        "exit_status": findings[0]["exit_status"] if findings else 0,
    }


def _rank(error: SudareError) -> float:
    kind = type(error)
    return WORST_FIRST.index(kind) if kind in WORST_FIRST else WORST_FIRST.index(ObligationsOverdue) - 0.5


def _is_over(one: Failure, day: datetime.date, published: Mapping, known: list[dict]) -> bool:
    """What the step was for is out all the same."""
    if not one.of:
        return day in published
    return any(told["tonight"] for told in known if told["destination"] == one.of)


def missed(published: Mapping[datetime.date, object], day: datetime.date) -> list[datetime.date]:
    """Days that are not published and still can be: after the last published one, until ``day``."""
    return days(max(published) + datetime.timedelta(days=1), day) if published else [day]


def _skipped(published: Mapping[datetime.date, object], day: datetime.date) -> list[datetime.date]:
    """Days of the last weeks that will have no night of their own any more, since a later one is published."""
    if not published:
        return []
    first = max(min(published), day - datetime.timedelta(days=LOOK_BACK_DAYS))
    return [d for d in days(first, max(published)) if d not in published]


def _agreed(
    environment: Mapping[str, str], ledger: Ledger
) -> Iterator[tuple[str, Destination | None, Agreement | None]]:
    """Every destination with an agreement, and every other one that was ever delivered to."""
    agreements, known = read_agreements(environment), destinations()
    served = settings.purposes(environment)
    for name in sorted({*agreements, *ledger.destinations()}):
        destination = known.get(name)
        feeds = destination is not None and destination.purpose in served
        yield name, destination, agreements.get(name) if feeds else None


def _destination(
    ledger: Ledger,
    one: tuple[str, Destination | None, Agreement | None],
    day: datetime.date,
    now: datetime.datetime,
) -> dict:
    name, destination, agreement = one
    last = next((d for d in ledger.deliveries(name, "feed") if d.state in ARRIVED), None)
    held = ledger.held(name)
    source = destination.opt_out_list if destination else ""
    lists = ledger.lists(source) if source else []
    return {
        "destination": name,
        "served": agreement is not None,
        "last_feed": last and _feed(last),
        "tonight": bool(last and last.day >= day),
        "held_since": _at(held["held_at"]) if held else None,
        "list_age_hours": round((now - lists[0]["produced_at"]).total_seconds() / 3600, 1) if lists else None,
        "owed": obligation_ages(ledger, name, now),
        "_refusals": [] if held or not (destination and agreement) else _refusals(ledger, destination, agreement, now),
    }


def _feed(last: Delivery) -> dict:
    return {"night": last.day.isoformat(), "state": last.state, "sent_at": _at(last.sent_at), "rows": last.rows}


def _refusals(
    ledger: Ledger, destination: Destination, agreement: Agreement, now: datetime.datetime
) -> list[SudareError]:
    """Why a feed could not be made now."""
    refusals: list[SudareError] = []
    try:
        agreement.require_usable(destination)
        require_list(ledger, destination, now)
    except (DestinationRefused, OptOutListMissing, OptOutListStale, OptOutListRefused) as error:
        refusals.append(error)
    return refusals


def _of_the_night(
    day: datetime.date, published: Mapping, failures: list[Failure], *, late: bool
) -> Iterator[SudareError]:
    if day in published:
        return
    last = next((one for one in reversed(failures) if one.dag == "nightly" and not one.of), None)
    if late:
        why = f"its last failure is {last.step}: {last.reason}" if last else "no step of it is known to have failed"
        yield NightLate(f"{day}: its deadline has passed and no table of it is published; {why}")
    yield from (SliceSilent(one.message) for one in [last] if one and one.reason == _reason(SliceSilent))


def _of_a_destination(
    one: dict, day: datetime.date, published: Mapping, failures: list[Failure], *, late: bool
) -> Iterator[SudareError]:
    name = one["destination"]
    waits = one["served"] and not one["held_since"] and not one["tonight"]
    last = next((failed for failed in reversed(failures) if failed.of == name), None)
    if waits and late and day in published:
        why = f"its last failure is {last.step}: {last.reason}" if last else "no step of it is known to have failed"
        yield FeedLate(f"{name}: the tables of {day} are out, its feed is not, and it is not held; {why}")
    if waits and last and last.reason == _reason(SliceSilent):
        yield SliceSilent(last.message)
    yield from one["_refusals"]
    if overdue := one["owed"]["overdue"]:
        yield ObligationsOverdue(f"{name}: {overdue} removals not acknowledged for {OVERDUE_AFTER.days} days or more")
    elif unsent := one["owed"]["unsent"]:
        yield ObligationsOverdue(f"{name}: {unsent} removals are due for a day or more and were never sent; {_UNSENT}")


def _of_retention(
    published: Mapping[datetime.date, datetime.datetime | None], last: datetime.datetime | None, now: datetime.datetime
) -> Iterator[SudareError]:
    since = last or min((at for at in published.values() if at), default=now)
    if now - since > RETENTION_EVERY:
        what = f"ran last at {last.astimezone(TOKYO):%Y-%m-%d %H:%M}" if last else "never ran"
        yield RetentionLate(f"retention {what}: unpause the DAG `retention`, or run `sudare retention`")


def _reason(leaf: type[SudareError]) -> str:
    return leaf("").reason


def _told(error: SudareError) -> dict:
    return {"reason": error.reason, "exit_status": error.exit_status, "message": str(error)}


def _failure(one: Failure) -> dict:
    return {"dag": one.dag, "step": one.step, "of": one.of, "reason": one.reason, "failed_at": _at(one.failed_at)}


def _at(instant: datetime.datetime | None) -> str | None:
    return instant.astimezone(TOKYO).isoformat(timespec="minutes") if instant else None


def print_state(out: Console, told: dict) -> None:
    """The state as a person reads it, in English and Japanese."""
    if told["published"]:
        out.print(f"night {told['night']}: published {told['published_at'] or ''} / 公開済み")
    else:
        hour = told["deadline"][11:16]
        out.print(f"night {told['night']}: not published, due by {hour} of the next day / 未公開(翌日 {hour} 期限)")
    out.print(f"  last published  {told['last_published'] or 'none'} / 最終公開日")
    out.print(f"  missed          {', '.join(told['missed']) or 'none'} / 未実行の日 (`sudare backfill`)")
    if told["skipped"]:
        out.print(f"  skipped         {', '.join(told['skipped'])} / 個別の夜間処理なし(後の夜に含まれる)")
    ran = told["retention"]["ran_at"] if told["retention"] else "never"
    out.print(f"  retention       {ran} / 保存期間超過分の最終削除")
    if told["destinations"]:
        _print_destinations(out, told["destinations"])
    for one in told["failures"]:
        of = f"[{one['of']}]" if one["of"] else ""
        out.print(f"failed: {one['dag']} {one['step']}{of} {one['reason']} {one['failed_at']}", markup=False)
    for one in told["findings"]:
        out.print(f"\n[bold red]{one['reason']}[/] (exit {one['exit_status']}) {_in_japanese(one['reason'])}")
        out.print(f"  {one['message']}", markup=False)
    if not told["findings"]:
        out.print("\n[bold green]all is well[/] / 異常なし")


def _in_japanese(reason: str) -> str:
    return _JAPANESE.get(reason) or f"削除依頼または保存期間の処理が失敗しています。{runbook()[reason][1]}"


def _print_destinations(out: Console, known: list[dict]) -> None:
    table = columns(
        *("destination / 提供先", "last feed / 最終提供", "held / 停止", "list, h / 拒否リスト"),
        *("owed / 削除依頼", "> 7 d", "> 14 d"),
        numbers=(3, 4, 5, 6),
    )
    for one in known:
        owed = one["owed"]
        waiting = sum(owed[state] for state in ("due", "sent", "refused"))
        feed = one["last_feed"]["night"] if one["last_feed"] else ("none yet" if one["served"] else "not served")
        age = "–" if one["list_age_hours"] is None else f"{one['list_age_hours']:.1f}"
        counts = (f"{n:,}" for n in (waiting, owed["late"], owed["overdue"]))
        table.add_row(one["destination"], feed, (one["held_since"] or "–")[:16], age, *counts)
    out.print(table)
