"""Feeds: only what is permitted is encoded, and the same feed is the same bytes."""

import copy
import dataclasses
import datetime
import gzip
import hashlib

import polars as pl
import pytest

from anonymizers.errors import OutboxUnwritable, PermitRefused
from delivery.consent import Permitted
from delivery.destinations.liveramp import DESTINATION
from delivery.feeds import Feed, encode, file_name, keep_pending, read_back, render
from transforms.deidentification import Account

DAY = datetime.date(2026, 10, 31)
KEYS = [f"hanako{n}@example.jp" for n in range(30)]
HEADERS = [header for header, _ in DESTINATION.columns]


def permitted(keys: list[str] = KEYS, destination: str = "liveramp") -> Permitted:
    """Made here by force, as only `delivery.consent` may."""
    made = object.__new__(Permitted)
    object.__setattr__(made, "destination", destination)
    object.__setattr__(made, "keys", pl.Series("key", keys, dtype=pl.String))
    return made


def feed(keys: list[str] = KEYS) -> Feed:
    digests = encode(DESTINATION, permitted(keys)).sort(HEADERS[0])
    return Feed(DESTINATION, DAY, digests, Account(len(keys) + 2, {"no_consent": 2}))


def test_every_permitted_address_is_digested_under_every_header():
    assert encode(DESTINATION, permitted()).rows() == [
        tuple(hashlib.new(d.value, key.encode()).hexdigest() for _, d in DESTINATION.columns) for key in KEYS
    ]
    assert encode(DESTINATION, permitted()).columns == HEADERS


class Pretender:
    destination = "liveramp"
    keys = pl.Series("key", KEYS)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(pl.Series("key", KEYS), id="a column"),
        pytest.param(pl.DataFrame({"key": KEYS}), id="a frame"),
        pytest.param(KEYS, id="a list"),
        pytest.param(None, id="nothing"),
        pytest.param(Pretender(), id="something that looks alike"),
        pytest.param(permitted(destination="other"), id="a permit for another destination"),
    ],
)
def test_nothing_but_a_permit_for_this_destination_is_encoded(given):
    with pytest.raises(PermitRefused, match=r"^liveramp: only addresses permitted for this destination") as refused:
        encode(DESTINATION, given)
    assert refused.value.exit_status == 42
    assert "@" not in str(refused.value)


def test_a_permit_does_not_show_its_addresses():
    assert "@" not in repr(permitted())
    assert "@" not in f"{[permitted()]}"


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


def test_the_same_feed_is_the_same_bytes():
    assert render(feed()) == render(feed(list(reversed(KEYS))))
    assert render(feed()) != render(feed(KEYS[1:]))


def test_a_file_is_quoted_csv_with_line_feeds():
    text = gzip.decompress(render(feed(KEYS[:2]))).decode("ascii")
    head, *rows, last = text.split("\n")
    assert head == '"EMAIL1_SHA-256","EMAIL1_SHA-1","EMAIL1_MD5"'
    assert last == ""
    assert "\r" not in text
    assert rows == [",".join(f'"{value}"' for value in row) for row in feed(KEYS[:2]).digests.rows()]


def test_a_file_says_neither_when_nor_where_it_was_made():
    content = render(feed())
    assert content[:3] == b"\x1f\x8b\x08"
    assert content[4:8] == bytes(4)  # no time
    assert content[3] == 0  # no name, no comment


def test_many_rows_are_written_whole(monkeypatch):
    whole = render(feed())
    monkeypatch.setattr("delivery.feeds.ROWS_PER_CHUNK", 7)
    assert gzip.decompress(render(feed())) == gzip.decompress(whole)


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_a_file_is_read_back_as_it_was(rows):
    made = feed(KEYS[:rows])
    assert read_back(DESTINATION, render(made)).equals(made.digests)


def test_a_digest_of_digits_is_read_back_as_text():
    digests = pl.DataFrame([["1" * 64, "0" * 40, "7" * 32]], schema=HEADERS, orient="row")
    assert read_back(DESTINATION, render(Feed(DESTINATION, DAY, digests, Account(1, {})))).equals(digests)


def test_a_file_is_named_by_its_content():
    content = render(feed())
    name = file_name(feed(), content)
    assert name == f"sudare_liveramp_20261031_{hashlib.sha256(content).hexdigest()[:12]}.csv.gz"
    assert name.isascii()


def test_a_pending_feed_is_kept_in_private_and_told_in_counts(tmp_path):
    place = tmp_path / "pending"
    keep_pending(feed(KEYS[:5]), place)
    told = keep_pending(feed(), place)
    (path,) = place.iterdir()
    assert told == {
        "destination": "liveramp",
        "file": path.name,
        "rows": 30,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "account": {"read": 32, "kept": 30, "dropped": {"no_consent": 2}},
    }
    assert place.stat().st_mode & 0o077 == 0


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "pending").write_text("")
    with pytest.raises(OutboxUnwritable, match=r"^outbox: "):
        keep_pending(feed(), tmp_path / "pending")
