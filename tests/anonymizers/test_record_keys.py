"""Record keys: two numbers of a member that only the holder of the key can compute."""

import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.keys import Key
from anonymizers.record_keys import FIELD, record_keys
from tests.members import KEY, PRIME, SECRET, record_key_and_point

IDS = [1, 2, 10, 99_999_999, -1, 2**62]
examples = settings(max_examples=60)


def made(values: list, key: Key = KEY) -> list[tuple]:
    return pl.DataFrame({"v": values}).select(record_keys("v", key)).rows()


def test_both_are_cut_from_one_hmac_sha_256_of_the_standard_library():
    assert made(IDS) == [record_key_and_point(value) for value in IDS]


@examples
@given(st.lists(st.text(max_size=80), min_size=1))
def test_texts_of_any_kind_have_the_same_keys_as_computed_apart(texts):
    assert made(texts) == [record_key_and_point(text) for text in texts]


@examples
@given(st.sets(st.tuples(st.integers(0, 5), st.sampled_from(["statistics/1", "statistics/2", "staging/texts/1"]))))
def test_keys_are_equal_if_and_only_if_member_and_purpose_are(cases):
    found = {case: made([case[0]], SECRET.derive(case[1]))[0] for case in cases}
    assert found == {case: made([case[0]], SECRET.derive(case[1]))[0] for case in cases}
    for part in (0, 1):
        assert len({keys[part] for keys in found.values()}) == len(cases)


def test_a_number_and_its_text_are_the_same_member():
    assert made([7, 8]) == made(["7", "8"])


def test_a_null_stays_null():
    assert made([None, 1]) == [(None, None), record_key_and_point(1)]


def test_nobody_has_no_keys():
    assert pl.DataFrame({"v": []}, schema={"v": pl.Int64}).select(record_keys("v", KEY)).rows() == []


def test_they_fill_their_ranges_evenly_and_know_nothing_of_each_other():
    """In 50 000 members: chi-squared of 16 parts, at odds of a million to one; correlation within 5 deviations."""
    frame = pl.DataFrame({"v": range(50_000)}).select(record_keys("v", KEY))
    assert frame.schema == {"record_key": pl.UInt32, "point": pl.UInt32}
    assert frame["point"].is_between(1, PRIME - 1).all() and FIELD == PRIME
    for name, top in (("record_key", 2**32), ("point", PRIME)):
        parts = frame.select((pl.col(name).cast(pl.Int64) * 16 // top).value_counts()).unnest(name)["count"]
        assert len(parts) == 16
        assert sum((part - 3_125) ** 2 / 3_125 for part in parts) < 54
    assert abs(frame.select(pl.corr("record_key", "point")).item()) < 5 / 50_000**0.5


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_no_unkeyed_digest_of_a_member_gives_her_keys(algorithm):
    ids = range(1, 2_000)
    guesses = {
        int(hashlib.new(algorithm, form.encode()).hexdigest()[:8], 16)
        for i in ids
        for form in (f"{i}", f"member:{i}", f"{i:08d}")
    }
    # Of 6 000 guesses and 2 000 keys of 32 bits a few thousandths meet by chance; here none does.
    assert guesses.isdisjoint(number for number, _ in made(list(ids)))


def test_an_empty_key_gives_other_keys():
    empty = {hmac.new(b"", f"member:{i}".encode(), hashlib.sha256).digest()[:4] for i in IDS}
    assert empty.isdisjoint(number.to_bytes(4, "big") for number, _ in made(IDS))
