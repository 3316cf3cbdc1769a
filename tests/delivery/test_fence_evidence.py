"""What the fence reads of a real database is what the permit decides, though each decides by itself."""

import datetime
import random
from contextlib import contextmanager

import polars as pl
import psycopg
import pytest

from anonymizers.errors import SourceUnsettled, StopSignalsUnreadable
from anonymizers.keys import DEMO_SECRET, Secret
from delivery import consent, fence
from delivery.consent import Moment, barred_addresses, permit, read_shard
from delivery.destinations.liveramp import DESTINATION
from sudare import grants
from sudare.demo.schema import TABLES
from tests.databases import copy_database
from tests.delivery.feed_files import digests, parts
from tests.delivery.test_consent import DAY, DEFAULTS, MATRIX, NOW, at, of, opted_out
from transforms.source import Shard, Source
from transforms.spec import Reader

KEY = Secret(DEMO_SECRET).derive("delivery/members/1")
SHARDS = [Shard(0, None, 20), Shard(1, 20, 150), Shard(2, 150, None)]
NUMBERS = {"consents": "consent_id", "opt_outs": "opt_out_id", "rights_requests": "request_id"}
PRESENCE = ("email_verified_at", "identity_verified_at", "withdrawn_at")
"""True and false in these rows; the site writes when."""

WHEN = ("given_at", "opted_out_at", "received_at")
LOOSER = (
    "alter table members drop constraint members_status_check, alter status drop not null",
    "alter table consents alter method drop not null, alter given_at drop not null",
    "alter table opt_outs alter kind drop not null, alter opted_out_at drop not null",
    "alter table rights_requests drop constraint rights_requests_kind_check, alter received_at drop not null",
)
"""A site may be less strict than the demo's."""


@pytest.fixture(scope="module")
def site(empty_server):
    """The site's tables without a row, in a database of their own."""
    url = copy_database(empty_server)
    with psycopg.connect(url) as connection:
        for statement in (TABLES, *LOOSER):
            connection.execute(statement)
    grants.apply(url)
    return url


@contextmanager
def reading(url: str, never: str | None = "infinity", **tables: list[dict]):
    """A session of the ads reader over these rows; what is at no finite time is at ``never``."""
    with psycopg.connect(url) as connection:
        connection.execute("truncate members, consents, opt_outs, rights_requests, children cascade")
        for table, rows in tables.items():
            for number, row in enumerate(rows):
                values = {**DEFAULTS[table], **row} | ({NUMBERS[table]: number} if table in NUMBERS else {})
                if table == "members":
                    values |= {"registered_at": "2020-01-01", "updated_at": "2020-01-01"}
                for name, value in values.items():
                    if name in PRESENCE and isinstance(value, bool):
                        values[name] = "2026-01-01" if value else None
                    if name in WHEN and value is None:
                        values[name] = never
                names = ", ".join(values)
                connection.execute(
                    f"insert into {table} ({names}) values ({', '.join(['%s'] * len(values))})", list(values.values())
                )
    with Source(url).session(Reader.ADS) as session:
        yield session


def let_through(session, addresses: list[str], place, day: datetime.date = DAY) -> list[str]:
    """The addresses in which the fence finds nothing wrong."""
    evidence = fence.read_evidence(DESTINATION, session, SHARDS, Moment(day, NOW), opted_out(), place)
    return [a for a in addresses if not any(evidence.count_in(parts(digests([a]))).values())]


def permitted(session, addresses: list[str], day: datetime.date = DAY) -> list[str]:
    """Which of these addresses are permitted, by the code that the fence distrusts."""
    moment = Moment(day, NOW)
    barred = barred_addresses(DESTINATION, session, moment, SHARDS)
    found = set()
    for shard in SHARDS:
        decision = permit(DESTINATION, read_shard(session, shard), moment, barred, opted_out(), KEY)
        found.update(decision.permitted.rows["sha256"])
    assert found <= set(digests(addresses)["sha256"])
    return [a for a in addresses if digests([a])["sha256"][0] in found]


@pytest.mark.parametrize("never", ["infinity", "-infinity", None])
def test_each_case_of_the_permit_is_one_of_the_fence(site, never, tmp_path):
    """All at once, so nobody's rows may touch another's."""
    cases = {n: (f"hanako{n}@example.jp", *case) for n, case in enumerate(MATRIX.values(), 1)}
    address = {n: member.get("email", own) for n, (own, member, *_) in cases.items()}
    rows = {
        "members": [{"member_id": n, "email": address[n], **member} for n, (_, member, *_) in cases.items()],
        "consents": [row for n, (_, _, said, *_) in cases.items() for row in of(n, said)],
        "opt_outs": [row for n, case in cases.items() for row in of(n, [r for r in case[3] if "member_id" not in r])],
        "rights_requests": [row for n, case in cases.items() for row in of(n, case[4])],
    }
    with reading(site, never, **rows) as session:
        passing = let_through(session, [a for a in address.values() if a], tmp_path)
    assert passing == [address[n] for n, case in cases.items() if case[-1] is None]
    assert len(passing) > 10


