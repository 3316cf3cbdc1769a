"""Eligibility: consent AND no stop signal AND of age; whoever cannot be shown to be eligible is not."""

import datetime
import hashlib
import hmac

import polars as pl
import pyarrow as pa
import pytest

from anonymizers.keys import DEMO_SECRET, Secret
from delivery.consent import NEVER, AdsRows, Moment, judge, latest_consent, own_stops, permit
from delivery.destinations import destinations
from delivery.destinations.liveramp import DESTINATION
from transforms.deidentification import account, end_of
from transforms.purposes import POLICY_VERSION

DAY = datetime.date(2026, 10, 31)
TOKYO = datetime.timezone(datetime.timedelta(hours=9))
NOW = datetime.datetime(2026, 11, 1, 2, 30, tzinfo=TOKYO)
TIME = pa.timestamp("us", "UTC")
FOREVER = datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


SCHEMAS = {
    "members": {
        "member_id": pa.int64(),
        "email": pa.string(),
        "email_verified_at": pa.bool_(),
        "birth_date": pa.date32(),
        "status": pa.string(),
        "withdrawn_at": TIME,
    },
    "consents": {
        "member_id": pa.int64(),
        "purpose": pa.string(),
        "text_version": pa.string(),
        "method": pa.string(),
        "given_at": TIME,
        "withdrawn_at": pa.bool_(),
    },
    "opt_outs": {
        "member_id": pa.int64(),
        "email": pa.string(),
        "kind": pa.string(),
        "opted_out_at": TIME,
        "revoked_at": TIME,
    },
    "rights_requests": {
        "member_id": pa.int64(),
        "kind": pa.string(),
        "received_at": TIME,
        "identity_verified_at": pa.bool_(),
    },
}
DEFAULTS = {
    "members": {
        "email_verified_at": True,
        "birth_date": datetime.date(1992, 5, 5),
        "status": "active",
        "withdrawn_at": None,
    },
    "consents": {
        "purpose": "ad_match",
        "text_version": POLICY_VERSION,
        "method": "checkbox",
        "given_at": at("2025-06-01T12:00"),
        "withdrawn_at": False,
    },
    "opt_outs": {"email": None, "kind": "site_ad", "opted_out_at": at("2025-07-01T12:00"), "revoked_at": None},
    "rights_requests": {
        "kind": "stop_provision",
        "received_at": at("2025-07-01T12:00"),
        "identity_verified_at": True,
    },
}


def table(name: str, rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist([{**DEFAULTS[name], **row} for row in rows], pa.schema(SCHEMAS[name].items()))


def of(member: int, rows: list[dict]) -> list[dict]:
    return [{"member_id": member, **row} for row in rows]


def barred(*rows: tuple[str, datetime.datetime]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"key": pl.String, "barred_until": pl.Datetime("us", "UTC")}, orient="row")


def opted_out(*addresses: str) -> pl.DataFrame:
    """A partner's list of addresses, by SHA-1 only."""
    digests = [hashlib.sha1(address.encode()).digest() for address in addresses]
    return pl.DataFrame(
        {"sha256": [None] * len(digests), "sha1": digests, "md5": [None] * len(digests)},
        schema=dict.fromkeys(("sha256", "sha1", "md5"), pl.Binary),
    )


def judged(members, consents=(), opt_outs=(), requests=(), barring=(), listed=()) -> pl.DataFrame:
    return judge(
        DESTINATION,
        table("members", members),
        latest_consent(table("consents", list(consents)), end_of(DAY)),
        own_stops(table("opt_outs", list(opt_outs)), table("rights_requests", list(requests)), NOW),
        DAY,
        barred(*barring),
        opted_out(*listed),
    )


