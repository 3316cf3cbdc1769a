"""Removal files: the people to forget, in the destination's form, and nothing else."""

import base64
import dataclasses
import datetime
import gzip
import hashlib
import io
import random
import traceback

import isal.igzip
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.errors import GateRefused
from delivery.destinations import liveramp
from delivery.partner_lists import read_list
from delivery.removals import ROWS_PER_CHUNK, read_back, removal_file_name, render_removals, write_removals
from delivery.spec import Digest, Encoding, FileForm, Method, Quoting, Removal

examples = settings(derandomize=True, max_examples=60, deadline=None)

CANARY = "canary-hanako"
LIVERAMP = liveramp.DESTINATION
NAMES = [algorithm.value for algorithm in Digest]
DAY = datetime.date(2026, 11, 23)


def with_removal(encoding: Encoding = Encoding.HEX, form: FileForm | None = None, **other):
    removal = dataclasses.replace(LIVERAMP.removal, form=form or LIVERAMP.removal.form, **other)
    return dataclasses.replace(LIVERAMP, removal=removal, encoding=encoding)


SHA256_ONLY = with_removal(
    Encoding.BASE64,
    FileForm(quoting=Quoting.ALWAYS, gzip=False),
    method=Method.FEED_HEADERS,
    columns=(("EMAIL1_SHA-256", Digest.SHA256),),
    flag=None,
)
HEADLESS = with_removal(form=FileForm(extension="txt", quoting=Quoting.NEVER, header=False, gzip=False), flag=None)
DELETION = with_removal(
    form=FileForm(quoting=Quoting.ALWAYS),
    method=Method.DELETION_FILE,
    columns=LIVERAMP.columns,
    flag=("segment", "1"),
)
DESTINATIONS = {"LiveRamp": LIVERAMP, "SHA-256 in Base64": SHA256_ONLY, "no header": HEADLESS, "deletion": DELETION}


def people(*addresses: str) -> pl.DataFrame:
    rows = [{name: hashlib.new(name, a.encode()).digest() for name in NAMES} for a in addresses]
    return pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.Binary))


def refusal(call, error=GateRefused) -> str:
    with pytest.raises(error) as refused:
        call()
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert CANARY not in str(refused.value) + "".join(traceback.format_exception(refused.value))
    return str(refused.value)


def test_liveramps_removal_file_is_the_one_its_page_shows():
    a = [hashlib.new(name, b"a").hexdigest() for name in ("md5", "sha1", "sha256")]
    b = [hashlib.new(name, b"b").hexdigest() for name in ("md5", "sha1", "sha256")]
    lines = ["md5_hash|sha1_hash|sha256_hash|opted-out", *("|".join((*one, "1")) for one in sorted([a, b]))]
    content = render_removals(LIVERAMP, people("b", "a"))
    assert gzip.decompress(content) == ("\n".join(lines) + "\n").encode("ascii")


def test_other_forms_are_written_as_they_say():
    digest = hashlib.sha256(b"a").digest()
    assert (
        render_removals(SHA256_ONLY, people("a")).decode()
        == f'"EMAIL1_SHA-256"\n"{base64.b64encode(digest).decode()}"\n'
    )
    three = "|".join(hashlib.new(name, b"a").hexdigest() for name in ("md5", "sha1", "sha256"))
    assert render_removals(HEADLESS, people("a")).decode() == three.replace("|", ",") + "\n"
    header, line = gzip.decompress(render_removals(DELETION, people("a"))).decode().splitlines()
    assert header == '"EMAIL1_SHA-256","EMAIL1_SHA-1","EMAIL1_MD5","segment"'
    assert line.endswith(',"1"')


@pytest.mark.parametrize("what", DESTINATIONS)
def test_the_same_people_make_the_same_bytes(what):
    destination = DESTINATIONS[what]
    addresses = [f"person{n}@example.jp" for n in range(500)]
    once = render_removals(destination, people(*addresses))
    random.Random(1).shuffle(addresses)
    assert (
        render_removals(destination, people(*addresses, *addresses[:100]).select(sorted(NAMES, reverse=True))) == once
    )


@pytest.mark.parametrize("what", DESTINATIONS)
def test_a_file_in_several_chunks_is_one_file(what, monkeypatch):
    rows = people(*map(str, range(25)))
    whole = render_removals(DESTINATIONS[what], rows)
    monkeypatch.setattr("delivery.removals.ROWS_PER_CHUNK", 7)
    parts = render_removals(DESTINATIONS[what], rows)
    unpack = gzip.decompress if DESTINATIONS[what].removal.form.gzip else bytes
    assert unpack(parts) == unpack(whole)
    assert ROWS_PER_CHUNK > 7


