"""De-identification: who is left out and why, what is staged of the others, and that it adds up."""

import datetime
import random

import polars as pl
import pyarrow as pa
import pytest

from anonymizers.keys import Secret
from tests.members import record_key_and_point
from transforms.deidentification import (
    Account,
    SourceRows,
    consent_status,
    deidentify,
    end_of,
    stopped,
    with_plain_titles,
)
from transforms.extraction import _board_names
from transforms.prefectures import PREFECTURES
from transforms.purposes import POLICY_VERSION

DAY = datetime.date(2026, 10, 31)
TOKYO = datetime.timezone(datetime.timedelta(hours=9))
NOW = datetime.datetime(2026, 11, 1, 2, 30, tzinfo=TOKYO)
SECRET = Secret("a secret of more than thirty-two bytes")
KEY, STATISTICS_KEY = SECRET.derive("test"), SECRET.derive("statistics/1")

TIME = pa.timestamp("us", "UTC")
SCHEMAS = {
    "members": {
        "member_id": pa.int64(),
        "prefecture_code": pa.string(),
        "birth_date": pa.date32(),
        "registered_at": TIME,
        "status": pa.string(),
    },
    "children": {"member_id": pa.int64(), "birth_date": pa.date32(), "due_date": pa.date32()},
    "consents": {
        "member_id": pa.int64(),
        "purpose": pa.string(),
        "text_version": pa.string(),
        "method": pa.string(),
        "given_at": TIME,
        "withdrawn_at": pa.bool_(),
    },
    "opt_outs": {"member_id": pa.int64(), "kind": pa.string(), "revoked_at": TIME},
    "rights_requests": {"member_id": pa.int64(), "kind": pa.string(), "identity_verified_at": pa.bool_()},
    "boards": {"board_id": pa.int32(), "title": pa.string(), "is_sensitive": pa.bool_()},
    "threads": {"thread_id": pa.int64(), "board_id": pa.int32()},
    "postings": {"thread_id": pa.int64(), "member_id": pa.int64(), "posted_at": TIME, "deleted_at": pa.bool_()},
}
DEFAULTS = {
    "members": {
        "prefecture_code": "13",
        "birth_date": datetime.date(1992, 5, 5),
        "registered_at": datetime.datetime(2024, 3, 3, tzinfo=TOKYO),
        "status": "active",
    },
    "children": {"birth_date": None, "due_date": None},
    "consents": {
        "purpose": "ad_match",
        "text_version": POLICY_VERSION,
        "method": "checkbox",
        "given_at": datetime.datetime(2025, 1, 1, tzinfo=TOKYO),
        "withdrawn_at": False,
    },
    "opt_outs": {"kind": "statistics", "revoked_at": None},
    "rights_requests": {"kind": "erase", "identity_verified_at": True},
    "boards": {},
    "threads": {},
    "postings": {"posted_at": datetime.datetime(2026, 10, 31, 21, 15, tzinfo=TOKYO), "deleted_at": False},
}
BOARDS = [
    {"board_id": 1, "title": "育児の悩み", "is_sensitive": False},
    {"board_id": 2, "title": "不妊治療", "is_sensitive": True},
    {"board_id": 3, "title": "離婚", "is_sensitive": True},
]
THREADS = [{"thread_id": n, "board_id": n} for n in (1, 2, 3)]


