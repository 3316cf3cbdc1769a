"""Receipts: what contradicts itself or our files is no acknowledgement, and nothing of a row is kept of it."""

import base64
import dataclasses
import datetime
import hashlib
import json
import random
import time
import traceback

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.errors import ReceiptRefused
from delivery.receipts import MOST_BYTES, MOST_REASONS, Receipt, SentFile, Status, match, read_receipt

examples = settings(derandomize=True, max_examples=100, deadline=None)

CANARY = "canary-hanako"
FILE = "sudare_liveramp_removals_20261123_0123456789ab.psv.gz"
SENT = {FILE: SentFile("a" * 64, 10)}


def digest(text: str, algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, text.encode()).digest()


def written(**told) -> bytes:
    return json.dumps({"file": FILE, "status": "accepted"} | told).encode()


def rejections(*reasons: object, algorithm: str = "sha256") -> list[dict]:
    return [{"digest": digest(str(n), algorithm).hex(), "reason": reason} for n, reason in enumerate(reasons)]


def rows(*lines: str, delimiter: str = "|") -> bytes:
    return ("\n".join(("file|digest|status|reason", *lines)) + "\n").replace("|", delimiter).encode()


def refusal(content: bytes, name: str = "receipt.json") -> str:
    with pytest.raises(ReceiptRefused) as refused:
        read_receipt(content, name)
    assert refused.value.exit_status == 67
    assert refused.value.__context__ is None
    said = "".join(traceback.format_exception(refused.value)) + repr(vars(refused.value))
    assert CANARY not in said
    return str(refused.value)


def test_a_receipt_with_everything_in_it():
    found = read_receipt(
        written(
            status="partial",
            sha256="A" * 64,
            rows_accepted=7,
            rows_rejected=3,
            rejections=rejections("invalid_hash", "INVALID_HASH ", f"{CANARY}@example.jp is no hash"),
            received_at="2026-11-23T18:00:00+09:00",
        ),
        "receipt.json",
    )
    assert (found.file, found.status, found.sha256) == (FILE, Status.PARTIAL, "a" * 64)
    assert (found.rows_accepted, found.rows_rejected, found.rows_listed) == (7, 3, 3)
    assert found.received_at == datetime.datetime(2026, 11, 23, 9, tzinfo=datetime.UTC)
    assert found.reasons == {"invalid_hash": 2, "other": 1}
    assert found.rejected.rows() == sorted(("sha256", digest(str(n))) for n in range(3))
    assert match(found, SENT) == SENT[FILE]


def test_a_receipt_with_as_little_as_it_may_have():
    found = read_receipt(written(), "receipt.json")
    assert (found.status, found.sha256, found.rows_accepted, found.rows_rejected) == (Status.ACCEPTED, "", None, None)
    assert (found.received_at, found.reasons, found.rejected.height) == (None, {}, 0)
    assert found.rejected.schema == {"algorithm": pl.String, "digest": pl.Binary}
    assert match(found, SENT) == SENT[FILE]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("write", [bytes.hex, lambda d: d.hex().upper(), lambda d: base64.b64encode(d).decode()])
def test_a_rejected_row_is_named_by_any_digest_in_any_form(algorithm, write):
    one = {"digest": write(digest("x", algorithm)), "reason": "stale"}
    found = read_receipt(written(status="partial", rejections=[one, one]), "receipt.json")
    assert found.rejected.rows() == [(algorithm, digest("x", algorithm))]
    assert found.reasons == {"stale": 2}
    assert digest("x", algorithm).hex() not in repr(found).lower()
    assert str(digest("x", algorithm))[2:-1] not in repr(found)


CODES = ["invalid_hash", "x", "z" * 40, "error_1234", "too_many_rows_2026", "stale"]
NO_CODES = {
    "an address": f"{CANARY}@example.jp",
    "a sentence": "this row is bad",
    "a hyphen": CANARY,
    "nothing": "",
    "41 letters": "a" * 41,
    "Japanese": "花子",
    "full-width letters": "ｓｔａｌｅ",
    "a digest": digest("x", "md5").hex(),
    "a digest that begins with a letter": "abcdef0123456789abcdef0123456789",
    "a part of a digest": "hash_0123456789abcdef",
    "a digest in Base64": base64.b64encode(digest("x", "md5")).decode(),
    "a part of a digest without long numbers": "hash_a1b2c3d4e5f6a7b8",
    "a telephone number": "09012345678",
    "a telephone number after a word": "phone_09012345678",
    "a member's number": "member_12345",
    "a line end": "stale\nstale",
    "null": None,
    "a number": 1,
    "a list": ["stale"],
    "an object": {"stale": CANARY},
}