CONSENT, STOP, REQUEST = {}, {}, {}
LATER = {"given_at": at("2025-08-01T12:00")}
MATRIX = {
    # consents
    "a valid consent": ({}, [CONSENT], [], [], None),
    "a consent by button": ({}, [{"method": "button"}], [], [], None),
    "no row": ({}, [], [], [], "no_consent"),
    "a withdrawn consent": ({}, [{"withdrawn_at": True}], [], [], "no_consent"),
    "a consent to an old text": ({}, [{"text_version": "2020-04-01"}], [], [], "no_consent"),
    "a consent to a later text": ({}, [{"text_version": "2099-01-01"}], [], [], "no_consent"),
    "a consent in the future": ({}, [{"given_at": at("2026-12-01T00:00")}], [], [], "no_consent"),
    "a consent of the next midnight": ({}, [{"given_at": at("2026-11-01T00:00")}], [], [], "no_consent"),
    "a consent of the day's last second": ({}, [{"given_at": at("2026-10-31T23:59:59")}], [], [], None),
    "a consent at infinity": ({}, [{"given_at": None}], [], [], "no_consent"),
    "a consent to another purpose": ({}, [{"purpose": "behavioural"}], [], [], "no_consent"),
    "a posted policy": ({}, [{"method": "policy_posted"}], [], [], "no_consent"),
    "a missing method": ({}, [{"method": None}], [], [], "no_consent"),
    "a withdrawn consent and a new one": ({}, [{"withdrawn_at": True}, LATER], [], [], None),
    # opt-outs
    "an opt-out after the consent": ({}, [CONSENT], [STOP], [], "stop_signal"),
    "an opt-out before a later consent": ({}, [LATER], [STOP], [], None),
    "an opt-out at the instant of the consent": (
        {},
        [CONSENT],
        [{"opted_out_at": DEFAULTS["consents"]["given_at"]}],
        [],
        "stop_signal",
    ),
    "an opt-out at no finite time": ({}, [LATER], [{"opted_out_at": None}], [], "stop_signal"),
    "a revoked opt-out": ({}, [CONSENT], [{"revoked_at": at("2025-07-02T00:00")}], [], None),
    "an opt-out revoked in the future": ({}, [CONSENT], [{"revoked_at": at("2026-12-01T00:00")}], [], "stop_signal"),
    "a revoked opt-out and a standing one": (
        {},
        [CONSENT],
        [{"revoked_at": at("2025-07-02T00:00")}, STOP],
        [],
        "stop_signal",
    ),
    "a stop under article 35": ({}, [CONSENT], [{"kind": "article_35_stop"}], [], "stop_signal"),
    "an opt-out of unknown kind": ({}, [CONSENT], [{"kind": "everything"}], [], "stop_signal"),
    "an opt-out of unknown kind before a later consent": ({}, [LATER], [{"kind": "everything"}], [], "stop_signal"),
    "an opt-out from statistics only": ({}, [CONSENT], [{"kind": "statistics"}], [], None),
    "an opt-out and no consent": ({}, [], [STOP], [], "stop_signal"),
    "somebody else's opt-out": ({}, [CONSENT], [{"member_id": 99}], [], None),
    # requests
    "a verified stop of provision": ({}, [CONSENT], [], [REQUEST], "stop_signal"),
    "an unverified stop of provision": ({}, [CONSENT], [], [{"identity_verified_at": False}], None),
    "a stop of use": ({}, [CONSENT], [], [{"kind": "stop_use"}], "stop_signal"),
    "a stop of provision before a later consent": ({}, [LATER], [], [REQUEST], None),
    "a verified erasure": ({}, [CONSENT], [], [{"kind": "erase"}], "stop_signal"),
    "a verified erasure before a later consent": ({}, [LATER], [], [{"kind": "erase"}], "stop_signal"),
    "an unverified erasure": ({}, [CONSENT], [], [{"kind": "erase", "identity_verified_at": False}], None),
    "a disclosure": ({}, [CONSENT], [], [{"kind": "disclose"}], None),
    # ages
    "eighteen today": ({"birth_date": datetime.date(2008, 10, 31)}, [CONSENT], [], [], None),
    "eighteen tomorrow": ({"birth_date": datetime.date(2008, 11, 1)}, [CONSENT], [], [], "under_age"),
    "a child": ({"birth_date": datetime.date(2020, 1, 1)}, [CONSENT], [], [], "under_age"),
    "born in the future": ({"birth_date": datetime.date(2027, 1, 1)}, [CONSENT], [], [], "age_unknown"),
    "no date of birth": ({"birth_date": None}, [CONSENT], [], [], "age_unknown"),
    # addresses
    "an unverified address": ({"email_verified_at": False}, [CONSENT], [], [], "address_unverified"),
    "no address": ({"email": None}, [CONSENT], [], [], "no_address"),
    "an empty address": ({"email": ""}, [CONSENT], [], [], "no_address"),
    "a blank address": ({"email": " \u3000"}, [CONSENT], [], [], "no_address"),
    "a malformed address": ({"email": "hanako@"}, [CONSENT], [], [], "address_malformed"),
    "a digest for an address": ({"email": "0a" * 32}, [CONSENT], [], [], "address_malformed"),
    # accounts
    "a suspended account": ({"status": "suspended"}, [CONSENT], [], [], "not_active"),
    "a closed account": ({"status": "withdrawn"}, [CONSENT], [], [], "not_active"),
    "an account of no status": ({"status": None}, [CONSENT], [], [], "not_active"),
    "everything at once": ({"status": "suspended", "birth_date": None, "email": ""}, [], [STOP], [], "not_active"),
}


