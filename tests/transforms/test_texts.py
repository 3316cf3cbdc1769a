"""The text branch without a database: what is staged of the day, what of the week, and that it adds up."""

import datetime
import re
from contextlib import contextmanager

import polars as pl
import pyarrow as pa
import pytest

from anonymizers import bands
from anonymizers.keys import Secret
from anonymizers.record_keys import record_keys
from anonymizers.text import engine
from transforms.source import Shard
from transforms.staging import Staging
from transforms.texts import boards_of, pairs, place, plan_text_shards, redact_shard

TOKYO = datetime.timezone(datetime.timedelta(hours=9))
DAY, MONDAY = datetime.date(2026, 10, 31), datetime.date(2026, 10, 19)
NOW = datetime.datetime(2026, 11, 1, 2, 30, tzinfo=TOKYO)
SECRET = Secret("a secret of more than thirty-two bytes")
KEY, RECORD_KEY = SECRET.derive("texts"), SECRET.derive("records")
SHARD = Shard(0, None, None)

TIME = pa.timestamp("us", "UTC")
SCHEMAS = {
    "postings": {
        "posting_id": pa.int64(),
        "thread_id": pa.int64(),
        "member_id": pa.int64(),
        "body": pa.string(),
        "posted_at": TIME,
        "deleted_at": pa.bool_(),
    },
    "members": dict.fromkeys(("full_name", "full_name_kana", "nickname", "status"), pa.string()),
    "children": {"member_id": pa.int64(), "nickname": pa.string()},
    "opt_outs": {"member_id": pa.int64(), "kind": pa.string(), "revoked_at": TIME},
    "rights_requests": {"member_id": pa.int64(), "kind": pa.string(), "identity_verified_at": pa.bool_()},
    "threads": {"thread_id": pa.int64(), "board_id": pa.int32(), "member_id": pa.int64(), "title": pa.string()},
    "boards": {"board_id": pa.int32(), "title": pa.string(), "is_sensitive": pa.bool_()},
}
SCHEMAS["members"] = {"member_id": pa.int64(), **SCHEMAS["members"]}
MEMBERS = [{"member_id": n, "status": "active", "full_name": "架空山 花子"} for n in (1, 2, 3)]
THREADS = [{"thread_id": n, "board_id": n} for n in (1, 2, 3, 4, 5)]
BOARDS = [
    {"board_id": 1, "title": "育児の悩み", "is_sensitive": False},
    {"board_id": 2, "title": "不妊治療", "is_sensitive": True},
    {"board_id": 3, "title": "離婚", "is_sensitive": None},
    {"board_id": 4, "title": None, "is_sensitive": False},
]