@pytest.mark.parametrize("code", CODES)
def test_a_reason_that_is_a_code_is_kept(code):
    for told in (code, code.upper(), f" {code}\n"):
        assert read_receipt(written(status="partial", rejections=rejections(told)), "r.json").reasons == {code: 1}


@pytest.mark.parametrize("what", NO_CODES)
def test_a_reason_that_is_no_code_is_only_counted(what):
    found = read_receipt(written(status="partial", rejections=rejections(NO_CODES[what])), "r.json")
    assert found.reasons == {"other": 1}
    assert CANARY not in repr(found)


def test_a_rejection_without_a_reason_is_counted():
    content = written(status="partial", rejections=[{"digest": digest("x").hex()}])
    assert read_receipt(content, "r.json").reasons == {"other": 1}


def test_a_partner_with_a_code_for_every_row_is_quoting_rows():
    words = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    found = read_receipt(written(status="partial", rejections=rejections("zz", "zz", *words, "?")), "r.json")
    assert found.reasons["zz"] == 2
    assert len(found.reasons) <= MOST_REASONS + 1
    assert sum(found.reasons.values()) == 2 + len(words) + 1


SHAPES = {
    "a list": b"[]",
    "a text": b'"canary-hanako"',
    "null": b"null",
    "no file": b'{"status": "accepted"}',
    "no status": json.dumps({"file": FILE}).encode(),
    "a key more": written(**{CANARY: 1}),
    "a key in capitals": written(Sha256="a" * 64),
    "another status": written(status=CANARY),
    "a status in capitals": written(status="ACCEPTED"),
    "a list for a status": written(status=["accepted"]),
    "a path for a file": written(file=f"../{CANARY}"),
    "an address for a file": written(file=f"{CANARY}@example.jp"),
    "an empty file": written(file=""),
    "a number for a file": written(file=1),
    "a file with a line end": written(file=f"{FILE}\n"),
    "a file of 251 letters": written(file="a" * 251),
    "a hidden file": written(file=".part"),
    "a Japanese file": written(file="花子.csv"),
    "a short digest": written(sha256="a" * 63),
    "a digest of letters": written(sha256="g" * 64),
    "a number for a digest": written(sha256=1),
    "a negative count": written(rows_accepted=-1),
    "a fraction": written(rows_accepted=1.5),
    "a whole fraction": written(rows_accepted=1.0),
    "a text for a count": written(rows_accepted="1"),
    "a truth for a count": written(rows_accepted=True),
    "a count beyond all files": written(rows_accepted=10**13),
    "an object for rejections": written(status="partial", rejections={}),
    "a null for rejections": written(status="partial", rejections=None),
    "a text for a rejection": written(status="partial", rejections=[CANARY]),
    "a rejection with a row": written(status="partial", rejections=[{**rejections("x")[0], "row": CANARY}]),
    "a rejection of an address": written(status="partial", rejections=[{"digest": CANARY, "reason": "x"}]),
    "a rejection without a digest": written(status="partial", rejections=[{"reason": "x"}]),
    "a rejection of null": written(status="partial", rejections=[{"digest": None, "reason": "x"}]),
    "a time without a zone": written(received_at="2026-11-23T18:00:00"),
    "a day": written(received_at="2026-11-23"),
    "no time": written(received_at=CANARY),
    "a number for a time": written(received_at=1700000000),
}
CONTRADICTIONS = {
    "accepted, and rejects rows": written(rows_rejected=1),
    "accepted, and lists rejections": written(rejections=rejections("x")),
    "rejected, and accepts rows": written(status="rejected", rows_accepted=1),
    "more listed than counted": written(status="partial", rows_rejected=1, rejections=rejections("x", "y")),
    "listed, and none counted": written(status="partial", rows_rejected=0, rejections=rejections("x")),
}
GOOD = written(sha256="a" * 64)
HOSTILE = {
    "nothing": b"",
    "no JSON": CANARY.encode(),
    "cut short": GOOD[:-1],
    "two receipts": GOOD * 2,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "no UTF-8": b'{"file": "\xff"}',
    "a key twice": GOOD.replace(b'"status": "accepted"', b'"status": "rejected", "status": "accepted"'),
    "NaN": b'{"rows_accepted": NaN}',
    "infinity": b'{"rows_accepted": 1e999}',
    "a huge number": b'{"rows_accepted": ' + b"9" * 5_000_000 + b"}",
    "lists within lists": b"[" * 3_000_000,
    "objects within objects": b'{"rejections":' * 100_000,
    "a text of ten megabytes": b'{"file": "' + b"a" * 10_000_000 + b'"}',
    "random bytes": random.Random(1).randbytes(100_000),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("content", [pytest.param(c, id=w) for w, c in (SHAPES | CONTRADICTIONS | HOSTILE).items()])
def test_what_is_no_receipt_is_refused_soon_and_not_quoted(content):
    began = time.process_time()
    assert refusal(content).startswith("receipt.json: ")
    assert time.process_time() - began < 5


def test_a_receipt_of_any_size_is_not_read():
    assert f"more than {MOST_BYTES} bytes" in refusal(bytes(MOST_BYTES + 1))


@pytest.mark.parametrize(
    "name", [f"{CANARY}@example.jp.json", "花子.json", f"../{CANARY}.json", f"{CANARY}\n.json", ""]
)
def test_a_name_that_might_be_a_row_is_not_told(name):
    assert refusal(b"{}", name).startswith("a receipt: ")


A, B = digest("a").hex(), digest("b").hex()
TABLES = {
    "one row about the file": ((f"{FILE}||accepted|",), Status.ACCEPTED, {}, ""),
    "rejected, and why": ((f"{FILE}||rejected|bad_header",), Status.REJECTED, {"bad_header": 1}, ""),
    "rejected, and not why": ((f"{FILE}||rejected|",), Status.REJECTED, {}, ""),
    "partial with its rows": (
        (f"{FILE}||partial|", f"{FILE}|{A}|rejected|stale", f"{FILE}|{B}|accepted|"),
        Status.PARTIAL,
        {"stale": 1},
        "a",
    ),
    "rows alone, some rejected": ((f"{FILE}|{A}|rejected|stale",), Status.PARTIAL, {"stale": 1}, "a"),
    "rows alone, all accepted": ((f"{FILE}|{A}|accepted|", f"{FILE}|{B}|accepted|"), Status.ACCEPTED, {}, ""),
    "rows of a rejected file": (
        (f"{FILE}|{A}|rejected|{CANARY}", f"{FILE}|{B}|rejected|", f"{FILE}||rejected|stale"),
        Status.REJECTED,
        {"other": 2, "stale": 1},
        "ab",
    ),
    "quotes, spaces and empty lines": (
        ("", f'"{FILE}"|" {A} "|rejected |" Stale"', ""),
        Status.PARTIAL,
        {"stale": 1},
        "a",
    ),
}


@pytest.mark.parametrize("what", TABLES)
@pytest.mark.parametrize(("ending", "delimiter"), [("psv", "|"), ("csv", ",")])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_receipt_in_rows(what, ending, delimiter, end):
    lines, status, reasons, rejected = TABLES[what]
    found = read_receipt(rows(*lines, delimiter=delimiter).replace(b"\n", end), f"receipt.{ending}")
    assert (found.file, found.status, found.reasons) == (FILE, status, reasons)
    assert found.rejected["digest"].to_list() == sorted(digest(a) for a in rejected)
    assert CANARY not in repr(found)


NO_TABLES = {
    "nothing": b"",
    "a header": rows(),
    "a header and an empty line": rows(""),
    "no header": f"{FILE}||accepted|\n".encode(),
    "another header": rows(f"{FILE}||accepted|").replace(b"reason", b"why"),
    "another order": rows(f"{FILE}||accepted|").replace(b"file|digest", b"digest|file"),
    "the other delimiter": rows(f"{FILE}||accepted|", delimiter=","),
    "a column more": rows(f"{FILE}||accepted||{CANARY}"),
    "a column fewer": rows(f"{FILE}||accepted"),
    "two files": rows(f"{FILE}||accepted|", f"{FILE}2||accepted|"),
    "two verdicts": rows(f"{FILE}||accepted|", f"{FILE}||rejected|"),
    "the same verdict twice": rows(f"{FILE}||accepted|", f"{FILE}||accepted|"),
    "another status": rows(f"{FILE}||{CANARY}|"),
    "no status": rows(f"{FILE}|{A}||stale"),
    "a partial row": rows(f"{FILE}|{A}|partial|"),
    "a row both ways": rows(f"{FILE}|{A}|accepted|", f"{FILE}|{A.upper()}|rejected|"),
    "accepted with a rejected row": rows(f"{FILE}||accepted|", f"{FILE}|{A}|rejected|"),
    "an address for a digest": rows(f"{FILE}|{CANARY}@example.jp|rejected|x"),
    "an address for an accepted digest": rows(f"{FILE}|{CANARY}@example.jp|accepted|x"),
    "an address for a file": rows(f"{CANARY}@example.jp||accepted|"),
    "no file": rows("||accepted|"),
    "a quote that does not close": rows(f'{FILE}||accepted|"{CANARY}'),
    "a quote that closes too early": rows(f'{FILE}||accepted|"x"{CANARY}'),
    "NUL": rows(f"{FILE}||accepted|\0"),
    "Japanese": rows(f"{FILE}||rejected|花子"),
    "a line of ten megabytes": b"a" * 10_000_000,
    "random bytes": random.Random(2).randbytes(100_000),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", NO_TABLES)
def test_rows_that_are_no_receipt_are_refused_and_not_quoted(what):
    assert refusal(NO_TABLES[what], "receipt.psv").startswith("receipt.psv: ")


@pytest.mark.parametrize("name", ["receipt", "receipt.txt", "receipt.JSON", "receipt.xlsx", ".json.gz"])
def test_a_receipt_of_another_kind_is_refused(name):
    assert "ends in .json, .csv or .psv" in refusal(GOOD, name)


def receipt(**told) -> Receipt:
    return read_receipt(written(**told), "receipt.json")


MATCHES = {
    "nothing counted": {},
    "the same bytes": {"sha256": "a" * 64},
    "the same bytes in capitals": {"sha256": "A" * 64},
    "all accepted": {"rows_accepted": 10},
    "all rejected": {"status": "rejected", "rows_rejected": 10},
    "all listed": {"status": "partial", "rejections": rejections(*"abcdefghij")},
    "all listed by two digests": {
        "status": "rejected",
        "rejections": rejections(*"abcdefghij") + rejections(*"abcdefghij", algorithm="md5"),
    },
    "some of each": {"status": "partial", "rows_accepted": 4, "rows_rejected": 6, "rejections": rejections("x")},
    "fewer than the file has": {"status": "partial", "rows_accepted": 1, "rows_rejected": 1},
}
MISMATCHES = {
    "another file": ({"file": "sudare_x.csv.gz"}, "not sent"),
    "another case": ({"file": FILE.upper()}, "not sent"),
    "other bytes": ({"sha256": "b" * 64}, "other bytes"),
    "one rejection more than rows": ({"status": "rejected", "rows_rejected": 11}, "more than the 10 rows"),
    "one more listed": ({"status": "partial", "rejections": rejections(*"abcdefghijk")}, "more than the 10 rows"),
    "one acceptance more": ({"rows_accepted": 11}, "more than the 10 rows"),
    "one more together": ({"status": "partial", "rows_accepted": 5, "rows_rejected": 6}, "more than the 10 rows"),
    "one more, listed": (
        {"status": "partial", "rows_accepted": 9, "rejections": rejections("a", "b")},
        "more than the 10 rows",
    ),
    "accepted, of one fewer": ({"rows_accepted": 9}, "counts fewer"),
    "accepted, of none": ({"rows_accepted": 0}, "counts fewer"),
}


@pytest.mark.parametrize("what", MATCHES)
def test_a_receipt_for_a_file_that_was_sent(what):
    assert match(receipt(**MATCHES[what]), SENT | {"other": SentFile("c" * 64, 1)}) == SENT[FILE]


@pytest.mark.parametrize("what", MISMATCHES)
def test_a_receipt_for_something_else_is_refused(what):
    told, message = MISMATCHES[what]
    with pytest.raises(ReceiptRefused, match=message):
        match(receipt(**told), SENT)


def test_the_name_of_a_file_that_was_never_sent_is_not_told():
    with pytest.raises(ReceiptRefused) as refused:
        match(receipt(file=CANARY), SENT)
    assert CANARY not in str(refused.value)


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.just([])
KEYS = st.sampled_from([field.name for field in dataclasses.fields(Receipt)] + ["rejections"]) | st.text(max_size=5)


@examples
@given(st.dictionaries(KEYS, VALUES | st.lists(st.dictionaries(st.sampled_from(["digest", "reason"]), VALUES))))
def test_no_json_does_anything_but_be_read_or_refused(told):
    try:
        found = read_receipt(written(**told), "receipt.json")
    except ReceiptRefused:
        return
    assert found.status in Status


@examples
@given(st.binary(max_size=300), st.sampled_from(["json", "csv", "psv"]), st.booleans())
def test_no_bytes_do_anything_but_be_read_or_refused(noise, ending, headed):
    try:
        found = read_receipt((rows() if headed and ending == "psv" else b"") + noise, f"receipt.{ending}")
    except ReceiptRefused:
        return
    assert found.status in Status


REASONS = st.sampled_from(["stale", "bad_hash", "Something else"])


@examples
@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), REASONS), min_size=1, max_size=20))
def test_json_and_rows_say_the_same(rejected):
    in_json = written(status="partial", rejections=[{"digest": d.hex(), "reason": r} for d, r in rejected])
    in_rows = rows(f"{FILE}||partial|", *(f"{FILE}|{d.hex()}|rejected|{r}" for d, r in rejected))
    one, other = read_receipt(in_json, "receipt.json"), read_receipt(in_rows, "receipt.psv")
    assert (one.file, one.status, one.reasons) == (other.file, other.status, other.reasons)
    assert one.rejected.equals(other.rejected)
    assert set(one.rejected["digest"]) == {d for d, _ in rejected}
