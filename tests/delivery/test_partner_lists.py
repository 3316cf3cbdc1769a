"""Opt-out lists: believed whole or not at all, and never quoted."""

import base64
import datetime
import gzip
import hashlib
import io
import json
import random
import time
import traceback
import zlib

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anonymizers.errors import OptOutListMissing, OptOutListRefused, OptOutListStale
from delivery import list_forms
from delivery.match_keys import digest
from delivery.partner_lists import ListMeta, PartnerList, listed, read_list, require_usable
from delivery.spec import Digest

examples = settings(derandomize=True, max_examples=60, deadline=None)

HEADER = "md5_hash|sha1_hash|sha256_hash|opted-out"
CANARY = "canary-hanako"
SCHEMA = {"sha256": pl.Binary, "sha1": pl.Binary, "md5": pl.Binary}


def hexes(address: str) -> tuple[str, str, str]:
    return tuple(hashlib.new(name, address.encode()).hexdigest() for name in ("md5", "sha1", "sha256"))


def row(address: str, flag: str = "1") -> str:
    return "|".join((*hexes(address), flag))


def table(*lines: str, end: str = "\n") -> bytes:
    return (end.join((HEADER, *lines)) + end).encode("utf-8")


def read(content: bytes, kind: str = "liveramp", **options) -> PartnerList:
    return read_list(kind, io.BytesIO(content), **options)


def digests_of(*addresses: str) -> set[tuple[bytes, bytes, bytes]]:
    return {tuple(bytes.fromhex(h) for h in reversed(hexes(a))) for a in addresses}


def said(failure: BaseException) -> str:
    """Everything that a log could make of an exception."""
    seen = []
    while failure is not None:
        seen += [*traceback.format_exception(failure), repr(failure), repr(vars(failure))]
        failure = failure.__cause__ or failure.__context__
    return "".join(seen)


def refusal(content: bytes, kind: str = "liveramp", **options) -> str:
    with pytest.raises(OptOutListRefused) as refused:
        read(content, kind, **options)
    assert refused.value.exit_status == 64
    assert refused.value.__context__ is None
    assert CANARY not in said(refused.value)
    return str(refused.value)


# LiveRamp's form ------------------------------------------------------------------------------------------------------

TAKEN = {
    "as the page shows it": table(row("a"), row("b")),
    "Windows line ends": table(row("a"), row("b"), end="\r\n"),
    "no line end at the end": table(row("a"), row("b"))[:-1],
    "empty lines": table("", row("a"), "", row("b"), "", " "),
    "capitals": table(row("a").upper(), row("b").upper()),
    "quotes": table(*('"' + row(a).replace("|", '"|"') + '"' for a in "ab")).replace(b"md5_hash", b'"md5_hash"'),
    "spaces": table(" " + row("a").replace("|", " \t| ") + " ", row("b")),
    "a row twice": table(row("a"), row("b"), row("a").upper()),
    "another order": table(row("b"), row("a")),
}


@pytest.mark.parametrize("what", TAKEN)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda c: gzip.compress(c[:70]) + gzip.compress(c[70:])])
def test_a_list_is_read_however_it_is_written(what, pack):
    content = pack(TAKEN[what])
    found = read(content)
    assert set(found.digests.iter_rows()) == digests_of("a", "b")
    assert found.digests.schema == SCHEMA
    assert found.digests.equals(read(TAKEN["as the page shows it"]).digests)
    assert found.rejected == {}
    assert found.partly_read == 0
    assert (found.rows, found.bytes) == (3 if what == "a row twice" else 2, len(content))
    assert found.sha256 == hashlib.sha256(content).hexdigest()


