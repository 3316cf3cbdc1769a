"""
A thousand histories of people, in whole worlds: whoever is stopped is in no file that leaves afterwards.

What the people of a world do is drawn; so is what happens to its nights: steps that fail, runs again, backfills, lists
that do not come, acknowledgements that are lost, stops in the middle of everything. Whether a file may hold somebody is
decided here once more, row by row in plain Python, from what the people did.
"""

import dataclasses
import datetime
import gzip
import hashlib
import os
import random
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from anonymizers.controls import DisclosureControl
from anonymizers.errors import FenceRefused, LedgerUnreachable, OptOutListRefused, OptOutListStale
from anonymizers.keys import Secret
from delivery import feed_steps
from delivery import night as nights
from delivery.ledger import Ledger
from delivery.settings import Settings
from sudare import grants
from sudare.demo.schema import INDEXES, TABLES
from tests.databases import copy_database
from tests.nights.sites import LIVERAMP

TOKYO = nights.TOKYO
BORN = datetime.date(1990, 4, 1)
FIRST_DAY = datetime.date(2026, 6, 1)
HISTORIES, WORLDS, NIGHTS = 250, 4, 6


@dataclasses.dataclass
class Member:
    """One row of the site, as this test believes it to be."""

    email: str
    consents: list[datetime.datetime] = dataclasses.field(default_factory=list)
    stops: list[datetime.datetime] = dataclasses.field(default_factory=list)
    erased: bool = False
    active: bool = True


