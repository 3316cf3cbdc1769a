"""The delivery ledger on a real PostgreSQL: what was provided, what is owed, and nothing twice."""

import datetime
import hashlib

import polars as pl
import psycopg
import pytest

from anonymizers.errors import LedgerUnreachable
from delivery.ledger import Ledger, PreparedFile
from tests.databases import copy_database

DAY = datetime.date(2026, 10, 31)
NOW = datetime.datetime(2026, 11, 1, 2, 30, tzinfo=datetime.UTC)
CONSENTED = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def ledger(empty_server) -> Ledger:
    return Ledger(copy_database(empty_server))


def token(member: str) -> bytes:
    return hashlib.md5(member.encode()).digest()


def rows(*people: str, consented: datetime.datetime = CONSENTED) -> pl.DataFrame:
    """``member:address`` each; the address is the member's own where it is not told."""
    split = [(one.split(":")[0], one.split(":")[-1]) for one in people]
    return pl.DataFrame(
        {
            "member": [token(member) for member, _ in split],
            **{
                name: [hashlib.new(name, address.encode()).digest() for _, address in split]
                for name in ("sha256", "sha1", "md5")
            },
            "consented_at": [consented] * len(split),
            "text_version": ["2022-04-01"] * len(split),
        },
        schema={
            "member": pl.Binary,
            **dict.fromkeys(("sha256", "sha1", "md5"), pl.Binary),
            "consented_at": pl.Datetime("us", "UTC"),
            "text_version": pl.String,
        },
    )


def file(content: str, day: datetime.date = DAY, count: int = 1, destination: str = "liveramp") -> PreparedFile:
    return PreparedFile(
        destination, day, f"{content}.gz", hashlib.sha256(content.encode()).hexdigest(), count, {"n": 1}
    )


def nobody() -> list[pl.DataFrame]:
    return []


def left(**reasons: str) -> list[pl.DataFrame]:
    return [pl.DataFrame({"member": [token(m) for m in reasons], "reason": list(reasons.values())})]


def send(ledger: Ledger, content: str, *people: str, day: datetime.date = DAY, **changes):
    delivery, fresh = ledger.prepare_feed(file(content, day), [rows(*people, **changes)], NOW)
    if fresh:
        ledger.sent(delivery, delivery.content_sha256, NOW)
    return delivery


def states(ledger: Ledger) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state, _, count in ledger.obligations("liveramp"):
        counts[state] = counts.get(state, 0) + count
    return counts


def take_back(ledger: Ledger, content: str = "removal", at: datetime.datetime = NOW):
    owed = ledger.owed("liveramp", at - 24 * HOUR)
    delivery, _ = ledger.prepare_removal(file(content, count=owed.height), owed["id"].to_list(), at)
    ledger.sent(delivery, delivery.content_sha256, at)
    return delivery


def answer(ledger: Ledger, delivery, accepted: bool = True, rejected: list[bytes] = (), at=NOW) -> None:
    digests = pl.DataFrame({"digest": list(rejected)}, schema={"digest": pl.Binary})
    ledger.answered(delivery, accepted, {}, digests, len(digests), at)


def test_a_provision_runs_from_the_first_delivery_to_the_last(ledger):
    send(ledger, "one", "a", "b")
    second = send(ledger, "two", "a")
    third = send(ledger, "three", "a", "b")
    assert (second.added, second.ended, third.added, third.ended) == (0, 1, 1, 0)
    spans = [(one["first_file"], one["last_file"]) for one in ledger.provisions(token("b"))]
    assert spans == [("one.gz", "one.gz"), ("three.gz", None)]
    assert [(one["first_file"], one["last_file"]) for one in ledger.provisions(token("a"))] == [("one.gz", None)]


def test_who_was_in_each_delivery_can_be_told_for_ever(ledger):
    sent = {"one": {"a", "b"}, "two": {"b", "c"}, "three": {"c"}, "four": {"a", "b", "c"}, "five": set()}
    deliveries = {content: send(ledger, content, *sorted(people)) for content, people in sent.items()}
    for content, people in sent.items():
        assert ledger.provided(deliveries[content]).equals(rows(*people).select("sha256", "sha1", "md5").sort("sha256"))


def test_a_later_consent_is_a_provision_of_its_own(ledger):
    send(ledger, "one", "a")
    send(ledger, "two", "a", consented=CONSENTED + HOUR)
    assert [one["consented_at"] for one in ledger.provisions(token("a"))] == [CONSENTED, CONSENTED + HOUR]


def test_the_same_content_on_the_same_day_is_the_same_delivery(ledger):
    first, fresh = ledger.prepare_feed(file("one"), [rows("a")], NOW)
    again, anew = ledger.prepare_feed(file("one"), [rows("a", "b")], NOW + HOUR)
    other, next_day = ledger.prepare_feed(file("one", DAY + datetime.timedelta(days=1)), [rows("a")], NOW)
    assert (fresh, anew, next_day) == (True, False, True)
    assert again.id == first.id != other.id
    assert ledger.provisions(token("b")) == []


