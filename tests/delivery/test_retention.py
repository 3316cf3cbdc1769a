"""Each kind is deleted when it is due, kept on the day before, and kept where it must be; the record adds up."""

import datetime
import errno
import os
from pathlib import Path

import psycopg
import pytest

from anonymizers.controls import DisclosureControl
from anonymizers.errors import LedgerUnreachable, OutboxUnwritable
from anonymizers.keys import DEMO_SECRET, Secret
from delivery import retention
from delivery.days import TOKYO
from delivery.ledger import Delivery, Ledger
from delivery.night import Night
from delivery.records import Deletion, Failure, Records
from delivery.settings import Settings
from delivery.verification import verify
from tests.databases import copy_database
from tests.delivery.test_ledger import answer, file, rows
from tests.nights.sites import LIVERAMP
from transforms.datasets import DATASETS
from transforms.places import place
from transforms.staging import Staging

NOW = datetime.datetime(2026, 11, 1, 4, 45, tzinfo=TOKYO)
TODAY = NOW.date()


@pytest.fixture
def night(empty_server, tmp_path) -> Night:
    url = copy_database(empty_server)
    settings = Settings(
        source_url=url,
        warehouse_url=url,
        ledger_url=url,
        secret=Secret(DEMO_SECRET),
        staging_url=str(tmp_path / "staging"),
        published=tmp_path / "published",
        outbox=tmp_path / "outbox",
        intake=tmp_path / "intake",
        logs=(tmp_path / "logs", tmp_path / "airflow" / "logs"),
        control=DisclosureControl(),
    )
    return Night(settings, TODAY - datetime.timedelta(days=1), NOW)


def put(night: Night, place: str, days_old: int) -> Path:
    """A file of an age below the deployment's home."""
    path = night.settings.outbox.parent / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, 2 * ((NOW - datetime.timedelta(days=days_old)).timestamp(),))
    return path


def ran(night: Night) -> dict[str, Deletion]:
    """Run retention; what it recorded, by kind."""
    deleted = retention.retain(night)
    _, told = Records(night.settings.warehouse_url).last_deletions()
    assert {one.kind: one.deleted for one in told} == deleted
    return {one.kind: one for one in told}


FILES = [
    ("local feeds", "outbox/liveramp/sudare_liveramp_20261001_abc.csv.gz", retention.FEED_DAYS),
    ("local feeds", "outbox/.sealed/liveramp/0123/sudare_liveramp_20261001_abc.csv.gz.gpg", retention.FEED_DAYS),
    ("unfinished files", "outbox/.pending/liveramp.removals/tmpx/permitted-0.arrow", retention.UNFINISHED_DAYS),
    ("unfinished files", "outbox/.pending/liveramp/rows.arrow", retention.UNFINISHED_DAYS),
    ("receipts", "intake/liveramp/receipts/taken/one.json", retention.INTAKE_DAYS),
    ("logs", "logs/2026-10-31.log", retention.LOG_DAYS),
    ("logs", "airflow/logs/dag_id=nightly/run/task/attempt=1.log", retention.LOG_DAYS),
]


@pytest.mark.parametrize(("kind", "place", "days"), FILES, ids=lambda value: str(value).split("/")[0])
def test_a_file_goes_when_it_is_due_and_not_a_day_before(night, kind, place, days):
    old, young = put(night, place, days + 1), put(night, f"{place}.later", days)
    assert ran(night)[kind] == Deletion(kind, 1, 1, 0, *_days(young, days))
    assert (old.exists(), young.exists()) == (False, True)
    assert ran(night)[kind].deleted == 0


def _days(path: Path, days: int) -> tuple[datetime.date, datetime.date]:
    """Day of a file, and the day on which it goes."""
    day = datetime.datetime.fromtimestamp(path.stat().st_mtime, TOKYO).date()
    return day, day + datetime.timedelta(days=days + 1)


def test_a_staged_night_goes_after_its_days_whatever_night_is_run(night):
    old, young = (TODAY - datetime.timedelta(days=retention.STAGING_DAYS + n) for n in (1, 0))
    for day in (old, young):
        Staging(night.settings.staging_url, day).write_json({}, "gates", "tables.json")
    backfill = Night(night.settings, TODAY - datetime.timedelta(days=90), NOW)
    assert ran(backfill)["staged nights"] == Deletion(
        "staged nights", 1, 1, 0, young, young + datetime.timedelta(days=retention.STAGING_DAYS + 1)
    )
    assert night.staging.nights() == [young.isoformat()]


