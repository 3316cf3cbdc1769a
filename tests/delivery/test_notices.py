"""What people are told of a failure, and that it reaches a webhook; nothing of it depends on the webhook."""

import datetime
import json
import socket

import pytest

from anonymizers.errors import DestinationUnreachable, Fault, GateRefused, SettingRefused
from delivery.ledger import Ledger
from delivery.notices import Out, compose, one_line, post, runbook, what_is_out
from delivery.records import Records
from delivery.warehouse import Warehouse
from tests.databases import copy_database
from tests.delivery.test_ledger import DAY, NOW, file, rows
from tests.delivery.webhooks import webhook


def notice(error=None, out=None, of="liveramp"):
    return compose("nightly", "gate_feed", of, DAY, "a run", error or GateRefused("x.y: z"), out or Out(True, []))


def test_a_notice_says_what_failed_what_is_out_and_what_to_do_in_two_languages():
    told = notice(out=Out(True, ["google"]))
    assert told.text.splitlines()[0] == "Sudare 2026-10-31: nightly gate_feed[liveramp]: GATE_REFUSED (exit 40). x.y: z"
    assert "Out: tables published, feeds google." in told.text
    assert "統計表は公開済み、提供済み google" in told.text
    assert f"To do: {runbook()['GATE_REFUSED'][0]}." in told.text
    assert f"対応: {runbook()['GATE_REFUSED'][1]}。" in told.text


@pytest.mark.parametrize(
    ("out", "english", "japanese"),
    [
        (Out(False, []), "no table, no feed", "統計表は未公開、提供なし"),
        (Out(None, None), "tables unknown, feeds unknown", "統計表は不明、提供は不明"),
    ],
)
def test_what_is_out_is_told_or_that_nobody_knows(out, english, japanese):
    text = notice(out=out).text
    assert english in text
    assert japanese in text


def test_another_try_is_always_safe_and_helps_where_the_cause_may_pass():
    passing, lasting = notice(DestinationUnreachable("x")), notice(Fault("x"))
    assert (passing.retry_is_safe, passing.retry_may_help) == (True, True)
    assert (lasting.retry_is_safe, lasting.retry_may_help) == (True, False)
    assert "it fails the same until the cause is gone" in lasting.text
    assert "it fails the same" not in passing.text


def test_the_line_in_a_log_is_one_line_of_json():
    line = one_line(notice(GateRefused("two\nlines")))
    assert "\n" not in line
    assert json.loads(line)["reason"] == "GATE_REFUSED"


def test_a_webhook_gets_the_text_and_the_fields():
    with webhook() as server:
        assert post(notice(), {"SUDARE_NOTICE_URL": server.url})
    (taken,) = server.taken
    assert taken["text"].startswith("Sudare 2026-10-31: ")
    assert (taken["reason"], taken["exit_status"], taken["out"]) == ("GATE_REFUSED", 40, {"tables": True, "feeds": []})


def test_a_webhook_that_refuses_or_is_not_there_raises_nothing():
    with webhook(500) as server:
        assert not post(notice(), {"SUDARE_NOTICE_URL": server.url})
    assert not post(notice(), {"SUDARE_NOTICE_URL": server.url})  # it has ended
    assert not post(notice(), {})


def test_a_webhook_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("delivery.notices.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not post(notice(), {"SUDARE_NOTICE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/"})


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://[passwd/"])
def test_an_address_of_another_kind_is_refused_and_not_told(url):
    with pytest.raises(SettingRefused) as caught:
        post(notice(), {"SUDARE_NOTICE_URL": url})
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:http/", "http://127.0.0.1/a b"])
def test_an_address_that_no_client_takes_raises_nothing(url):
    assert not post(notice(), {"SUDARE_NOTICE_URL": url})


def test_what_is_out_is_read_from_warehouse_and_ledger(empty_server):
    url = copy_database(empty_server)
    environment = {"SUDARE_WAREHOUSE_URL": url}
    assert what_is_out(environment, DAY) == Out(False, [])
    with Warehouse(url).transaction() as transaction:
        transaction.record(DAY, "0" * 64, "{}")
    delivery, _ = Ledger(url).prepare_feed(file("one"), [rows("a")], NOW)
    assert what_is_out(environment, DAY) == Out(True, [])
    Ledger(url).sent(delivery, delivery.content_sha256, NOW)
    assert what_is_out(environment, DAY) == Out(True, ["liveramp"])
    assert what_is_out(environment, DAY + datetime.timedelta(days=1)) == Out(False, [])


def test_where_nobody_answers_nobody_claims_to_know(empty_server):
    nobody = "postgresql://nobody@127.0.0.1:9/nowhere"
    assert what_is_out({"SUDARE_WAREHOUSE_URL": nobody}, DAY) == Out(None, None)
    assert what_is_out({}, DAY) == Out(None, None)
    url = copy_database(empty_server)
    assert what_is_out({"SUDARE_WAREHOUSE_URL": url, "SUDARE_LEDGER_URL": nobody}, DAY) == Out(False, None)
    assert Records(url).failures(DAY) == []
