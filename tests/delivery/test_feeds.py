"""Feeds: only what is permitted gets into one, and the same feed is the same bytes."""

import base64
import copy
import dataclasses
import datetime
import gzip
import hashlib
import tarfile

import polars as pl
import pytest

from anonymizers.errors import FenceRefused, GateRefused, PermitRefused
from delivery.consent import Permitted
from delivery.destinations.liveramp import DESTINATION
from delivery.digest_files import DigestFile
from delivery.feeds import Feed, file_name, read_back, rows_for, write_file
from delivery.outbox import (
    drop_others,
    files_below,
    forget_other_pending,
    kept_file,
    pending_place,
    require_pending,
    sealed_place,
)
from delivery.spec import Encoding, FileForm, Quoting
from tests.delivery.feed_files import DAY, KEYS, PLAIN, digests, parts, permitted, text_file, write

HEADERS = [header for header, _ in DESTINATION.columns]


class Pretender:
    destination = "liveramp"
    rows = permitted().rows


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(pl.Series("key", KEYS), id="a column"),
        pytest.param(permitted().rows, id="a frame"),
        pytest.param(KEYS, id="a list"),
        pytest.param(None, id="nothing"),
        pytest.param(Pretender(), id="something that looks alike"),
        pytest.param(permitted(destination="other"), id="a permit for another destination"),
    ],
)
def test_nothing_but_a_permit_for_this_destination_gets_into_a_feed(given):
    with pytest.raises(PermitRefused, match=r"^liveramp: only what is permitted for this destination") as refused:
        rows_for(DESTINATION, given)
    assert refused.value.exit_status == 42
    assert "@" not in str(refused.value)


def test_a_permit_does_not_show_its_digests():
    shown = f"{permitted()} {[permitted()]}"
    assert not any(digest[:8] in shown for digest in digests(KEYS)["sha256"])


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda p: Permitted(), id="called"),
        pytest.param(lambda p: dataclasses.replace(p, destination="other"), id="replaced"),
    ],
)
def test_nobody_else_makes_a_permit(forge):
    with pytest.raises(TypeError):
        forge(permitted())


def test_a_permit_is_for_one_destination():
    with pytest.raises(dataclasses.FrozenInstanceError):
        copy.copy(permitted()).destination = "other"