def test_a_night_of_an_old_day_that_is_running_now_stays(night):
    """As a backfill of it is: its day is old, and the run is not."""
    old = Staging(night.settings.staging_url, TODAY - datetime.timedelta(days=90))
    old.write_json("a run", "run.json")
    mark = Path(night.settings.staging_url) / old.day.isoformat() / "run.json"
    for hours, deleted in ((3, 0), (24 * retention.UNFINISHED_DAYS + 1, 1)):
        os.utime(mark, 2 * ((NOW - datetime.timedelta(hours=hours)).timestamp(),))
        told = ran(night)["staged nights"]
        assert (told.deleted, told.must_stay) == (deleted, 1 - deleted)


def test_a_kind_that_cannot_be_listed_stops_no_other_and_what_was_deleted_is_recorded(night, monkeypatch):
    put(night, "logs/old.log", retention.LOG_DAYS + 1)
    put(night, "intake/liveramp/receipts/taken/one.json", 1)

    def broken(folder: Path) -> list[Path]:
        raise OSError(errno.EIO, "a name that may not be told")

    monkeypatch.setattr(retention, "put_down", broken)
    with pytest.raises(OutboxUnwritable, match=r"^retention, lists: EIO"):
        retention.retain(night)
    _, told = Records(night.settings.warehouse_url).last_deletions()
    assert {one.kind: one.deleted for one in told if one.deleted} == {"logs": 1}


def test_what_the_declarations_promise_of_staging_is_kept():
    assert max(dataset.staging_days for dataset in DATASETS.values()) == retention.STAGING_DAYS


def test_the_newest_list_stays_however_old_it_is(night):
    put(night, "intake/liveramp/lists/a.csv", 90)
    newest = put(night, "intake/liveramp/lists/b.csv", 60)
    told = ran(night)["opt-out lists"]
    assert (told.deleted, told.kept, told.must_stay) == (1, 0, 1)
    assert newest.exists()


def test_a_receipt_that_nobody_has_looked_at_stays(night):
    refused = put(night, "intake/liveramp/receipts/refused/one.json", 400)
    waiting = put(night, "intake/liveramp/receipts/two.json", 400)
    assert ran(night)["receipts"].must_stay == 1
    assert refused.exists()
    assert waiting.exists()


def test_failures_go_after_a_year(night):
    records = Records(night.settings.warehouse_url)
    for days in (retention.LOG_DAYS + 1, retention.LOG_DAYS):
        at = NOW - datetime.timedelta(days=days)
        records.keep_failure(Failure(TODAY, "nightly", f"{days}", "", "FAULT", "x", at))
    told = ran(night)["failures"]
    assert (told.deleted, told.kept, told.next_due) == (1, 1, TODAY + datetime.timedelta(days=1))
    assert [one.step for one in records.failures(TODAY)] == [f"{retention.LOG_DAYS}"]


def test_a_dry_run_deletes_and_records_nothing(night):
    old = put(night, "logs/old.log", 400)
    told, failure = retention.look_through(night, dry_run=True)
    assert failure is None
    assert {one.kind: one.deleted for one in told}["logs"] == 1
    assert old.exists()
    assert Records(night.settings.warehouse_url).last_deletions() is None


def test_a_kind_that_cannot_be_looked_through_stops_no_other_and_is_told(night):
    old = put(night, "logs/old.log", 400)
    elsewhere = _with(night.settings, ledger_url="postgresql://nobody@127.0.0.1:9/nowhere")
    with pytest.raises(LedgerUnreachable):
        retention.retain(Night(elsewhere, night.day, NOW))
    _, told = Records(night.settings.warehouse_url).last_deletions()
    assert "provisions" not in {one.kind for one in told}
    assert {one.kind: one.deleted for one in told}["logs"] == 1
    assert not old.exists()


def _with(settings: Settings, **changes) -> Settings:
    return Settings(**{**vars(settings), **changes})


