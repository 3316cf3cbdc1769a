"""
Retention: what is deleted when its time is over, and a record of it, with what had to stay.

Every kind has a period, a way to find what there is, and one to delete it. A run deletes what is due, whatever becomes
of the other kinds, and records for each kind what it did. Deleting again what is gone is nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anonymizers.errors import OutboxUnwritable, SudareError
from delivery.days import TOKYO
from delivery.intake import put_down
from delivery.ledger_retention import RECORD_YEARS, forget, unsettled_removals
from delivery.records import Deletion, Records
from transforms.places import folders, unwritable_as
from transforms.staging import Staging

if TYPE_CHECKING:
    from delivery.night import Night

STAGING_DAYS = 30
"""Pseudonymised rows, redacted texts and validation results: as long as somebody may want to explain a night."""

FEED_DAYS = 7
"""A feed that no newer one has replaced: by then people in it have said stop, and it should be sent by nobody."""

UNFINISHED_DAYS = 2
"""Working files of feeds and removals that a process left when it was killed. No night takes two days."""

REMOVAL_DAYS = 30
"""A removal file whose every row the partner has acknowledged."""

INTAKE_DAYS = 30
"""Lists that a newer one has replaced, and receipts that were taken in: what they say is in the ledger."""

LOG_DAYS = 365
"""Logs, and failures as `sudare status` knows them. They hold no row; they say who let what run."""


@dataclass(frozen=True)
class _Thing:
    """A file or folder that may have to go."""

    path: Path
    day: datetime.date
    must_stay: bool = False


def retain(night: Night) -> dict[str, int]:
    """
    Delete everything that is due, as of the night's instant, and record it.

    Args:
        night: Its settings say where everything is. Its day does not matter: what a backfill is about is not old.

    Returns:
        How many of each kind were deleted.

    Raises:
        StagingUnwritable, OutboxUnwritable, LedgerUnreachable, WarehouseUnreachable: a kind could not be looked
            through. All others were, and what was deleted of them is recorded.
    """
    told, failure = look_through(night, dry_run=False)
    keep(night, told)
    if failure is not None:
        raise failure
    return {one.kind: one.deleted for one in told}


def keep(night: Night, told: list[Deletion]) -> None:
    """Record what was deleted, and what had to stay."""
    if told:
        Records(night.settings.warehouse_url).keep_deletions(told, night.now)


def look_through(night: Night, *, dry_run: bool) -> tuple[list[Deletion], SudareError | None]:
    """Every kind in turn: what was deleted, or would be; and the first reason for which a kind could not be."""
    told: list[Deletion] = []
    failure: SudareError | None = None
    today = night.now.astimezone(TOKYO).date()
    for kind in (_staging, _unfinished, _feeds, _removals, _lists, _receipts, _logs, _failures, _of_the_ledger):
        try:
            with unwritable_as(OutboxUnwritable, f"retention, {kind.__name__.strip('_')}"):
                told += kind(night, today, dry_run)
        except SudareError as error:
            failure = failure or error
    return told, failure


def _staging(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    first, running = today - datetime.timedelta(days=STAGING_DAYS), datetime.timedelta(days=UNFINISHED_DAYS)
    days = [datetime.date.fromisoformat(name) for name in night.staging.nights()]
    old = [Staging(night.settings.staging_url, day) for day in days if day < first]
    # A backfill of an old day may be under way.
    due = [one for one in old if (begun := one.begun_at()) is None or begun < night.now - running]
    for one in due if not dry_run else ():
        one.remove()
    kept = sorted(set(days) - {one.day for one in due})
    waiting = [day for day in kept if day >= first]
    next_due = waiting[0] + datetime.timedelta(days=STAGING_DAYS + 1) if waiting else None
    return [
        Deletion("staged nights", len(due), len(waiting), len(kept) - len(waiting), min(kept, default=None), next_due)
    ]


def _feeds(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    """Local copies, sealed or not, of feeds; removals lie in folders of their own or have names of their own."""
    places = _destination_folders(night.settings.outbox)
    sealed = [folder for place in _destination_folders(night.settings.outbox / ".sealed") for folder in folders(place)]
    files = [path for place in (*places, *sealed) for path in put_down(place) if not _is_removal(path)]
    return [_delete("local feeds", _things(files), FEED_DAYS, today, dry_run)]


def _unfinished(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    files = (path for path in (night.settings.outbox / ".pending").rglob("*") if path.is_file())
    return [_delete("unfinished files", _things(files), UNFINISHED_DAYS, today, dry_run)]


def _removals(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    outbox = night.settings.outbox
    sealed = [folder for place in _destination_folders(outbox / ".sealed") for folder in folders(place)]
    places = [*(place / "removals" for place in _destination_folders(outbox)), *sealed]
    files = [path for place in places for path in put_down(place) if _is_removal(path)]
    unsettled = unsettled_removals(night.ledger) if files else {}
    # What the ledger does not know was acknowledged by nobody.
    things = _things(files, lambda path: unsettled.get(path.name.removesuffix(".gpg"), True))
    return [_delete("removal files", things, REMOVAL_DAYS, today, dry_run)]


def _lists(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    things: list[_Thing] = []
    for folder in folders(night.settings.intake):
        files = sorted(_things(put_down(folder / "lists")), key=lambda thing: thing.path.stat().st_mtime_ns)
        # The newest one stands, however old it is.
        things += [*files[:-1], *(_Thing(one.path, one.day, must_stay=True) for one in files[-1:])]
    return [_delete("opt-out lists", things, INTAKE_DAYS, today, dry_run)]


def _receipts(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    places = [folder / "receipts" for folder in folders(night.settings.intake)]
    taken = _things(path for place in places for path in put_down(place / "taken"))
    refused = _things((path for place in places for path in put_down(place / "refused")), lambda path: True)
    return [_delete("receipts", [*taken, *refused], INTAKE_DAYS, today, dry_run)]


def _logs(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    files = (path for folder in night.settings.logs for path in folder.rglob("*") if path.is_file())
    return [_delete("logs", _things(files), LOG_DAYS, today, dry_run)]


def _failures(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    cutoff = _midnight(today - datetime.timedelta(days=LOG_DAYS))
    deleted, kept, oldest = Records(night.settings.warehouse_url).forget_failures(cutoff, dry_run=dry_run)
    day = oldest.astimezone(TOKYO).date() if oldest else None
    return [Deletion("failures", deleted, kept, 0, day, day and day + datetime.timedelta(days=LOG_DAYS + 1))]


def _of_the_ledger(night: Night, today: datetime.date, dry_run: bool) -> list[Deletion]:
    told = forget(night.ledger, records_kept_since(night.now), dry_run=dry_run)

    def day(instant: datetime.datetime | None) -> datetime.date | None:
        return instant.astimezone(TOKYO).date() if instant else None

    return [
        Deletion(kind, row.deleted, row.kept, row.must_stay, day(row.oldest), _after_years(day(row.next)))
        for kind, row in told.items()
    ]


def records_kept_since(now: datetime.datetime) -> datetime.datetime:
    """Records of provisions that ended before this instant may be gone."""
    return _midnight(_years_before(now.astimezone(TOKYO).date(), RECORD_YEARS))


def _years_before(day: datetime.date, years: int) -> datetime.date:
    """The same date; of 29 February the day before the 1st of March of a year without one."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _after_years(day: datetime.date | None) -> datetime.date | None:
    """The first day on which a record that ended on ``day`` may go."""
    if day is None:
        return None
    return _years_before(day, -RECORD_YEARS) + datetime.timedelta(days=1)


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), TOKYO)


