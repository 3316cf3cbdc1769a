"""Parts: the order of the whole does not depend on how many there are, and nothing is lost."""

import shutil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizers.errors import OutboxUnwritable
from delivery.buckets import Buckets, how_many

SCHEMA = {"sha256": pl.String, "n": pl.Int64}


def frame(values: list[str], start: int = 0) -> pl.DataFrame:
    return pl.DataFrame([[value, start + n] for n, value in enumerate(values)], schema=SCHEMA, orient="row")


def whole(buckets: Buckets) -> list[str]:
    return [value for part in buckets.in_order() if not part.is_empty() for value in part["sha256"]]


@pytest.fixture
def parted_at_once(monkeypatch):
    monkeypatch.setattr("delivery.buckets.AT_ONCE", 1)


DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
ALIKE = st.tuples(st.sampled_from(["0" * 15, "7f" * 8]), DIGESTS).map(lambda both: (both[0] + both[1])[:64])
"""Digests whose beginnings are the same: no order of the beginnings is theirs."""


@given(st.lists(st.lists(DIGESTS | ALIKE | st.just(""), max_size=20), max_size=4), st.sampled_from([1, 7, 100_000]))
def test_whatever_comes_is_read_back_in_order(tmp_path_factory, frames, at_once):
    expected = sorted(value for values in frames for value in values)
    for number in (1, 2, 16, 256):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("delivery.buckets.AT_ONCE", at_once)
            buckets = Buckets(tmp_path_factory.mktemp("parts") / "below", number)
            for values in frames:
                buckets.add(frame(values))
        assert whole(buckets) == expected
        assert whole(buckets) == expected  # and again
        buckets.remove()
        assert whole(buckets) == []


@pytest.mark.parametrize(
    ("rows", "number"),
    [(0, 1), (1, 1), (250_000, 1), (250_001, 2), (1_000_000, 4), (1_000_001, 8), (5_000_000, 32), (10**10, 256)],
)
def test_parts_are_a_power_of_two(rows, number):
    assert how_many(rows) == number


@pytest.mark.parametrize("lost", ["*", "000/000001.arrows"])
def test_rows_that_were_taken_in_and_are_gone_are_not_taken_for_none(tmp_path, parted_at_once, lost):
    """Whoever deletes working files would otherwise make a feed look as if nobody in it had said stop."""
    buckets = Buckets(tmp_path / "parts", 2)
    for _ in range(2):
        buckets.add(frame(["00" * 32, "ff" * 32]))
    for path in (tmp_path / "parts").glob(lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(OutboxUnwritable, match="working files are gone"):
        whole(buckets)


def test_parts_are_the_owners_only(tmp_path, parted_at_once):
    buckets = Buckets(tmp_path / "parts", 2)
    buckets.add(frame(["00" * 32, "ff" * 32]))
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "parts").rglob("*") if path.is_dir()} == {0}


def test_a_place_that_cannot_be_written_is_named(tmp_path, parted_at_once):
    (tmp_path / "parts").write_text("")
    with pytest.raises(OutboxUnwritable, match=r"^outbox: ") as refused:
        Buckets(tmp_path / "parts", 2).add(frame(["7f" * 32]))
    assert str(tmp_path) not in str(refused.value)