@pytest.mark.parametrize("case", MATRIX)
def test_a_member_is_eligible_or_left_out_for_one_reason(case):
    member, consents, opt_outs, requests, reason = MATRIX[case]
    rows = judged(
        [{"member_id": 1, "email": "hanako@example.jp", **member}],
        of(1, consents),
        of(1, opt_outs),
        of(1, requests),
    )
    assert rows["dropped"].to_list() == [reason]


def test_the_whole_matrix_at_once_is_the_same():
    """Nobody's rows touch another's, and read = permitted + left out."""
    cases = list(enumerate(MATRIX.values(), 1))
    rows = judged(
        [{"member_id": n, "email": f"hanako{n}@example.jp", **case[0]} for n, case in cases],
        [row for n, case in cases for row in of(n, case[1])],
        [row for n, case in cases for row in of(n, [r for r in case[2] if "member_id" not in r])],
        [row for n, case in cases for row in of(n, case[3])],
    )
    assert rows["dropped"].to_list() == [case[4] for _, case in cases]
    counted = account(rows)
    assert counted.read == len(MATRIX)
    assert counted.kept == sum(case[4] is None for case in MATRIX.values())


@pytest.mark.parametrize(
    ("day", "born", "eligible"),
    [
        pytest.param("2026-02-28", "2008-02-29", False, id="29 February, on the 28th of a common year"),
        pytest.param("2026-03-01", "2008-02-29", True, id="29 February, on 1 March of a common year"),
        pytest.param("2026-02-28", "2008-02-28", True, id="28 February"),
    ],
)
def test_who_is_born_on_29_february_is_of_age_on_1_march(day, born, eligible):
    on = datetime.date.fromisoformat(day)
    members = table("members", of(1, [{"email": "a@example.jp", "birth_date": datetime.date.fromisoformat(born)}]))
    consents = latest_consent(table("consents", of(1, [CONSENT])), end_of(on))
    stops = own_stops(table("opt_outs", []), table("rights_requests", []), NOW)
    rows = judge(DESTINATION, members, consents, stops, on, barred(), opted_out())
    assert rows["dropped"].to_list() == [None if eligible else "under_age"]


@pytest.mark.parametrize(
    ("until", "consent", "reason"),
    [
        pytest.param(FOREVER, LATER, "address_barred", id="shared with somebody who said stop"),
        pytest.param(at("2025-07-01T00:00"), CONSENT, "address_barred", id="of an account closed after the consent"),
        pytest.param(at("2025-07-01T00:00"), LATER, None, id="of an account closed before the consent"),
        pytest.param(LATER["given_at"], LATER, "address_barred", id="of an account closed at that instant"),
    ],
)
def test_an_address_is_barred_whoever_uses_it(until, consent, reason):
    rows = judged(
        [{"member_id": 1, "email": "ＨＡＮＡＫＯ＠example.jp "}, {"member_id": 2, "email": "taro@example.jp"}],
        of(1, [consent]) + of(2, [consent]),
        barring=[("hanako@example.jp", until)],
    )
    assert rows["dropped"].to_list() == [reason, None]


def test_two_eligible_members_of_one_address_are_one_row():
    members = [
        {"member_id": 1, "email": "hanako@example.jp", "status": "suspended"},
        {"member_id": 2, "email": "Hanako@Example.jp"},
        {"member_id": 3, "email": "hanako@example.jp "},
    ]
    rows = judged(members, [row for n in (1, 2, 3) for row in of(n, [CONSENT])])
    assert rows["dropped"].to_list() == ["not_active", None, "address_shared"]
    assert rows["key"].to_list() == ["hanako@example.jp"] * 3