class World:
    """People, the site that knows them, and a partner that sees what arrives."""

    def __init__(self, server, home: Path, seed: int) -> None:
        self.random, self.home, self.clock = random.Random(seed), home, datetime.datetime(2026, 5, 30, tzinfo=TOKYO)
        self.url, self.ledger_url = copy_database(server), copy_database(server)
        self.members: dict[int, Member] = {}
        self.mailed: dict[str, bool] = {}
        self.listed: set[str] = set()
        self.seen: dict[str, set[bytes]] = {}
        self.arrivals: Counter[str] = Counter()
        self.last_arrival: dict[bytes, int] = {}
        self.acknowledged: dict[bytes, int] = {}
        self.carried: dict[str, set[bytes]] = {}
        self.events, self.numbers = 0, iter(range(1, 10**9))
        self.database = psycopg.connect(self.url, autocommit=True)
        self.database.execute(TABLES + INDEXES)
        self.database.execute("insert into policy_versions values ('2022-04-01', '2022-04-01', repeat('0', 64))")
        grants.apply(self.url)
        for n in range(HISTORIES):
            self.join(f"person{n}@example.jp")

    # what people do

    def tick(self) -> datetime.datetime:
        self.clock += datetime.timedelta(seconds=1)
        return self.clock

    def sql(self, statement: str, *values: object) -> None:
        self.database.execute(statement, values)

    def join(self, email: str) -> None:
        number = next(self.numbers)
        self.members[number] = Member(email)
        self.sql(
            "insert into members (member_id, email, email_verified_at, birth_date, registered_at, updated_at, status) "
            "values (%s, %s, now(), %s, now(), now(), 'active')",
            number,
            self.random.choice((email, email.upper(), f"　{email} ", email.replace("@", "＠"))),
            BORN,
        )
        if self.random.random() < 0.8:
            self.consent(number)

    def consent(self, number: int) -> None:
        at = self.tick()
        self.members[number].consents.append(at)
        self.sql(
            "insert into consents values (%s, %s, 'ad_match', '2022-04-01', 'button', %s, null)",
            next(self.numbers),
            number,
            at,
        )

    def withdraw_consent(self, number: int) -> None:
        self.members[number].consents = []
        self.sql("update consents set withdrawn_at = %s where member_id = %s", self.tick(), number)

    def opt_out(self, number: int) -> None:
        at = self.tick()
        self.members[number].stops.append(at)
        kind = self.random.choice(("site_ad", "article_35_stop"))
        self.sql("insert into opt_outs values (%s, %s, null, %s, %s, null)", next(self.numbers), number, kind, at)

    def revoke(self, number: int) -> None:
        self.members[number].stops = []
        self.sql("update opt_outs set revoked_at = %s where member_id = %s", self.tick(), number)

    def opt_out_by_mail(self, number: int) -> None:
        email = self.members[number].email
        self.mailed[email] = True
        at = self.tick()
        self.sql(
            "insert into opt_outs values (%s, null, %s, 'site_ad', %s, null)", next(self.numbers), email.title(), at
        )

    def ask_for_erasure(self, number: int) -> None:
        self.members[number].erased = True
        at = self.tick()
        self.sql(
            "insert into rights_requests values (%s, %s, 'erase', %s, %s, null)", next(self.numbers), number, at, at
        )

    def vanish(self, number: int) -> None:
        """Erased for good: her rows are gone, the request stays."""
        self.ask_for_erasure(number)
        for table in ("consents", "opt_outs", "members"):
            self.sql(f"delete from {table} where member_id = %s", number)
        del self.members[number]

    def change_address(self, number: int) -> None:
        email = f"moved{next(self.numbers)}@example.jp"
        self.members[number].email = email
        self.sql("update members set email = %s where member_id = %s", email, number)

    def share_address(self, number: int) -> None:
        self.join(self.members[number].email)

    def be_suspended(self, number: int) -> None:
        self.members[number].active = False
        self.sql("update members set status = 'suspended' where member_id = %s", number)

    ACTIONS = (
        *(("consent", 6), ("withdraw_consent", 3), ("opt_out", 5), ("revoke", 2), ("opt_out_by_mail", 1)),
        *(("ask_for_erasure", 1), ("vanish", 1), ("change_address", 3), ("share_address", 2), ("be_suspended", 1)),
    )

    def live(self, events: int) -> None:
        names, weights = zip(*self.ACTIONS, strict=True)
        for name in self.random.choices(names, weights, k=events):
            getattr(self, name)(self.random.choice(list(self.members)))
            self.events += 1

    def list_opt_outs(self) -> None:
        """The partner hands its list over, with somebody new on it."""
        self.listed.add(self.random.choice(list(self.members.values())).email)
        rows = "".join(
            "|".join(hashlib.new(name, email.encode()).hexdigest() for name in ("md5", "sha1", "sha256")) + "|1\n"
            for email in sorted(self.listed)
        )
        path = self.home / "intake" / "liveramp" / "lists" / "list.psv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"md5_hash|sha1_hash|sha256_hash|opted-out\n" + rows.encode(), mtime=0))
        os.utime(path, 2 * (self.clock.timestamp(),))

    # who may be in a file

    def allowed(self, day: datetime.date) -> set[bytes]:
        end = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), TOKYO)
        eligible, stopped = set(), set(self.mailed) | self.listed
        for member in self.members.values():
            consent = max((at for at in member.consents if at < end), default=None)
            unlifted = member.erased or any(consent is None or consent <= at for at in member.stops)
            if unlifted:
                stopped.add(member.email)
            elif consent is not None and member.active:
                eligible.add(member.email)
        return {hashlib.sha256(email.encode()).digest() for email in eligible - stopped}

    # nights

    def night(self, day: datetime.date) -> nights.Night:
        settings = Settings(
            source_url=self.url,
            warehouse_url=self.ledger_url,
            ledger_url=self.ledger_url,
            secret=Secret("a secret of more than thirty-two bytes"),
            staging_url=str(self.home / "staging"),
            published=self.home / "published",
            outbox=self.home / "outbox",
            intake=self.home / "intake",
            agreements={"liveramp": LIVERAMP},
            control=DisclosureControl(),
        )
        night = nights.Night(settings, day, self.clock)
        shards = [{"number": 0, "first": None, "end": 100}, {"number": 1, "first": 100, "end": None}]
        night.staging.write_json({"now": night.now.isoformat(), "shards": shards}, "plan.json")
        return night

    def look(self, day: datetime.date) -> None:
        """The partner's side: what has appeared since it last looked."""
        for path in (self.home / "outbox" / "liveramp").glob("sudare_*.csv.gz"):
            if path.name in self.seen:
                continue
            _, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
            found = {bytes.fromhex(line.split(",")[0].strip('"')) for line in lines}
            assert len(found) == len(lines)
            allowed = self.allowed(day)
            assert len(found - allowed) == 0, "somebody stopped is in a file that left after the stop"
            self.seen[path.name] = found
            self.last_arrival |= dict.fromkeys(found, self.events)

    def look_at_removals(self) -> None:
        for path in (self.home / "outbox" / "liveramp" / "removals").glob("*.psv.gz"):
            if path.name not in self.carried:
                header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
                assert header == "md5_hash|sha1_hash|sha256_hash|opted-out"
                assert all(line.endswith("|1") for line in lines)
                self.carried[path.name] = {bytes.fromhex(line.split("|")[2]) for line in lines}

    def acknowledge(self) -> None:
        """Some of the removal files are acknowledged, late; the other acknowledgements are lost."""
        for name, digests in self.carried.items():
            receipt = self.home / "intake" / "liveramp" / "receipts" / f"{name}.json"
            if self.random.random() < 0.3 and not (receipt.parent / "taken" / receipt.name).exists():
                receipt.parent.mkdir(parents=True, exist_ok=True)
                receipt.write_text(f'{{"file": "{name}", "status": "accepted"}}')
                self.acknowledged |= dict.fromkeys(digests, self.events)