def test_what_was_prepared_and_never_sent_is_abandoned_by_the_next_but_still_remembered(ledger):
    ledger.prepare_feed(file("one"), [rows("a")], NOW)
    send(ledger, "two", "b")
    assert [one.state for one in ledger.deliveries("liveramp")] == ["sent", "abandoned"]
    assert ledger.owe("liveramp", [rows("b")], nobody(), 5, NOW) == {"member_gone": 1}


def test_two_holders_of_one_address_are_both_provided_and_one_removal(ledger):
    send(ledger, "one", "a:family", "b:family")
    assert len(ledger.provisions(token("a"))) == len(ledger.provisions(token("b"))) == 1
    assert sum(ledger.owe("liveramp", nobody(), left(a="stop_signal", b="stop_signal"), 5, NOW).values()) == 1


@pytest.mark.parametrize(
    ("permitted", "left_out", "expected"),
    [
        pytest.param(["a", "b"], {}, {}, id="still permitted"),
        pytest.param(["b"], {"a": "stop_signal"}, {"stop_signal": 1}, id="stopped"),
        pytest.param(["b"], {"a": "no_consent"}, {"no_consent": 1}, id="consent withdrawn"),
        pytest.param(["b"], {}, {"member_gone": 1}, id="erased"),
        pytest.param(["b", "a:new"], {}, {"address_changed": 1}, id="another address"),
        pytest.param(["b", "c:a"], {}, {}, id="her address is another member's now"),
        pytest.param([], {"a": "under_age", "b": "partner_opt_out"}, {"partner_opt_out": 1, "under_age": 1}, id="all"),
    ],
)
def test_what_is_owed_is_delivered_less_permitted(ledger, permitted, left_out, expected):
    send(ledger, "one", "a", "b")
    assert ledger.owe("liveramp", [rows(*permitted)], left(**left_out) if left_out else nobody(), 5, NOW) == expected
    assert ledger.owe("liveramp", [rows(*permitted)], left(**left_out) if left_out else nobody(), 5, NOW) == {}


def test_only_what_was_delivered_is_owed(ledger):
    send(ledger, "one", "a")
    assert ledger.owe("liveramp", [rows("a")], left(z="stop_signal"), 5, NOW) == {}
    assert ledger.owe("meta", nobody(), left(a="stop_signal"), 5, NOW) == {}


def test_a_removal_is_owed_until_it_is_acknowledged(ledger):
    send(ledger, "one", "a", "b")
    ledger.owe("liveramp", [rows("b")], left(a="stop_signal"), 5, NOW)
    assert states(ledger) == {"due": 1}
    removal = take_back(ledger)
    assert states(ledger) == {"sent": 1}
    assert ledger.owed("liveramp", NOW - HOUR).is_empty()
    assert ledger.owed("liveramp", NOW + HOUR).height == 1
    answer(ledger, removal, at=NOW + HOUR)
    assert states(ledger) == {"acknowledged": 1}
    assert ledger.owed("liveramp", NOW + 1000 * HOUR).is_empty()
    assert ledger.owe("liveramp", [rows("b")], left(a="stop_signal"), 5, NOW) == {}


def test_an_answer_to_an_earlier_file_counts_too(ledger):
    send(ledger, "one", "a")
    ledger.owe("liveramp", nobody(), left(a="stop_signal"), 5, NOW)
    first = take_back(ledger, "first")
    take_back(ledger, "second", NOW + 30 * HOUR)
    answer(ledger, first, at=NOW + 40 * HOUR)
    assert states(ledger) == {"acknowledged": 1}


def test_a_refused_removal_is_owed_on(ledger):
    send(ledger, "one", "a", "b")
    ledger.owe("liveramp", nobody(), left(a="stop_signal", b="stop_signal"), 5, NOW)
    removal = take_back(ledger)
    answer(ledger, removal, rejected=[rows("a")["md5"][0]])
    assert states(ledger) == {"acknowledged": 1, "refused": 1}
    assert ledger.owed("liveramp", NOW + HOUR)["sha256"].to_list() == rows("a")["sha256"].to_list()


def test_a_rejection_of_somebody_who_was_not_in_the_file_acknowledges_nobody(ledger):
    """A row was rejected, and nobody can say whose."""
    send(ledger, "one", "a", "b")
    ledger.owe("liveramp", nobody(), left(a="stop_signal", b="stop_signal"), 5, NOW)
    answer(ledger, take_back(ledger), rejected=[rows("stranger")["md5"][0]])
    assert states(ledger) == {"refused": 2}


def test_very_many_rejections_are_taken_in(ledger):
    send(ledger, "one", *(f"m{n}" for n in range(30_000)))
    ledger.owe("liveramp", nobody(), nobody(), 5, NOW)
    rejected = rows(*(f"m{n}" for n in range(25_000)))["md5"].to_list()
    answer(ledger, take_back(ledger), rejected=rejected)
    assert states(ledger) == {"acknowledged": 5_000, "refused": 25_000}