class Provided:
    """A ledger in which the members a and b were provided once, in a feed that ended a while ago."""

    def __init__(self, night: Night, ended: datetime.datetime) -> None:
        self.ledger: Ledger = night.ledger
        self.url = night.settings.ledger_url
        self.feed("one", ended, "a", "b")
        self.feed("two", ended + datetime.timedelta(days=1), "b")

    def feed(self, name: str, at: datetime.datetime, *people: str) -> Delivery:
        delivery, _ = self.ledger.prepare_feed(file(name, at.date()), [rows(*people)], at)
        self.ledger.sent(delivery, delivery.content_sha256, at)
        return delivery

    def owe(self, at: datetime.datetime, *still: str) -> None:
        """Whoever is not permitted any more is owed; b stays permitted."""
        self.ledger.owe("liveramp", [rows("b", *still)], [], 5, at)

    def take_back(self, at: datetime.datetime, name: str = "removal") -> Delivery:
        owed = self.ledger.owed("liveramp", at)
        removal, _ = self.ledger.prepare_removal(file(name, at.date()), owed["id"].to_list(), at)
        self.ledger.sent(removal, removal.content_sha256, at)
        return removal

    def acknowledge(self, removal: Delivery, at: datetime.datetime) -> None:
        answer(self.ledger, removal, at=at)

    def count(self, table: str) -> int:
        with psycopg.connect(self.url) as connection:
            return connection.execute(f"select count(*) from delivery.{table}").fetchone()[0]


LONG_AGO = datetime.datetime(2023, 10, 31, 3, 0, tzinfo=TOKYO)
"""Three years and a day before the run."""


def test_a_record_of_provision_goes_after_three_years_and_not_a_day_before(night):
    provided = Provided(night, LONG_AGO)
    provided.owe(LONG_AGO)
    provided.acknowledge(provided.take_back(LONG_AGO), LONG_AGO)
    day_before = Night(night.settings, night.day, NOW - datetime.timedelta(days=1))
    early = ran(day_before)["provisions"]
    assert (early.deleted, early.kept, early.must_stay, early.next_due) == (0, 2, 0, TODAY)
    told = ran(night)["provisions"]
    assert (told.deleted, told.kept, told.must_stay) == (1, 1, 0)
    assert provided.count("provisions") == 1
    assert provided.count("obligations") == 0
    assert provided.count("removals") == 0


def test_where_no_feed_follows_a_record_ends_with_the_partners_acknowledgement(night):
    """A destination that has ended sends no feed that would end the records of the last one."""
    provided = Provided(night, LONG_AGO - datetime.timedelta(days=400))
    provided.ledger.owe("liveramp", [], [], 5, LONG_AGO - datetime.timedelta(days=400))
    removal = provided.take_back(LONG_AGO)
    early, later = (Night(night.settings, night.day, NOW - datetime.timedelta(days=days)) for days in (2, 1))
    assert ran(early)["provisions"].deleted == 0  # the partner may hold both
    provided.acknowledge(removal, LONG_AGO)
    told = ran(later)["provisions"]
    assert (told.deleted, told.kept, told.next_due) == (1, 1, TODAY)  # of a, whose last feed is known
    told = ran(night)["provisions"]
    assert (told.deleted, told.kept, told.must_stay) == (1, 0, 0)
    assert (provided.count("provisions"), provided.count("obligations")) == (0, 0)


def test_a_provision_that_goes_on_is_never_too_old(night):
    Provided(night, LONG_AGO - datetime.timedelta(days=3_000))
    told = ran(night)["provisions"]
    assert told.kept == 1


@pytest.mark.parametrize("state", ["not owed yet", "due", "sent", "refused"])
def test_what_a_partner_may_still_hold_is_not_forgotten(night, state):
    provided = Provided(night, LONG_AGO - datetime.timedelta(days=400))
    if state != "not owed yet":
        provided.owe(LONG_AGO)
    if state in ("sent", "refused"):
        removal = provided.take_back(LONG_AGO)
        if state == "refused":
            answer(provided.ledger, removal, accepted=False, at=LONG_AGO)
    told = ran(night)
    assert (told["provisions"].deleted, told["provisions"].must_stay) == (0, 1)
    assert told["obligations"].deleted == 0
    assert provided.count("provisions") == 2


def test_a_record_that_a_later_one_goes_on_from_may_go(night):
    provided = Provided(night, LONG_AGO)
    provided.feed("three", LONG_AGO + datetime.timedelta(days=2), "a", "b")
    assert ran(night)["provisions"].deleted == 1
    assert provided.count("provisions") == 2


