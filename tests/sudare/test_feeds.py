"""Ad-ops' commands as they are typed, over a real ledger."""

import datetime
import json

import pytest
from typer.testing import CliRunner

from anonymizers.errors import SettingRefused
from delivery.ledger import Ledger
from sudare import cli
from tests.databases import copy_database
from tests.delivery.test_ledger import CONSENTED, NOW, file, rows, token


@pytest.fixture
def ledger(empty_server, monkeypatch, tmp_path) -> Ledger:
    """A deployment with one agreement, whose ledger has one feed of three."""
    url = copy_database(empty_server)
    agreements = tmp_path / "agreements.toml"
    agreements.write_text('[liveramp]\nconfirmed = "x"\nrecipient_address = "x"\nrecipient_representative = "x"\n')
    environment = {
        "SUDARE_HOME": str(tmp_path),
        "SUDARE_SOURCE_URL": url,
        "SUDARE_WAREHOUSE_URL": url,
        "SUDARE_SECRET": "a secret of more than thirty-two bytes",
        "SUDARE_AGREEMENTS": str(agreements),
    }
    monkeypatch.setattr("sudare.deployment.environment", lambda: environment)
    made = Ledger(url)
    record = {
        "inputs": {"members": {"read": 9, "kept": 3, "dropped": {"no_consent": 4, "address_malformed": 2}}},
        "reasons": {"no_consent": 5},
        "recipient": {"name": "LiveRamp"},
        "items": ["EMAIL1_MD5"],
        "basis": "本人の同意",
    }
    prepared = file("one", count=3)
    delivery, _ = made.prepare_feed(
        prepared.__class__(**{**vars(prepared), "record": record}), [rows("a", "b", "c")], NOW
    )
    made.sent(delivery, delivery.content_sha256, NOW)
    return made


def typed(*words: str) -> str:
    done = CliRunner().invoke(cli.app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_feeds_tell_what_was_sent_held_back_and_rejected(ledger):
    (told,) = json.loads(typed("feeds", "--json"))
    last = told["last_feed"]
    assert (last["eligible"], last["sent"], last["added"], last["removed"]) == (3, 3, 3, 0)
    assert last["held_back"] == {"no_consent": 4}
    assert last["rejected"] == {"address_malformed": 2}
    assert told["held"] is None
    assert "liveramp" in typed("feeds")


def test_a_hold_names_who_and_why_and_is_released_by_somebody(ledger):
    typed("hold", "liveramp", "--reason", "their key changed", "--actor", "sato")
    (told,) = json.loads(typed("feeds", "--json"))
    assert (told["held"]["by"], told["held"]["reason"]) == ("sato", "their key changed")
    assert "held" in typed("feeds")
    assert "released" in typed("release", "liveramp", "--reason", "pinned", "--actor", "sato")
    assert "was not held" in typed("release", "liveramp", "--reason", "again")


def test_what_is_owed_is_told_by_age(ledger):
    now = datetime.datetime.now(datetime.UTC)
    ledger.owe("liveramp", [rows("c")], [], 5, now - datetime.timedelta(days=8))
    ledger.owe("liveramp", [], [], 5, now)
    (told,) = json.loads(typed("feeds", "--json"))
    assert {name: told["obligations"][name] for name in ("due", "late", "overdue")} == {
        "due": 3,
        "late": 2,
        "overdue": 0,
    }
    assert "older than a week" in typed("feeds")


@pytest.mark.parametrize("command", [("hold", "nobody", "--reason", "x"), ("feeds", "preview", "nobody")])
def test_an_unknown_destination_is_named(ledger, command):
    with pytest.raises(SettingRefused, match=r"no agreement with such a destination; there are liveramp$"):
        typed(*command)


def test_whoever_was_provided_to_nobody_gets_an_answer(ledger):
    assert "第三者提供記録なし" in typed("provisions", "--member", "1")
    assert json.loads(typed("provisions", "--member", "1", "--json")) == []


def test_a_members_provisions_are_told(ledger, monkeypatch):
    monkeypatch.setattr("sudare.feeds.pseudonymise", lambda *_: __import__("polars").lit(token("a")))
    (told,) = json.loads(typed("provisions", "--member", "1", "--json"))
    assert told["consented_at"] == CONSENTED.isoformat()
    assert (told["first_provided_on"], told["last_provided_on"]) == ("2026-10-31", None)
    assert "LiveRamp" in typed("provisions", "--member", "1")