md5, sha1, sha256 = hexes("x")
REJECTED = {
    "a zero": (row("x", "0"), "not_opted_out"),
    "a quoted zero": (row("x", '"0"'), "not_opted_out"),
    "no flag": (row("x", ""), "flag_unknown"),
    "a word for a flag": (row("x", "true"), "flag_unknown"),
    "two for a flag": (row("x", "2"), "flag_unknown"),
    "eleven": (row("x", "11"), "flag_unknown"),
    "a full-width one": (row("x", "１"), "flag_unknown"),
    "three columns": (f"{md5}|{sha1}|1", "wrong_columns"),
    "five columns": (row("x") + "|1", "wrong_columns"),
    "an empty fifth column": (row("x") + "|", "wrong_columns"),
    "commas": (row("x").replace("|", ","), "wrong_columns"),
    "a word": (CANARY, "wrong_columns"),
    "no digest": ("|||1", "no_digest"),
    "quotes for digests": ('""|""|""|1', "no_digest"),
    "all too short": (f"{md5[1:]}|{sha1[1:]}|{sha256[1:]}|1", "digest_malformed"),
    "all too long": (f"{md5}0|{sha1}0|{sha256}0|1", "digest_malformed"),
    "in each other's columns": (f"{sha256}|{md5}|{sha1}|1", "digest_malformed"),
    "letters": (f"{'g' * 32}|{'g' * 40}|{'g' * 64}|1", "digest_malformed"),
    "0x before": (f"0x{md5}|0x{sha1}|0x{sha256}|1", "digest_malformed"),
    "0x within the length": (f"0x{md5[2:]}||0x{sha256[2:]}|1", "digest_malformed"),
    "a space within": (f"{md5[:16]} {md5[17:]}|||1", "digest_malformed"),
    "an address": (f"{CANARY}@example.jp|||1", "digest_malformed"),
    "full-width digits": (f"{'０' * 32}|||1", "digest_malformed"),
    "Base64": (f"||{base64.b64encode(bytes(32)).decode()}|1", "digest_malformed"),
}


@pytest.mark.parametrize("what", REJECTED)
def test_a_row_that_is_none_is_counted_and_takes_nobody_with_it(what):
    line, reason = REJECTED[what]
    found = read(table(row("a"), line, row("b")))
    assert set(found.digests.iter_rows()) == digests_of("a", "b")
    assert (found.rows, found.rejected) == (3, {reason: 1})
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("line", "kept", "partly"),
    [
        (f"{md5}|||1", {"md5"}, 0),
        (f"|{sha1}||1", {"sha1"}, 0),
        (f"||{sha256}|1", {"sha256"}, 0),
        (f"{md5}|{sha1[1:]}|{sha256}|1", {"md5", "sha256"}, 1),
        (f"{CANARY}|x|{sha256}|1", {"sha256"}, 1),
    ],
)
def test_a_stop_is_taken_by_whichever_digest_can_be_read(line, kept, partly):
    found = read(table(line))
    of_x = dict(zip(("sha256", "sha1", "md5"), *digests_of("x"), strict=True))
    assert found.digests.to_dicts() == [{name: of_x[name] if name in kept else None for name in SCHEMA}]
    assert (found.rejected, found.partly_read) == ({}, partly)


def test_a_zero_lifts_nobodys_stop():
    """Whoever is on the list with a one is on it, whatever another row says."""
    found = read(table(row("a", "0"), row("a"), row("a", "0")))
    assert set(found.digests.iter_rows()) == digests_of("a")
    assert found.rejected == {"not_opted_out": 2}


def test_bytes_that_are_no_ascii_are_a_malformed_row_of_their_own():
    found = read(table(row("a")) + b"\xff\xfe\x00|\x80||1\n" + f"{row('b')}\n".encode())
    assert set(found.digests.iter_rows()) == digests_of("a", "b")
    assert found.rejected == {"digest_malformed": 1}