def table(name: str, rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist([{**DEFAULTS[name], **row} for row in rows], pa.schema(SCHEMAS[name].items()))


def source(**rows: list[dict]) -> SourceRows:
    rows = {"boards": BOARDS, "threads": THREADS, **rows}
    return SourceRows(**{name: table(name, rows.get(name, [])) for name in SCHEMAS})


def staged(**rows):
    return deidentify(source(**rows), DAY, NOW, KEY, STATISTICS_KEY)


def tokyo(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("member", "signals", "reason"),
    [
        pytest.param({}, {}, None, id="an active member is kept"),
        pytest.param({"status": "suspended"}, {}, "status_suspended", id="a suspended member"),
        pytest.param({"status": "withdrawn"}, {}, "status_withdrawn", id="a member who left"),
        pytest.param({"registered_at": tokyo("2026-11-01T00:00")}, {}, "registered_after_the_day", id="tomorrow's"),
        pytest.param({"registered_at": tokyo("2026-10-31T23:59:59")}, {}, None, id="one of the day's last second"),
        pytest.param({"registered_at": None}, {}, None, id="an infinite time of registration"),
        pytest.param({}, {"opt_outs": [{}]}, "statistics_stopped", id="an opt-out from statistics"),
        pytest.param({"status": "withdrawn"}, {"opt_outs": [{}]}, "status_withdrawn", id="only the first reason"),
        pytest.param({}, {"opt_outs": [{"kind": "site_ad"}]}, None, id="an opt-out from ads only"),
        pytest.param({}, {"opt_outs": [{"kind": "article_35_stop"}]}, None, id="a stop of provision only"),
        pytest.param({}, {"opt_outs": [{"kind": "everything"}]}, "statistics_stopped", id="an unknown kind"),
        pytest.param({}, {"opt_outs": [{"kind": ""}]}, "statistics_stopped", id="an empty kind"),
        pytest.param(
            {}, {"opt_outs": [{"revoked_at": NOW - datetime.timedelta(seconds=1)}]}, None, id="a revoked opt-out"
        ),
        pytest.param({}, {"opt_outs": [{"revoked_at": NOW}]}, None, id="an opt-out revoked this very instant"),
        pytest.param(
            {},
            {"opt_outs": [{"revoked_at": NOW + datetime.timedelta(seconds=1)}]},
            "statistics_stopped",
            id="an opt-out to be revoked",
        ),
        pytest.param(
            {}, {"opt_outs": [{"revoked_at": tokyo("2026-01-01T00:00")}, {}]}, "statistics_stopped", id="one of two"
        ),
        pytest.param({}, {"rights_requests": [{}]}, "statistics_stopped", id="a verified erasure, completed or not"),
        pytest.param({}, {"rights_requests": [{"kind": "stop_use"}]}, "statistics_stopped", id="a stop of use"),
        pytest.param({}, {"rights_requests": [{"kind": "stop_provision"}]}, None, id="a stop of provision by request"),
        pytest.param({}, {"rights_requests": [{"kind": "disclose"}]}, None, id="a disclosure"),
        pytest.param({}, {"rights_requests": [{"identity_verified_at": False}]}, None, id="an unverified erasure"),
        pytest.param({}, {"opt_outs": [{"member_id": 99}]}, None, id="somebody else's opt-out"),
        pytest.param({}, {"opt_outs": [{"member_id": None}]}, None, id="an opt-out without an account"),
        pytest.param({}, {"opt_outs": [{}, {}], "rights_requests": [{}]}, "statistics_stopped", id="said three times"),
    ],
)
def test_a_member_is_kept_or_dropped_for_one_reason(member, signals, reason):
    signals = {name: [{"member_id": 1, **row} for row in rows] for name, rows in signals.items()}
    result = staged(members=[{"member_id": 1, **member}, {"member_id": 2}], **signals)
    account = result.accounts["members"]
    assert account == Account(2, {reason: 1} if reason else {})
    assert account.kept == result.members.num_rows == (1 if reason else 2)


@pytest.mark.parametrize("kind", ["opt_outs", "members"])
def test_a_missing_kind_or_status_is_not_taken_for_harmless(kind):
    missing = {"opt_outs": [{"member_id": 1, "kind": None}]} if kind == "opt_outs" else {}
    status = {"status": None} if kind == "members" else {}
    assert staged(members=[{"member_id": 1, **status}], **missing).members.num_rows == 0


def test_a_board_whose_sensitivity_is_missing_is_not_named():
    boards = [{"board_id": 1, "title": "不妊治療", "is_sensitive": None}]
    result = staged(members=[{"member_id": 1}], boards=boards, postings=[{"thread_id": 1, "member_id": 1}])
    assert result.postings["board"].to_pylist() == ["健康・家庭"]


def test_a_status_that_nobody_knows_is_not_quoted():
    result = staged(members=[{"member_id": 1, "status": "CANARY花子"}])
    assert "CANARY花子" not in str(result.accounts)


@pytest.mark.parametrize(
    ("ads", "kinds"),
    [
        pytest.param(False, {"statistics", "unknown", "stop_use", "erase"}, id="statistics"),
        pytest.param(
            True, {"site_ad", "article_35_stop", "unknown", "stop_use", "stop_provision", "erase"}, id="advertising"
        ),
    ],
)
def test_which_signals_stop(ads, kinds):
    opt_outs = ["statistics", "site_ad", "article_35_stop", "unknown"]
    requests = ["stop_use", "stop_provision", "erase", "disclose", "correct"]
    numbered = list(enumerate([*opt_outs, *requests]))
    out = stopped(
        table("opt_outs", [{"member_id": n, "kind": kind} for n, kind in numbered[:4]]),
        table("rights_requests", [{"member_id": n, "kind": kind} for n, kind in numbered[4:]]),
        statistics=not ads,
        now=NOW,
    )
    assert set(out["member_id"]) == {n for n, kind in numbered if kind in kinds}
    assert out.columns == ["member_id"]


@pytest.mark.parametrize(
    ("consents", "signals", "status"),
    [
        pytest.param([], {}, "none", id="no row"),
        pytest.param([{}], {}, "consented", id="a valid consent"),
        pytest.param([{"method": "button"}], {}, "consented", id="a consent by button"),
        pytest.param([{"purpose": "newsletter"}], {}, "none", id="another purpose"),
        pytest.param([{"withdrawn_at": True}], {}, "withdrawn", id="withdrawn"),
        pytest.param([{"text_version": "2020-04-01"}], {}, "outdated", id="an old text"),
        pytest.param([{"text_version": "2099-01-01"}], {}, "outdated", id="a text that is not in force"),
        pytest.param([{"method": "policy_posted"}], {}, "outdated", id="a posted policy"),
        pytest.param([{"method": None}], {}, "outdated", id="no method"),
        pytest.param([{"given_at": tokyo("2026-11-01T00:00")}], {}, "none", id="given the next day"),
        pytest.param([{"given_at": tokyo("2026-10-31T23:59:59")}], {}, "consented", id="given in the last second"),
        pytest.param([{"given_at": None}], {}, "none", id="given at infinity"),
        pytest.param([{"withdrawn_at": True}, {}], {}, "consented", id="withdrawn, and given again"),
        pytest.param([{}], {"opt_outs": [{"kind": "site_ad"}]}, "stopped", id="an opt-out from ads"),
        pytest.param([], {"opt_outs": [{"kind": "article_35_stop"}]}, "stopped", id="a stop without a consent"),
        pytest.param([{}], {"rights_requests": [{"kind": "stop_provision"}]}, "stopped", id="a stop by request"),
        pytest.param(
            [{}],
            {"rights_requests": [{"kind": "stop_provision", "identity_verified_at": False}]},
            "consented",
            id="a stop by nobody knows whom",
        ),
    ],
)
def test_the_state_of_a_consent(consents, signals, status):
    rows = {"consents": consents, **signals}
    rows = {name: [{"member_id": 1, **row} for row in found] for name, found in rows.items()}
    assert staged(members=[{"member_id": 1}], **rows).members["consent_status"].to_pylist() == [status]


def test_consent_status_has_a_row_per_member_with_a_consent():
    consents = table("consents", [{"member_id": 1}, {"member_id": 1}, {"member_id": 2, "purpose": "newsletter"}])
    assert consent_status(consents, end_of(DAY)).rows() == [(1, "consented")]


def test_a_day_ends_at_midnight_in_tokyo():
    assert end_of(DAY) == datetime.datetime(2026, 10, 31, 15, tzinfo=datetime.UTC)


def test_what_is_staged_of_a_member():
    result = staged(
        members=[
            {"member_id": 7},
            {"member_id": 8, "prefecture_code": "99", "birth_date": None, "registered_at": None},
        ],
        children=[{"member_id": 7, "birth_date": datetime.date(2025, 1, 1)}, {"member_id": 9}],
        postings=[{"member_id": 7, "thread_id": 1}] * 3,
    )
    rows = {row.pop("prefecture_code"): row for row in result.members.to_pylist()}
    assert {name: rows["13"][name] for name in list(rows["13"])[2:]} == {
        "age_band": "30-34",
        "youngest_child_band": "1-2",
        "registered_month": "2024-03",
        "consent_status": "none",
        "postings_28d": 3,
        "activity": "posted",
        **dict(zip(("record_key", "point"), record_key_and_point(7, STATISTICS_KEY), strict=True)),
        "settled": True,
    }
    assert rows["unknown"]["age_band"] == rows["unknown"]["registered_month"] == "unknown"
    assert rows["unknown"]["youngest_child_band"] == "none"
    assert rows["unknown"]["postings_28d"] == 0
    assert rows["unknown"]["activity"] == "silent"
    assert rows["unknown"]["settled"] is False  # nobody knows since when
    assert result.unfit == {"members.prefecture_code": 1}


def test_an_account_settles_after_7_to_13_days_by_her_point_and_not_before():
    """Counted again with a calendar; and those who registered at one time do not settle on one night."""
    registered = [tokyo("2026-10-17T09:00") + datetime.timedelta(days=n) for n in range(15)]
    members = [
        {"member_id": 1_000 * day + n, "registered_at": at} for day, at in enumerate(registered) for n in range(40)
    ]
    found = {row["record_key"]: row["settled"] for row in staged(members=members).members.to_pylist()}
    assert len(found) == len(members)
    for member in members:
        key, point = record_key_and_point(member["member_id"], STATISTICS_KEY)
        whole_days = (tokyo("2026-11-01T00:00") - member["registered_at"]).days
        assert found[key] == (whole_days >= 7 + point % 7)
    shares = [
        sum(found[record_key_and_point(m["member_id"], STATISTICS_KEY)[0]] for m in members[40 * n : 40 * n + 40])
        for n in range(15)
    ]
    assert shares[0] == 40  # 14 days ago and a bit
    assert shares[-7:] == [0] * 7
    assert all(0 < share < 40 for share in shares[2:7])


@pytest.mark.parametrize(
    ("after", "settled"), [(datetime.timedelta(0), False), (-datetime.timedelta(microseconds=1), True)]
)
def test_an_account_settles_at_an_instant(after, settled):
    wait = datetime.timedelta(days=7 + record_key_and_point(1, STATISTICS_KEY)[1] % 7)
    members = [{"member_id": 1, "registered_at": end_of(DAY) - wait + after}]
    assert staged(members=members).members["settled"].to_pylist() == [settled]


def test_another_epoch_stages_other_keys_under_the_same_pseudonyms():
    rows = source(members=[{"member_id": n} for n in range(50)])
    one, other = (deidentify(rows, DAY, NOW, KEY, SECRET.derive(f"statistics/{n}")).members for n in (1, 2))
    assert one["member_pseudonym"].equals(other["member_pseudonym"])
    assert not set(one["record_key"].to_pylist()) & set(other["record_key"].to_pylist())
    assert not set(one["point"].to_pylist()) & set(other["point"].to_pylist())


def test_a_missing_prefecture_is_unknown_and_not_unfit():
    result = staged(members=[{"member_id": 1, "prefecture_code": None}])
    assert result.members["prefecture_code"].to_pylist() == ["unknown"]
    assert result.unfit == {}


def test_postings_are_kept_or_dropped_for_one_reason():
    postings = [
        {"thread_id": 1, "member_id": 1},
        {"thread_id": 1, "member_id": 1, "deleted_at": True},
        {"thread_id": 1, "member_id": 2},
        {"thread_id": 1, "member_id": 2, "deleted_at": True},
        {"thread_id": 1, "member_id": 99},
        {"thread_id": 404, "member_id": 1},
    ]
    result = staged(members=[{"member_id": 1}, {"member_id": 2, "status": "suspended"}], postings=postings)
    account = result.accounts["postings"]
    assert account == Account(6, {"board_unknown": 1, "deleted": 2, "member_left_out": 2})
    assert account.kept == result.postings.num_rows == 1
    assert account.as_dict() == {"read": 6, "kept": 1, "dropped": account.dropped}


def test_sensitive_boards_are_one_and_the_others_go_by_their_titles():
    result = staged(members=[{"member_id": 1}], postings=[{"thread_id": n, "member_id": 1} for n in (1, 2, 3)])
    assert sorted(result.postings["board"].to_pylist()) == ["健康・家庭", "健康・家庭", "育児の悩み"]


SPELLINGS = {
    "as it is": ("ママの会 2026", "ママの会 2026"),
    "full-width digits and a wide space": ("ママの会　２０２６", "ママの会 2026"),
    "half-width katakana": ("ﾏﾏの会 2026", "ママの会 2026"),
    "something invisible": ("ママ\u200bの会\ufeff 2026", "ママの会 2026"),
    "a decomposed letter": ("カ\u3099ールズ", "ガールズ"),
    "another word": ("パパの会", "パパの会"),
    "no title": (None, None),
}


@pytest.mark.parametrize(("title", "plain"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_board_goes_by_its_title_as_it_is_checked(title, plain):
    """Two spellings of one title are one board, in the cells as in the list of those that may be named."""
    boards = [{"board_id": 1, "title": title, "is_sensitive": False}]
    postings = [{"thread_id": 1, "member_id": 1}]
    assert with_plain_titles(table("boards", boards)).rows() == [(1, plain, False)]
    result = staged(members=[{"member_id": 1}], boards=boards, postings=postings)
    assert result.postings["board"].to_pylist() == ([plain] if plain else [])
    assert _board_names(table("boards", boards)) == [plain]


def test_two_boards_of_one_plain_title_are_one():
    boards = [{"board_id": n, "title": t, "is_sensitive": False} for n, t in enumerate(("２歳児", "2歳児"), 1)]
    postings = [{"thread_id": n, "member_id": 1} for n in (1, 2)]
    result = staged(members=[{"member_id": 1}], boards=boards, postings=postings)
    assert result.postings["board"].to_pylist() == ["2歳児"] * 2
    assert _board_names(table("boards", boards)) == ["2歳児"]


@pytest.mark.parametrize(
    ("posted_at", "day", "hour", "weekday"),
    [
        pytest.param("2026-10-31T00:00", "2026-10-31", 0, 5, id="midnight, a Saturday"),
        pytest.param("2026-10-30T23:59:59", "2026-10-30", 23, 4, id="a second before, a Friday"),
        pytest.param("2026-10-26T08:30", "2026-10-26", 8, 0, id="a Monday morning, Sunday in UTC"),
    ],
)
def test_a_posting_has_the_day_hour_and_weekday_of_tokyo(posted_at, day, hour, weekday):
    result = staged(
        members=[{"member_id": 1}], postings=[{"thread_id": 1, "member_id": 1, "posted_at": tokyo(posted_at)}]
    )
    (row,) = result.postings.to_pylist()
    assert (row["day"].isoformat(), row["hour"], row["weekday"]) == (day, hour, weekday)


def test_postings_are_counted_over_28_days():
    days = ["2026-10-03", "2026-10-04", "2026-10-31", "2026-11-01"]
    postings = [{"thread_id": 1, "member_id": 1, "posted_at": tokyo(f"{day}T12:00")} for day in days]
    assert staged(members=[{"member_id": 1}], postings=postings).members["postings_28d"].to_pylist() == [2]


def correlation(numbers: list[float]) -> float:
    ranks = pl.Series(numbers).rank()
    return pl.DataFrame({"a": range(len(numbers)), "b": ranks}).select(pl.corr("a", "b", method="spearman")).item()


def many(count: int) -> dict[str, list[dict]]:
    codes, draw = [code for code, _ in PREFECTURES], random.Random(7)
    return {
        "members": [
            {
                "member_id": 1_000_000 + n,
                "prefecture_code": draw.choice(codes),
                "birth_date": datetime.date(1980, 1, 1) + datetime.timedelta(days=draw.randrange(12_000)),
                "registered_at": tokyo("2016-01-01T00:00") + datetime.timedelta(days=n),
            }
            for n in range(count)
        ],
        "postings": [{"thread_id": 1, "member_id": 1_000_000 + draw.randrange(count)} for _ in range(3 * count)],
    }


def test_members_are_staged_in_no_order_of_the_source():
    """Registration follows the member's number here, so staged months in order would be the source's order."""
    result = staged(**many(2_000))
    months = [int(month.replace("-", "")) for month in result.members["registered_month"].to_pylist()]
    assert abs(correlation(months)) < 0.1
    pseudonyms = result.members["member_pseudonym"].to_pylist()
    assert pseudonyms == sorted(pseudonyms)
    assert len(set(pseudonyms)) == 2_000
    assert result.members["member_no"].to_pylist() == list(range(2_000))
    assert abs(correlation(sorted(months))) > 0.9


def test_no_identifier_is_staged():
    rows = many(200)
    result = staged(**rows)
    ids = {str(row["member_id"]) for row in rows["members"]}
    for part in (result.members, result.postings):
        assert not set(part.column_names) & {"member_id", "email", "thread_id", "posting_id", "birth_date", "title"}
        values = {str(value) for row in part.to_pylist() for value in row.values()}
        assert not values & ids
    assert result.postings.column_names == ["member_no", "board", "day", "hour", "weekday"]


def test_the_order_of_the_source_does_not_show():
    rows = many(300)
    turned = {name: list(reversed(found)) for name, found in rows.items()}
    once, again = staged(**rows), staged(**turned)
    assert once.members.equals(again.members)
    assert once.postings.to_pylist() == again.postings.to_pylist()


def test_an_empty_shard_is_staged_empty():
    result = staged()
    assert result.members.num_rows == result.postings.num_rows == 0
    assert result.accounts["members"] == Account(0, {})