def test_an_address_of_too_many_members_is_in_no_feed_and_is_taken_back(ledger):
    send(ledger, "one", "a:shared", "b:shared")
    many = [rows("a:shared", "b:shared", "c:shared")]
    assert ledger.owe("liveramp", many, nobody(), 3, NOW) == {}
    assert ledger.owe("liveramp", many, nobody(), 2, NOW) == {"address_of_many": 1}


@pytest.mark.parametrize("again", ["sent once more", "prepared and sent later"])
def test_whoever_is_sent_the_same_file_again_is_owed_anew(ledger, again):
    """Acknowledged, permitted again, and delivered by a way that records no new file: then she stops again."""
    first, _ = ledger.prepare_feed(file("one"), [rows("a")], NOW)
    if again == "sent once more":
        ledger.sent(first, first.content_sha256, NOW)
    ledger.owe("liveramp", nobody(), left(a="stop_signal"), 5, NOW)
    answer(ledger, take_back(ledger))
    if again == "sent once more":
        ledger.sent_again(first, NOW)
    else:
        ledger.prepare_feed(file("one"), [rows("a")], NOW)
    assert ledger.owe("liveramp", nobody(), left(a="stop_signal"), 5, NOW) == {"stop_signal": 1}


def test_a_lock_that_was_lost_is_noticed(ledger):
    def lose_it(still_alone) -> None:
        still_alone()
        with psycopg.connect(ledger.url, autocommit=True) as other:
            other.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and "
                "database = (select oid from pg_database where datname = current_database())"
            )
        still_alone()

    with pytest.raises(LedgerUnreachable), ledger.only_one("liveramp") as still_alone:
        lose_it(still_alone)


def test_an_older_list_does_not_take_the_place_of_a_newer_one(ledger):
    meta = {"source": "uid2", "sha256": "0" * 64, "bytes": 1, "rows": 2, "listed": 2, "rejected": {}}
    meta |= {"produced_at": NOW, "taken_at": NOW, "refused": None}
    digests = rows("a", "b").select("sha256", "sha1", "md5")
    ledger.keep_list(meta, digests)
    ledger.keep_list({**meta, "produced_at": NOW - HOUR}, digests.head(1))
    assert ledger.opted_out("uid2").height == 2
    assert len(ledger.lists("uid2")) == 1


def test_a_file_that_is_refused_as_a_whole_acknowledges_nothing(ledger):
    send(ledger, "one", "a")
    ledger.owe("liveramp", nobody(), left(a="stop_signal"), 5, NOW)
    answer(ledger, take_back(ledger), accepted=False)
    assert states(ledger) == {"refused": 1}


def test_whoever_consents_again_is_owed_nothing_and_owed_anew_when_she_stops_again(ledger):
    send(ledger, "one", "a")
    ledger.owe("liveramp", nobody(), left(a="stop_signal"), 5, NOW)
    removal = take_back(ledger)
    answer(ledger, removal)
    send(ledger, "two", "a", consented=CONSENTED + HOUR)
    assert states(ledger) == {}
    assert ledger.owe("liveramp", nobody(), left(a="stop_signal"), 5, NOW) == {"stop_signal": 1}


def test_a_hold_is_in_force_until_somebody_releases_it(ledger):
    assert ledger.held("liveramp") is None
    ledger.hold("liveramp", "ad-ops", "key changed", NOW)
    assert ledger.held("liveramp")["reason"] == "key changed"
    assert ledger.held("meta") is None
    assert ledger.release("liveramp", "ad-ops", "new key pinned", NOW) == 1
    assert ledger.held("liveramp") is None
    assert ledger.release("liveramp", "ad-ops", "again", NOW) == 0


def test_a_list_takes_the_place_of_the_last_usable_one(ledger):
    meta = {
        "source": "liveramp",
        "sha256": "0" * 64,
        "bytes": 1,
        "rows": 2,
        "listed": 2,
        "rejected": {},
        "refused": None,
    }
    meta |= {"produced_at": NOW, "taken_at": NOW}
    digests = rows("a", "b").select("sha256", "sha1", "md5")
    ledger.keep_list(meta, digests)
    ledger.keep_list({**meta, "refused": "shrunk"}, None)
    assert ledger.opted_out("liveramp").sort("sha256").equals(digests.sort("sha256"))
    ledger.keep_list(meta, digests.head(1))
    assert ledger.opted_out("liveramp").equals(digests.head(1))
    assert ledger.opted_out("uid2").is_empty()
    assert [one["refused"] for one in ledger.lists("liveramp")] == [None, "shrunk", None]


def test_no_ledger_is_a_reason_of_its_own(empty_server):
    with pytest.raises(LedgerUnreachable, match=r"^the delivery ledger .*nothing is sent: no connection"):
        Ledger("postgresql://nobody@127.0.0.1:1/none").held("liveramp")
    with pytest.raises(LedgerUnreachable):
        Ledger("postgresql://nobody@127.0.0.1:1/none").prepare_feed(file("one"), [rows("a")], NOW)


def test_a_ledger_shows_no_url():
    assert "secret" not in repr(Ledger("postgresql://u:secret@h/d"))
