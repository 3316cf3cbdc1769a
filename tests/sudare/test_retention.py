"""`sudare retention` as it is typed: what would go, what went, and what `sudare status` says of it."""

import datetime
import json
import os

import pytest
from typer.testing import CliRunner

from delivery.records import Failure, Records
from delivery.retention import look_through
from sudare import cli
from sudare.options import night_now
from sudare.retention import JAPANESE
from tests.databases import copy_database


@pytest.fixture
def home(empty_server, monkeypatch, tmp_path):
    """A deployment with one log that is too old."""
    url = copy_database(empty_server)
    environment = {
        "SUDARE_HOME": str(tmp_path),
        "SUDARE_SOURCE_URL": url,
        "SUDARE_WAREHOUSE_URL": url,
        "SUDARE_SECRET": "a secret of more than thirty-two bytes",
    }
    monkeypatch.setattr("sudare.deployment.environment", lambda: environment)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.log").write_text("x")
    os.utime(tmp_path / "logs" / "old.log", (0, 0))
    return tmp_path


def typed(*words: str) -> str:
    done = CliRunner().invoke(cli.app, list(words), catch_exceptions=False)
    assert done.exit_code in (0, 31, 80), done.output
    return done.output


def test_a_dry_run_says_what_would_go_and_a_run_deletes_records_and_says_it(home):
    shown = typed("retention", "--dry-run")
    assert "would go" in shown
    assert "削除対象" in shown
    assert (home / "logs" / "old.log").exists()
    assert json.loads(typed("status", "--json"))["retention"] is None
    told = {one["kind"]: one for one in json.loads(typed("retention", "--json"))}
    assert told["logs"]["deleted"] == 1
    assert not (home / "logs" / "old.log").exists()
    last = json.loads(typed("status", "--json"))["retention"]
    assert {one["kind"]: one["deleted"] for one in last["kinds"]} == {k: one["deleted"] for k, one in told.items()}


def test_a_run_by_hand_ends_a_failure_that_stands_and_a_look_does_not(home):
    records = Records(night_now().settings.warehouse_url)
    day = datetime.date(2026, 10, 31)
    failed = datetime.datetime.now(datetime.UTC)
    records.keep_failure(Failure(day, "retention", "retain", "", "OUTBOX_UNWRITABLE", "outbox", failed))
    for words, found in ((["--dry-run"], ["OUTBOX_UNWRITABLE"]), ([], [])):
        typed("retention", *words)
        told = json.loads(typed("status", "--json"))
        assert [one["reason"] for one in told["findings"] if one["reason"] != "NIGHT_LATE"] == found


def test_every_kind_has_a_name_in_japanese(home):
    told, failure = look_through(night_now(), dry_run=True)
    assert failure is None
    assert {one.kind for one in told} == set(JAPANESE)