@pytest.mark.parametrize("destination", destinations().values(), ids=destinations())
@pytest.mark.parametrize("others", [(), ("taro@example.jp",)], ids=["no list", "a list"])
def test_a_permit_holds_what_its_destination_digests_and_no_address(destination, others):
    members = [{"member_id": n, "email": f" Hanako{n}@example.jp"} for n in (1, 2, 3)]
    said = members, of(3, [CONSENT]) + of(1, [CONSENT]), [], []
    rows = AdsRows(*(table(name, given) for name, given in zip(SCHEMAS, said, strict=True)))
    key = Secret(DEMO_SECRET).derive("delivery/members/1")
    found = permit(destination, rows, Moment(DAY, NOW), barred(), opted_out(*others), key).permitted.rows
    names = [algorithm.value for algorithm in destination.algorithms]
    assert found.columns == ["member", *names, "consented_at", "text_version"]
    tokens = [hmac.new(key.bytes.hex().encode(), b"member:%d" % n, hashlib.sha256).digest()[:16] for n in (1, 3)]
    forms = [b"hanako%d@example.jp" % n for n in (1, 3)]
    digests = [tuple(hashlib.new(name, form).hexdigest() for name in names) for form in forms]
    assert {row[0]: row[1:] for row in found.select("member", *names).rows()} == dict(zip(tokens, digests, strict=True))


def test_the_latest_valid_consent_counts():
    rows = [CONSENT, LATER, {"given_at": at("2024-01-01T00:00"), "withdrawn_at": True}]
    found = latest_consent(table("consents", of(1, rows) + of(2, [{"method": "policy_posted"}])), end_of(DAY))
    assert found.rows() == [(1, LATER["given_at"])]


@pytest.mark.parametrize(
    ("opt_outs", "requests", "until"),
    [
        pytest.param([{}], [], at("2025-07-01T12:00"), id="when she opted out"),
        pytest.param([{}], [{"received_at": at("2025-09-01T00:00")}], at("2025-09-01T00:00"), id="the later of two"),
        pytest.param([{"kind": "everything"}], [], FOREVER, id="an unknown kind is never lifted"),
        pytest.param([{}], [{"kind": "erase"}], FOREVER, id="an erasure is never lifted"),
        pytest.param([], [{"received_at": None}], FOREVER, id="a request of no finite time is never lifted"),
        pytest.param([{"member_id": None, "email": "a@example.jp"}], [], None, id="an opt-out without an account"),
    ],
)
def test_when_somebody_said_stop(opt_outs, requests, until):
    found = own_stops(table("opt_outs", of(1, opt_outs)), table("rights_requests", of(1, requests)), NOW)
    assert found.rows() == ([(1, until)] if until else [])


def test_never_is_later_than_any_consent():
    assert pl.select(NEVER).item() == FOREVER


def test_an_opt_out_of_no_kind_stops():
    rows = judged([{"member_id": 1, "email": "a@example.jp"}], of(1, [CONSENT]), of(1, [{"kind": None}]))
    assert rows["dropped"].to_list() == ["stop_signal"]


def test_a_verified_request_of_unknown_kind_stops():
    rows = judged(
        [{"member_id": 1, "email": "a@example.jp"}], of(1, [CONSENT]), requests=of(1, [{"kind": "stop_everything"}])
    )
    assert rows["dropped"].to_list() == ["stop_signal"]


def test_a_withdrawal_is_not_outlived_by_an_older_consent():
    """She consented twice and withdrew: the row that was not withdrawn is older than what she said last."""
    rows = judged([{"member_id": 1, "email": "a@example.jp"}], of(1, [CONSENT, {**LATER, "withdrawn_at": True}]))
    assert rows["dropped"].to_list() == ["no_consent"]


def test_whoever_is_on_the_partners_list_stays_out_and_no_consent_lifts_it():
    members = [{"member_id": 1, "email": " Ｈanako@example.jp"}, {"member_id": 2, "email": "taro@example.jp"}]
    rows = judged(members, of(1, [LATER]) + of(2, [LATER]), listed=["hanako@example.jp"])
    assert rows["dropped"].to_list() == ["partner_opt_out", None]


def test_every_reason_that_applies_is_counted_and_the_first_one_decides():
    rows = judged(
        [{"member_id": 1, "email": "a@example.jp", "status": "suspended", "birth_date": None}],
        of(1, [CONSENT]),
        of(1, [{}]),
        listed=["a@example.jp"],
    )
    assert rows["dropped"].to_list() == ["not_active"]
    applies = {name.removeprefix("because_") for name in rows.columns if name.startswith("because_") and rows[name][0]}
    assert applies == {"not_active", "stop_signal", "age_unknown", "under_age", "partner_opt_out"}