def test_a_delivery_goes_with_the_last_record_of_it(night):
    long_before = LONG_AGO - datetime.timedelta(days=400)
    provided = Provided(night, long_before)
    provided.owe(long_before)
    provided.acknowledge(provided.take_back(long_before), long_before)
    # b is provided until today, and was in both feeds; the last removal stays, since the next one is told from it.
    assert (ran(night)["deliveries"].deleted, ran(night)["deliveries"].must_stay) == (0, 3)
    provided.feed("three", long_before + datetime.timedelta(days=2), "c")
    provided.ledger.owe("liveramp", [rows("c")], [], 5, long_before)
    provided.acknowledge(provided.take_back(long_before, "another"), long_before)
    told = ran(night)
    assert (told["provisions"].deleted, told["deliveries"].deleted, told["deliveries"].must_stay) == (1, 3, 2)
    assert provided.count("provisions") == 1


def test_feeds_whose_records_may_be_gone_are_not_verified_any_more(night):
    provided = Provided(night, LONG_AGO)
    provided.owe(LONG_AGO)
    provided.acknowledge(provided.take_back(LONG_AGO), LONG_AGO)
    ran(night)
    assert verify(_with(night.settings, agreements={"liveramp": LIVERAMP}))["feeds"] == 0


def test_a_removal_file_stays_until_the_partner_has_acknowledged_it(night):
    provided = Provided(night, LONG_AGO)
    provided.owe(LONG_AGO)
    removal = provided.take_back(NOW - datetime.timedelta(days=60))
    days = retention.REMOVAL_DAYS + 1
    kept = [
        put(night, f"outbox/liveramp/removals/{removal.file}", days),
        put(night, f"outbox/.sealed/liveramp/0123/sudare_liveramp_removals_20260101_{removal.file}.gpg", days),
        put(night, "outbox/liveramp/removals/unknown.csv", days),
    ]
    told = ran(night)["removal files"]
    assert (told.deleted, told.must_stay) == (0, 3)
    provided.acknowledge(removal, NOW)
    assert ran(night)["removal files"].deleted == 1
    assert [path.exists() for path in kept] == [False, True, True]  # nobody knows the others


def test_holds_and_lists_of_the_ledger_are_not_touched(night):
    night.ledger.hold("liveramp", "sato", "x", LONG_AGO)
    ran(night)
    assert night.ledger.held("liveramp")["held_by"] == "sato"


def test_what_lies_in_an_object_store_goes_when_it_is_due(night, store):
    """Its age is the store's own word for when it was written: just now."""
    root = f"s3://{store.bucket}"
    outbox, intake = place(f"{root}/outbox"), place(f"{root}/intake")
    settings = _with(night.settings, staging_url=f"{root}/staging", outbox=outbox, intake=intake)
    now = datetime.datetime.now(TOKYO)
    stored = Night(settings, now.date(), now)
    stored.staging.write_json({}, "plan.json")
    due = [
        "outbox/liveramp/sudare_liveramp_20261001_abc.csv.gz",
        "outbox/.sealed/liveramp/0123/sudare_liveramp_20261001_abc.csv.gz.gpg",
        "outbox/.pending/liveramp/20261001/sudare_liveramp_20261001_abc.csv.gz.tar",
        "intake/liveramp/receipts/taken/one.json",
    ]
    must_stay = ["outbox/liveramp/removals/unknown.csv", "intake/liveramp/lists/newest.csv"]
    for key in (*due, *must_stay):
        store.client.put_object(Bucket=store.bucket, Key=key, Body=b"x")

    def objects() -> set[str]:
        return {one["Key"] for one in store.client.list_objects_v2(Bucket=store.bucket)["Contents"]}

    before = objects()
    assert sum(ran(stored)[kind].deleted for kind in ("local feeds", "staged nights")) == 0
    assert objects() == before
    told = ran(Night(settings, now.date(), now + datetime.timedelta(days=60)))
    assert {kind: told[kind].deleted for kind in ("local feeds", "unfinished files", "receipts", "staged nights")} == {
        "local feeds": 2,
        "unfinished files": 1,
        "receipts": 1,
        "staged nights": 1,
    }
    assert objects() == set(must_stay)
