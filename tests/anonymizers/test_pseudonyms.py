"""Pseudonyms: what only the holder of the key can compute."""

import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.keys import Key, Secret
from anonymizers.pseudonyms import PSEUDONYM_BYTES, pseudonymise

SECRET = Secret("a secret of more than thirty-two bytes")
KEY = SECRET.derive("one")
IDS = [1, 2, 10, 99_999_999, -1, 2**62]
examples = settings(derandomize=True, max_examples=60, deadline=None)


def tokens(values: list, domain: str = "member", key: Key = KEY) -> list[bytes | None]:
    return pl.DataFrame({"v": values}).select(pseudonymise("v", domain, key)).to_series().to_list()


def independent(value: object, domain: str, key: Key) -> bytes:
    """The same from the standard library alone; the key is the hexadecimal text of the derived bytes."""
    return hmac.new(key.bytes.hex().encode(), f"{domain}:{value}".encode(), hashlib.sha256).digest()[:16]


def test_a_pseudonym_is_the_first_half_of_hmac_sha_256():
    assert tokens(IDS) == [independent(value, "member", KEY) for value in IDS]
    assert {len(token) for token in tokens(IDS)} == {PSEUDONYM_BYTES}


@examples
@given(st.lists(st.text(max_size=80), min_size=1))
def test_texts_of_any_kind_have_the_same_pseudonym_as_computed_apart(texts):
    assert tokens(texts, "thread") == [independent(text, "thread", KEY) for text in texts]


@examples
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["member", "thread", "posting"]), st.booleans())))
def test_pseudonyms_are_equal_if_and_only_if_value_domain_and_key_are(cases):
    keys = {True: KEY, False: SECRET.derive("two")}
    made = {case: tokens([case[0]], case[1], keys[case[2]])[0] for case in cases}
    assert len(set(made.values())) == len(set(cases))


def test_null_stays_null():
    assert tokens([None, 1])[0] is None
    assert tokens([None, 1])[1] == independent(1, "member", KEY)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_no_unkeyed_digest_of_an_identifier_is_a_pseudonym(algorithm):
    ids = range(1, 2_000)
    guesses = {
        hashlib.new(algorithm, form.encode()).digest()[:16] for i in ids for form in (f"{i}", f"member:{i}", f"{i:08d}")
    }
    assert guesses.isdisjoint(tokens(list(ids)))


def test_an_empty_key_gives_other_pseudonyms():
    empty = {hmac.new(b"", f"member:{i}".encode(), hashlib.sha256).digest()[:16] for i in IDS}
    assert empty.isdisjoint(tokens(IDS))