def test_the_same_feed_is_the_same_bytes(tmp_path):
    one = write(KEYS, tmp_path / "one")
    other = write(reversed(KEYS), tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert one.sha256 == other.sha256 == hashlib.sha256((tmp_path / "one").read_bytes()).hexdigest()
    assert write(KEYS[1:], tmp_path / "less").sha256 != one.sha256


def test_a_file_is_quoted_csv_with_line_feeds(tmp_path):
    writer = write(KEYS[:2], tmp_path / "file")
    content = gzip.decompress((tmp_path / "file").read_bytes())
    head, *rows, last = content.decode("ascii").split("\n")
    assert head == '"EMAIL1_SHA-256","EMAIL1_SHA-1","EMAIL1_MD5"'
    assert last == ""
    assert "\r" not in content.decode()
    expected = digests(KEYS[:2]).sort("sha256").rows()
    assert rows == [",".join(f'"{value}"' for value in row) for row in expected]
    assert writer.plain_bytes == len(content)


def test_a_file_says_neither_when_nor_where_it_was_made(tmp_path):
    write(KEYS, tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    assert content[:3] == b"\x1f\x8b\x08"
    assert content[4:8] == bytes(4)  # no time
    assert content[3] == 0  # no name, no comment


FORMS = {
    "base64 without quotes": (Encoding.BASE64, FileForm(quoting=Quoting.NEVER, gzip=False)),
    "no header": (Encoding.HEX, FileForm(header=False, gzip=False)),
    "tabs": (Encoding.HEX, FileForm(delimiter="\t", quoting=Quoting.NEVER, gzip=False)),
}


@pytest.mark.parametrize(("encoding", "form"), FORMS.values(), ids=FORMS)
def test_a_destination_has_its_own_form(tmp_path, encoding, form):
    other = dataclasses.replace(DESTINATION, encoding=encoding, form=form)
    write(KEYS[:1], tmp_path / "file", other)
    values = [
        base64.b64encode(bytes.fromhex(value)).decode() if encoding is Encoding.BASE64 else value
        for value in digests(KEYS[:1]).row(0)
    ]
    mark = '"' if form.quoting is Quoting.ALWAYS else ""
    lines = [HEADERS] if form.header else []
    expected = [form.delimiter.join(f"{mark}{value}{mark}" for value in line) for line in [*lines, values]]
    assert (tmp_path / "file").read_text().splitlines() == expected
    (chunk,) = read_back(other.columns, other.form, tmp_path / "file")
    assert chunk.columns == HEADERS
    assert chunk.row(0) == tuple(values)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("digest", [None, "", "canary", "ab" * 33])
def test_a_digest_that_is_missing_or_of_another_length_is_not_written(tmp_path, encoding, digest):
    rows = digests(KEYS).with_columns(pl.Series("sha256", [digest] + ["ab" * 32] * (len(KEYS) - 1)))
    writer = DigestFile(DESTINATION.columns, encoding, PLAIN.form)
    with (tmp_path / "file").open("wb") as file, writer.opened(file), pytest.raises(GateRefused) as refused:
        writer.write(rows)
    assert "canary" not in str(refused.value)
    assert (tmp_path / "file").read_text().count("\n") == 1  # the header


def test_a_row_without_a_digest_is_not_left_out_in_silence(tmp_path):
    first = pl.int_range(pl.len()) == 0
    without = permitted().rows.with_columns(pl.when(~first).then("sha256").alias("sha256"))
    with pytest.raises(GateRefused, match=r"^sha256: 1 digests are missing"):
        write_file(DESTINATION, DAY, parts(without), tmp_path)


@pytest.mark.parametrize(
    ("name", "sort", "is_unpacked"),
    [
        ("./feed.csv.gz", tarfile.REGTYPE, True),
        ("./rows", tarfile.DIRTYPE, True),
        ("../feed.csv.gz", tarfile.REGTYPE, False),
        ("rows/../../feed.csv.gz", tarfile.REGTYPE, False),
        ("/tmp/feed.csv.gz", tarfile.REGTYPE, False),
        ("//tmp/feed.csv.gz", tarfile.REGTYPE, False),
        ("./link", tarfile.SYMTYPE, False),
        ("./link", tarfile.LNKTYPE, False),
        ("./device", tarfile.CHRTYPE, False),
    ],
)
def test_of_an_archive_only_files_below_its_place_are_unpacked(tmp_path, name, sort, is_unpacked):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = sort, "/etc/passwd"
    with tarfile.open(tmp_path / "packed", "w") as archive:
        archive.addfile(member)
    with tarfile.open(tmp_path / "packed") as archive:
        assert bool(files_below(archive)) == is_unpacked


@pytest.mark.parametrize("size", [7, 1 << 10, 8 << 20])
def test_a_file_is_read_back_as_it_was_in_chunks_of_any_size(tmp_path, monkeypatch, size):
    monkeypatch.setattr("delivery.feeds.READ_BYTES", size)
    write(KEYS, tmp_path / "file")
    chunks = list(read_back(DESTINATION.columns, DESTINATION.form, tmp_path / "file"))
    hexadecimal = [list(row) for row in digests(KEYS).sort("sha256").rows()]
    assert [list(row) for chunk in chunks for row in chunk.rows()] == hexadecimal


def test_a_file_without_rows_is_read_back_as_none(tmp_path):
    write([], tmp_path / "file")
    assert list(read_back(DESTINATION.columns, DESTINATION.form, tmp_path / "file")) == []


@pytest.mark.parametrize("line", ['"a"', '"a","b","c","d"'])
def test_a_row_of_other_columns_is_refused_and_not_told(tmp_path, line):
    path = text_file([",".join(f'"{header}"' for header in HEADERS), line.replace("a", "canary")], tmp_path / "file")
    plain = dataclasses.replace(DESTINATION.form, gzip=False)
    with pytest.raises(GateRefused, match=r"^a finished file has a row that does not fit") as refused:
        list(read_back(DESTINATION.columns, plain, path))
    assert "canary" not in str(refused.value)


def test_a_file_is_named_by_its_content():
    sha256 = hashlib.sha256(b"x").hexdigest()
    name = file_name(DESTINATION, DAY, sha256)
    assert name == f"sudare_liveramp_20261031_{sha256[:12]}.csv.gz"
    assert name.isascii()


OWNER = "2026-10-31.a-run"


def pending(outbox) -> Feed:
    place = pending_place(outbox, "liveramp", OWNER)
    place.mkdir(parents=True)
    writer = write(KEYS, place / "x.csv.gz")
    return Feed("liveramp", "x.csv.gz", 30, writer.sha256, writer.plain_bytes, {}, {})


def test_a_pending_file_is_the_one_that_was_built(tmp_path):
    feed = pending(tmp_path)
    place = pending_place(tmp_path, "liveramp", OWNER)
    path = require_pending(place, feed, place)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(FenceRefused, match=r"^liveramp: the pending file is not the one that was built"):
        require_pending(place, feed, place)
    path.unlink()
    with pytest.raises(FenceRefused):
        require_pending(place, feed, place)


def test_a_night_forgets_what_others_left_of_its_day_and_before_and_nothing_of_later_days(tmp_path):
    """A backfill beside the scheduled night would otherwise take its pending feed away; removals see to themselves."""
    owners = ("2026-10-30", "2026-10-30.by-hand", "2026-10-31.dead", "2026-11-01.scheduled")
    for owner in owners:
        pending_place(tmp_path, "liveramp", owner).mkdir(parents=True)
        pending_place(tmp_path, "liveramp.removals", owner).mkdir(parents=True)
    forget_other_pending(tmp_path, datetime.date(2026, 10, 31))
    assert [path.name for path in (tmp_path / ".pending" / "liveramp").iterdir()] == [owners[-1]]
    assert len(list((tmp_path / ".pending" / "liveramp.removals").iterdir())) == len(owners)


def test_other_feeds_do_not_stay_where_somebody_may_fetch_them(tmp_path):
    names = [f"sudare_liveramp_202610{day}_aaaa.csv.gz" for day in (31, 30)]
    sealed = sealed_place(tmp_path, "liveramp") / "0123"
    for place in (tmp_path / "liveramp", sealed):
        (place / "removals").mkdir(parents=True)
        for name in (*names, names[0].replace("aaaa", "bbbb")):
            (place / name).touch()
    (sealed / f"{names[0]}.gpg").touch()
    for half in names:
        (sealed / f".{half}.gpg.part").touch()
    removal = f"{names[0].replace('liveramp', 'liveramp_removals')}.gpg"
    (sealed / removal).touch()
    drop_others(tmp_path, "liveramp", names[0])
    assert {path.name for path in (tmp_path / "liveramp").iterdir()} == {names[0], "removals"}
    assert {path.name for path in sealed.iterdir()} == {
        *(names[0], f"{names[0]}.gpg", f".{names[0]}.gpg.part", "removals", removal)
    }
    assert kept_file(tmp_path, "liveramp", names[0]) == sealed / f"{names[0]}.gpg"
    assert kept_file(tmp_path, "liveramp", names[1]) is None
