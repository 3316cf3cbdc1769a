"""One secret, a key for each purpose; what is missing, short or public is refused."""

import hashlib
import hmac

import pytest

from anonymizers.errors import DemoKeyRefused, KeyMissing, KeyTooShort
from anonymizers.keys import DEMO_SECRET, SECRET_BYTES, Secret

TEXT = "0123456789abcdef0123456789abcdef"


def hkdf(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 of RFC 5869 for one block, from the standard library."""
    extracted = hmac.new(b"sudare/1", secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


@pytest.mark.parametrize(
    ("text", "error", "status"),
    [
        pytest.param("", KeyMissing, 10, id="no secret"),
        pytest.param("x", KeyTooShort, 11, id="one byte"),
        pytest.param("x" * (SECRET_BYTES - 1), KeyTooShort, 11, id="a byte too few"),
    ],
)
def test_a_secret_that_is_no_secret_is_refused(text, error, status):
    with pytest.raises(error) as refused:
        Secret(text)
    assert refused.value.exit_status == status
    assert "SUDARE_SECRET" in str(refused.value)


def test_the_length_is_in_bytes():
    assert len("あ" * 11) < SECRET_BYTES <= len(("あ" * 11).encode())
    Secret("あ" * 11)


def test_the_shortest_secret_is_32_bytes():
    assert Secret("x" * 32).derive("p").bytes


def test_the_demo_secret_is_refused_against_a_source_that_is_not_the_demo():
    with pytest.raises(DemoKeyRefused) as refused:
        Secret(DEMO_SECRET).require_fit_for(demo_source=False)
    assert refused.value.exit_status == 12
    assert DEMO_SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "demo_source"),
    [
        pytest.param(DEMO_SECRET, True, id="the demo's secret for the demo"),
        pytest.param(TEXT, True, id="an own secret for the demo"),
        pytest.param(TEXT, False, id="an own secret for a real source"),
    ],
)
def test_a_fit_secret_passes(text, demo_source):
    Secret(text).require_fit_for(demo_source=demo_source)


@pytest.mark.parametrize("purpose", ["staging/pseudonyms/1", "staging/texts/1", ""])
def test_a_derived_key_is_that_of_rfc_5869(purpose):
    assert Secret(TEXT).derive(purpose).bytes == hkdf(TEXT.encode(), purpose.encode())


def test_the_same_secret_and_purpose_give_the_same_key():
    assert Secret(TEXT).derive("a") == Secret(TEXT).derive("a")


def test_another_purpose_or_secret_gives_another_key_and_another_id():
    keys = [Secret(text).derive(purpose) for text in (TEXT, TEXT[::-1]) for purpose in ("a", "b")]
    assert len({key.bytes for key in keys}) == len({key.id for key in keys}) == 4


def test_an_id_is_stable_and_no_part_of_the_key():
    key = Secret(TEXT).derive("a")
    assert key.id == hmac.new(key.bytes, b"key id", hashlib.sha256).hexdigest()[:12]
    assert key.id not in key.bytes.hex()


def test_neither_secret_nor_key_shows():
    secret = Secret(TEXT)
    key = secret.derive("a")
    shown = " ".join((repr(secret), str(secret), f"{secret!s:>5}", repr(key), str(key), repr([secret, {"k": key}])))
    assert TEXT not in shown
    assert key.bytes.hex() not in shown
    assert repr(key.bytes) not in shown
    assert key.id in shown