@pytest.mark.parametrize("what", DESTINATIONS)
def test_what_is_written_is_ascii_lines_of_one_length(what):
    destination = DESTINATIONS[what]
    content = render_removals(destination, people(*map(str, range(50))))
    if destination.removal.form.gzip:
        assert content[:4] == b"\x1f\x8b\x08\x00"
        assert content[4:8] == bytes(4), "a time stamp"
        content = gzip.decompress(content)
    lines = content.decode("ascii").split("\n")
    assert lines.pop() == ""
    assert "\r" not in content.decode()
    assert len({len(line) for line in lines[destination.removal.form.header :]}) == 1
    assert len(set(lines)) == 50 + destination.removal.form.header


@examples
@given(
    st.lists(st.tuples(*(st.binary(min_size=a.bytes, max_size=a.bytes) for a in Digest)), min_size=1, max_size=30),
    st.sampled_from(sorted(DESTINATIONS)),
)
def test_what_is_written_is_read_back(rows, what):
    destination = DESTINATIONS[what]
    columns = [algorithm.value for _, algorithm in destination.removal.columns]
    given_rows = pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.Binary), orient="row").unique(NAMES[0])
    given_rows = given_rows.unique(NAMES[1]).unique(NAMES[2])
    found = read_back(destination, render_removals(destination, given_rows))
    assert found.equals(given_rows.select(columns).sort(columns))


def test_a_partner_who_read_it_as_an_opt_out_list_would_find_the_same_people():
    """Two codings of LiveRamp's form, apart from each other, agree."""
    rows = people(*(f"person{n}@example.jp" for n in range(100)))
    found = read_list("liveramp", io.BytesIO(render_removals(LIVERAMP, rows)))
    assert found.digests.equals(rows.select(found.digests.columns).sort(found.digests.columns))
    assert (found.rows, found.rejected) == (100, {})


def test_a_file_may_be_written_to_a_place_and_says_its_digest(tmp_path):
    rows = people(*map(str, range(100)))
    for destination in DESTINATIONS.values():
        with (tmp_path / "file").open("wb") as file:
            digest = write_removals(destination, rows, file)
        content = (tmp_path / "file").read_bytes()
        assert content == render_removals(destination, rows)
        assert digest == hashlib.sha256(content).hexdigest()


def test_only_what_the_removal_names_is_in_the_file():
    content = render_removals(SHA256_ONLY, people("a"))
    assert hashlib.md5(b"a").digest() not in content
    assert hashlib.md5(b"a").hexdigest().encode() not in content


WRONG_COLUMNS = {
    "an address": people("a").with_columns(pl.lit(CANARY).alias("email")),
    "an address as bytes": people("a").with_columns(pl.lit(CANARY.encode()).alias("email")),
    "a member's number": people("a").with_columns(pl.lit(1).alias("member_id")),
    "an address under a digest's name": people("a").with_columns(pl.lit(CANARY).alias("md5")),
    "hexadecimal texts": people("a").with_columns(pl.all().bin.encode("hex")),
    "a column that is missing": people("a").drop("sha1"),
    "no columns": pl.DataFrame(),
}


@pytest.mark.parametrize("what", WRONG_COLUMNS)
def test_rows_of_anything_but_digests_are_a_mistake(what):
    refusal(lambda: render_removals(LIVERAMP, WRONG_COLUMNS[what]), ValueError)


UNSOUND = {
    "nobody": (people(), "nobody"),
    "a digest missing": (
        people("a", "b").with_columns(pl.Series("sha1", [b"x" * 20, None])),
        "1 removals have no sha1",
    ),
    "an address in bytes": (people("a").with_columns(pl.lit(CANARY.encode()).alias("md5")), "1 removals have no md5"),
    "the text of a digest": (people("a").with_columns(pl.col("md5").bin.encode("hex").cast(pl.Binary)), "no md5 of 16"),
    "an empty digest": (people("a").with_columns(pl.lit(b"").alias("sha256")), "no sha256 of 32"),
    "two people with one digest": (
        people("a", "b").with_columns(pl.lit(b"x" * 16).alias("md5")),
        "1 removals have the md5",
    ),
}


@pytest.mark.parametrize("what", UNSOUND)
def test_digests_that_are_none_are_refused_by_count(what):
    rows, message = UNSOUND[what]
    assert message in refusal(lambda: render_removals(LIVERAMP, rows))


def test_a_file_stays_under_the_ceilings_of_its_form():
    form = LIVERAMP.removal.form
    rows = people("a", "b", "c")
    size = len(gzip.decompress(render_removals(LIVERAMP, rows)))
    fits = with_removal(form=dataclasses.replace(form, rows_ceiling=3, bytes_ceiling=size))
    assert render_removals(fits, rows) == render_removals(LIVERAMP, rows)
    fewer = with_removal(form=dataclasses.replace(form, rows_ceiling=2))
    assert "3 removals" in refusal(lambda: render_removals(fewer, rows))
    assert render_removals(fewer, people("a", "b", "b", "a"))
    smaller = with_removal(form=dataclasses.replace(form, bytes_ceiling=size - 1))
    assert "larger than" in refusal(lambda: render_removals(smaller, rows))