def tokyo(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


IN_WEEK, IN_DAY = tokyo("2026-10-21T12:00"), tokyo("2026-10-31T12:00")


def posting(number: int, body: str, **changes) -> dict:
    row = {"posting_id": number, "thread_id": 1, "member_id": 1, "body": body, "posted_at": IN_WEEK}
    return {**row, "deleted_at": False, **changes}


class FakeSource:
    """Answers every query with whole tables, and remembers what was asked."""

    def __init__(self, **rows: list[dict]) -> None:
        self.rows = {"members": MEMBERS, "threads": THREADS, "boards": BOARDS, **rows}
        self.asked: dict[str, str] = {}

    @contextmanager
    def session(self, reader):
        yield self

    def read(self, dataset, reader, where="true", only=None):
        self.asked.setdefault(dataset, where)
        table = pa.Table.from_pylist(self.rows.get(dataset, []), pa.schema(SCHEMAS[dataset].items()))
        return pl.from_arrow(table).select(only).unique().to_arrow() if only else table


def redacted(tmp_path, source: FakeSource, week: datetime.date | None, day: datetime.date = DAY):
    """The accounts of one shard, and what was staged."""
    staging = Staging(str(tmp_path), day)
    summary = redact_shard(source, staging, SHARD, NOW, KEY, RECORD_KEY, week)
    staged = {path.parent.name: pl.read_parquet(path) for path in sorted(tmp_path.rglob("*.parquet"))}
    return summary, staged


def member_keys(*members: int) -> list[tuple[int, int]]:
    return pl.DataFrame({"member_id": members}).select(record_keys("member_id", RECORD_KEY)).rows()


def test_pairs_are_distinct_and_hold_no_text_and_nobody(tmp_path):
    rows = [
        posting(1, "離乳食の相談"),
        posting(2, "離乳食の相談"),
        posting(3, "離乳食", member_id=2),
        posting(4, "離乳食", thread_id=2),
        posting(5, "離乳食", thread_id=3),
    ]
    _, staged = redacted(tmp_path, FakeSource(postings=rows), MONDAY)
    (first, second) = member_keys(1, 2)
    board, week = "育児の悩み", "2026-W43"
    assert staged["terms"].schema == {
        "board": pl.String, "week": pl.String, "term": pl.String, "record_key": pl.UInt32, "point": pl.UInt32
    }  # fmt: skip
    assert staged["terms"].rows() == sorted(
        [
            (board, week, "相談", *first),
            (board, week, "離乳食", *first),
            (board, week, "離乳食", *second),
            (bands.SENSITIVE_BOARDS, week, "離乳食", *first),
        ]
    )


def test_without_a_week_only_the_day_is_read_and_staged(tmp_path):
    source = FakeSource(postings=[posting(1, "離乳食", posted_at=IN_DAY)])
    summary, staged = redacted(tmp_path, source, None)
    assert list(staged) == ["texts", "titles"]
    assert list(summary["accounts"]) == ["texts", "titles"]
    assert "boards" not in source.asked
    assert " or " not in source.asked["postings"]


def test_the_day_says_the_same_with_and_without_a_week(tmp_path):
    rows = [
        posting(1, "電話は090-0000-1234", posted_at=IN_DAY),
        posting(2, "離乳食", posted_at=IN_DAY, thread_id=9),
        posting(3, "離乳食", posted_at=IN_DAY, deleted_at=True),
        posting(4, "\x00", posted_at=IN_DAY),
    ]
    week_rows = [*rows, posting(5, "電話は090-0000-1234"), posting(6, "離乳食", deleted_at=True)]
    alone, staged_alone = redacted(tmp_path / "a", FakeSource(postings=rows), None)
    both, staged_both = redacted(tmp_path / "b", FakeSource(postings=week_rows), MONDAY)
    assert alone["accounts"]["texts"] == {"read": 4, "kept": 2, "dropped": {"deleted": 1, "redaction_failed": 1}}
    assert both["accounts"]["texts"] == alone["accounts"]["texts"]
    assert both["found"] == alone["found"]
    assert staged_both["texts"].equals(staged_alone["texts"])
    assert sorted(staged_both["texts"]["body"]) == ["離乳食", "電話は<PHONE>"]


def test_the_week_is_accounted_for_by_reason(tmp_path):
    rows = [
        posting(1, "離乳食"),
        posting(2, "便秘", deleted_at=True),
        posting(3, "便秘", member_id=None),
        posting(4, "便秘", member_id=3),
        posting(5, "便秘", member_id=99),
        posting(6, "便秘\x00"),
        posting(7, "便秘", thread_id=4),
        posting(8, "便秘", thread_id=5),
        posting(9, "便秘", thread_id=99),
        posting(10, "便秘", thread_id=99, deleted_at=True),
        posting(11, "便秘", posted_at=IN_DAY),
    ]
    source = FakeSource(postings=rows, opt_outs=[{"member_id": 3, "kind": "statistics", "revoked_at": None}])
    summary, staged = redacted(tmp_path, source, MONDAY)
    assert staged["terms"]["term"].to_list() == ["離乳食"]
    assert summary["accounts"]["week_texts"] == {
        "read": 10,
        "kept": 1,
        "dropped": {
            "anonymous": 1,
            "board_unknown": 3,
            "deleted": 2,
            "member_left_out": 1,
            "redaction_failed": 1,
            "statistics_stopped": 1,
        },
    }


def test_a_posting_of_the_day_in_the_week_is_redacted_once_and_is_in_both(tmp_path, monkeypatch):
    seen = []
    real = engine.analyze
    monkeypatch.setattr(engine, "analyze", lambda artifacts: seen.append(artifacts.written) or real(artifacts))
    sunday = datetime.date(2026, 10, 25)
    rows = [posting(1, "離乳食", posted_at=tokyo("2026-10-25T23:59:59")), posting(2, "便秘")]
    summary, staged = redacted(tmp_path, FakeSource(postings=rows), MONDAY, sunday)
    assert sorted(seen) == ["便秘", "離乳食"]
    assert staged["texts"]["body"].to_list() == ["離乳食"]
    assert staged["terms"]["term"].to_list() == ["便秘", "離乳食"]
    assert [summary["accounts"][name]["read"] for name in ("texts", "week_texts")] == [1, 2]


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        pytest.param("2026-10-18T23:59:59.999999", False, id="the Sunday before"),
        pytest.param("2026-10-19T00:00", True, id="Monday's first instant"),
        pytest.param("2026-10-25T23:59:59.999999", True, id="Sunday's last"),
        pytest.param("2026-10-26T00:00", False, id="the next Monday"),
    ],
)
def test_a_week_is_of_tokyo(tmp_path, at, counted):
    _, staged = redacted(tmp_path, FakeSource(postings=[posting(1, "離乳食", posted_at=tokyo(at))]), MONDAY)
    assert staged["terms"].height == counted