REFUSED = {
    "nothing": b"",
    "gzip of nothing": gzip.compress(b""),
    "a header and nothing else": f"{HEADER}\n".encode(),
    "a header and empty lines": f"{HEADER}\n\n \r\n\n".encode(),
    "no header": f"{row('a')}\n".encode(),
    "columns in another order": table(row("a")).replace(b"md5_hash|sha1_hash", b"sha1_hash|md5_hash"),
    "capitals in the header": table(row("a")).replace(b"md5_hash", b"MD5_HASH"),
    "a column more": table(row("a")).replace(b"opted-out", b"opted-out|email"),
    "a column fewer": table(row("a")).replace(b"|opted-out", b""),
    "commas in the header": table(row("a")).replace(b"|", b","),
    "a byte order mark": b"\xef\xbb\xbf" + table(row("a")),
    "UTF-16": table(row("a")).decode().encode("utf-16"),
    "a feed": b'"EMAIL1_SHA-256"\n"' + sha256.encode() + b'"\n',
    "an error page": f"<html><body>{CANARY}</body></html>\n".encode(),
    "only rows that cannot be read": table(CANARY, f"{CANARY}|||1"),
    "random bytes": random.Random(1).randbytes(100_000),
    "random bytes under a header": f"{HEADER}\n".encode() + random.Random(2).randbytes(3_000),
    "random bytes that begin like gzip": b"\x1f\x8b" + random.Random(3).randbytes(100_000),
    "gzip with something after it": gzip.compress(table(row("a"))) + CANARY.encode(),
    "gzip of gzip": gzip.compress(gzip.compress(table(row("a")))),
    "a deflate stream": zlib.compress(table(row("a"))),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_list_is_refused_and_not_quoted(what):
    assert refusal(REFUSED[what]).startswith("opt-out list liveramp: ")


def test_a_header_and_nothing_else_is_a_list_of_nobody_if_somebody_says_so():
    found = read(f"{HEADER}\n".encode(), accept_empty=True)
    assert (found.rows, found.digests.height, dict(found.digests.schema)) == (0, 0, SCHEMA)
    refusal(b"", accept_empty=True)
    refusal(gzip.compress(b""), accept_empty=True)


def test_rows_that_say_not_opted_out_are_a_list_of_nobody():
    found = read(table(row("a", "0"), row("b", "0")))
    assert (found.digests.height, found.rejected) == (0, {"not_opted_out": 2})


def test_gzip_that_is_cut_short_anywhere_is_refused():
    content = gzip.compress(table(*(row(str(n)) for n in range(6))))
    for length in range(len(content)):
        refusal(content[:length])


def test_gzip_in_which_any_bit_of_the_content_has_turned_is_refused():
    content = gzip.compress(table(row("a"), row("b")), mtime=0)
    for place in range(10, len(content)):  # before that stand the time and the system, which say nothing
        turned = bytearray(content)
        turned[place] ^= 1 << place % 8
        refusal(bytes(turned))


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    content = table(*(row(str(n)) for n in range(1_000)))
    assert read(content, most_bytes=len(content)).rows == 1_000
    assert "unpacks to more than" in refusal(gzip.compress(content), most_bytes=len(content) - 1)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("filling", [b"\0", b"\n", b"|\n", b" "], ids=["NUL", "lines", "cells", "spaces"])
def test_a_bomb_goes_off_in_a_bounded_time(filling):
    bomb = gzip.compress(f"{HEADER}\n".encode() + filling * (30_000_000 // len(filling)), 1)
    refusal(bomb, most_bytes=20_000_000)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("begin", [b"", f"{HEADER}\n".encode()])
def test_a_line_of_ten_megabytes_is_refused(begin):
    assert "a line has more than" in refusal(begin + b"a" * 10_000_000)


@examples
@given(st.binary(max_size=300), st.booleans(), st.booleans())
@example(b"\n" * 300, True, True)
@example(b"|||1", True, False)
def test_no_bytes_do_anything_but_be_read_or_refused(noise, headed, packed):
    content = (f"{HEADER}\n".encode() if headed else b"") + noise
    try:
        found = read(gzip.compress(content) if packed else content)
    except OptOutListRefused:
        return
    assert found.rows == sum(found.rejected.values()) + found.digests.height


RAW = st.tuples(*(st.none() | st.binary(min_size=n, max_size=n) for n in (16, 20, 32))).filter(any)


@examples
@given(st.lists(st.tuples(RAW, st.booleans(), st.booleans()), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_back(rows, end):
    def line(digests, upper, quoted):
        cells = ["" if d is None else d.hex().upper() if upper else d.hex() for d in digests]
        return "|".join(f'"{cell}"' if quoted else cell for cell in (*cells, "1"))

    found = read(table(*(line(*one) for one in rows), end=end))
    assert set(found.digests.iter_rows()) == {tuple(reversed(digests)) for digests, _, _ in rows}
    assert found.digests.height == len(set(found.digests.iter_rows()))
    assert (found.rows, found.rejected) == (len(rows), {})


@pytest.mark.parametrize("block", [2, 7, 139, 140, 4096])
def test_where_the_blocks_are_cut_changes_nothing(block, monkeypatch):
    content = table(*(row(str(n)) for n in range(50)), end="\r\n")
    whole = read(content)
    monkeypatch.setattr(list_forms, "_BLOCK", block)
    parts = read(gzip.compress(content))
    assert parts.digests.equals(whole.digests)
    assert (parts.rows, parts.rejected) == (50, {})


def test_a_list_is_read_from_its_place(tmp_path):
    place = tmp_path / "list.psv.gz"
    place.write_bytes(gzip.compress(table(row("a"))))
    assert read_list("liveramp", place).digests.height == 1
    with pytest.raises(OptOutListMissing) as missing:
        read_list("liveramp", tmp_path / CANARY)
    assert missing.value.exit_status == 65
    assert CANARY not in said(missing.value)
    with pytest.raises(OptOutListRefused, match="EISDIR"):
        read_list("liveramp", tmp_path)


def test_a_kind_that_nobody_can_read_is_refused():
    with pytest.raises(OptOutListRefused):
        read(table(row("a")), "example_ads")


def test_neither_the_list_nor_its_record_shows_a_digest():
    found = read(table(row("a")))
    shown = repr(found) + str(found) + repr(found.meta(NOW))
    assert all(h not in shown for h in hexes("a"))
    assert str(bytes.fromhex(md5)) not in shown


# UID2's form ----------------------------------------------------------------------------------------------------------


def b64(address: str) -> str:
    return base64.b64encode(hashlib.sha256(address.encode()).digest()).decode()


def v2(*unmapped: tuple[object, object], mapped: tuple[str, ...] = ()) -> dict:
    body = {
        "mapped": [{"identifier": b64(a), "advertising_id": b64("u" + a), "bucket_id": "a30od4mNRd"} for a in mapped],
        "unmapped": [{"identifier": identifier, "reason": reason} for identifier, reason in unmapped],
    }
    return {"body": body, "status": "success"}


MAPPED = {"u": b64("u"), "p": None, "r": 1735689600000}


def v3(asked: list, answered: list, **more) -> dict:
    body = {"email": [], "email_hash": answered, "phone": [], "phone_hash": []}
    return {"request": {"email_hash": asked, **more}, "response": {"body": body, "status": "success"}}


def uid2(document: object) -> bytes:
    return json.dumps(document).encode()


UID2_TAKEN = {
    "a response of v2": v2((b64("a"), "optout"), (b64("b"), "optout"), mapped=("c",)),
    "hexadecimal": v2((hexes("a")[2], "optout"), (hexes("b")[2].upper(), "optout"), mapped=("c",)),
    "v2 beside its request": {"request": {}, "response": v2((b64("a"), "optout"), (b64("b"), "optout"), mapped=("c",))},
    "v3": v3([b64("a"), b64("c"), b64("b")], [{"e": "optout"}, MAPPED, {"e": "optout"}]),
    "v3 that says both": v3([b64("a"), b64("c"), b64("b")], [{"e": "optout"}, MAPPED, {**MAPPED, "e": "optout"}]),
    "batches": [v2((b64("a"), "optout"), mapped=("c",)), v3([b64("b")], [{"e": "optout"}])],
}


@pytest.mark.parametrize("what", UID2_TAKEN)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_document_with_digests_beside_verdicts_is_read(what, pack):
    content = pack(uid2(UID2_TAKEN[what]))
    found = read(content, "uid2")
    expected = sorted(hashlib.sha256(a.encode()).digest() for a in "ab")
    assert found.digests.rows() == [(d, None, None) for d in expected]
    assert found.digests.schema == SCHEMA
    assert (found.rows, found.rejected) == (3, {"not_opted_out": 1})
    assert (found.sha256, found.bytes) == (hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize(
    ("document", "rejected"),
    [
        (v2((b64("x"), "invalid identifier")), {"invalid_identifier": 1}),
        (v2((f"{CANARY}@malformed@hash", "invalid identifier")), {"invalid_identifier": 1}),
        (v2((b64("x"), CANARY)), {"reason_unknown": 1}),
        (v2((b64("x"), "OptOut")), {"reason_unknown": 1}),
        (v2((b64("x"), None)), {"reason_unknown": 1}),
        (v2((b64("x"), ["optout"])), {"reason_unknown": 1}),
        (v2((b64("x")[:-1], "optout")), {"digest_malformed": 1}),
        (v2((base64.b64encode(bytes(31)).decode(), "optout")), {"digest_malformed": 1}),
        (v2((base64.b64encode(hexes("x")[2].encode()).decode(), "optout")), {"digest_malformed": 1}),
        (v2((hexes("x")[0], "optout")), {"digest_malformed": 1}),
        (v2((b64("x").replace("=", "\n"), "optout")), {"digest_malformed": 1}),
        (v3([b64("x")], [{"e": "invalid identifier"}]), {"invalid_identifier": 1}),
        (v3([b64("x")], [{"e": CANARY}]), {"reason_unknown": 1}),
        (v3([b64("x")], [{}]), {"reason_unknown": 1}),
    ],
)
def test_a_verdict_that_is_no_opt_out_is_counted(document, rejected):
    content = uid2([document, v2((b64("a"), "optout"))])
    found = read(content, "uid2")
    assert found.digests["sha256"].to_list() == [hashlib.sha256(b"a").digest()]
    assert (found.rows, found.rejected) == (2, rejected)


def test_digests_of_telephone_numbers_are_counted_apart():
    document = v3([], [], phone_hash=[b64("+819012345678")])
    document["response"]["body"]["phone_hash"] = [{"e": "optout"}]
    found = read(uid2(document), "uid2")
    assert (found.digests.height, found.rejected) == (0, {"not_an_email": 1})


@pytest.mark.parametrize("document", [v2(), {"body": {"mapped": []}, "status": "success"}, v3([], [])])
def test_a_response_in_which_nobody_has_said_stop_is_a_list_of_nobody(document):
    assert read(uid2(document), "uid2").digests.height == 0


FORM = "needed is a response of identity map v2"
UID2_REFUSED = {
    "advertising ids": ({"body": {"opted_out": [{"advertising_id": CANARY}]}, "status": "success"}, "ids; needed is"),
    "no opted-out advertising ids": ({"body": {"opted_out": []}, "status": "success"}, FORM),
    "v3 without its request": (v3([b64("a")], [{"e": "optout"}])["response"], FORM),
    "a request only": ({"request": {"email_hash": [b64("a")]}}, FORM),
    "an error": ({"status": "client_error", "message": CANARY}, FORM),
    "an error with a body": ({**v2(), "status": "unauthorized"}, "not success"),
    "no status": ({"body": v2()["body"]}, "not success"),
    "an address": (v2((f"{CANARY}@example.jp", "optout")), "in the clear"),
    "an address in full width": (v2((f"{CANARY}＠example.jp", "optout")), "in the clear"),
    "a telephone number": (v2(("+819012345678", "optout")), "in the clear"),
    "v3 asked with addresses": (v3([], [], email=[f"{CANARY}@example.jp"]), "in the clear"),
    "v3 asked with numbers": (v3([], [], phone=["+819012345678"]), "in the clear"),
    "v3 with an item fewer": (v3([b64("a"), b64("b")], [{"e": "optout"}]), "same number"),
    "v3 with an item more": (v3([b64("a")], [{"e": "optout"}, MAPPED]), "same number"),
    "v3 without a list": (v3([b64("a")], {"0": {"e": "optout"}}), "something else"),
    "v3 asked with no list": (v3(b64("a"), []), "no list of digests"),
    "v3 asked with numbers for digests": (v3([1], [{"e": "optout"}]), "no list of digests"),
    "no identifier": (v2((None, "optout")), "no identifier"),
    "a list for an item": ({"body": {"unmapped": [[CANARY, "optout"]]}, "status": "success"}, "something else"),
    "null for a list": ({"body": {"unmapped": None}, "status": "success"}, "something else"),
    "an empty body": ({"body": {}, "status": "success"}, FORM),
    "no body": ({}, FORM),
    "a text": (CANARY, FORM),
    "a number": (1, FORM),
    "null": (None, FORM),
    "no documents": ([], FORM),
    "documents within documents": ([[v2()]], FORM),
    "only digests that cannot be read": (v2((CANARY, "optout")), "not one row"),
}


@pytest.mark.parametrize("what", UID2_REFUSED)
def test_a_document_of_another_form_is_refused_and_told_which_is_needed(what):
    document, message = UID2_REFUSED[what]
    assert message in refusal(uid2(document), "uid2")


OPTED_OUT = uid2(v2((b64("a"), "optout")))
HOSTILE = {
    "nothing": b"",
    "no JSON": CANARY.encode(),
    "a table": table(row("a")),
    "cut short": OPTED_OUT[:-1],
    "two documents": OPTED_OUT * 2,
    "UTF-16": OPTED_OUT.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + OPTED_OUT,
    "no UTF-8": OPTED_OUT.replace(b"optout", b"\xff"),
    "a key twice": OPTED_OUT.replace(b'"unmapped": [', b'"unmapped": [], "unmapped": ['),
    "a key twice, escaped": OPTED_OUT.replace(b'"mapped": [', b'"unma\\u0070ped": [], "mapped": ['),
    "NaN": b'{"status": NaN}',
    "infinity": b'{"status": -Infinity}',
    "a number beyond all": b'{"status": 1e999}',
    "a huge number": b'{"status": ' + b"9" * 5_000_000 + b"}",
    "a number of 21 digits": b'{"status": ' + b"9" * 21 + b"}",
    "lists within lists": b"[" * 3_000_000,
    "lists within lists, closed": b"[" * 100_000 + b"]" * 100_000,
    "objects within objects": b'{"body":' * 100_000,
    "more lists than fit": b"[" + b"[]," * 5_000_000 + b"[]]",
    "more texts than fit": b"[" + b'"",' * 11_000_000 + b'""]',
    "random bytes": random.Random(4).randbytes(100_000),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_hostile_json_is_refused_soon_and_not_quoted(what, pack):
    began = time.process_time()
    refusal(pack(HOSTILE[what]), "uid2")
    assert time.process_time() - began < 5


def test_json_beyond_what_fits_in_memory_is_refused():
    assert "unpacks to more than 100 bytes" in refusal(OPTED_OUT + b" " * 200, "uid2", most_bytes=100)
    assert f"more than {list_forms.MOST_BYTES_OF_JSON} bytes" in refusal(
        gzip.compress(b" " * (list_forms.MOST_BYTES_OF_JSON + 1), 1), "uid2"
    )


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([b64("a"), "optout", "success"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "body",
                    "status",
                    "mapped",
                    "unmapped",
                    "identifier",
                    "reason",
                    "request",
                    "response",
                    "email_hash",
                    "e",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(JSONS)
def test_no_json_does_anything_but_be_read_or_refused(document):
    try:
        found = read(uid2(document), "uid2")
    except OptOutListRefused:
        return
    assert found.rows == sum(found.rejected.values()) + found.digests.height


@examples
@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.booleans()), max_size=20, unique_by=lambda i: i[0]))
def test_v2_and_v3_say_the_same(people):
    texts = [base64.b64encode(digest).decode() for digest, _ in people]
    third = v3(texts, [{"e": "optout"} if stopped else MAPPED for _, stopped in people])
    second = v2(*((text, "optout") for text, (_, stopped) in zip(texts, people, strict=True) if stopped))
    second["body"]["mapped"] = [{"identifier": t} for t, (_, stopped) in zip(texts, people, strict=True) if not stopped]
    of_second, of_third = read(uid2(second), "uid2"), read(uid2(third), "uid2")
    assert of_second.digests.equals(of_third.digests)
    assert (of_second.rows, of_second.rejected) == (of_third.rows, of_third.rejected)
    assert set(of_third.digests["sha256"]) == {digest for digest, stopped in people if stopped}


# Whether a list may be used -------------------------------------------------------------------------------------------

NOW = datetime.datetime(2026, 11, 23, 17, 30, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(microseconds=1)
HOUR = datetime.timedelta(hours=1)


def meta(listed_rows: int = 1_000, age: datetime.timedelta = HOUR, **other) -> ListMeta:
    fields = {"kind": "liveramp", "sha256": "0" * 64, "bytes": 1, "rows": listed_rows, "rejected": {}} | other
    return ListMeta(listed=listed_rows, produced_at=NOW - age, **fields)


BEFORE = meta(age=25 * HOUR)
USABLE = {
    "the first": (None, meta()),
    "the first, of nobody": (None, meta(0)),
    "the same again": (BEFORE, meta()),
    "the very same": (meta(), meta()),
    "a longer one": (BEFORE, meta(5_000)),
    "24 hours old": (None, meta(age=24 * HOUR)),
    "10 minutes from now": (None, meta(age=-HOUR / 6)),
    "5 % shorter": (BEFORE, meta(950)),
    "one of nineteen fewer is more than 5 %, of twenty it is 5 %": (meta(20, 25 * HOUR), meta(19)),
    "nobody, as before": (meta(0, 25 * HOUR), meta(0)),
    "5 % unreadable": (None, meta(95, rows=100, rejected={"flag_unknown": 3, "wrong_columns": 2})),
    "many who are not opted out": (None, meta(1, rows=100, rejected={"not_opted_out": 50, "invalid_identifier": 49})),
}
DOUBTFUL = {
    "a little more than 5 % shorter": (BEFORE, meta(949)),
    "one of nineteen": (meta(19, 25 * HOUR), meta(18)),
    "empty": (BEFORE, meta(0)),
    "empty, after one": (meta(1, 25 * HOUR), meta(0)),
    "made before the last one": (meta(age=HOUR), meta(age=HOUR + SECOND)),
    "more than 5 % unreadable": (None, meta(94, rows=100, rejected={"flag_unknown": 3, "digest_malformed": 3})),
}
REFUSED_ALWAYS = {
    "none": (None, None, OptOutListMissing),
    "none any more": (BEFORE, None, OptOutListMissing),
    "older than 24 hours": (None, meta(age=24 * HOUR + SECOND), OptOutListStale),
    "from the future": (None, meta(age=-HOUR / 6 - SECOND), OptOutListRefused),
    "another partner's": (None, meta(kind="uid2"), OptOutListRefused),
    "after another partner's": (meta(kind="uid2"), meta(), OptOutListRefused),
}


@pytest.mark.parametrize("what", USABLE)
def test_a_list_may_be_used(what):
    require_usable("liveramp", *USABLE[what], NOW)


@pytest.mark.parametrize("what", DOUBTFUL)
def test_a_doubtful_list_may_be_used_only_if_somebody_names_it(what):
    previous, this = DOUBTFUL[what]
    for accepted in ("", "1" * 64):
        with pytest.raises(OptOutListRefused, match=this.sha256):
            require_usable("liveramp", previous, this, NOW, accepted)
    require_usable("liveramp", previous, this, NOW, this.sha256)


@pytest.mark.parametrize("what", REFUSED_ALWAYS)
def test_a_list_that_says_nothing_of_now_may_never_be_used(what):
    previous, this, error = REFUSED_ALWAYS[what]
    with pytest.raises(error) as refused:
        require_usable("liveramp", previous, this, NOW, "0" * 64)
    assert type(refused.value) is error
    assert refused.value.exit_status == {OptOutListRefused: 64, OptOutListMissing: 65, OptOutListStale: 66}[error]


def test_an_empty_list_is_called_empty():
    with pytest.raises(OptOutListRefused, match="it is empty, and the last one had 1000"):
        require_usable("liveramp", BEFORE, meta(0), NOW)


def test_what_is_kept_of_a_list_is_what_it_says():
    found = read(table(row("a"), row("a"), row("b", "0"), CANARY))
    kept = found.meta(NOW)
    assert (kept.kind, kept.sha256, kept.bytes, kept.rows) == ("liveramp", found.sha256, found.bytes, 4)
    assert (kept.listed, kept.rejected, kept.unreadable) == (1, {"not_opted_out": 1, "wrong_columns": 1}, 1)
    assert kept.produced_at == NOW


# Who is on it ---------------------------------------------------------------------------------------------------------


def digested(keys: pl.Series) -> pl.DataFrame:
    return keys.to_frame().select(digest(pl.col("key"), algorithm).alias(algorithm.value) for algorithm in Digest)


def on_list(keys: list[str | None], digests: pl.DataFrame) -> list[bool]:
    found = listed(digested(pl.Series("key", keys, dtype=pl.String)), digests)
    assert found.dtype == pl.Boolean
    return found.to_list()


def one_digest(address: str, algorithm: str) -> dict[str, bytes | None]:
    of = dict(zip(("md5", "sha1", "sha256"), map(bytes.fromhex, hexes(address)), strict=True))
    return {name: of[name] if name == algorithm else None for name in SCHEMA}


def test_an_address_is_on_a_list_by_any_of_its_digests():
    digests = pl.DataFrame([one_digest(a, a) for a in ("sha256", "sha1", "md5")], schema=SCHEMA)
    assert on_list(["sha1", None, "other", "md5", "sha256", "", "sha1"], digests) == [
        True,
        False,
        False,
        True,
        True,
        False,
        True,
    ]


def test_digests_of_one_row_count_alone():
    """Nobody can know whether they are of one address."""
    mixed = {n: one_digest(a, n)[n] for n, a in (("sha256", "a"), ("sha1", "b"), ("md5", "c"))}
    assert on_list(["a", "b", "c", "d"], pl.DataFrame([mixed], schema=SCHEMA)) == [True, True, True, False]


@pytest.mark.parametrize("keys", [[], [None], ["a"], ["a", None, "b"]])
@pytest.mark.parametrize("rows", [[], [(None, None, None)]], ids=["no rows", "no digests"])
def test_nobody_is_on_an_empty_list(keys, rows):
    assert on_list(keys, pl.DataFrame(rows, schema=SCHEMA, orient="row")) == [False] * len(keys)


@examples
@given(st.data())
def test_whoever_was_put_on_a_list_is_on_it_and_nobody_else(data):
    people = data.draw(st.lists(st.emails(), min_size=1, max_size=10, unique=True))
    stopped = data.draw(st.lists(st.sampled_from(people), unique=True))
    lines = []
    for address in stopped:
        some = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=1, unique=True))
        lines.append("|".join([h if n in some else "" for n, h in enumerate(hexes(address))] + ["1"]))
    found = read(table(*lines), accept_empty=True)
    assert on_list(people, found.digests) == [address in stopped for address in people]


@pytest.mark.parametrize(
    "digests",
    [
        pl.DataFrame({"sha256": [b"x"]}),
        pl.DataFrame(schema=dict.fromkeys(SCHEMA, pl.String)),
        pl.DataFrame(schema={**SCHEMA, "email": pl.Binary}),
    ],
)
def test_digests_of_another_shape_are_an_error_not_a_list_of_nobody(digests):
    with pytest.raises(ValueError, match="Binary columns"):
        on_list(["a"], digests)


@pytest.mark.timeout(60)
def test_a_large_list_takes_seconds():
    """100,000 rows read and 500,000 addresses looked up; ten times as much takes about ten times as long."""
    lines = [row(f"person{n}@example.jp") for n in range(100_000)]
    began = time.process_time()
    found = read(gzip.compress(table(*lines), 1))
    keys = pl.Series("key", [f"person{n}@example.jp" for n in range(99_000, 599_000)])
    hits = listed(digested(keys), found.digests)
    assert (found.rows, found.digests.height, hits.sum()) == (100_000, 100_000, 1_000)
    assert hits.head(1_000).all()
    assert time.process_time() - began < 15


def test_every_digest_has_a_column():
    assert list(list_forms.SCHEMA) == [algorithm.value for algorithm in Digest]