@pytest.mark.parametrize("what", DESTINATIONS)
def test_the_size_is_foretold_exactly(what):
    destination, rows = DESTINATIONS[what], people(*map(str, range(9)))
    content = render_removals(destination, rows)
    size = len(gzip.decompress(content) if destination.removal.form.gzip else content)
    for ceiling, fits in ((size, True), (size - 1, False)):
        form = dataclasses.replace(destination.removal.form, bytes_ceiling=ceiling)
        bounded = dataclasses.replace(destination, removal=dataclasses.replace(destination.removal, form=form))
        if fits:
            assert render_removals(bounded, rows) == content
        else:
            refusal(lambda bounded=bounded: render_removals(bounded, rows))


@pytest.mark.parametrize(
    "removal",
    [
        {"flag": ("opted|out", "1")},
        {"flag": ("opted-out", "1|1")},
        {"flag": ("opted-out", "1\n1")},
        {"flag": ("opted-out", "")},
        {"flag": ("停止", "1")},
        {"flag": ('"opted"', "1")},
        {"columns": (("md5\r", Digest.MD5),)},
        {"columns": (("a", Digest.MD5), ("b", Digest.MD5))},
    ],
)
def test_a_header_that_the_form_cannot_hold_is_a_mistake(removal):
    refusal(lambda: render_removals(with_removal(**removal), people("a")), ValueError)


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


GOOD = gzip.decompress(render_removals(LIVERAMP, people("a", "b"))).decode()
NOT_REMOVALS = {
    "nothing": b"",
    "gzip of nothing": packed(""),
    "no gzip": GOOD.encode(),
    "cut short": packed(GOOD)[:-9],
    "without its header": packed(GOOD.partition("\n")[2]),
    "a feed's header": packed(GOOD.replace("md5_hash", "EMAIL1_MD5")),
    "columns in another order": packed(GOOD.replace("md5_hash|sha1_hash", "sha1_hash|md5_hash")),
    "another flag": packed(GOOD.replace("|1\n", "|0\n", 1)),
    "no flag": packed(GOOD.replace("|1\n", "|\n", 1)),
    "a column more": packed(GOOD.replace("|1\n", f"|1|{CANARY}\n", 1)),
    "a column fewer": packed(GOOD.replace("|1\n", "\n", 1)),
    "no digest": packed(GOOD + f"{CANARY}|||1\n"),
    "an empty digest": packed(GOOD + "|||1\n"),
    "quotes": packed(GOOD.replace("|1\n", '|"1"\n', 1)),
    "no UTF-8": gzip.compress(GOOD.encode() + b"\xff|\xff|\xff|1\n"),
    "random bytes": random.Random(1).randbytes(1_000),
}


@pytest.mark.parametrize("what", NOT_REMOVALS)
def test_what_is_no_removal_file_is_not_read_back(what):
    refusal(lambda: read_back(LIVERAMP, NOT_REMOVALS[what]))


@examples
@given(st.binary(max_size=200), st.sampled_from(sorted(DESTINATIONS)))
def test_no_bytes_do_anything_but_be_read_or_refused(noise, what):
    destination = DESTINATIONS[what]
    content = isal.igzip.compress(noise) if destination.removal.form.gzip else noise
    try:
        found = read_back(destination, content)
    except GateRefused:
        return
    assert found.null_count().sum_horizontal().item() == 0


def test_a_name_is_ascii_and_by_day_and_content():
    digest = hashlib.sha256(b"x").hexdigest()
    assert removal_file_name(LIVERAMP, DAY, digest) == f"sudare_liveramp_removals_20261123_{digest[:12]}.psv.gz"
    assert removal_file_name(HEADLESS, DAY, digest) == f"sudare_liveramp_removals_20261123_{digest[:12]}.txt"
    longest = dataclasses.replace(LIVERAMP, name="a" * (250 - len("sudare__removals_20261123_123456789012.psv.gz")))
    assert len(removal_file_name(longest, DAY, digest)) == 250


@pytest.mark.parametrize(
    ("destination", "digest"),
    [
        (LIVERAMP, ""),
        (LIVERAMP, "g" * 64),
        (LIVERAMP, "A" * 64),
        (LIVERAMP, "a" * 65),
        (LIVERAMP, CANARY),
        (dataclasses.replace(LIVERAMP, name="a" * 206), "a" * 64),
        (with_removal(form=FileForm(extension="停止")), "a" * 64),
        (with_removal(form=FileForm(extension="../psv")), "a" * 64),
    ],
)
def test_a_name_that_no_file_may_have_is_a_mistake(destination, digest):
    refusal(lambda: removal_file_name(destination, DAY, digest), ValueError)


def test_a_removal_needs_columns_that_the_feed_has():
    with pytest.raises(ValueError, match="was never sent"):
        dataclasses.replace(
            LIVERAMP,
            columns=LIVERAMP.columns[:1],
            removal=Removal(method=Method.OPT_OUT_FILE, columns=LIVERAMP.columns),
        )