def test_names_and_identifiers_are_no_terms(tmp_path):
    rows = [posting(1, "架空山花子です。電話は090-0000-1234、ハナピョンママより。離乳食の件")]
    _, staged = redacted(tmp_path, FakeSource(postings=rows), MONDAY)
    assert set(staged["terms"]["term"]) == {"電話", "離乳食"}


def test_no_postings_are_no_terms_of_the_same_form(tmp_path):
    _, none = redacted(tmp_path / "a", FakeSource(), MONDAY)
    _, some = redacted(tmp_path / "b", FakeSource(postings=[posting(1, "離乳食")]), MONDAY)
    assert none["terms"].height == 0
    assert none["terms"].schema == some["terms"].schema


def test_the_same_night_twice_is_the_same_bytes(tmp_path):
    rows = [posting(n, "離乳食と便秘と予防接種", member_id=1 + n % 3, thread_id=1 + n % 3) for n in range(50)]
    for folder, order in (("a", rows), ("b", rows[::-1])):
        redacted(tmp_path / folder, FakeSource(postings=order), MONDAY)
    first, second = (next((tmp_path / folder).rglob("terms/*.parquet")).read_bytes() for folder in "ab")
    assert first == second


def test_titles_of_the_days_threads_are_staged_redacted(tmp_path):
    rows = [posting(n, "離乳食", posted_at=IN_DAY, thread_id=n) for n in (1, 2, 3, 4)]
    titles = {1: "電話は090-0000-1234", 2: "秘密", 3: None, 4: "匿名", 5: "別の日"}
    openers = {1: 1, 2: 3, 3: 1, 4: None, 5: 1}
    threads = [{"thread_id": n, "board_id": 1, "member_id": openers[n], "title": titles[n]} for n in titles]
    stop = [{"member_id": 3, "kind": "statistics", "revoked_at": None}]
    summary, staged = redacted(tmp_path, FakeSource(postings=rows, threads=threads, opt_outs=stop), None)
    assert staged["titles"]["title"].to_list() == ["電話は<PHONE>"]
    assert set(staged["titles"]["thread_pseudonym"]) < set(staged["texts"]["thread_pseudonym"])
    dropped = {"anonymous": 1, "statistics_stopped": 1}
    assert summary["accounts"]["titles"] == {"read": 3, "kept": 1, "dropped": dropped}
    assert summary["found"]["found_PHONE"] == 1


def test_a_thread_in_which_nothing_may_be_staged_stages_no_title(tmp_path):
    rows = [posting(1, "離乳食", posted_at=IN_DAY, deleted_at=True)]
    threads = [{"thread_id": 1, "board_id": 1, "member_id": 1, "title": "題名"}]
    summary, staged = redacted(tmp_path, FakeSource(postings=rows, threads=threads), None)
    assert staged["titles"].height == 0
    assert summary["accounts"]["titles"]["read"] == 0


