"""`sudare status` over a real warehouse and ledger: every state has its own finding and exit status, and no more."""

import datetime
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from anonymizers.errors import SettingRefused, WarehouseUnreachable
from delivery.days import TOKYO
from delivery.ledger import Ledger
from delivery.notices import runbook
from delivery.records import Failure, Records
from delivery.warehouse import Warehouse
from sudare.status import print_state, read_state
from tests.databases import copy_database
from tests.delivery.test_ledger import file, rows

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime.date(2026, 10, 31)
BEFORE = datetime.datetime(2026, 11, 1, 6, 59, tzinfo=TOKYO)
AFTER = datetime.datetime(2026, 11, 1, 7, 0, tzinfo=TOKYO)
AGREEMENT = '[liveramp]\nconfirmed = "x"\nrecipient_address = "x"\nrecipient_representative = "x"\n'


class Deployment:
    """A warehouse with its ledger, and what a monitor is told of them."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.ledger, self.records = url, Ledger(url), Records(url)
        (home / "agreements.toml").write_text(AGREEMENT)
        self.environment = {"SUDARE_WAREHOUSE_URL": url, "SUDARE_AGREEMENTS": str(home / "agreements.toml")}

    def publish(self, *days: datetime.date, at: datetime.datetime = BEFORE) -> None:
        for day in days:
            with Warehouse(self.url).transaction() as transaction:
                transaction.record(day, "0" * 64, "{}")
        with psycopg.connect(self.url) as connection:
            connection.execute("update sudare.nights set published_at = %s", (at,))

    def send_feed(self, day: datetime.date = DAY, *, arrives: bool = True) -> None:
        prepared = file("a file", day=day, count=3)
        delivery, _ = self.ledger.prepare_feed(prepared, [rows("a", "b", "c")], BEFORE)
        if arrives:
            self.ledger.sent(delivery, delivery.content_sha256, BEFORE)

    def take_list(self, produced: datetime.datetime) -> None:
        counted = {"sha256": "0" * 64, "bytes": 1, "rows": 1, "listed": 1, "rejected": {}}
        source = "liveramp"
        self.ledger.keep_list(
            {"source": source, "produced_at": produced, "taken_at": produced, "refused": None, **counted}, None
        )

    def all_well(self) -> None:
        self.publish(DAY)
        self.send_feed()
        self.take_list(BEFORE)

    def fail(
        self, step: str, reason: str, message: str = "what happened", of: str = "", dag: str = "nightly", days: int = 0
    ) -> None:
        gone = datetime.timedelta(days=days)
        self.records.keep_failure(Failure(DAY - gone, dag, step, of, reason, message, BEFORE - gone))

    def ask(self, now: datetime.datetime = AFTER, **changes: str) -> dict:
        return read_state({**self.environment, **changes}, now)


@pytest.fixture
def deployment(empty_server, tmp_path) -> Deployment:
    return Deployment(copy_database(empty_server), tmp_path)


def reasons(told: dict) -> list[str]:
    return [one["reason"] for one in told["findings"]]


def test_all_is_well(deployment):
    deployment.all_well()
    told = deployment.ask()
    assert (told["findings"], told["exit_status"]) == ([], 0)
    assert told["night"] == "2026-10-31"
    assert told["published_at"] == "2026-11-01T06:59+09:00"
    (one,) = told["destinations"]
    assert (one["last_feed"]["night"], one["tonight"], one["held_since"]) == ("2026-10-31", True, None)


def test_a_night_that_is_not_out_is_late_from_its_deadline_on_and_not_before(deployment):
    deployment.all_well()
    day_later = datetime.timedelta(days=1)
    deployment.take_list(BEFORE + day_later)
    early, late = deployment.ask(BEFORE + day_later), deployment.ask(AFTER + day_later)
    assert (reasons(early), early["missed"]) == ([], ["2026-11-01"])
    assert (reasons(late), late["exit_status"]) == (["NIGHT_LATE"], 80)
    assert "no step of it is known to have failed" in late["findings"][0]["message"]
    assert reasons(deployment.ask(BEFORE + day_later, SUDARE_DEADLINE="04:30")) == ["NIGHT_LATE"]


def test_days_that_were_missed_and_days_that_are_past_are_told_apart(deployment):
    deployment.publish(DAY - datetime.timedelta(days=5), DAY - datetime.timedelta(days=3))
    told = deployment.ask(BEFORE)
    assert told["skipped"] == ["2026-10-27"]
    assert told["missed"] == ["2026-10-29", "2026-10-30", "2026-10-31"]
    assert told["last_published"] == "2026-10-28"


def test_a_night_that_failed_says_at_which_step(deployment):
    deployment.take_list(BEFORE)
    deployment.fail("extract", "SOURCE_UNREACHABLE")
    told = deployment.ask()
    assert reasons(told) == ["NIGHT_LATE"]
    assert "its last failure is extract: SOURCE_UNREACHABLE" in told["findings"][0]["message"]
    assert told["failures"][0]["step"] == "extract"


def test_a_feed_is_late_when_tables_are_out_and_it_is_not(deployment):
    deployment.publish(DAY)
    deployment.take_list(BEFORE)
    deployment.send_feed(arrives=False)
    assert reasons(deployment.ask(BEFORE)) == []
    told = deployment.ask()
    assert (reasons(told), told["exit_status"]) == (["FEED_LATE"], 81)
    deployment.send_feed(DAY - datetime.timedelta(days=1))
    assert reasons(deployment.ask()) == ["FEED_LATE"]


def test_a_feed_that_is_held_is_not_late_and_one_for_statistics_only_is_not_awaited(deployment):
    deployment.publish(DAY)
    assert reasons(deployment.ask(SUDARE_PURPOSES="P09")) == []
    deployment.ledger.hold("liveramp", "sato", "their key", BEFORE)
    told = deployment.ask()
    assert reasons(told) == []
    assert told["destinations"][0]["held_since"] == "2026-11-01T06:59+09:00"


def test_a_slice_that_fell_silent_is_told_until_the_night_is_out(deployment):
    deployment.take_list(BEFORE)
    deployment.fail("gate_tables", "SLICE_SILENT", "members_by_prefecture.prefecture_code=13")
    told = deployment.ask(BEFORE)
    assert (reasons(told), told["exit_status"]) == (["SLICE_SILENT"], 82)
    assert told["findings"][0]["message"] == "members_by_prefecture.prefecture_code=13"
    assert deployment.ask()["exit_status"] == 80
    deployment.publish(DAY)
    deployment.send_feed()
    assert reasons(deployment.ask()) == []


def test_a_feed_that_collapsed_is_told_until_one_is_sent(deployment):
    deployment.publish(DAY)
    deployment.take_list(BEFORE)
    deployment.fail("gate_feed", "SLICE_SILENT", "liveramp", of="liveramp")
    assert reasons(deployment.ask(BEFORE)) == ["SLICE_SILENT"]
    assert reasons(deployment.ask()) == ["SLICE_SILENT", "FEED_LATE"]
    deployment.send_feed()
    assert reasons(deployment.ask()) == []


def test_a_list_that_is_missing_or_old_is_told(deployment):
    deployment.publish(DAY)
    deployment.send_feed()
    assert reasons(deployment.ask()) == ["OPT_OUT_LIST_MISSING"]
    deployment.take_list(AFTER - datetime.timedelta(hours=25))
    told = deployment.ask()
    assert (reasons(told), told["exit_status"]) == (["OPT_OUT_LIST_STALE"], 66)
    assert told["destinations"][0]["list_age_hours"] == 25


def test_what_is_owed_too_long_is_told_also_where_the_agreement_has_ended(deployment):
    deployment.all_well()
    deployment.ledger.owe("liveramp", [rows("c")], [], 5, AFTER - datetime.timedelta(days=14))
    told = deployment.ask()
    assert (reasons(told), told["exit_status"]) == (["OBLIGATIONS_OVERDUE"], 56)
    assert told["destinations"][0]["owed"]["overdue"] == 2
    assert reasons(deployment.ask(SUDARE_AGREEMENTS="")) == ["OBLIGATIONS_OVERDUE"]


@pytest.mark.parametrize(
    ("dag", "step", "of"),
    [
        *(("nightly", "remove", "liveramp"), ("opt_outs", "remove", "liveramp"), ("opt_outs", "plan_removals", "")),
        ("retention", "retain", ""),
    ],
)
def test_a_removal_or_a_retention_that_fails_is_told_until_it_has_succeeded_again(deployment, dag, step, of):
    """However many days ago, and although tables and feed are out."""
    deployment.all_well()
    deployment.records.keep_success(step, of, BEFORE - datetime.timedelta(days=4))
    deployment.fail(step, "STOP_SIGNALS_VANISHED", of=of, dag=dag, days=3)
    deployment.records.keep_success(step, "another", BEFORE)
    told = deployment.ask()
    assert (reasons(told), told["exit_status"]) == (["STOP_SIGNALS_VANISHED"], 27)
    assert f"{dag} {step}" in told["findings"][0]["message"]
    assert [(one["dag"], one["step"], one["of"]) for one in told["failures"]] == [(dag, step, of)]
    deployment.records.keep_success(step, of, BEFORE - datetime.timedelta(days=2))
    told = deployment.ask()
    assert (told["findings"], told["failures"]) == ([], [])


def test_a_removal_that_gave_way_to_another_run_is_no_finding_and_hides_none(deployment):
    deployment.all_well()
    deployment.fail("remove", "NIGHT_RUNNING", of="liveramp")
    assert reasons(deployment.ask()) == []
    deployment.fail("remove", "SOURCE_EMPTY", of="liveramp")
    deployment.fail("remove", "NIGHT_RUNNING", of="liveramp")
    assert reasons(deployment.ask()) == ["SOURCE_EMPTY"]


def test_a_removal_that_fails_comes_behind_a_night_that_is_late_and_has_its_line_in_two_languages(deployment):
    deployment.take_list(BEFORE)
    deployment.fail("remove", "SOURCE_UNREACHABLE", of="liveramp")
    told = deployment.ask()
    assert (reasons(told), told["exit_status"]) == (["NIGHT_LATE", "SOURCE_UNREACHABLE"], 80)
    assert "no step of it is known to have failed" in told["findings"][0]["message"]
    out = Console(file=io.StringIO(), width=200)
    print_state(out, told)
    assert f"処理が失敗しています。{runbook()['SOURCE_UNREACHABLE'][1]}" in out.file.getvalue()


def test_removals_that_were_never_sent_are_told_after_a_day(deployment):
    deployment.all_well()
    deployment.ledger.owe("liveramp", [rows("c")], [], 5, AFTER - datetime.timedelta(hours=23))
    assert reasons(deployment.ask()) == []
    told = deployment.ask(AFTER + datetime.timedelta(hours=1))
    assert told["exit_status"] == 56
    assert "2 removals are due for a day or more and were never sent" in told["findings"][0]["message"]


def test_an_agreement_that_lacks_something_is_told(deployment, tmp_path):
    deployment.all_well()
    (tmp_path / "agreements.toml").write_text("[liveramp]\n")
    assert reasons(deployment.ask()) == ["DESTINATION_REFUSED"]


def test_retention_that_does_not_run_is_told_after_three_days(deployment):
    deployment.all_well()
    deployment.publish(DAY, at=AFTER - datetime.timedelta(days=3))
    assert reasons(deployment.ask()) == []
    deployment.publish(DAY, at=AFTER - datetime.timedelta(days=3, minutes=1))
    told = deployment.ask()
    assert (reasons(told), told["exit_status"]) == (["RETENTION_LATE"], 83)


def test_the_worst_of_several_is_the_exit_status_and_all_are_listed(deployment):
    deployment.ledger.owe("liveramp", [], [], 5, AFTER)
    deployment.send_feed(DAY - datetime.timedelta(days=20))
    deployment.ledger.owe("liveramp", [], [], 5, AFTER - datetime.timedelta(days=15))
    told = deployment.ask()
    assert reasons(told) == ["NIGHT_LATE", "OPT_OUT_LIST_MISSING", "OBLIGATIONS_OVERDUE"]
    assert told["exit_status"] == 80


def test_when_a_night_was_first_published_stays_when_it_is_published_again(deployment):
    deployment.publish(DAY)
    with Warehouse(deployment.url).transaction() as transaction:
        transaction.record(DAY, "1" * 64, "{}")
    assert deployment.records.published() == {DAY: BEFORE}
    assert Warehouse(deployment.url).manifests()[DAY] == ("1" * 64, "{}")


def test_a_warehouse_of_an_older_version_is_read_and_brought_up_to_date(deployment):
    with psycopg.connect(deployment.url) as connection:
        connection.execute("create schema sudare")
        connection.execute("create table sudare.nights (day date primary key, manifest_sha256 text, manifest text)")
        connection.execute("insert into sudare.nights values ('2026-10-31', '0', '{}')")
    assert deployment.records.published() == {DAY: None}
    with Warehouse(deployment.url).transaction() as transaction:
        transaction.record(DAY + datetime.timedelta(days=1), "0", "{}")
    first, second = deployment.records.published().values()
    assert first is None
    assert second is not None


def test_a_deadline_that_is_no_hour_is_refused(deployment):
    with pytest.raises(SettingRefused, match="SUDARE_DEADLINE"):
        deployment.ask(SUDARE_DEADLINE="7 am")


def test_a_warehouse_that_does_not_answer_has_its_own_reason(deployment):
    with pytest.raises(WarehouseUnreachable):
        deployment.ask(SUDARE_WAREHOUSE_URL="postgresql://nobody@127.0.0.1:9/nowhere")


def test_the_command_says_it_in_two_languages_and_in_json_and_loads_no_data_frames(deployment):
    """As a monitor calls it: without the source, the key and Airflow."""
    base = {"PATH": os.environ["PATH"], **deployment.environment}
    words = [sys.executable, "-X", "importtime", "-m", "sudare.cli", "status", "--date", "2026-10-31"]
    shown = subprocess.run(words, env=base, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 80
    assert "NIGHT_LATE" in shown.stdout
    assert "公開されていません" in shown.stdout
    assert not {"pandas", "airflow", "scipy", "great_expectations"} & {
        line.split("|")[-1].strip() for line in shown.stderr.splitlines()
    }
    told = subprocess.run([*words[:1], *words[3:], "--json"], env=base, cwd=ROOT, capture_output=True, text=True)
    assert json.loads(told.stdout)["exit_status"] == told.returncode == 80