def histories(seed: int) -> dict[str, list[dict]]:
    """Members who said all sorts of things in every order; some share an address."""
    draw = random.Random(seed)
    moments = [None, *(at(f"2025-0{month}-01T00:00") for month in range(1, 9)), at("2026-12-01T00:00")]
    born = [None, *(datetime.date(2008, 10, 29) + datetime.timedelta(days=n) for n in range(5))]
    members, said = [], {"consents": [], "opt_outs": [], "rights_requests": []}
    for number in range(1, 301):
        row = {"member_id": number, "email": f"{draw.choice('AaＡ')}{draw.randrange(200)}@example.jp"}
        row["status"] = draw.choice(["active"] * 8 + ["suspended", "withdrawn"])
        row["withdrawn_at"] = draw.choice(moments) if row["status"] == "withdrawn" else None
        row["email_verified_at"] = draw.random() < 0.9
        row["birth_date"] = draw.choice(born) if draw.random() < 0.2 else DEFAULTS["members"]["birth_date"]
        members.append(row)
        said["consents"] += of(
            number,
            [
                {
                    "given_at": draw.choice(moments),
                    "withdrawn_at": draw.random() < 0.2,
                    "method": draw.choice(["checkbox"] * 4 + ["button"] * 4 + ["policy_posted", None]),
                    "purpose": draw.choice(["ad_match"] * 9 + ["behavioural"]),
                }
                for _ in range(draw.choice([0, 1, 1, 1, 2, 3]))
            ],
        )
        if draw.random() < 0.2:
            kind = draw.choice(["site_ad", "article_35_stop", "statistics", "everything", None])
            revoked = draw.choice([None, "-infinity", at("2025-07-15T00:00"), at("2026-12-01T00:00")])
            said["opt_outs"] += of(
                number, [{"kind": kind, "opted_out_at": draw.choice(moments), "revoked_at": revoked}]
            )
        if draw.random() < 0.2:
            kind = draw.choice(["stop_use", "stop_provision", "erase", "disclose", "correct", "everything"])
            verified = draw.random() < 0.7
            said["rights_requests"] += of(
                number, [{"kind": kind, "received_at": draw.choice(moments), "identity_verified_at": verified}]
            )
    said["opt_outs"] += [{"member_id": None, "email": f"a{draw.randrange(200)}@example.jp"} for _ in range(5)]
    return {"members": members, **said}


@pytest.mark.parametrize("seed", range(6))
def test_whoever_is_permitted_passes_and_nobody_else(site, seed, tmp_path):
    with reading(site, ["infinity", "-infinity"][seed % 2], **histories(seed)) as session:
        addresses = [f"a{n}@example.jp" for n in range(200)]
        passing = let_through(session, addresses, tmp_path)
        assert passing == permitted(session, addresses)
    assert 20 < len(passing) < 100


def test_what_one_of_the_two_overlooks_the_other_finds(site, tmp_path, monkeypatch):
    """With the permit blind to her stop, the fence still sees it."""
    nobody = pl.DataFrame(schema={"member_id": pl.Int64, "stopped_at": pl.Datetime("us", "UTC")})
    monkeypatch.setattr(consent, "own_stops", lambda opt_outs, requests, now: nobody)
    members = [{"member_id": 1, "email": "a@example.jp"}]
    with reading(site, members=members, consents=of(1, [{}]), opt_outs=of(1, [{}])) as session:
        assert permitted(session, ["a@example.jp"]) == ["a@example.jp"]
        assert let_through(session, ["a@example.jp"], tmp_path) == []


@pytest.mark.parametrize("day", ["2026-02-27", "2026-02-28", "2026-03-01", "2028-02-28", "2028-02-29", "2028-03-01"])
def test_both_count_years_alike_around_29_february(site, day, tmp_path):
    on = datetime.date.fromisoformat(day)
    first = datetime.date(on.year - DESTINATION.age_floor, 2, 26)
    births = [first + datetime.timedelta(days=n) for n in range(6)]
    rows = {
        "members": [
            {"member_id": n, "email": f"a{n}@example.jp", "birth_date": birth} for n, birth in enumerate(births)
        ],
        "consents": [row for n in range(len(births)) for row in of(n, [{}])],
    }
    with reading(site, **rows) as session:
        addresses = [f"a{n}@example.jp" for n in range(len(births))]
        passing = let_through(session, addresses, tmp_path, on)
        assert passing == permitted(session, addresses, on)
    assert 0 < len(passing) < len(births)


def fenced_after(url: str, statement: str, place) -> None:
    """The fence's session is open when this happens to the source."""
    with reading(url) as session:
        with psycopg.connect(url) as connection:
            connection.execute(statement)
        let_through(session, [], place)


def test_consents_that_cannot_be_read_any_more_stop_the_fence(site, tmp_path):
    with pytest.raises(StopSignalsUnreadable, match=r"^members, consents, "):
        fenced_after(site, "revoke select on consents from sudare_ads", tmp_path)
    grants.apply(site)


def test_consents_that_are_emptied_under_the_fence_are_seen(site, tmp_path):
    """It reads them in one query with others, and they are looked after as those are."""
    with pytest.raises(SourceUnsettled, match=r"^consents: "):
        fenced_after(site, "truncate consents", tmp_path)