def _things(paths: Iterable[Path], must_stay: Callable[[Path], bool] = lambda path: False) -> list[_Thing]:
    """What is there, with its day; a file that somebody has taken away since it was listed is not."""
    things = []
    for path in paths:
        with suppress(FileNotFoundError):
            day = datetime.datetime.fromtimestamp(path.stat().st_mtime, TOKYO).date()
            things.append(_Thing(path, day, must_stay(path)))
    return things


def _delete(kind: str, things: Iterable[_Thing], keep_days: int, today: datetime.date, dry_run: bool) -> Deletion:
    """Delete what is more than so many days old and may go; count the rest."""
    first, things = today - datetime.timedelta(days=keep_days), list(things)
    old = [thing for thing in things if thing.day < first]
    due = [thing for thing in old if not thing.must_stay]
    if not dry_run:
        with unwritable_as(OutboxUnwritable, kind):
            for thing in due:
                thing.path.unlink(missing_ok=True)
    gone = {thing.path for thing in due}
    rest = [thing for thing in things if thing.path not in gone]
    waiting = [thing.day for thing in rest if thing.day >= first and not thing.must_stay]
    next_due = min(waiting) + datetime.timedelta(days=keep_days + 1) if waiting else None
    oldest = min((thing.day for thing in rest), default=None)
    stay = len(old) - len(due)
    return Deletion(kind, len(due), len(rest) - stay, stay, oldest, next_due)


def _is_removal(path: Path) -> bool:
    return path.parent.name == "removals" or "_removals_" in path.name


def _destination_folders(outbox: Path) -> list[Path]:
    return [folder for folder in folders(outbox) if not folder.name.startswith(".")]