def test_names_of_everybody_who_ever_wrote_in_a_thread_are_found(tmp_path):
    """Member 2 wrote on another day, member 3 opened the thread; nobody's dictionary has their names."""
    members = [
        {"member_id": 1, "status": "active"},
        {"member_id": 2, "status": "left", "nickname": "ほたるぶくろ"},
        {"member_id": 3, "status": "active", "full_name": "架空山 むむ子"},
    ]
    rows = [
        posting(1, "ほたるぶくろ、むむ子とお花見", posted_at=IN_DAY),
        posting(2, "ほたるぶくろ、むむ子とお花見", posted_at=IN_DAY, thread_id=2),
        posting(3, "離乳食", member_id=2, posted_at=tokyo("2026-09-01T12:00")),
    ]
    threads = [{"thread_id": 1, "board_id": 1, "member_id": 3, "title": "むむ子です"}]
    _, staged = redacted(tmp_path, FakeSource(postings=rows, threads=threads, members=members), None)
    inside, outside = sorted(staged["texts"]["body"], key=lambda body: "むむ子" in body)
    assert outside == "ほたるぶくろ、むむ子とお花見"
    assert re.fullmatch(r"<PERSON_\w{5}>、<PERSON_(\w{5})>とお花見", inside)
    # One tag in all of the thread, its title among it.
    assert staged["titles"]["title"].to_list() == [inside[15:29] + "です"]


def test_what_is_staged_is_pseudonymised_generalised_and_dropped_by_policy(tmp_path):
    bodies = ["〒100-0000 東京都世田谷区架空1-2-3", "2020年8月6日生まれ", "個人番号123456789018", "090-0000-1234"]
    rows = [posting(n, body, posted_at=IN_DAY, thread_id=n) for n, body in enumerate(bodies, 1)]
    summary, staged = redacted(tmp_path, FakeSource(postings=rows), None)
    assert sorted(staged["texts"]["body"]) == [
        "<BIRTH_DATE_2020-2024>生まれ", "<PHONE>", "<POSTAL_CODE> <ADDRESS_東京都>"
    ]  # fmt: skip
    assert summary["accounts"]["texts"]["dropped"] == {"identifier_dropped": 1}
    assert "found_MY_NUMBER" not in summary["found"]


@pytest.mark.parametrize("week", [datetime.date(2026, 10, 20), datetime.date(2026, 10, 26)])
def test_a_week_that_is_not_over_or_begins_elsewhere_is_refused(tmp_path, week):
    with pytest.raises(ValueError, match=r"^week: give the Monday of a week that is over"):
        redacted(tmp_path, FakeSource(), week)


def test_boards_that_nobody_calls_harmless_are_one():
    found = boards_of(pl.DataFrame(THREADS), pl.DataFrame(BOARDS))
    one = bands.SENSITIVE_BOARDS
    assert dict(found.iter_rows()) == {1: "育児の悩み", 2: one, 3: one, 4: None, 5: None}


def test_boards_go_by_their_titles_as_they_are_checked():
    """As in the statistics over postings: a board that is spelt anew is the same one."""
    boards = [{"board_id": 1, "title": "ﾏﾏの会　２０２６\u200b", "is_sensitive": False}]
    schema = {"board_id": pl.Int32, "title": pl.String, "is_sensitive": pl.Boolean}
    found = boards_of(pl.DataFrame(THREADS[:1]), pl.DataFrame(boards, schema=schema))
    assert found.rows() == [(1, "ママの会 2026")]


def test_an_earlier_reason_stays():
    postings = pl.DataFrame({"thread_id": [1, 2, 2], "dropped": [None, None, "deleted"]})
    places = pl.DataFrame({"thread_id": [1], "board": ["雑談"]})
    assert place(postings, places)["dropped"].to_list() == [None, "board_unknown", "deleted"]


def test_a_week_at_the_turn_of_the_year_has_its_iso_name():
    rows = {"board": ["雑談"], "member_id": [1], "body": ["離乳食"], "dropped": [None]}
    frame = pl.DataFrame(rows, schema_overrides={"dropped": pl.String})
    for monday, name in ((datetime.date(2026, 12, 28), "2026-W53"), (datetime.date(2025, 12, 29), "2026-W01")):
        assert pairs(frame, monday, RECORD_KEY)["week"].to_list() == [name]


class FakeSession:
    """Counts a fixed number of rows, and remembers under which condition."""

    def __init__(self) -> None:
        self.asked = []

    def count(self, dataset, where):
        self.asked.append(where)
        return 10

    def rows(self, sql):
        self.asked.append(sql)
        return []


@pytest.mark.parametrize(("week", "windows"), [(None, 1), (MONDAY, 2)])
def test_shards_are_cut_by_what_will_be_read(week, windows):
    session = FakeSession()
    assert plan_text_shards(session, DAY, week, 100) == [SHARD]
    assert [where.count("posted_at >=") for where in session.asked] == [windows]