FAILURES = (*("",) * 6, "build", "gate", "after sending", "ledger", "visible")


def one_night(world: World, monkeypatch, day: datetime.date) -> str:
    """A night's feed, with people saying stop between any two steps and while it is sent; what came of it."""
    failing = world.random.choice(FAILURES)
    night = world.night(day)

    def between() -> None:
        world.live(world.random.randrange(3))

    real_send, real_sent, real_prepare = feed_steps._send, Ledger.sent, Ledger.prepare_feed

    def send(night, name, path, below, before_visible):
        def check():
            if not below:
                between()  # all bytes are there, nothing is visible
            before_visible()
            if failing == "visible" and not below:
                raise LedgerUnreachable("cut")

        outcome = real_send(night, name, path, below, check)
        world.arrivals[path.name] += outcome == "sent now"
        world.look(night.day)
        return outcome

    def sent(self, delivery, *rest):
        if failing == "after sending" and delivery.kind == "feed":
            raise LedgerUnreachable("cut")
        return real_sent(self, delivery, *rest)

    def prepare(self, *args):
        if failing == "ledger":
            raise LedgerUnreachable("cut")
        return real_prepare(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(feed_steps, "_send", send)
        patch.setattr(Ledger, "sent", sent)
        patch.setattr(Ledger, "prepare_feed", prepare)
        try:
            nights.build_feed(night, "liveramp")
            between()
            if failing == "build":
                return failing
            nights.gate_feed(night, "liveramp")
            between()
            if failing == "gate":
                return failing
            nights.hand_over(night, "liveramp", tries=8)
        except (LedgerUnreachable, FenceRefused, OptOutListStale, OptOutListRefused) as error:
            return error.reason
    return "sent"


def removals(world: World, day: datetime.date) -> None:
    night = world.night(day)
    nights.remove(night, "liveramp")
    world.look_at_removals()
    allowed = world.allowed(night.now.astimezone(TOKYO).date() - datetime.timedelta(days=1))
    with psycopg.connect(world.ledger_url) as connection:
        rows = connection.execute("select sha256, state from delivery.obligations where state <> 'lifted'").fetchall()
    states = {bytes(digest): state for digest, state in rows}
    delivered = set().union(*world.seen.values()) if world.seen else set()
    for digest in delivered - allowed:
        assert digest in states, "delivered, stopped, and nothing is owed"
        if world.acknowledged.get(digest, -1) < world.last_arrival[digest]:
            assert states[digest] != "acknowledged", "acknowledged, and nobody did"
    assert not (set(states) - {d for d, s in states.items() if s == "acknowledged"}) & allowed


def agree(world: World) -> None:
    """The ledger says of every file who was in it, and nothing arrived twice."""
    ledger = Ledger(world.ledger_url)
    for delivery in ledger.deliveries("liveramp", "feed"):
        if delivery.sent_at:
            assert set(ledger.provided(delivery)["sha256"]) == world.seen[delivery.file]
    recorded = {one.file for one in ledger.deliveries("liveramp")}
    assert world.seen.keys() <= recorded
    assert all(count <= 1 for count in world.arrivals.values())


@pytest.fixture
def world_of(empty_server, tmp_path):
    """Makes worlds by their seeds."""
    worlds = []

    def make(seed: int) -> World:
        (tmp_path / str(seed)).mkdir()
        worlds.append(World(empty_server, tmp_path / str(seed), seed))
        return worlds[-1]

    yield make
    for world in worlds:
        world.database.close()


@pytest.mark.parametrize("seed", [n if n < 2 else pytest.param(n, marks=pytest.mark.long) for n in range(WORLDS)])
def test_nobody_who_said_no_is_in_what_leaves_and_nobody_who_was_sent_is_forgotten(world_of, monkeypatch, seed):
    world, outcomes = world_of(seed), Counter()
    for n in range(NIGHTS):
        day = FIRST_DAY + datetime.timedelta(days=n)
        world.clock = datetime.datetime.combine(day, datetime.time(9), TOKYO)
        world.live(HISTORIES // 3)
        world.clock = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(2), TOKYO)
        if n == 4:
            world.clock += datetime.timedelta(hours=1)  # the last list is more than a day old by now
        else:
            world.list_opt_outs()
        outcomes[one_night(world, monkeypatch, day)] += 1
        removals(world, day)
        world.acknowledge()
        if world.random.random() < 0.5:
            outcomes[one_night(world, monkeypatch, day)] += 1
        if world.random.random() < 0.3 and n > 2:
            older = FIRST_DAY + datetime.timedelta(days=world.random.randrange(n))
            outcomes[one_night(world, monkeypatch, older)] += 1
        world.clock += datetime.timedelta(hours=5)
        world.live(5)
        removals(world, day)
        agree(world)
    assert outcomes["sent"] >= 2
    assert outcomes["OPT_OUT_LIST_STALE"]
    assert world.events > HISTORIES
    assert sum(map(len, world.carried.values())) > 20


def test_without_the_fence_somebody_stopped_would_be_found(world_of, monkeypatch):
    monkeypatch.setattr(feed_steps, "_require_nobody_stopped", lambda *_: {})

    def live() -> None:
        for seed in range(20):
            world = world_of(seed)
            world.clock = datetime.datetime.combine(FIRST_DAY + datetime.timedelta(days=1), datetime.time(2), TOKYO)
            world.list_opt_outs()
            one_night(world, monkeypatch, FIRST_DAY)

    with pytest.raises(AssertionError, match=r"somebody stopped is in a file"):
        live()


def test_without_the_ledger_somebody_would_be_forgotten(world_of, monkeypatch):
    monkeypatch.setattr(Ledger, "owe", lambda *_: {})
    world = world_of(0)

    def live() -> None:
        for n in range(4):
            day = FIRST_DAY + datetime.timedelta(days=n)
            world.clock = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(2), TOKYO)
            world.list_opt_outs()
            one_night(world, monkeypatch, day)
            world.live(HISTORIES)
            removals(world, day)

    with pytest.raises(AssertionError, match=r"nothing is owed"):
        live()
